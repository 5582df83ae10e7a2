import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPicos, type Picos } from '../money/money.ts'
import { add, multiply, rational, subtract, zero } from '../money/rational.ts'
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

const _total = (cost: Cost): string | null => (cost.total === null ? null : formatPicos(cost.total))

const exactOf = (cost: Cost) => cost.charges.reduce((sum, charge) => add(sum, charge.exact), zero)

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

describe('pricing again', () => {
  it('gives the same charges, whatever was priced in between', () => {
    const book = bookOf(
      row('input_text_tokens', '2.5', { attributes: { tier: 'standard' } }),
      row('input_text_tokens', '1.25', { attributes: { tier: 'batch' }, effectiveTo: '2025-01-01' }),
      row('output_text_tokens', '10'),
      row('audio_seconds', '0.006', { per: 60, attributes: { rounding: 'nearest_second' } }),
    )
    const asked = fc.record({
      tier: fc.constantFrom('standard', 'batch', 'flex'),
      day: fc.integer({ min: -200, max: 400 }),
      tokens: fc.nat({ max: 1_000_000 }),
    })
    const rate = ({ tier, day, tokens }: { tier: string; day: number; tokens: number }): Cost =>
      price(
        {
          input_text_tokens: tokens,
          output_text_tokens: tokens,
          audio_seconds: rational(BigInt(tokens), 7n),
        },
        { ...call, at: call.at + day * 86_400_000, attributes: { tier } },
        book,
      )
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 10 }), (calls) => {
        const first = calls.map(rate)
        expect(calls.map(rate)).toEqual(first)
        expect([...calls].reverse().map(rate).reverse()).toEqual(first)
      }),
    )
  })
})

describe('what is known later', () => {
  const days = fc.integer({ min: 0, max: 400 }).map((day) => call.at + day * 86_400_000)
  const on = (at: number): string => new Date(at).toISOString()
  const answers = ({ charges, unpriced, total: sum, listTotal }: Cost) => ({
    charges,
    unpriced: unpriced.map(({ meter, quantity, code }) => ({ meter, quantity, code })),
    sum,
    listTotal,
  })
  const usage = { input_text_tokens: 1_000_000 }

  it('never changes an answer as of an earlier day: a correction', () => {
    fc.assert(
      fc.property(days, days, days, days, (learned, asked, from, at) => {
        fc.pre(asked < learned)
        const before = row('input_text_tokens', '1')
        const corrected = row('input_text_tokens', '2', { effectiveFrom: on(from), knownSince: on(learned) })
        const superseded = { ...before, supersededOn: on(learned) }
        const then = { ...call, at, asOf: asked }
        expect(price(usage, then, bookOf(superseded, corrected))).toEqual(price(usage, then, bookOf(before)))
      }),
    )
  })

  it('never changes an answer as of an earlier day: a model, an alias, a tier, a promotion or a factor', () => {
    const known = (learned: number) => ({ knownSince: on(learned) })
    const additions = fc.constantFrom<Partial<PriceRow>>(
      { model: 'm-2' },
      { model: 'm-2', aliases: ['m'], effectiveFrom: '2025-01-01' },
      { model: 'm-1', aliases: ['m', 'm-9'], meter: 'output_text_tokens', effectiveFrom: '2020-01-01' },
      { attributes: { tier: 'batch' } },
      { attributes: { promotion: 'spring' }, unitPrice: '0' },
      { model: null, meter: 'regional_processing', kind: 'multiplier', unitPrice: '1.1', per: 1 },
    )
    const models = fc.constantFrom('m-1', 'm-2', 'm', 'm-9')
    const said = fc.constantFrom<Record<string, string>>({}, { tier: 'batch' }, { residency: 'eu' })
    fc.assert(
      fc.property(
        days,
        days,
        days,
        additions,
        models,
        said,
        (learned, asked, at, addition, model, attributes) => {
          fc.pre(asked < learned)
          const before = row('input_text_tokens', '1', { aliases: ['m'], attributes: { tier: 'standard' } })
          const until = { ...before, effectiveTo: '2025-01-01' }
          const later = row('input_text_tokens', '2', { ...addition, ...known(learned) })
          const then = { ...call, at, asOf: asked, model, attributes }
          expect(answers(price(usage, then, bookOf(until, later)))).toEqual(
            answers(price(usage, then, bookOf(until))),
          )
        },
      ),
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
