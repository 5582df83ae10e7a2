import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openPriceBook, type PriceRow } from './price-book.ts'

const row = (changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter: 'input_text_tokens',
  attributes: { tier: 'standard' },
  unitPrice: '0.01',
  per: 1000,
  currency: 'USD',
  effectiveFrom: '2023-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'a price list',
  ...changes,
})

const open = (...prices: PriceRow[]) =>
  openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', prices }])

describe('opening the book', () => {
  it('reads a row exactly', () => {
    const [price] = open(row({ effectiveTo: '2023-11-06T08:00:00Z' })).prices
    expect(price).toMatchObject({
      meter: 'input_text_tokens',
      rate: { unitPrice: '0.01', per: 1000, perUnit: { numerator: 1n, denominator: 100_000n } },
      from: Date.UTC(2023, 0, 1),
      to: Date.UTC(2023, 10, 6, 8),
      knownSince: null,
    })
  })

  it.each<[string, Record<string, unknown>]>([
    ['provider: is not "acme"', { provider: 'other' }],
    ['service: must be a text', { service: '' }],
    ['meter: There is no meter "tokens"', { meter: 'tokens' }],
    ['unitPrice: "1e-6" is not a decimal number', { unitPrice: '1e-6' }],
    ['unitPrice: must be a text', { unitPrice: 0.01 }],
    ['unitPrice: must not be negative', { unitPrice: '-1' }],
    ['per must be a whole number', { per: 0 }],
    ['per must be a whole number', { per: 1.5 }],
    ['currency: "usd" is not an ISO 4217 code', { currency: 'usd' }],
    ['effectiveFrom: "2023-02-30" is not an instant', { effectiveFrom: '2023-02-30' }],
    ['effectiveTo: is not after effectiveFrom', { effectiveTo: '2023-01-01' }],
    ['effectiveTo: must be a text', { effectiveTo: undefined }],
    ['supersededOn: is not after knownSince', { knownSince: '2023-02-01', supersededOn: '2023-02-01' }],
    ['fromPrecision: "guessed" is none of', { fromPrecision: 'guessed' }],
    ['confidence: "sure" is none of', { confidence: 'sure' }],
    ['source: must be a text', { source: undefined }],
    ['aliases: must be a list of names', { aliases: 'm' }],
    ['aliases: must be a text', { aliases: [''] }],
    ['kind: "discount" is not known', { kind: 'discount' }],
    ['unitPrice: there is no multiplier "input_text_tokens"', { kind: 'multiplier' }],
    ['attributes: must be an object', { attributes: null }],
    ['attributes.moon: is not known to this version', { attributes: { moon: 'full' } }],
    ['attributes.time_band: windows must be a list', { attributes: { time_band: 'peak' } }],
    ['attributes.windows: needs time_band beside it', { attributes: { windows: ['01:00-04:00'] } }],
    [
      'attributes.models: "all the big ones" needs resolved.models',
      { attributes: { models: 'all the big ones' } },
    ],
    ['attributes.min_seconds: input_text_tokens is not counted in time', { attributes: { min_seconds: 10 } }],
    ['attributes.free_gb: must be a whole number above 0', { attributes: { free_gb: 0 } }],
    ['attributes.free_scope: must be "account_month", beside free_gb', { attributes: { free_scope: 'all' } }],
    ['attributes.free_with: "a tool" is not a tool such as', { attributes: { free_with: ['a tool'] } }],
    ['attributes.memory_gib: must be a whole number', { attributes: { memory_gib: '4' } }],
    ['attributes.constructor: is not known', { attributes: { constructor: 'x' } }],
    ['attributes.tier: must be a text', { attributes: { tier: 7 } }],
    ['attributes.context: context needs context_threshold_tokens', { attributes: { context: 'long' } }],
    ['attributes.long_when: needs context beside it', { attributes: { long_when: '>' } }],
    ['attributes.cache_ttl: cache_ttl must be a lifetime', { attributes: { cache_ttl: 'a while' } }],
    ['attributes.rounding: rounding "up" is not known', { attributes: { rounding: 'up' } }],
    ['attributes.data_sharing: must be true or false', { attributes: { data_sharing: 'yes' } }],
  ])('refuses a row and says why: %s', (why, changes) => {
    const bad = { ...row(), ...changes } as PriceRow
    expect(() => open(bad)).toThrow(why)
    expect(() => open(bad)).toThrow(expect.objectContaining({ code: 'bad_price_row' }))
  })

  it('refuses a file of another kind', () => {
    const file = { schema: 'octroi-limits/1', provider: 'acme', prices: [] } as never
    expect(() => openPriceBook([file])).toThrow('needs schema')
  })

  it('opens without any price', () => {
    expect(openPriceBook([]).prices).toEqual([])
  })
})

describe('two rows of one key', () => {
  it('may follow one another: periods are half-open', () => {
    const before = row({ effectiveTo: '2023-11-06' })
    const after = row({ effectiveFrom: '2023-11-06', unitPrice: '0.003' })
    expect(open(before, after).prices).toHaveLength(2)
  })

  it('may not hold at one instant', () => {
    const before = row({ effectiveTo: '2023-11-06T00:00:01Z' })
    const after = row({ effectiveFrom: '2023-11-06', unitPrice: '0.003' })
    expect(() => open(after, before)).toThrow(expect.objectContaining({ code: 'overlapping_prices' }))
    expect(() => open(after, before)).toThrow(
      'acme / m-1 / input_text_tokens has two prices from 2023-11-06T00:00:00Z: 0.01 and 0.003',
    )
  })

  it('may hold at one instant where one took the place of what was known before', () => {
    const announced = row({ knownSince: '2023-01-01', supersededOn: '2023-02-01' })
    const applied = row({ knownSince: '2023-02-01', unitPrice: '0.02' })
    expect(open(announced, applied).prices).toHaveLength(2)
    expect(() => open(announced, row({ knownSince: '2023-01-31' }))).toThrow('has two prices')
  })

  it('are of different keys where any attribute differs', () => {
    expect(open(row(), row({ attributes: { tier: 'batch' } }), row({ currency: 'EUR' })).prices).toHaveLength(
      3,
    )
  })
})

describe('an alias', () => {
  it('may not stand for two models at one time', () => {
    const rows = [row({ aliases: ['m'] }), row({ model: 'm-2', aliases: ['m'] })]
    expect(() => open(...rows)).toThrow(
      '"m" of acme stands for several models at one time: m-1 (from 2023-01-01T00:00:00Z), m-2 (from 2023-01-01T00:00:00Z). Date the alias',
    )
    expect(() => open(...rows)).toThrow(
      expect.objectContaining({ code: 'ambiguous_alias', details: { candidates: ['m-1', 'm-2'] } }),
    )
  })

  it('may move from one model to another', () => {
    const old = row({ aliases: ['m'], effectiveTo: '2024-01-01' })
    const young = row({ model: 'm-2', aliases: ['m'], effectiveFrom: '2024-01-01' })
    expect(
      open(old, young)
        .shelves.get('acme')
        ?.get('m')
        ?.aliasOf.map(({ model }) => model),
    ).toEqual(['m-1', 'm-2'])
  })
})

describe('ids and versions', () => {
  it('an id depends on key and start alone', () => {
    const ids = (changes: Partial<PriceRow>) => open(row(changes)).prices[0]?.id
    expect(ids({})).toMatch(/^[0-9a-f]{16}$/)
    expect(ids({ unitPrice: '9', source: 'elsewhere', effectiveTo: '2024-01-01' })).toBe(ids({}))
    expect(ids({ effectiveFrom: '2023-01-02' })).not.toBe(ids({}))
    expect(ids({ attributes: { tier: 'batch' } })).not.toBe(ids({}))
    expect(ids({ knownSince: '2023-01-01' })).not.toBe(ids({}))
  })

  it('the order of attributes does not matter to an id', () => {
    const sizes = (attributes: PriceRow['attributes']) => open(row({ attributes })).prices[0]?.id
    expect(sizes({ size: '1x1', quality: 'hd' })).toBe(sizes({ quality: 'hd', size: '1x1' }))
  })

  it('a version depends on everything the rows say, and not on their order', () => {
    const rows = ['m-1', 'm-2', 'm-3', 'm-4'].map((model) => row({ model }))
    const version = open(...rows).version
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: 4 }), (shuffled) => {
        expect(open(...shuffled).version).toBe(version)
      }),
    )
    expect(open(...rows.slice(1), row({ note: 'seen again' })).version).not.toBe(version)
  })
})
