import { describe, expect, it } from 'vitest'
import { formatPicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import type { Usage } from '../usage/usage.ts'
import { type PricedCall, price } from './price.ts'
import { openPriceBook, type PriceRow } from './price-book.ts'

const row = (meter: string, unitPrice: string, changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter,
  attributes: { tier: 'standard' },
  unitPrice,
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: '2024-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'a price list',
  ...changes,
})

const factor = (name: string, unitPrice: string, changes: Partial<PriceRow> = {}): PriceRow =>
  row(name, unitPrice, {
    model: null,
    service: 'modifier',
    kind: 'multiplier',
    attributes: {},
    per: 1,
    ...changes,
  })

const open = (...prices: PriceRow[]) =>
  openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', prices }])

const prices = [
  row('input_text_tokens', '10'),
  row('input_text_tokens', '5', { attributes: { tier: 'batch' } }),
  row('input_text_tokens', '20', { model: 'm-2' }),
  row('web_search_call', '10', { model: null, per: 1000, attributes: {} }),
]

const region = factor('regional_processing', '1.1', {
  attributes: { applies_to: 'the young ones', scope: 'all token meters' },
  resolved: { models: ['m-1'] },
  effectiveFrom: '2024-03-01',
})

const cost = (usage: Usage, said: Partial<PricedCall>, ...more: PriceRow[]) => {
  const call = { provider: 'acme', model: 'm-1', at: parseInstant('2024-06-01'), ...said }
  return price(usage, call, open(...prices, region, ...more))
}

const million = { input_text_tokens: 1_000_000 }
const total = (...args: Parameters<typeof cost>): string => formatPicos(cost(...args).total ?? -1n)

describe('a published factor', () => {
  const eu = { attributes: { residency: 'eu' } }

  it('stands on the charge, with its row; the price stays what it is', () => {
    const [charge] = cost(million, eu).charges
    expect(charge).toMatchObject({
      unitPrice: '10',
      multipliers: [
        { name: 'regional_processing', factor: '1.1', price: expect.stringMatching(/^[0-9a-f]{16}$/) },
      ],
    })
    expect(total(million, eu)).toBe('11')
  })

  it('is for calls that ask for it', () => {
    expect(total(million, {})).toBe('10')
    expect(total(million, { attributes: { residency: 'global' } })).toBe('10')
  })

  it('is for the models it names, within its days, as far as it was known', () => {
    expect(total(million, { ...eu, model: 'm-2' })).toBe('20')
    expect(total(million, { ...eu, at: parseInstant('2024-02-29T23:59:59Z') })).toBe('10')
    const later = { ...region, knownSince: '2024-05-01' }
    const book = open(...prices, later)
    const call = { provider: 'acme', model: 'm-1', at: parseInstant('2024-06-01'), ...eu }
    expect(price(million, { ...call, asOf: parseInstant('2024-04-30') }, book).total).toBe(10n * 10n ** 12n)
    expect(price(million, { ...call, asOf: parseInstant('2024-05-01') }, book).total).toBe(11n * 10n ** 12n)
  })

  it('is on tokens, not on what a tool call costs', () => {
    expect(total({ web_search_call: 1000 }, eu)).toBe('10')
  })

  it('is of the provider that is called', () => {
    const lent = openPriceBook([
      { schema: 'octroi-prices/1', provider: 'acme', prices: [...prices, region] },
      { schema: 'octroi-prices/1', provider: 'other', prices: [] },
    ])
    const call = { provider: 'other', pricesFrom: 'acme', model: 'm-1', at: parseInstant('2024-06-01') }
    expect(price(million, { ...call, ...eu }, lent).charges).toMatchObject([
      { unitPrice: '10', borrowedFrom: 'acme' },
    ])
    expect(formatPicos(price(million, { ...call, ...eu }, lent).total ?? 0n)).toBe('10')
  })

  it('stacks with others, and with the price of a tier', () => {
    const secure = factor('fedramp', '1.2', { attributes: { scope: 'standard model rates' } })
    const both = { residency: 'eu', fedramp: 'true' }
    expect(total(million, { attributes: both }, secure)).toBe('13.2')
    expect(total(million, { attributes: { ...both, tier: 'batch' } }, secure)).toBe('5.5')
  })

  it('rounds once, after everything', () => {
    const odd = factor('inference_geo_us', '1.000000000001')
    const [charge] = cost({ input_text_tokens: 1 }, { attributes: { inference_geo: 'us' } }, odd).charges
    expect(charge?.amount).toBe(10_000_000n)
    expect(charge?.exact).toEqual({ numerator: 1_000_000_000_001n, denominator: 10n ** 17n })
  })

  it.each<[string, Partial<PriceRow>]>([
    ['there is no multiplier "discount"', { meter: 'discount' }],
    ['a multiplier is a factor above 0, per 1', { unitPrice: '0' }],
    ['a multiplier is a factor above 0, per 1', { per: 1000 }],
    ['scope "everything" is not known', { attributes: { scope: 'everything' } }],
    ['moon is not known to this version', { attributes: { moon: 'full' } }],
    ['"the young ones" needs resolved.models', { attributes: { applies_to: 'the young ones' } }],
  ])('is refused where it cannot be read: %s', (why, changes) => {
    expect(() => open({ ...factor('fedramp', '1.1'), ...changes })).toThrow(why)
  })

  it('is there once at a time', () => {
    expect(() => open(factor('fedramp', '1.1'), factor('fedramp', '1.2'))).toThrow(
      'acme / null / fedramp has two prices from 2024-01-01T00:00:00Z: 1.1 and 1.2',
    )
  })
})
