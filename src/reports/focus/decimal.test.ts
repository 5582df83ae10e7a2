import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatScaled, parseDecimal, roundHalfEven } from '../../money/rational.ts'
import { decimalText, fineUnits, isPlainDecimal, millionthsText } from './decimal.ts'

describe('a decimal of an export', () => {
  it.each([
    [0n, 12, '0.0'],
    [1n, 12, '0.000000000001'],
    [-1n, 12, '-0.000000000001'],
    [300_000_000_000n, 12, '0.3'],
    [1_000_000_000_000n, 12, '1.0'],
    [-120_500_000_000_000n, 12, '-120.5'],
    [100n, 0, '100.0'],
  ])('writes %s / 10^%s', (units, places, text) => {
    expect(decimalText(units, places)).toBe(text)
  })

  it('is the plain number, with a point', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.bigInt({ min: -(10n ** 36n), max: 10n ** 36n }),
          fc.bigInt({ min: -2_000n, max: 2_000n }),
        ),
        fc.integer({ min: 0, max: 18 }),
        (units, places) => {
          const plain = formatScaled(units, places)
          expect(decimalText(units, places)).toBe(plain.includes('.') ? plain : `${plain}.0`)
        },
      ),
    )
  })

  it('writes millions of whole numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (quantity) => {
        expect(millionthsText(quantity)).toBe(decimalText(BigInt(quantity), 6))
      }),
    )
    expect([0, 7, 1_000_000, 1_250_000].map(millionthsText)).toEqual(['0.0', '0.000007', '1.0', '1.25'])
  })

  it('has digits, and at most one point between some of them', () => {
    const shape = /^-?\d{1,40}(?:\.\d{1,40})?$/
    const near = fc.string({ unit: fc.constantFrom('0', '9', '.', '-', '+', 'e', '٣', ' '), maxLength: 8 })
    const long = fc
      .tuple(fc.nat({ max: 42 }), fc.nat({ max: 42 }))
      .map(([whole, places]) => `${'1'.repeat(whole)}.${'2'.repeat(places)}`)
    fc.assert(
      fc.property(fc.oneof(near, long, fc.string()), (text) => {
        expect(isPlainDecimal(text)).toBe(shape.test(text))
      }),
      { numRuns: 2_000 },
    )
    expect(
      ['', '-', '.5', '5.', '-0.0', '5', `${'1'.repeat(40)}.${'1'.repeat(40)}`].map(isPlainDecimal),
    ).toEqual([false, false, false, false, true, true, true])
  })

  it('is read as units of 10^-18', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.integer({ min: 0, max: 24 }),
        (units, places) => {
          const text = decimalText(units, places)
          expect(fineUnits(text)).toBe(roundHalfEven(parseDecimal(text), 18))
        },
      ),
    )
  })
})
