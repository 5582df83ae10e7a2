import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Money, Picos } from '../money/money.ts'
import { type Rational, rational } from '../money/rational.ts'
import type { Charge, Cost } from './price.ts'
import type { Price } from './price-book.ts'
import { type Amount, amountOf, amountOfWhole, parseRate, type Rate } from './rate.ts'

const prices = fc.oneof(
  fc.stringMatching(/^(0|[1-9]\d{0,5})\.\d{1,9}$/),
  fc.stringMatching(/^\d{1,40}\.\d{1,40}$/),
  fc.constantFrom('0', '2.5', '0.003625', '0.017'),
)
const pers = fc.constantFrom(1, 60, 1000, 3600, 1_000_000, 7, Number.MAX_SAFE_INTEGER)
const counts = fc.oneof(
  fc.integer({ min: 1, max: 2_000_000 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(1, 400_000, 1_000_000, Number.MAX_SAFE_INTEGER),
)

describe('a rate', () => {
  it('is an amount per so many units, exactly', () => {
    expect(parseRate('0.017', 60).perUnit).toEqual(rational(17n, 60_000n))
    expect(parseRate('2.50', 1_000_000)).toMatchObject({
      unitPrice: '2.50',
      perUnit: rational(1n, 400_000n),
    })
  })

  it('of a whole quantity comes to the same by the quick way as by fractions, for every price and count', () => {
    fc.assert(
      fc.property(prices, pers, fc.array(counts, { minLength: 1, maxLength: 5 }), (text, per, some) => {
        const rate = parseRate(text, per)
        for (const count of [...some, ...some]) {
          expect(amountOfWhole(rate, count)).toEqual(amountOf(rate, rational(BigInt(count))))
        }
      }),
    )
  })

  it('is in lowest terms, whatever the quantity', () => {
    expect(amountOfWhole(parseRate('0.25', 1_000_000), 8000).exact).toEqual(rational(1n, 500n))
    expect(amountOfWhole(parseRate('0', 1000), 7).exact).toEqual(rational(0n))
  })
})

describe('the type of an amount', () => {
  it('has no number in it: a price cannot become a float without being converted', () => {
    expectTypeOf<Rational>().toEqualTypeOf<{ readonly numerator: bigint; readonly denominator: bigint }>()
    expectTypeOf<Picos>().toEqualTypeOf<bigint>()
    expectTypeOf<Money['amount']>().toEqualTypeOf<Rational>()
    expectTypeOf<Amount>().toEqualTypeOf<{ readonly exact: Rational; readonly posted: Picos }>()
    expectTypeOf<Rate['amount'] | Rate['perUnit']>().toEqualTypeOf<Rational>()
    expectTypeOf<
      Rate['unitPrice'] | Charge['unitPrice'] | Price['row']['unitPrice']
    >().toEqualTypeOf<string>()
    expectTypeOf<Charge['exact']>().toEqualTypeOf<Rational>()
    expectTypeOf<Charge['amount'] | Cost['pricedTotal'] | Cost['listTotal']>().toEqualTypeOf<Picos>()
    expectTypeOf<Cost['total']>().toEqualTypeOf<Picos | null>()
  })
})
