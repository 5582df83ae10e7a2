import type OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { manualClock, parseInstant } from '../time.ts'
import {
  conversation,
  type Files,
  get,
  messageOf,
  post,
  remove,
  runOn,
  say,
  upload,
} from './assistants.fixture.ts'
import type { Assistant, Tool } from './objects.ts'
import { newStateFile, noon, openSandbox } from './sandbox.fixture.ts'
import type { Sandbox } from './sandbox.ts'

const interpreter: readonly Tool[] = [{ type: 'code_interpreter' }]
const retrieval: readonly Tool[] = [{ type: 'retrieval' }]
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]

/** A clock of a day on which no promotion was in force. */
const priced = () => manualClock(parseInstant('2024-03-05T12:00:00Z'))

const rowOf = (sandbox: Sandbox, meter: string) => sandbox.books().find((row) => row.meter === meter)
const sessionsOf = (sandbox: Sandbox) => rowOf(sandbox, 'code_interpreter_session')
const storageOf = (sandbox: Sandbox) => rowOf(sandbox, 'retrieval_gb_day')

const useCode = async (client: OpenAI, at: { thread: string; assistant: string }) => {
  await say(client, at.thread, '[code]')
  expect((await runOn(client, at)).status).toBe('completed')
}

describe('code interpreter sessions', () => {
  it('are one for 40 calls of a thread within an hour: 0.03', async () => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock, outputTokens: 1 })
    const at = await conversation(client, { tools: interpreter })
    for (let call = 0; call < 40; call++) {
      await useCode(client, at)
      clock.advance(call === 38 ? 3 * minute : 1.5 * minute - 1)
    }
    // The fortieth call came after 59 minutes and 59.962 seconds.
    expect(sessionsOf(sandbox)).toMatchObject({ calls: 1, quantity: 1, amount: '0.03' })
  })

  it('are two when calls lie 61 minutes apart: 0.06', async () => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock })
    const at = await conversation(client, { tools: interpreter })
    await useCode(client, at)
    clock.advance(61 * minute)
    await useCode(client, at)
    expect(sessionsOf(sandbox)).toMatchObject({ quantity: 2, amount: '0.06' })
  })

  it('end with their hour, the instant itself not included', async () => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock })
    const at = await conversation(client, { tools: interpreter })
    await useCode(client, at)
    clock.advance(hour - 1)
    await useCode(client, at)
    expect(sessionsOf(sandbox)?.quantity).toBe(1)
    clock.advance(1)
    await useCode(client, at)
    expect(sessionsOf(sandbox)?.quantity).toBe(2)
  })

  it('are two for two threads: 0.06, and both are shown', async () => {
    const { sandbox, client } = await openSandbox({ clock: priced() })
    const at = await conversation(client, { tools: interpreter })
    const other = { ...at, thread: (await client.beta.threads.create({})).id }
    await useCode(client, at)
    await useCode(client, other)
    expect(sessionsOf(sandbox)).toMatchObject({ quantity: 2, amount: '0.06' })
    expect(sandbox.standing().sessions).toHaveLength(2)
    expect(sandbox.standing().sessions).toContainEqual({
      thread: at.thread,
      opened: '2024-03-05T12:00:00Z',
      ends: '2024-03-05T13:00:00Z',
    })
  })

  it('cost nothing while they are only allowed, and not called', async () => {
    const { sandbox, client } = await openSandbox({ clock: priced() })
    const at = await conversation(client, { tools: interpreter })
    await say(client, at.thread, '[answer]')
    await runOn(client, at)
    expect(sessionsOf(sandbox)).toBeUndefined()
    expect(sandbox.standing().sessions).toEqual([])
  })

  it('are free on 2023-11-15, and listed at 0.03', async () => {
    const { sandbox, client } = await openSandbox()
    await useCode(client, await conversation(client, { tools: interpreter }))
    expect(sessionsOf(sandbox)).toMatchObject({ amount: '0', listAmount: '0.03' })
  })

  it('stay open through a restart', async () => {
    const [stateFile, clock] = [newStateFile(), priced()]
    const first = await openSandbox({ stateFile, clock })
    const at = await conversation(first.client, { tools: interpreter })
    await useCode(first.client, at)
    await first.sandbox.close()
    clock.advance(59 * minute)
    const second = await openSandbox({ stateFile, clock })
    await useCode(second.client, at)
    expect(sessionsOf(second.sandbox)).toMatchObject({ quantity: 1, amount: '0.03' })
  })
})

describe('storage for retrieval', () => {
  const megabytes = (many: number) => new Uint8Array(many * 2 ** 20).fill(97)

  it('is 0.40 for one gigabyte-day with two assistants, however many threads read it', async () => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock })
    const file_ids = [await upload(client, megabytes(16)), await upload(client, megabytes(16))]
    const at = await conversation(client, { tools: retrieval, file_ids })
    await conversation(client, { tools: retrieval, file_ids })
    for (const thread of [at.thread, (await client.beta.threads.create({})).id]) {
      await say(client, thread, '[answer]')
      await runOn(client, { ...at, thread })
    }
    // 32 of 1,024 megabytes, for 32 days.
    clock.advance(32 * day)
    expect(storageOf(sandbox)).toEqual({
      model: '',
      meter: 'retrieval_gb_day',
      calls: 0,
      quantity: 2,
      byteMilliseconds: String(2n * 2n ** 30n * 86_400_000n),
      amount: '0.4',
      currency: 'USD',
    })
    expect(sandbox.standing().storage).toMatchObject([
      { assistant: at.assistant, files: 2, bytes: 2 ** 25, amount: '0.2', listAmount: '0.2' },
      { files: 2, bytes: 2 ** 25, amount: '0.2' },
    ])
  })

  const ends: readonly [
    string,
    (client: OpenAI, at: { assistant: string; file: string }) => Promise<unknown>,
  ][] = [
    [
      'it is taken from the assistant',
      (client, at) => remove(client, `/assistants/${at.assistant}/files/${at.file}`),
    ],
    ['the file is deleted', (client, at) => client.files.delete(at.file)],
    ['the assistant is deleted', (client, at) => client.beta.assistants.delete(at.assistant)],
    [
      'the assistant loses its files',
      (client, at) => post(client, `/assistants/${at.assistant}`, { file_ids: [] }),
    ],
    [
      'the assistant loses the tool',
      (client, at) => post(client, `/assistants/${at.assistant}`, { tools: [] }),
    ],
  ]
  it.each(ends)('costs a quarter of a day when after 6 hours %s', async (_, end) => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock })
    const file = await upload(client, megabytes(1))
    const { assistant } = await conversation(client, { tools: retrieval, file_ids: [file] })
    clock.advance(6 * hour)
    await end(client, { assistant, file })
    clock.advance(10 * day)
    // 0.2 / 1,024 / 4.
    expect(storageOf(sandbox)).toMatchObject({ amount: '0.000048828125' })
    expect(sandbox.standing().storage).toMatchObject([{ assistant, files: 0, bytes: 0 }])
    expect(sandbox.total().amount).toBe('0.000048828125')
  })

  it('is free on 2023-11-15, and listed', async () => {
    const clock = manualClock(noon)
    const { sandbox, client } = await openSandbox({ clock })
    await conversation(client, { tools: retrieval, file_ids: [await upload(client, megabytes(1))] })
    clock.advance(day)
    expect(storageOf(sandbox)).toMatchObject({ amount: '0', listAmount: '0.0001953125' })
    expect(sandbox.total()).toMatchObject({ amount: '0', listAmount: '0.0001953125' })
  })

  it('costs nothing without the retrieval tool', async () => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock })
    await conversation(client, { tools: interpreter, file_ids: [await upload(client, megabytes(1))] })
    clock.advance(day)
    expect(storageOf(sandbox)).toBeUndefined()
  })

  it('holds the files of messages from the first run with retrieval to the end of the thread', async () => {
    const clock = priced()
    const { sandbox, client } = await openSandbox({ clock, outputTokens: 1 })
    const at = await conversation(client, { tools: retrieval })
    await say(client, at.thread, '[answer]', [await upload(client, megabytes(1))])
    clock.advance(day)
    expect(storageOf(sandbox)).toBeUndefined()
    await runOn(client, at)
    clock.advance(6 * hour)
    await client.beta.threads.delete(at.thread)
    clock.advance(day)
    expect(storageOf(sandbox)?.amount).toBe('0.000048828125')
  })

  it('goes on through a restart', async () => {
    const [stateFile, clock] = [newStateFile(), priced()]
    const first = await openSandbox({ stateFile, clock })
    const file = await upload(first.client, megabytes(1))
    await conversation(first.client, { tools: retrieval, file_ids: [file] })
    await first.sandbox.close()
    clock.advance(6 * hour)
    const second = await openSandbox({ stateFile, clock })
    const reply = await fetch(`${second.sandbox.url}/sandbox/standing`)
    expect(await reply.json()).toMatchObject({
      at: '2024-03-05T18:00:00Z',
      sessions: [],
      storage: [{ files: 1, bytes: 2 ** 20, amount: '0.000048828125' }],
    })
  })
})

describe('the files of an assistant', () => {
  it('are attached, listed, retrieved and taken away', async () => {
    const { client } = await openSandbox()
    const [one, two] = [await upload(client, 'one'), await upload(client, 'two')]
    const { assistant } = await conversation(client, { file_ids: [one] })
    const path = `/assistants/${assistant}/files`
    const attached = await post(client, path, { file_id: two })
    expect(attached).toEqual({
      id: two,
      object: 'assistant.file',
      created_at: noon / 1000,
      assistant_id: assistant,
    })
    expect((await get<Assistant>(client, `/assistants/${assistant}`)).file_ids).toEqual([one, two])
    expect((await get<Files>(client, `${path}?limit=1`)).has_more).toBe(true)
    expect((await get<Files>(client, `${path}?after=${two}`)).data).toMatchObject([{ id: one }])
    expect(await get(client, `${path}/${two}`)).toEqual(attached)
    expect(await remove(client, `${path}/${two}`)).toEqual({
      id: two,
      object: 'assistant.file.deleted',
      deleted: true,
    })
    expect(await messageOf(get(client, `${path}/${two}`))).toBe(
      `404 No assistant file found with id '${two}'.`,
    )
    expect((await client.files.retrieve(two)).bytes).toBe(3)
  })

  it('are refused when there are more than twenty, or when they are for something else', async () => {
    const { client } = await openSandbox()
    const file_ids: string[] = []
    for (let file = 0; file < 20; file++) file_ids.push(await upload(client, `${file}`))
    const { assistant, thread } = await conversation(client, { file_ids })
    const more = post(client, `/assistants/${assistant}/files`, { file_id: await upload(client, 'more') })
    expect(await messageOf(more)).toContain('at most 20 items')
    expect(await messageOf(say(client, thread, 'x', file_ids.slice(0, 11)))).toContain('at most 10 items')
    const lines = new File(['{"messages": []}\n'], 'lines.jsonl')
    const other = (await client.files.create({ file: lines, purpose: 'fine-tune' })).id
    expect(await messageOf(say(client, thread, 'x', [other]))).toBe(
      `400 File '${other}' is for 'fine-tune': an assistant cannot use it.`,
    )
    expect(await messageOf(say(client, thread, 'x', [thread]))).toBe(`404 No file found with id '${thread}'.`)
  })

  it('go everywhere when the file is deleted', async () => {
    const { client } = await openSandbox()
    const file = await upload(client, 'one')
    const { assistant, thread } = await conversation(client, { file_ids: [file] })
    const message = await say(client, thread, 'x', [file])
    const path = `/threads/${thread}/messages/${message.id}/files`
    expect(await get(client, `${path}/${file}`)).toEqual({
      id: file,
      object: 'thread.message.file',
      created_at: noon / 1000,
      message_id: message.id,
    })
    await client.files.delete(file)
    expect((await get<Assistant>(client, `/assistants/${assistant}`)).file_ids).toEqual([])
    expect((await get<Files>(client, path)).data).toEqual([])
    expect(await messageOf(get(client, `${path}/${file}`))).toBe(
      `404 No message file found with id '${file}'.`,
    )
  })
})
