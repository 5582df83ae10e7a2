import { describe, expect, it } from 'vitest'
import { parseInstant } from '../../time.ts'
import type { BilledCall, RawPriceRow } from '../books.ts'
import { openVendorBooks } from './books.ts'

const row = (more: Partial<RawPriceRow>): RawPriceRow => ({
  provider: 'openai',
  model: 'm',
  meter: 'input_text_tokens',
  attributes: {},
  unitPrice: '1',
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: '2026-01-01',
  effectiveTo: null,
  ...more,
})

const call = (more: Partial<BilledCall>): BilledCall => ({
  number: 1,
  at: parseInstant('2026-11-25'),
  wire: 'chat-completions',
  id: 'a',
  requestId: 'r',
  model: 'm',
  user: null,
  usage: { input_text_tokens: 1000 },
  ...more,
})

const totalOf = (rows: readonly RawPriceRow[], ...calls: readonly BilledCall[]) => {
  const books = openVendorBooks(rows)
  for (const each of calls) books.add(each)
  return books.total()
}

describe('the books of the vendors of today', () => {
  it('keep vendors apart that have a model of one name', () => {
    const rows = [row({ unitPrice: '2' }), row({ provider: 'google', unitPrice: '3' })]
    expect(totalOf(rows, call({})).amount).toBe('0.002')
    expect(totalOf(rows, call({ provider: 'google' })).amount).toBe('0.003')
    expect(totalOf(rows, call({ provider: 'anthropic' })).unpriced).toEqual([
      'anthropic m input_text_tokens standard',
    ])
  })

  it('price a tier by its own rows or by the values that stand for it, and never by those of another', () => {
    const rows = [
      row({ attributes: { tier: 'standard' } }),
      row({ attributes: { tier: 'priority', service_tier_values: ['priority', 'fast'] }, unitPrice: '2' }),
    ]
    const tiered = (tier: string) => totalOf(rows, call({ attributes: { tier } }))
    expect(tiered('standard').amount).toBe('0.001')
    expect(tiered('fast').amount).toBe('0.002')
    expect(tiered('flex')).toMatchObject({ amount: '0', unpriced: ['openai m input_text_tokens flex'] })
  })

  it('move the whole call to the long card above the threshold, and not at it', () => {
    const card = { tier: 'standard', context_threshold_tokens: 272_000, long_when: '>' }
    const rows = [
      row({ attributes: { ...card, context: 'short' } }),
      row({ attributes: { ...card, context: 'long' }, unitPrice: '2' }),
    ]
    expect(totalOf(rows, call({ promptTokens: 272_000 })).amount).toBe('0.001')
    expect(totalOf(rows, call({ promptTokens: 272_001 })).amount).toBe('0.002')
  })

  it('price what was written to a cache by its lifetime, and name a lifetime without a price', () => {
    const rows = [row({ meter: 'cache_write_tokens', attributes: { cache_ttl: '30m' } })]
    const written = (cache_ttl: string) =>
      totalOf(rows, call({ usage: { cache_write_tokens: 1000 }, attributes: { cache_ttl } }))
    expect(written('30m').amount).toBe('0.001')
    expect(written('12h').unpriced).toEqual(['openai m cache_write_tokens standard'])
  })

  it('price reasoning as output, on a line of its own', () => {
    const books = openVendorBooks([row({ meter: 'output_text_tokens', unitPrice: '10' })])
    books.add(call({ usage: { output_text_tokens: 100, output_reasoning_tokens: 50 } }))
    expect(books.rows().map(({ meter, amount }) => [meter, amount])).toEqual([
      ['output_reasoning_tokens', '0.0005'],
      ['output_text_tokens', '0.001'],
    ])
  })

  it('take a name that a row of a model lists for all rows of the model', () => {
    const rows = [
      row({ aliases: ['m-2026-05-01'] }),
      row({ attributes: { tier: 'flex' }, meter: 'output_text_tokens' }),
    ]
    const named = call({ model: 'm-2026-05-01', usage: { output_text_tokens: 1000 } })
    expect(totalOf(rows, { ...named, attributes: { tier: 'flex' } }).amount).toBe('0.001')
  })

  it('choose none of two prices that both hold, and none with a condition that they do not know', () => {
    expect(totalOf([row({}), row({ unitPrice: '2' })], call({})).unpriced).toHaveLength(1)
    expect(totalOf([row({ attributes: { region: 'eu' } })], call({})).unpriced).toHaveLength(1)
  })
})
