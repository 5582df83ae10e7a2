import { describe, expect, it } from 'vitest'
import { openPriceBook, type PriceRow } from '../pricing/price-book.ts'
import { parseInstant } from '../time.ts'
import type { Reply } from './reply.ts'
import { priceReply } from './reply-cost.ts'
import { emptyReply } from './reply-shape.ts'

const row = (meter: string, unitPrice: string, attributes: PriceRow['attributes'] = {}): PriceRow => ({
  provider: 'openai',
  model: 'm',
  service: 'chat',
  meter,
  attributes,
  unitPrice,
  per: 1,
  currency: 'USD',
  effectiveFrom: '2026-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'test',
})

const card = (context: 'short' | 'long') => ({ context, context_threshold_tokens: 100, long_when: '>' })

const book = openPriceBook([
  {
    schema: 'octroi-prices/1',
    provider: 'openai',
    prices: [
      row('input_text_tokens', '1', card('short')),
      row('input_text_tokens', '10', card('long')),
      row('cache_write_tokens', '2', { cache_ttl: '30m', ...card('short') }),
      row('cache_write_tokens', '20', { cache_ttl: '30m', ...card('long') }),
      row('cache_write_tokens', '3', { cache_ttl: '12h', ...card('short') }),
      row('cache_write_tokens', '30', { cache_ttl: '12h', ...card('long') }),
    ],
  },
])

const call = { provider: 'openai', model: 'm', at: parseInstant('2026-06-01') }

const reading = (usage: object) => ({ usage, problems: [] })

const reply = (more: Partial<Reply>): Reply => ({ ...emptyReply, model: 'm', ...more })

const picos = 10n ** 12n

describe('what a reply costs', () => {
  it('is not known where the vendor reports no usage', () => {
    expect(priceReply(reply({}), call, book)).toBeNull()
  })

  it('is by the context card of the whole call for every part of it', () => {
    const portion = {
      id: '12h',
      model: 'm',
      tier: null,
      attributes: { cache_ttl: '12h' },
      usage: reading({ cache_write_tokens: 30 }),
      contextTokens: 101,
    }
    const written = reply({
      attributes: { cache_ttl: '30m' },
      usage: reading({ input_text_tokens: 51, cache_write_tokens: 20 }),
      apart: [portion],
    })
    expect(priceReply(written, call, book)?.total).toBe(picos * (51n * 10n + 20n * 20n + 30n * 30n))
  })

  it('names a part whose usage is not reported, and prices the rest', () => {
    const usage = reading({ input_text_tokens: 5 })
    const silent = { id: 'item-7', model: 'm', tier: null, attributes: {}, usage: null, contextTokens: null }
    const cost = priceReply(reply({ usage, apart: [silent] }), call, book)
    expect(cost?.total).toBeNull()
    expect(cost?.pricedTotal).toBe(5n * picos)
    expect(cost?.unpriced[0]?.message).toContain('item-7')
  })

  it("is the vendor's own sum where it states one", () => {
    const stated = { amount: { numerator: 3n, denominator: 2n }, currency: 'USD' } as const
    const cost = priceReply(reply({ usage: reading({ input_text_tokens: 5 }), stated }), call, book)
    expect(cost?.charges.map(({ amount, source }) => ({ amount, source }))).toEqual([
      { amount: (3n * picos) / 2n, source: 'vendor-reported' },
    ])
  })

  it('is at the tier served, whatever was asked', () => {
    const usage = reading({ input_text_tokens: 1 })
    const asked = { ...call, attributes: { tier: 'priority' } }
    expect(priceReply(reply({ usage, tier: 'standard' }), asked, book)?.total).toBe(picos)
  })
})
