import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPicos, type Picos, parsePicos } from '../money/money.ts'
import { add, format, multiply, parseDecimal, rational, subtract, zero } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import type { Quantity, Usage } from '../usage/usage.ts'
import { type Cost, type PricedCall, price } from './price.ts'
import { openPriceBook, type PriceRow } from './price-book.ts'

const row = (meter: string, unitPrice: string, changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter,
  attributes: {},
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

const bookOf = (...prices: PriceRow[]) =>
  openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', prices }])

const call: PricedCall = { provider: 'acme', model: 'm-1', at: parseInstant('2024-06-01') }

const total = (cost: Cost): string | null => (cost.total === null ? null : formatPicos(cost.total))

const exactOf = (cost: Cost) => cost.charges.reduce((sum, charge) => add(sum, charge.exact), zero)

describe('the cost of a call', () => {
  const book = bookOf(
    row('input_text_tokens', '2.5'),
    row('cached_input_tokens', '0.25'),
    row('output_text_tokens', '10'),
  )

  it('is a sum of charges, each of which names its price', () => {
    const cost = price({ input_text_tokens: 2000, cached_input_tokens: 8000 }, call, book)
    expect(total(cost)).toBe('0.007')
    expect(cost.unpriced).toEqual([])
    expect(cost.charges[1]).toEqual({
      meter: 'cached_input_tokens',
      quantity: 8000,
      unitPrice: '0.25',
      per: 1_000_000,
      exact: rational(1n, 500n),
      amount: parsePicos('0.002'),
      price: book.prices[1]?.id,
      source: 'a price list',
    })
  })

  it('prices reasoning as output when the book has no reasoning rate', () => {
    const cost = price({ output_reasoning_tokens: 1_000_000 }, call, book)
    expect(total(cost)).toBe('10')
    expect(cost.charges[0]).toMatchObject({ meter: 'output_reasoning_tokens', price: book.prices[2]?.id })
  })

  it('has no total where anything is unpriced, and names it', () => {
    const cost = price({ input_text_tokens: 1000, input_audio_tokens: 7 }, call, book)
    expect(cost.total).toBeNull()
    expect(formatPicos(cost.pricedTotal)).toBe('0.0025')
    expect(cost.unpriced).toEqual([
      { meter: 'input_audio_tokens', quantity: 7, code: 'no_price', message: expect.any(String) },
    ])
  })

  it('of nothing is zero, and what was not used needs no price', () => {
    expect(total(price({}, call, book))).toBe('0')
    expect(total(price({ input_audio_tokens: 0 }, call, book))).toBe('0')
  })

  it('of an unknown model is not known', () => {
    const cost = price({ input_text_tokens: 1 }, { ...call, model: 'm-9' }, book)
    expect(cost.total).toBeNull()
    expect(cost.unpriced[0]?.code).toBe('unknown_model')
  })

  it('is in the currency that the call says', () => {
    const euros = bookOf(
      row('input_text_tokens', '1.5'),
      row('input_text_tokens', '1.25', { currency: 'EUR' }),
    )
    const usage = { input_text_tokens: 1_000_000 }
    expect(price(usage, call, euros)).toMatchObject({ currency: 'USD', total: parsePicos('1.5') })
    expect(price(usage, { ...call, currency: 'EUR' }, euros)).toMatchObject({
      currency: 'EUR',
      total: parsePicos('1.25'),
    })
  })

  it('refuses a usage that cannot be', () => {
    expect(() => price({ input_text_tokens: -1 }, call, book)).toThrow('a quantity must be')
    expect(() => price({ input_text_tokens: 2 ** 53 }, call, book)).toThrow('a quantity must be')
    expect(() => price({ tokens: 1 } as unknown as Usage, call, book)).toThrow('no meter "tokens"')
  })
})

describe('the context card', () => {
  const card = (context: string) => ({ context, context_threshold_tokens: 272_000, long_when: '>' })
  const book = bookOf(
    row('input_text_tokens', '5', { attributes: card('short') }),
    row('input_text_tokens', '10', { attributes: card('long') }),
    row('cached_input_tokens', '0.5', { attributes: card('short') }),
    row('cached_input_tokens', '1', { attributes: card('long') }),
    row('output_text_tokens', '30', { attributes: card('short') }),
    row('output_text_tokens', '45', { attributes: card('long') }),
  )

  it('moves the whole call, output included', () => {
    expect(total(price({ input_text_tokens: 272_000, output_text_tokens: 1000 }, call, book))).toBe('1.39')
    expect(total(price({ input_text_tokens: 272_001, output_text_tokens: 1000 }, call, book))).toBe('2.76501')
  })

  it('is chosen by all input tokens, cached ones too', () => {
    expect(total(price({ input_text_tokens: 2001, cached_input_tokens: 270_000 }, call, book))).toBe(
      '0.29001',
    )
  })

  it('is not chosen by output', () => {
    expect(total(price({ input_text_tokens: 100_000, output_text_tokens: 300_000 }, call, book))).toBe('9.5')
  })
})

describe('rounding', () => {
  it('happens once a charge, half-even, to 10^-12', () => {
    const book = bookOf(row('audio_seconds', '0.05', { per: 60 }), row('tts_characters', '0.0000005'))
    const cost = price({ audio_seconds: 61, tts_characters: 1 }, call, book)
    expect(cost.charges.map(({ exact }) => format(exact))).toEqual(['61/1200', '0.0000000000005'])
    expect(cost.charges.map(({ amount }) => formatPicos(amount))).toEqual(['0.050833333333', '0'])
  })

  it('to the nearest second is of the quantity, before it is priced', () => {
    const book = bookOf(
      row('audio_seconds', '0.006', { per: 60, attributes: { rounding: 'nearest_second' } }),
    )
    const cost = price({ audio_seconds: parseDecimal('61.4') }, call, book)
    expect(cost.charges[0]).toMatchObject({ quantity: 61, amount: parsePicos('0.0061') })
    expect(total(price({ audio_seconds: parseDecimal('61.5') }, call, book))).toBe('0.0062')
  })
})

describe('an attribute of the call', () => {
  it('of a cache write selects its lifetime', () => {
    const book = bookOf(
      row('cache_write_tokens', '2.5', { attributes: { cache_ttl: '30m' } }),
      row('cache_write_tokens', '5', { attributes: { cache_ttl: '12h' } }),
    )
    const usage = { cache_write_tokens: 1_000_000 }
    expect(total(price(usage, call, book))).toBe('2.5')
    expect(total(price(usage, { ...call, attributes: { cache_ttl: '12h' } }, book))).toBe('5')
  })
})

/** Without context cards and rounding of quantities, a cost is linear in its usage. */
describe('for prices without thresholds', () => {
  const prices = fc.stringMatching(/^\d{1,6}\.\d{1,9}$/)
  const pers = fc.constantFrom(1, 60, 1000, 1_000_000, 3600)
  const count = fc.nat({ max: 10_000_000 })
  const usages = fc.record(
    {
      input_text_tokens: count,
      cached_input_tokens: count,
      output_text_tokens: count,
      audio_seconds: fc.oneof(
        count,
        fc.tuple(count, fc.integer({ min: 1, max: 1000 })).map(([n, d]) => rational(BigInt(n), BigInt(d))),
      ),
    },
    { requiredKeys: [] },
  )
  const books = fc
    .tuple(prices, prices, prices, prices, pers)
    .map(([a, b, c, d, per]) =>
      bookOf(
        row('input_text_tokens', a, { per }),
        row('cached_input_tokens', b, { per }),
        row('output_text_tokens', c, { per }),
        row('audio_seconds', d, { per }),
      ),
    )
  const amountOf = (quantity: Quantity | undefined) =>
    quantity === undefined ? zero : typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity
  const sumOf = (a: Usage, b: Usage): Usage => {
    const meters = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof Usage)[]
    return Object.fromEntries(
      meters.map((meter) => [meter, whole(add(amountOf(a[meter]), amountOf(b[meter])))]),
    )
  }
  const whole = (value: ReturnType<typeof rational>): Quantity =>
    value.denominator === 1n ? Number(value.numerator) : value

  it('the cost of two usages is the sum of their costs', () => {
    fc.assert(
      fc.property(usages, usages, books, (a, b, book) => {
        const together = exactOf(price(sumOf(a, b), call, book))
        expect(together).toEqual(add(exactOf(price(a, call, book)), exactOf(price(b, call, book))))
      }),
    )
  })

  it('splitting a quantity in any number of parts changes nothing before rounding', () => {
    fc.assert(
      fc.property(fc.array(count, { minLength: 1, maxLength: 20 }), books, (parts, book) => {
        const cost = (tokens: number) => exactOf(price({ output_text_tokens: tokens }, call, book))
        const all = parts.reduce((sum, part) => sum + part, 0)
        expect(parts.map(cost).reduce(add, zero)).toEqual(cost(all))
      }),
    )
  })

  it('the order of meters and of rows does not matter', () => {
    fc.assert(
      fc.property(usages, fc.infiniteStream(fc.nat()), books, (usage, random, book) => {
        const shuffled = <Value>(values: readonly Value[]): Value[] =>
          values
            .map((value) => ({ value, rank: random.next().value ?? 0 }))
            .sort((x, y) => x.rank - y.rank)
            .map(({ value }) => value)
        const rows = book.prices.map(({ meter, rate }) => row(meter, rate.unitPrice, { per: rate.per }))
        const other = bookOf(...shuffled(rows))
        const reordered = Object.fromEntries(shuffled(Object.entries(usage))) as Usage
        const [a, b] = [price(usage, call, book), price(reordered, call, other)]
        expect(b.total).toBe(a.total)
        const byMeter = (cost: Cost) => [...cost.charges].sort((x, y) => (x.meter < y.meter ? -1 : 1))
        expect(byMeter(b)).toEqual(byMeter(a))
      }),
    )
  })

  it('the total is the sum of the posted charges, each at most half a unit from its exact amount', () => {
    fc.assert(
      fc.property(usages, books, (usage, book) => {
        const cost = price(usage, call, book)
        expect(cost.total).toBe(cost.charges.reduce((sum: Picos, { amount }) => sum + amount, 0n))
        for (const { exact, amount } of cost.charges) {
          const off = subtract(multiply(exact, rational(10n ** 12n)), rational(amount))
          const twice = (off.numerator < 0n ? -off.numerator : off.numerator) * 2n
          expect(twice <= off.denominator).toBe(true)
        }
      }),
    )
  })
})

describe('what is known later', () => {
  it('never changes an answer as of an earlier day', () => {
    const days = fc.integer({ min: 0, max: 400 }).map((day) => call.at + day * 86_400_000)
    const on = (at: number): string => new Date(at).toISOString()
    fc.assert(
      fc.property(days, days, days, days, (learned, asked, from, at) => {
        fc.pre(asked < learned)
        const before = row('input_text_tokens', '1')
        const corrected = row('input_text_tokens', '2', { effectiveFrom: on(from), knownSince: on(learned) })
        const superseded = { ...before, supersededOn: on(learned) }
        const usage = { input_text_tokens: 1_000_000 }
        const then = { ...call, at, asOf: asked }
        expect(price(usage, then, bookOf(superseded, corrected))).toEqual(price(usage, then, bookOf(before)))
      }),
    )
  })
})

describe('no amount passes through a float', () => {
  it('a price of 40 decimals keeps them all', () => {
    const digits = fc.stringMatching(/^[1-9]\d{39}$/)
    fc.assert(
      fc.property(digits, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (fraction, quantity) => {
        const book = bookOf(row('output_text_tokens', `0.${fraction}`, { per: 1 }))
        const cost = price({ output_text_tokens: quantity }, call, book)
        expect(exactOf(cost)).toEqual(rational(BigInt(fraction) * BigInt(quantity), 10n ** 40n))
      }),
    )
  })

  it('a million calls of seven tokens cost exactly seven dollars', () => {
    const book = bookOf(row('input_text_tokens', '0.001', { per: 1000 }))
    const { amount } = price({ input_text_tokens: 7 }, call, book).charges[0] ?? { amount: 0n }
    expect(formatPicos(amount * 1_000_000n)).toBe('7')
  })
})
