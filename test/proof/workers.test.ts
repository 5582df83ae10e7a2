import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { readSpend } from '../../src/ledger/reading.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { readEntries } from './entries.ts'
import { foldByMeter } from './folds.ts'
import { mixedLoad, type Team } from './mixed-load.ts'
import { doAll } from './work.ts'
import { type ServedByWorkers, serveByWorkers } from './workers-process.ts'

const everything = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }
const month = { calendar: 'month' }
const plenty = { name: 'plenty', measure: 'cost', cap: '100000', window: month }

let folder: string
let sandbox: Sandbox
let served: ServedByWorkers

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-workers-'))
})
afterEach(async () => {
  await served.stop()
  await sandbox.close()
  await rm(folder, { recursive: true })
})

const start = async (
  workers: number,
  limits: readonly object[],
  options: Partial<SandboxOptions> = {},
  more: object = {},
): Promise<void> => {
  sandbox = await createSandbox({
    profile: '2023-11',
    clock: manualClock(parseInstant('2023-11-15T12:00:00Z')),
    prices: await bundledPrices(),
    seed: 7,
    runMs: 5,
    ...options,
  })
  const providers = { openai: { baseUrl: sandbox.baseUrl, keyVariable: 'VENDOR_KEY' } }
  served = await serveByWorkers(folder, workers, { providers, limits, ...more })
}

/** Reads the ledger when its gateway has ended. */
const readLedger = async () => {
  expect(await served.stop()).toBe(0)
  const file = ledgerFile(join(folder, 'data'))
  const ledger = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
  const [verification, rows] = [await verify(ledger), await readSpend(ledger, everything)]
  await ledger.close()
  expect(verification).toMatchObject({ agrees: true, differences: [] })
  return rows
}

const vendorsBooks = () =>
  sandbox.books().map(({ model, meter, quantity, amount, currency }) => ({
    ...{ model, meter, amount, currency },
    quantity: `${quantity}`,
  }))

const chat = { model: 'gpt-3.5-turbo-1106', max_tokens: 20 }
const asked = (content: string) => ({ ...chat, messages: [{ role: 'user' as const, content }] })

describe.each([
  [1, {}],
  [2, { journal: 'before-reply' }],
  [4, {}],
])('%i workers before one ledger', (workers, more) => {
  it('book 1,000 mixed calls, runs among them, as the vendor does to the last unit', async () => {
    await start(workers, [plenty], {}, more)
    expect(served.workers().length).toBe(workers)
    const teams: Team[] = []
    for (const name of ['search', 'support', 'sales']) teams.push({ name, client: await served.client(name) })
    const work = mixedLoad(teams, 1).map(({ run }) => async () => {
      await run()
    })
    await doAll(work, 16)
    const limit = await served.limitAtRest()
    expect(limit).toMatchObject({ held: '0', unresolved: '0', over: '0' })
    expect(foldByMeter(await readLedger())).toEqual(vendorsBooks())
    expect(sandbox.total().calls).toBe(1_000)
    expect(served.log.filter(({ event }) => event === 'fault')).toEqual([])
  }, 120_000)
})

describe('a limit that four workers share', () => {
  it('admits as many of 400 calls at once as it has room for, and not one more', async () => {
    const limits = [{ name: 'k', measure: 'requests', cap: '37', window: month }]
    await start(4, limits, { latencyMs: 50 })
    const client = await served.client('search')
    const codes = await Promise.all(
      Array.from({ length: 400 }, (_, index) =>
        client.chat.completions.create(asked(`Call ${index}`)).then(
          () => 200,
          (error: InstanceType<typeof OpenAI.APIError>) => error.status,
        ),
      ),
    )
    expect(codes.filter((code) => code === 200).length).toBe(37)
    expect(codes.filter((code) => code === 429).length).toBe(363)
    expect(sandbox.calls().length).toBe(37)
    expect(await served.limitAtRest()).toMatchObject({ settled: '37', held: '0', over: '0' })
    await served.stop()
    const attempts = readEntries(join(folder, 'data')).flatMap((entry) =>
      entry.kind === 'settled' ? [entry.attempt] : [],
    )
    expect(attempts.length).toBe(37)
    for (const attempt of attempts) expect(attempt?.durationMs).toBeGreaterThanOrEqual(49)
  }, 60_000)

  it('is not passed in money either, and has next to nothing left when it refuses', async () => {
    const limits = [{ name: 'k', measure: 'cost', cap: '0.01', window: month }]
    await start(4, limits, { outputTokens: 20 })
    const client = await served.client('search')
    let refused = 0
    const askOn = async (name: number): Promise<void> => {
      for (let turn = 0; ; turn += 1) {
        try {
          await client.chat.completions.create(asked(`Call ${name} ${turn}`))
        } catch (error) {
          if (!(error instanceof OpenAI.APIError) || error.status !== 402) throw error
          refused += 1
          const { octroi } = error.error as { octroi: { held: string } }
          if (octroi.held === '0') return
        }
      }
    }
    await Promise.all(Array.from({ length: 40 }, (_, name) => askOn(name)))
    const limit = await served.limitAtRest()
    expect(limit).toMatchObject({ held: '0', over: '0', unresolved: '0' })
    // A call costs some 0.00006 USD.
    expect(Number(limit?.settled)).toBeGreaterThan(0.0098)
    expect(Number(limit?.settled)).toBeLessThanOrEqual(0.01)
    expect(sandbox.total().amount).toBe(limit?.settled)
    expect(refused).toBeGreaterThanOrEqual(40)
  }, 60_000)

  it('holds up calls, not refuses them, where it says wait', async () => {
    const limits = [{ name: 'two', measure: 'concurrent', cap: '2', action: 'wait' }]
    await start(4, limits, { latencyMs: 20 })
    const client = await served.client('search')
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, index) => client.chat.completions.create(asked(`Call ${index}`))),
    )
    expect(replies.length).toBe(40)
    expect(await served.limitAtRest()).toMatchObject({ held: '0', settled: '0' })
  }, 60_000)

  it('lowers outputs where it says clamp', async () => {
    const limits = [{ name: 'k', measure: 'output_tokens', cap: '50', window: month, action: 'clamp' }]
    await start(2, limits, { outputTokens: 400 })
    const client = await served.client('search')
    const { response } = await client.chat.completions
      .create({ ...asked('Tell me all'), max_tokens: 300 })
      .withResponse()
    expect(response.headers.get('octroi-clamped')).toBe('max_tokens=50')
    expect(await served.limitAtRest()).toMatchObject({ settled: '50', free: '0' })
  }, 60_000)
})

describe('what a worker does not answer itself', () => {
  it('goes to the keeper and back unchanged: own verbs, free routes, unknown paths', async () => {
    await start(2, [plenty])
    const { secret } = await served.createKey({ team: 'search' })
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
    const models = await fetch(`${served.url}/v1/models`, { headers })
    const direct = await fetch(`${sandbox.baseUrl}/models`, { headers })
    expect([models.status, await models.text()]).toEqual([200, await direct.text()])
    const unknown = await fetch(`${served.url}/v1/nothing`, { headers })
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { code: 'unknown_path' } }])
    const body = JSON.stringify({ endpoint: 'chat-completions', request: asked('How much?') })
    const quote = await fetch(`${served.url}/octroi/v1/quote`, { method: 'POST', headers, body })
    expect([quote.status, await quote.json()]).toMatchObject([
      200,
      { fits: true, limits: [{ limit: 'plenty' }] },
    ])
  }, 60_000)

  it('is counted with the rest in the metrics', async () => {
    await start(2, [{ name: 'none', measure: 'requests', cap: '3', window: month }])
    const client = await served.client('search')
    for (let call = 0; call < 3; call += 1) await client.chat.completions.create(asked(`${call}`))
    await expect(client.chat.completions.create(asked('one more'))).rejects.toMatchObject({ status: 429 })
    const readAll = async () => {
      const { controlUrl } = served.log.find(({ event }) => event === 'listening') ?? {}
      return (await fetch(`${controlUrl}/metrics`)).text()
    }
    // Workers tell of times every half second.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    const text = await readAll()
    expect(text).toMatch(/octroi_calls_total\{[^}]*basis="measured"\} 3\n/)
    expect(text).toMatch(/octroi_refusals_total\{[^}]*code="rate_limited"\} 1\n/)
    expect(text).toMatch(/octroi_upstream_first_byte_seconds_count\{provider="openai"\} 3\n/)
    expect(text).toMatch(/octroi_requests_in_flight 0\n/)
  }, 60_000)
})

describe('the official client through a worker', () => {
  it('reads a stream as from the vendor, and sees what it cost afterwards in the ledger', async () => {
    await start(2, [plenty], { outputTokens: 60, features: { streamUsage: true } })
    const client = await served.client('search')
    const stream = await client.chat.completions.create({
      ...{ ...asked('Stream to me'), max_tokens: 100, stream: true },
      stream_options: { include_usage: true },
    })
    let [text, usage] = ['', 0]
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage?.completion_tokens ?? usage
    }
    expect([text.length > 60, usage]).toEqual([true, 60])
    expect(foldByMeter(await readLedger())).toEqual(vendorsBooks())
  }, 60_000)
})
