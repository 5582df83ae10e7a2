import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { toFile } from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSandbox } from './sandbox.fixture.ts'

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

const headers = { authorization: 'Bearer sk-test' }

describe('files', () => {
  it('are uploaded, listed newest first, retrieved, read and deleted', async () => {
    const { client } = await openSandbox()
    const lines = '{"messages": []}\n{"messages": []}\n'
    const tuning = await client.files.create({
      file: await toFile(Buffer.from(lines), 'a.jsonl'),
      purpose: 'fine-tune',
    })
    expect(tuning).toEqual({
      id: expect.stringMatching(/^file-[0-9A-Za-z]{24}$/),
      object: 'file',
      bytes: 34,
      created_at: 1_700_049_600,
      filename: 'a.jsonl',
      purpose: 'fine-tune',
      status: 'processed',
      status_details: null,
    })
    const book = await client.files.create({
      file: await toFile(Buffer.from('once'), 'b.txt'),
      purpose: 'assistants',
    })
    expect((await client.files.list()).data.map(({ id }) => id)).toEqual([book.id, tuning.id])
    expect((await client.files.list({ purpose: 'fine-tune' })).data.map(({ id }) => id)).toEqual([tuning.id])
    expect(await client.files.retrieve(tuning.id)).toEqual(tuning)
    expect(await (await client.files.content(tuning.id)).text()).toBe(lines)
    expect(await client.files.delete(tuning.id)).toEqual({ id: tuning.id, object: 'file', deleted: true })
    expect(await refusal(client.files.retrieve(tuning.id))).toEqual([
      404,
      `404 No such File object: ${tuning.id}`,
    ])
    expect(await refusal(client.files.content(tuning.id))).toEqual([
      404,
      `404 No such File object: ${tuning.id}`,
    ])
  })

  it('keep every byte of a large file', async () => {
    const { client } = await openSandbox()
    const bytes = Buffer.alloc(3_000_000, '{"a": "\\u0000 é --x"}\r\n\r\n--')
    const lines = Buffer.concat([bytes.subarray(0, bytes.lastIndexOf('\n--')), Buffer.from('\n')])
    const file = await toFile(Buffer.from(lines.toString().replaceAll('--{', '{')), 'x.jsonl')
    const { id } = await client.files.create({ file, purpose: 'fine-tune' })
    const back = await (await client.files.content(id)).arrayBuffer()
    expect(Buffer.from(back).equals(Buffer.from(await file.arrayBuffer()))).toBe(true)
    expect(back.byteLength).toBeGreaterThan(2_000_000)
  })

  it('of assistants cannot be had back', async () => {
    const { client } = await openSandbox()
    const { id } = await client.files.create({
      file: await toFile(Buffer.from('x'), 'x.txt'),
      purpose: 'assistants',
    })
    expect(await refusal(client.files.content(id))).toEqual([
      400,
      '400 Not allowed to download files of purpose: assistants',
    ])
  })

  it('outlive the sandbox in its state file, and a reset forgets them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'octroi-files-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const stateFile = join(folder, 'state.db')
    const first = await openSandbox({ stateFile })
    const file = await toFile(Buffer.from('{}\n'), 'x.jsonl')
    const { id } = await first.client.files.create({ file, purpose: 'fine-tune' })
    await first.sandbox.close()
    const second = await openSandbox({ stateFile })
    expect(await (await second.client.files.content(id)).text()).toBe('{}\n')
    await second.sandbox.close()
    const third = await openSandbox({ stateFile, reset: true })
    expect((await third.client.files.list()).data).toEqual([])
  })

  it.each([
    ['without a file', { purpose: 'assistants' }, "'file' is a required property"],
    ['without a purpose', { file: new Blob(['x']) }, "'purpose' is a required property"],
    [
      'for another purpose',
      { file: new Blob(['x']), purpose: 'answers' },
      "'answers' is not one of ['fine-tune', 'assistants'] - 'purpose'",
    ],
    ['that are empty', { file: new Blob([]), purpose: 'assistants' }, 'File is empty.'],
    [
      'of broken lines',
      { file: new Blob(['{}\n[1]\n']), purpose: 'fine-tune' },
      'Expected file to have JSONL format, where every line is a JSON dictionary. Line 2 is not a dictionary ' +
        '(HINT: line starts with: "[1]...").',
    ],
  ])('%s are refused', async (_, fields, message) => {
    const { sandbox } = await openSandbox()
    const body = new FormData()
    for (const [name, value] of Object.entries(fields)) body.append(name, value)
    const reply = await fetch(`${sandbox.baseUrl}/files`, { method: 'POST', headers, body })
    expect([reply.status, await reply.json()]).toMatchObject([400, { error: { message } }])
  })

  it.each([
    ['no boundary', 'multipart/form-data', '--x\r\n'],
    ['no parts', 'multipart/form-data; boundary=x', 'nothing'],
    [
      'a part that breaks off',
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; na',
    ],
    [
      '65 parts',
      'multipart/form-data; boundary=x',
      `${'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'.repeat(66)}--x--\r\n`,
    ],
  ])('in a form with %s are refused', async (_, type, body) => {
    const { sandbox } = await openSandbox()
    const sent = { method: 'POST', headers: { ...headers, 'content-type': type }, body }
    const reply = await fetch(`${sandbox.baseUrl}/files`, sent)
    expect([reply.status, await reply.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('Could not parse multipart form.') } },
    ])
  })

  it('larger than a request may be are refused in plain words', async () => {
    const { sandbox } = await openSandbox()
    const body = new FormData()
    body.append('purpose', 'assistants')
    body.append('file', new Blob([Buffer.alloc(33 * 2 ** 20)]))
    const reply = await fetch(`${sandbox.baseUrl}/files`, { method: 'POST', headers, body })
    expect([reply.status, await reply.json()]).toMatchObject([
      413,
      { error: { message: 'The sandbox reads bodies of up to 33554432 bytes.' } },
    ])
  })

  it('take faults of their own', async () => {
    const { sandbox, client } = await openSandbox()
    sandbox.faults.add({ kind: 'status', status: 500, endpoint: 'files' })
    expect(await refusal(client.files.list())).toMatchObject([500, expect.any(String)])
    expect((await client.files.list()).data).toEqual([])
  })
})
