import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import openai from '../../prices/openai.json' with { type: 'json' }
import type { Bound } from '../endpoints/bound.ts'
import { formatPicos } from '../money/money.ts'
import { type PricedCall, price } from '../pricing/price.ts'
import { openPriceBook, type PriceFile, type PriceRow } from '../pricing/price-book.ts'
import { parseInstant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'
import { quote } from './quote.ts'

const book = openPriceBook([openai as PriceFile])

const input: Bound['meters'] = ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens']
const output: Bound['meters'] = ['output_text_tokens', 'output_reasoning_tokens']
const chat = (inputs: [number, number | null], outputs: [number, number | null]): readonly Bound[] => [
  { meters: input, least: inputs[0], most: inputs[1] },
  { meters: output, least: outputs[0], most: outputs[1] },
]
const on = (model: string, day: string): PricedCall => ({ provider: 'openai', model, at: parseInstant(day) })
const turbo = on('gpt-4-1106-preview', '2023-11-15')
const usd = (amount: bigint | null): string | null => (amount === null ? null : formatPicos(amount))

describe('a quote', () => {
  it('runs from the least to the most that a call can cost', () => {
    // 1,000 to 2,000 tokens at 0.01 a thousand, 0 to 500 at 0.03 a thousand.
    const quoted = quote(chat([1000, 2000], [0, 500]), turbo, book)
    expect([usd(quoted.least), usd(quoted.most), quoted.currency]).toEqual(['0.01', '0.035', 'USD'])
    expect([quoted.expected, quoted.reasons, quoted.unpriced]).toEqual([null, [], []])
    expect(quoted.usage).toEqual([
      { meters: input, least: 1000, most: 2000 },
      { meters: output, least: 0, most: 500 },
    ])
  })

  it('takes the cheapest meter for the least and the dearest for the most', () => {
    // gpt-6.1-sol, a million tokens: fresh 2, cached 0.1, written 2.5.
    const quoted = quote(chat([100_000, 100_000], [0, 0]), on('gpt-6.1-sol', '2026-10-15'), book)
    expect([usd(quoted.least), usd(quoted.most)]).toEqual(['0.01', '0.25'])
  })

  it('takes the dear card as soon as the input can pass its threshold', () => {
    const call = on('gpt-5.4', '2026-10-15')
    const outputs: [number, number] = [1000, 1000]
    // Up to 272,000 input tokens a million cost 2.5 in and 15 out; above, 5 and 22.5.
    expect(usd(quote(chat([0, 272_000], outputs), call, book).most)).toBe('0.695')
    expect(usd(quote(chat([0, 272_001], outputs), call, book).most)).toBe('1.382505')
    expect(usd(quote(chat([272_001, 272_001], outputs), call, book).least)).toBe('0.1585005')
  })

  it('has no most, and says why, where a part has no bound', () => {
    const quoted = quote(
      [
        { meters: input, least: 1000, most: 1000 },
        { meters: output, least: 0, most: null, reason: 'the longest answer of this model is not known' },
      ],
      turbo,
      book,
    )
    expect([usd(quoted.least), quoted.most]).toEqual(['0.01', null])
    expect(quoted.reasons).toEqual(['the longest answer of this model is not known'])
  })

  it('names a model without a price, and has neither least nor most', () => {
    const quoted = quote(chat([1000, 1000], [0, 10]), on('gpt-99', '2026-10-15'), book)
    expect([quoted.least, quoted.most]).toEqual([null, null])
    expect(quoted.unpriced.map(({ meter, quantity, code }) => [meter, quantity, code])).toEqual([
      ['input_text_tokens', 1000, 'unknown_model'],
      ['output_text_tokens', 10, 'unknown_model'],
    ])
    expect(quoted.reasons[0]).toContain('gpt-99')
  })

  it('passes over a meter the model never charges for, but never over the first', () => {
    // In 2023 nothing was cached, so there is no price for it: the fresh one decides.
    expect(usd(quote(chat([1000, 1000], [0, 0]), turbo, book).most)).toBe('0.01')
    const cachedFirst: Bound = { meters: ['cached_input_tokens', 'input_text_tokens'], least: 1, most: 1 }
    expect(quote([cachedFirst], turbo, book)).toMatchObject({ most: null, unpriced: [{ code: 'no_price' }] })
  })

  it('does not ask for the price of what cannot be used', () => {
    const sounds: Bound = { meters: ['output_audio_tokens'], least: 0, most: 0 }
    expect(usd(quote([...chat([1000, 1000], [0, 0]), sounds], turbo, book).most)).toBe('0.01')
    expect(usd(quote([], turbo, book).most)).toBe('0')
  })

  it('prices the expected usage when it is given', () => {
    const quoted = quote(chat([1000, 2000], [0, 500]), turbo, book, {
      input_text_tokens: 1500,
      output_text_tokens: 200,
    })
    expect(usd(quoted.expected)).toBe('0.021')
  })
})

describe('the most of a quote', () => {
  const cards = [
    on('gpt-4-1106-preview', '2023-11-15'),
    on('gpt-3.5-turbo-0613', '2023-11-15'),
    on('gpt-4o-mini', '2026-10-15'),
    on('gpt-5.4', '2026-10-15'),
    on('gpt-5.6-luna', '2026-10-15'),
    on('gpt-6.1-sol', '2026-10-15'),
    on('gpt-6.2-astra', '2026-11-20'),
    on('gpt-6-luna', '2026-10-15'),
  ]
  const interval = fc
    .tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 400_000 }))
    .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)])
  const share = fc.double({ min: 0, max: 1, noNaN: true })

  /** A usage of `total` tokens, spread over the meters of a bound that have a price. */
  const spread = (total: number, meters: readonly Meter[], at: readonly number[]): Usage => {
    let left = total
    const parts = meters.map((meter, index): [Meter, number] => {
      const part = index === meters.length - 1 ? left : Math.floor(left * (at[index] ?? 0))
      left -= part
      return [meter, part]
    })
    return Object.fromEntries(parts)
  }
  const isPriced = (call: PricedCall) => (meter: Meter) =>
    price({ [meter]: 1 }, call, book).unpriced.length === 0

  it('is never below what any usage within the bounds costs, nor the least above it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cards),
        interval,
        interval,
        fc.array(share, { minLength: 6, maxLength: 6 }),
        (call, inputs, outputs, at) => {
          const quoted = quote(chat(inputs, outputs), call, book)
          const within = ([least, most]: [number, number], where = 0): number =>
            least + Math.floor((most - least) * where)
          const usage = {
            ...spread(within(inputs, at[0]), input.filter(isPriced(call)), at.slice(1)),
            ...spread(within(outputs, at[3]), output.filter(isPriced(call)), at.slice(4)),
          }
          const { total } = price(usage, call, book)
          expect(total).not.toBeNull()
          expect(quoted.most ?? -1n).toBeGreaterThanOrEqual(total ?? 0n)
          expect(quoted.least ?? 1n).toBeLessThanOrEqual(total ?? 0n)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('holds where prices are not whole posted units, each charge rounded apart', () => {
    const row = (meter: Meter, unitPrice: string): PriceRow => ({
      provider: 'acme',
      model: 'm',
      service: 'chat',
      meter,
      attributes: {},
      unitPrice,
      per: 1_000_000,
      currency: 'USD',
      effectiveFrom: '2023-01-01',
      fromPrecision: 'exact',
      effectiveTo: null,
      confidence: 'high',
      source: 'made for this test',
    })
    // A token costs 0.6 of a posted unit. Three charges of one token are 1 each, together 3; exactly 1.8.
    const tiny = openPriceBook([
      {
        schema: 'octroi-prices/1',
        provider: 'acme',
        prices: input.map((meter) => row(meter, '0.0000006')),
      },
    ])
    const call: PricedCall = { provider: 'acme', model: 'm', at: parseInstant('2023-11-15') }
    const total = price(
      { input_text_tokens: 1, cached_input_tokens: 1, cache_write_tokens: 1 },
      call,
      tiny,
    ).total
    expect(total).toBe(3n)
    const bound: Bound = { meters: input, least: 3, most: 3 }
    expect(quote([bound], call, tiny)).toMatchObject({ least: 0n, most: 3n })
    const one: Bound = { meters: ['input_text_tokens'], least: 1, most: 3 }
    expect(quote([one], call, tiny)).toMatchObject({ least: 0n, most: 2n })
  })
})

describe('a quote of what is not quantity times price', () => {
  const at = parseInstant('2026-11-23')

  it('has the factors that the call asks for', () => {
    const call: PricedCall = { provider: 'openai', model: 'gpt-6.2-sol', at, attributes: { residency: 'eu' } }
    const quoted = quote(chat([100_000, 100_000], [10_000, 10_000]), call, book)
    // Input 0.2 at least as cached tokens 0.01; output 0.1; and a tenth more.
    expect([usd(quoted.least), usd(quoted.most)]).toEqual(['0.121', '0.385'])
  })

  it('has the promotion that will be charged', () => {
    const sessions: Bound = { meters: ['code_interpreter_session'], least: 1, most: 2 }
    const call: PricedCall = { provider: 'openai', model: null, at: parseInstant('2023-11-15') }
    expect(usd(quote([sessions], call, book).most)).toBe('0')
    expect(usd(quote([sessions], { ...call, at: parseInstant('2024-03-15') }, book).most)).toBe('0.06')
  })

  it('has whole sessions, and the tokens that a search adds', () => {
    const container: Bound = { meters: ['container_session'], least: 0, most: 0.5 }
    const open: PricedCall = { provider: 'openai', model: null, at, attributes: { memory_gib: '4' } }
    expect(quote([container], open, book)).toMatchObject({ least: 0n, most: 120_000_000_000n })
    const searches: Bound = { meters: ['web_search_call'], least: 0, most: 3 }
    // Three searches at 10 a thousand, and 24,000 tokens at 0.4 a million.
    const mini: PricedCall = { provider: 'openai', model: 'gpt-4.1-mini', at }
    expect(usd(quote([searches], mini, book).most)).toBe('0.0396')
  })
})
