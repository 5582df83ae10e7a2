import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { isOfCall } from '../../src/ledger/reading.ts'
import { readEntries, standings } from './entries.ts'
import { until } from './work.ts'
import { type ServedByWorkers, serveByWorkers } from './workers-process.ts'

const month = { calendar: 'month' }
const limits = [{ name: 'all', measure: 'cost', cap: '100', window: month }]

/** A vendor of our own that counts what it was asked: a call named `slow` streams for a while, every other is answered at
 * once. A call is named by its first message. */
type Vendor = {
  readonly server: Server
  readonly baseUrl: string
  /** How often each call came there. */
  readonly seen: ReadonlyMap<string, number>
}

const events = 30
const eventMs = 100

const usage = { prompt_tokens: 10, completion_tokens: events, total_tokens: 10 + events }
const chunkOf = (name: string, index: number): string =>
  `data: ${JSON.stringify({ id: name, object: 'chat.completion.chunk', model: 'gpt-3.5-turbo-1106', choices: [{ index: 0, delta: { content: ` word${index}` }, finish_reason: null }] })}\n\n`
const streamOf = (name: string): readonly string[] => [
  ...Array.from({ length: events }, (_, index) => chunkOf(name, index)),
  `data: ${JSON.stringify({ id: name, object: 'chat.completion.chunk', model: 'gpt-3.5-turbo-1106', choices: [], usage })}\n\n`,
  'data: [DONE]\n\n',
]

const startVendor = async (): Promise<Vendor> => {
  const seen = new Map<string, number>()
  const server = createServer(async (incoming, outgoing) => {
    let body = ''
    for await (const part of incoming) body += String(part)
    const name = String((JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content)
    seen.set(name, (seen.get(name) ?? 0) + 1)
    if (!name.startsWith('slow')) {
      const message = { role: 'assistant', content: 'yes' }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      outgoing.setHeader('content-type', 'application/json')
      await sleep(3)
      outgoing.end(
        JSON.stringify({ id: name, object: 'chat.completion', model: 'gpt-3.5-turbo-1106', choices, usage }),
      )
      return
    }
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of streamOf(name)) {
      if (outgoing.destroyed) return
      outgoing.write(event)
      await sleep(eventMs)
    }
    outgoing.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen }
}

let folder: string
let vendor: Vendor
let served: ServedByWorkers

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-workers-'))
  vendor = await startVendor()
})
afterEach(async () => {
  await served.stop()
  vendor.server.closeAllConnections()
  vendor.server.close()
  await rm(folder, { recursive: true })
})

const configOf = (more: object = {}) => ({
  providers: { openai: { baseUrl: vendor.baseUrl, keyVariable: 'VENDOR_KEY' } },
  limits,
  ...more,
})

/** One call. Gives the status and all bytes of the answer. */
const call = async (secret: string, name: string, stream: boolean) => {
  const { statusCode, body } = await request(`${served.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-3.5-turbo-1106',
      max_tokens: 50,
      messages: [{ role: 'user', content: name }],
      ...(stream && { stream, stream_options: { include_usage: true } }),
    }),
  })
  return { status: statusCode, text: await body.text() }
}

/** Calls one after the other, many clients at once, until it is stopped; then gives what became of each. */
const startLoad = (secret: string, prefix: string, clients = 8) => {
  let going = true
  const answers: { readonly name: string; readonly status: number | null }[] = []
  const work = Array.from({ length: clients }, async (_, client) => {
    for (let turn = 0; going; turn += 1) {
      const name = `${prefix} ${client}-${turn}`
      const answer = await call(secret, name, false).catch(() => null)
      answers.push({ name, status: answer?.status ?? null })
      if (answer === null) await sleep(20)
    }
  })
  return {
    answers,
    stop: async () => {
      going = false
      await Promise.all(work)
    },
  }
}

const data = (): string => join(folder, 'data')

const verified = async () => {
  const ledger = await openSqlite({ file: ledgerFile(data()), stores: [ledgerStore], readOnly: true })
  const verification = await verify(ledger)
  await ledger.close()
  return verification
}

/** What the ledger has of each call, by its id: how it was last said to have ended. */
const endsInLedger = () => {
  const ends = new Map<string, string>()
  for (const entry of readEntries(data())) {
    if (!isOfCall(entry)) continue
    ends.set(entry.kind === 'reserved' ? entry.call.id : entry.callId, entry.kind)
  }
  return [...ends.values()]
}

const many = (ends: readonly string[], kind: string): number => ends.filter((each) => each === kind).length

describe('a reload under load', () => {
  it('drops no stream and no call: all are whole, and in the ledger once', async () => {
    served = await serveByWorkers(folder, 2, configOf())
    const { secret } = await served.createKey({ team: 'search' })
    const before = served.workers()
    const load = startLoad(secret, 'quick')
    const slow = Array.from({ length: 50 }, (_, index) => `slow ${index}`)
    const streams = slow.map((name) => call(secret, name, true))
    await until(() => slow.every((name) => vendor.seen.has(name)))
    await sleep(300)

    expect(await served.reload()).toMatchObject({ event: 'reloaded' })
    expect(served.workers().filter((pid) => before.includes(pid)).length).toBe(2)
    const answered = load.answers.length
    const replies = await Promise.all(streams)
    await until(() => load.answers.length > answered + 100)
    await until(() => served.workers().every((pid) => !before.includes(pid)))
    await load.stop()

    for (const [index, { status, text }] of replies.entries()) {
      expect([status, text]).toEqual([200, streamOf(`slow ${index}`).join('')])
    }
    expect(load.answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(served.workers().length).toBe(2)
    expect(await served.stop()).toBe(0)
    const times = [...vendor.seen.values()]
    expect(times.every((seen) => seen === 1)).toBe(true)
    expect(many(endsInLedger(), 'settled')).toBe(times.length)
    expect(await verified()).toMatchObject({ agrees: true })
  }, 60_000)

  it('takes the limits and providers that the file names now, and a file that cannot be read changes nothing', async () => {
    served = await serveByWorkers(folder, 2, configOf())
    const { secret } = await served.createKey({ team: 'search' })
    const pids = served.workers()
    expect(await served.reload('{ not JSON')).toMatchObject({ event: 'not reloaded' })
    expect(await served.reload({ providers: { nobody: {} } })).toMatchObject({ event: 'not reloaded' })
    expect(served.workers()).toEqual(pids)
    expect((await call(secret, 'still', false)).status).toBe(200)

    const other = await startVendor()
    const providers = { openai: { baseUrl: other.baseUrl, keyVariable: 'VENDOR_KEY' } }
    const two = [{ name: 'two', measure: 'requests', cap: '2', window: month }]
    expect(await served.reload({ providers, limits: two })).toMatchObject({ event: 'reloaded' })
    // A connection that is kept gets one more answer from the worker it is with.
    await until(() => served.workers().every((pid) => !pids.includes(pid)))
    const statuses: number[] = []
    for (const name of ['a', 'b', 'c']) statuses.push((await call(secret, name, false)).status)
    expect(statuses).toEqual([200, 200, 429])
    expect([[...vendor.seen.keys()], [...other.seen.keys()]]).toEqual([['still'], ['a', 'b']])
    other.server.closeAllConnections()
    other.server.close()
  }, 60_000)
})

describe('a change at the control plane', () => {
  it('holds in every worker before it is answered: a key that is revoked, a cap that is lowered', async () => {
    served = await serveByWorkers(folder, 4, configOf())
    const { id, secret } = await served.createKey({ team: 'search' })
    const other = await served.createKey({ team: 'sales' })
    const statuses = async (key: string) => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => call(key, `${key.slice(-4)} ${index}`, false)),
      )
      return [...new Set(answers.map(({ status }) => status))]
    }
    expect(await statuses(secret)).toEqual([200])
    await served.control(`/octroi/v1/keys/${id}/revoke`, {})
    expect(await statuses(secret)).toEqual([401])
    expect(await statuses(other.secret)).toEqual([200])
    const none = [{ name: 'all', measure: 'cost', cap: '0.000001', window: month }]
    await served.control('/octroi/v1/policy', { limits: none }, 'PUT')
    expect(await statuses(other.secret)).toEqual([402])
  }, 60_000)
})

describe('a worker that is killed under load', () => {
  it('loses nothing that was answered; what was on its way stays counted at its most until it is known', async () => {
    served = await serveByWorkers(folder, 3, configOf())
    const { secret } = await served.createKey({ team: 'search' })
    const load = startLoad(secret, 'quick', 12)
    await until(() => load.answers.length > 50)
    for (let kill = 0; kill < 3; kill += 1) {
      const [pid] = served.workers()
      if (pid === undefined) throw new Error('There is no worker.')
      process.kill(pid, 'SIGKILL')
      await until(() => !served.workers().includes(pid))
      await sleep(300)
    }
    await until(() => served.workers().length === 3)
    await load.stop()
    const answered = load.answers.filter(({ status }) => status === 200).length
    const sent = [...vendor.seen.values()].reduce((sum, times) => sum + times, 0)
    expect(sent).toBeGreaterThanOrEqual(answered)
    expect(load.answers.filter(({ status }) => status !== 200 && status !== null)).toEqual([])
    expect(await served.stop()).toBe(0)

    const left = endsInLedger()
    expect(many(left, 'settled')).toBeGreaterThanOrEqual(answered)
    expect(left.length).toBeGreaterThanOrEqual(sent)
    // Ten minutes later every lease has passed.
    served = await serveByWorkers(folder, 2, configOf(), { at: '2023-11-15T12:10:00Z' })
    const limit = await served.limitAtRest()
    expect(limit).toMatchObject({ held: '0', over: '0' })
    expect(await served.stop()).toBe(0)
    const ends = endsInLedger()
    expect(many(ends, 'reserved')).toBe(0)
    expect(many(ends, 'settled') + many(ends, 'expired') + many(ends, 'released')).toBe(left.length)
    expect(await verified()).toMatchObject({ agrees: true })
  }, 60_000)
})

describe('a worker that alone is told to end', () => {
  it('ends what it has, and another one takes its place', async () => {
    served = await serveByWorkers(folder, 2, configOf())
    const { secret } = await served.createKey({ team: 'search' })
    const [pid = 0] = served.workers()
    const load = startLoad(secret, 'quick')
    const slow = Array.from({ length: 10 }, (_, index) => `slow ${index}`)
    const streams = slow.map((name) => call(secret, name, true))
    await until(() => slow.every((name) => vendor.seen.has(name)))
    process.kill(pid, 'SIGTERM')
    await until(() => !isAlive(pid) && served.workers().length === 2)
    await load.stop()
    for (const [index, { text }] of (await Promise.all(streams)).entries()) {
      expect(text).toBe(streamOf(`slow ${index}`).join(''))
    }
    expect(load.answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(load.answers.length).toBeGreaterThan(50)
  }, 60_000)
})

describe('a keeper that is killed under load', () => {
  it('takes its workers with it; nothing settled is lost, and what was sent is unresolved', async () => {
    served = await serveByWorkers(folder, 3, configOf())
    const { secret } = await served.createKey({ team: 'search' })
    const pids = served.workers()
    const load = startLoad(secret, 'quick', 12)
    await until(() => load.answers.length > 100)
    await served.kill()
    await load.stop()
    await until(() => pids.every((pid) => !isAlive(pid)))
    const answered = load.answers.filter(({ status }) => status === 200).length
    const sent = [...vendor.seen.values()].reduce((sum, times) => sum + times, 0)

    served = await serveByWorkers(folder, 3, configOf(), { at: '2023-11-15T12:10:00Z' })
    expect((await call(secret, 'again', false)).status).toBe(200)
    const limit = await served.limitAtRest()
    expect(limit).toMatchObject({ held: '0', over: '0' })
    expect(await served.stop()).toBe(0)
    const ends = endsInLedger()
    expect(many(ends, 'settled')).toBeGreaterThanOrEqual(answered + 1)
    expect(ends.length).toBeGreaterThanOrEqual(sent + 1)
    expect(many(ends, 'reserved')).toBe(0)
    const folded = standings(readEntries(data()), 'all').at(-1)
    expect(folded?.held).toBe(0n)
    expect(await verified()).toMatchObject({ agrees: true })
  }, 60_000)
})

describe('a gateway that cannot start its workers', () => {
  it('says so and ends', async () => {
    served = await serveByWorkers(folder, 1, configOf())
    const port = new URL(served.url).port
    await writeFile(join(folder, 'config.json'), '{}')
    await expect(serveByWorkers(folder, 1, configOf(), { port })).rejects.toThrow(
      /ledger_locked|Cannot listen/,
    )
  }, 60_000)
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
