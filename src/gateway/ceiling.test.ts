import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { bundledPrices } from '../cli/bundled.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../ledger/ledger.ts'
import { readCalls } from '../ledger/reading.ts'
import { formatPicos } from '../money/money.ts'
import { mergeOverlay } from '../pricing/overlay.ts'
import { openPriceBook, type PriceFile } from '../pricing/price-book.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

/** The price files without a model which the vendor already serves. */
const bookFilesBefore = async (model: string): Promise<readonly PriceFile[]> =>
  (await bundledPrices()).map((file) => ({
    ...file,
    prices: file.prices.filter((row) => row.model !== model && row.aliases?.includes(model) !== true),
  }))

const bookBefore = async (model: string) => openPriceBook(await bookFilesBefore(model))

const model = 'gpt-4-1106-preview'

const start = async (limit: object, more: object = {}) =>
  startWorld({
    sandbox: { outputTokens: 20 },
    gateway: { book: await bookBefore(model) },
    config: {
      limits: [{ name: 'month', measure: 'cost', window: { calendar: 'month' }, cap: '0.02', ...limit }],
    },
    ...more,
  })

const hello = { model, messages: [{ role: 'user' as const, content: 'Hello there' }], max_tokens: 100 }

const ask = async (): Promise<APIError | Headers> => {
  const client = await world.client('search')
  return client.chat.completions
    .create(hello)
    .withResponse()
    .then(
      ({ response }) => response.headers,
      (thrown: unknown) => {
        if (thrown instanceof APIError) return thrown
        throw thrown
      },
    )
}

const state = () => {
  const [{ settled, held, unresolved, free } = { settled: 0n, held: 0n, unresolved: 0n, free: 0n }] =
    world.gateway.limits()
  return Object.fromEntries(
    Object.entries({ settled, held, unresolved, free }).map(([name, picos]) => [name, formatPicos(picos)]),
  )
}

const ceiling = { perMillionInputTokens: '20', perMillionOutputTokens: '60' }

describe('a model without a price', () => {
  it('is refused under a budget that has no ceiling for it', async () => {
    world = await start({})
    expect(await ask()).toMatchObject({ status: 400, error: { octroi: { code: 'unpriced' } } })
    expect(state()).toMatchObject({ settled: '0', held: '0', unresolved: '0' })
  })

  it('is held at the ceiling, settled without a price, and counts at the ceiling until it has one', async () => {
    world = await start({ unpriced: { ceiling } })
    const headers = await ask()
    expect(headers).toBeInstanceOf(Headers)
    if (!(headers instanceof Headers)) return
    expect([headers.get('octroi-quote-usd'), headers.get('octroi-cost-usd')]).toEqual([null, null])
    // 9 input tokens at 20 and 20 output tokens at 60 a million: 0.00018 + 0.0012.
    expect(state()).toEqual({ settled: '0', held: '0', unresolved: '0.00138', free: '0.01862' })
    const [line] = world.till
    expect(line?.cost).toBe(0n)
    expect(line?.settlement).toMatchObject({
      charges: [],
      unpriced: [
        { meter: 'input_text_tokens', quantity: 9, code: 'unknown_model' },
        { meter: 'output_text_tokens', quantity: 20, code: 'unknown_model' },
      ],
      unresolved: [{ limit: 'month', amount: 1_380_000_000n }],
    })
  })

  it('is refused when the ceiling does not fit, and told so', async () => {
    world = await start({ unpriced: { ceiling }, cap: '0.006' })
    const error = await ask()
    expect(error).toMatchObject({ status: 402, error: { octroi: { code: 'budget_exceeded' } } })
    expect(String(error)).toContain('this call has no price and is held at its ceiling of')
    expect(world.sandbox.total().amount).toBe('0')
  })

  it('without a bound needs an amount for a call', async () => {
    const { max_tokens: _, ...unbounded } = hello
    world = await start(
      { unpriced: { ceiling }, cap: '10' },
      { gateway: { book: await bookBefore(model), models: noFacts } },
    )
    const client = await world.client('search')
    await expect(client.chat.completions.create(unbounded)).rejects.toMatchObject({ status: 400 })
    await world.close()
    world = await start(
      { unpriced: { ceiling: { ...ceiling, perCall: '5' } }, cap: '10' },
      { gateway: { book: await bookBefore(model), models: noFacts } },
    )
    const other = await world.client('search')
    await other.chat.completions.create(unbounded)
    expect(state()).toEqual({ settled: '0', held: '0', unresolved: '0.00138', free: '9.99862' })
  })

  it('counts on after a restart, and the ledger agrees with itself', async () => {
    world = await start({ unpriced: { ceiling } })
    await ask()
    const { folder, gateway, clock, sandbox } = world
    const before = state()
    await gateway.close()
    const reader = await openSqlite({
      file: join(folder, 'ledger.sqlite'),
      stores: [ledgerStore],
      readOnly: true,
    })
    expect(await verify(reader)).toMatchObject({ agrees: true, entries: 2 })
    for await (const calls of readCalls(reader, { from: 0, to: Number.MAX_SAFE_INTEGER })) {
      expect(calls[0]?.settlement.unresolved).toMatchObject([{ limit: 'month', amount: 1_380_000_000n }])
    }
    await reader.close()
    await sandbox.close()
    world = await start({ unpriced: { ceiling } }, { folder, at: new Date(clock.now()).toISOString() })
    expect(state()).toEqual(before)
    await rm(folder, { recursive: true })
  })
})

describe('a model that only an overlay prices', () => {
  it("is held and settled at the overlay's prices, and every charge says whose they are", async () => {
    const [file, ...others] = (await bookFilesBefore(model)).filter(({ provider }) => provider === 'openai')
    expect(others).toEqual([])
    const base = {
      provider: 'openai',
      model,
      service: 'chat',
      attributes: { tier: 'standard' },
      per: 1_000_000,
      currency: 'USD',
      effectiveFrom: '2023-11-06',
      fromPrecision: 'observed',
      effectiveTo: null,
      confidence: 'low',
      source: 'a map, read 2023-11-07',
    } as const
    const overlay = {
      schema: 'octroi-prices/1',
      provider: 'openai',
      overlay: true,
      prices: [
        { ...base, meter: 'input_text_tokens', unitPrice: '10' },
        { ...base, meter: 'output_text_tokens', unitPrice: '30' },
      ],
    } as const
    const book = openPriceBook(mergeOverlay(file === undefined ? [] : [file], [overlay]))
    world = await start({}, { gateway: { book } })
    expect(await ask()).toBeInstanceOf(Headers)
    expect(state()).toMatchObject({ settled: '0.00069', unresolved: '0' })
    expect(world.till[0]?.settlement.charges).toMatchObject([
      { meter: 'input_text_tokens', overlay: true, source: 'a map, read 2023-11-07' },
      { meter: 'output_text_tokens', overlay: true, source: 'a map, read 2023-11-07' },
    ])
  })
})

const noFacts = { all: [], byName: new Map(), tuned: new Map() }
