import { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { readAll } from '../../test/support/ledger.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { readAccrued } from '../ledger/reading.ts'
import { formatPicos } from '../money/money.ts'
import {
  conversation,
  get,
  post,
  remove,
  runOn,
  say,
  stepsOf,
  upload,
} from '../sandbox/assistants.fixture.ts'
import type { Tool } from '../sandbox/objects.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const accruals = () =>
  readAll(world.folder, (database) => readAccrued(database, { from: 0, to: Number.MAX_SAFE_INTEGER }))

const statusOf = (asked: Promise<unknown>): Promise<number | undefined> =>
  asked.then(
    () => 200,
    (error: unknown) => (error instanceof APIError ? error.status : undefined),
  )

const code: Tool = { type: 'code_interpreter' }
const retrieval: Tool = { type: 'retrieval' }

describe('an object that a body names', () => {
  it('must be one that this key created, deep down as well', async () => {
    world = await startWorld()
    const [mine, theirs] = [await world.client('support'), await world.client('search')]
    const file = await upload(mine, 'facts')
    const own = await conversation(theirs, { tools: [retrieval] })
    const message = { role: 'user', content: 'hi', file_ids: [file] }
    const asked: readonly [string, object][] = [
      ['/assistants', { model: 'gpt-4-1106-preview', tools: [retrieval], file_ids: [file] }],
      [`/assistants/${own.assistant}`, { file_ids: [file] }],
      [`/assistants/${own.assistant}/files`, { file_id: file }],
      ['/threads', { messages: [message] }],
      [`/threads/${own.thread}/messages`, message],
      ['/threads/runs', { assistant_id: own.assistant, thread: { messages: [message] } }],
      [`/assistants/${own.assistant}/files`, { file_id: 'file-that-never-was' }],
    ]
    const before = world.sandbox.standing().storage
    for (const [path, body] of asked)
      expect([path, await statusOf(post(theirs, path, body))]).toEqual([path, 404])
    expect(world.sandbox.standing().storage).toEqual(before)
    expect(await statusOf(post(mine, '/threads', { messages: [message] }))).toBe(200)
    await remove(mine, `/files/${file}`)
    expect(await statusOf(post(mine, '/threads', { messages: [message] }))).toBe(404)
  })

  it('shows the steps and the files of a run to its owner only', async () => {
    world = await startWorld()
    const [mine, theirs] = [await world.client('support'), await world.client('search')]
    const at = await conversation(mine, { tools: [code] })
    await say(mine, at.thread, '[code]')
    const run = await runOn(mine, at)
    expect((await stepsOf(mine, run)).map(({ type }) => type)).toEqual(['tool_calls', 'message_creation'])
    expect(await statusOf(stepsOf(theirs, run))).toBe(404)
    expect(await statusOf(get(theirs, `/assistants/${at.assistant}/files`))).toBe(404)
  })
})

describe('what an assistant stores for retrieval', () => {
  /** Bytes x milliseconds at the vendor and in the ledger, once the clock has moved on an hour. */
  const anHour = async () => {
    world.clock.advance(3_600_000)
    await world.gateway.sweep()
    const open = world.sandbox.standing().storage.reduce((sum, { bytes }) => sum + bytes, 0)
    const booked = world.sandbox.books().find(({ meter }) => meter === 'retrieval_gb_day')?.amount ?? '0'
    const accrued = await accruals()
    const amount = accrued.flatMap(({ charges }) => charges).reduce((sum, charge) => sum + charge.amount, 0n)
    return { open, booked: Number(booked), ledger: Number(formatPicos(amount)) }
  }

  it('is what its books say: attached, taken away, deleted, and brought by messages', async () => {
    world = await startWorld({ at: '2024-03-15T12:00:00Z' })
    const client = await world.client('support')
    const [a, b, c] = [
      await upload(client, 'a'.repeat(1_000)),
      await upload(client, 'b'.repeat(2_000)),
      await upload(client, 'c'.repeat(4_000)),
    ]
    const at = await conversation(client, { tools: [retrieval], file_ids: [a] })
    const second = await conversation(client, { tools: [] })
    await post(client, `/assistants/${second.assistant}/files`, { file_id: b })
    const steps: [string, number, () => Promise<unknown>][] = [
      ['one file', 1_000, async () => {}],
      [
        'attached by a route of its own',
        3_000,
        () => post(client, `/assistants/${at.assistant}/files`, { file_id: b }),
      ],
      [
        'a second assistant can search',
        5_000,
        () => post(client, `/assistants/${second.assistant}`, { tools: [retrieval] }),
      ],
      [
        'brought by a message',
        9_000,
        async () => {
          await say(client, at.thread, '[answer]', [a, c])
          await runOn(client, at)
        },
      ],
      ['the thread still brings it', 9_000, () => remove(client, `/assistants/${at.assistant}/files/${a}`)],
      ['the thread is deleted', 4_000, () => remove(client, `/threads/${at.thread}`)],
      ['the file is deleted', 0, () => remove(client, `/files/${b}`)],
      ['attached again', 1_000, () => post(client, `/assistants/${at.assistant}`, { file_ids: [a] })],
      ['the assistant is deleted', 0, () => remove(client, `/assistants/${at.assistant}`)],
    ]
    for (const [what, bytes, act] of steps) {
      await act()
      const { open, booked, ledger } = await anHour()
      expect([what, open]).toEqual([what, bytes])
      expect(Math.abs(booked - ledger)).toBeLessThan(1e-11)
    }
    expect(world.faults).toEqual([])
  })

  it('is nothing for an assistant that was deleted while its run went on', async () => {
    world = await startWorld({ at: '2024-03-15T12:00:00Z', sandbox: { runMs: 100 } })
    const client = await world.client('support')
    const file = await upload(client, 'a'.repeat(1_000))
    const at = await conversation(client, { tools: [retrieval] })
    await say(client, at.thread, '[answer]', [file])
    await post(client, `/threads/${at.thread}/runs`, { assistant_id: at.assistant })
    await remove(client, `/assistants/${at.assistant}`)
    await expect.poll(() => world.till.length, { timeout: 5_000 }).toBe(1)
    expect(await anHour()).toEqual({ open: 0, booked: 0, ledger: 0 })
    expect(world.faults).toEqual([])
  })
})
