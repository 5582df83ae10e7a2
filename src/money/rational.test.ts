import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  add,
  compare,
  divide,
  format,
  formatScaled,
  multiply,
  parseDecimal,
  type Rational,
  rational,
  roundHalfEven,
  subtract,
  zero,
} from './rational.ts'

/** Of at most 40 digits, which is what `parseDecimal` reads. */
const whole = fc.bigInt({ min: 1n - 10n ** 40n, max: 10n ** 40n - 1n })
const positive = fc.bigInt({ min: 1n, max: 10n ** 40n })
const rationals = fc
  .tuple(whole, positive)
  .map(([numerator, denominator]) => rational(numerator, denominator))

/** Digits on either side of the point, written as `format` writes them. */
const decimals = fc
  .tuple(fc.boolean(), fc.stringMatching(/^(0|[1-9]\d{0,39})$/), fc.stringMatching(/^(\d{0,39}[1-9])?$/))
  .map(([negative, before, after]) => {
    const digits = after === '' ? before : `${before}.${after}`
    return negative && digits !== '0' ? `-${digits}` : digits
  })

describe('a rational', () => {
  it('is in lowest terms, with the sign above the line', () => {
    expect(rational(6n, -4n)).toEqual({ numerator: -3n, denominator: 2n })
    expect(rational(0n, -7n)).toEqual(zero)
    expect(rational(8n, 4n)).toEqual({ numerator: 2n, denominator: 1n })
  })

  it('has no denominator zero', () => {
    expect(() => rational(1n, 0n)).toThrow('denominator 0')
    expect(() => divide(rational(1n), zero)).toThrow('denominator 0')
  })

  it('is one value however it is written', () => {
    fc.assert(
      fc.property(whole, positive, positive, (numerator, denominator, factor) => {
        expect(rational(numerator * factor, denominator * factor)).toEqual(rational(numerator, denominator))
        expect(rational(-numerator, -denominator)).toEqual(rational(numerator, denominator))
      }),
    )
  })
})

describe('arithmetic', () => {
  it('adds a third and a sixth to a half', () => {
    expect(add(rational(1n, 3n), rational(1n, 6n))).toEqual(rational(1n, 2n))
  })

  it('adds a tenth ten times to exactly one', () => {
    const tenth = parseDecimal('0.1')
    expect(Array.from({ length: 10 }, () => tenth).reduce(add, zero)).toEqual(rational(1n))
  })

  it('obeys the laws of a field', () => {
    fc.assert(
      fc.property(rationals, rationals, rationals, (a, b, c) => {
        expect(add(a, b)).toEqual(add(b, a))
        expect(multiply(a, b)).toEqual(multiply(b, a))
        expect(add(add(a, b), c)).toEqual(add(a, add(b, c)))
        expect(multiply(multiply(a, b), c)).toEqual(multiply(a, multiply(b, c)))
        expect(multiply(a, add(b, c))).toEqual(add(multiply(a, b), multiply(a, c)))
        expect(subtract(add(a, b), b)).toEqual(a)
        if (b.numerator !== 0n) expect(divide(multiply(a, b), b)).toEqual(a)
      }),
    )
  })

  it('gives results in lowest terms', () => {
    fc.assert(
      fc.property(rationals, rationals, (a, b) => {
        for (const result of [add(a, b), subtract(a, b), multiply(a, b)]) {
          expect(result).toEqual(rational(result.numerator, result.denominator))
          expect(result.denominator > 0n).toBe(true)
        }
      }),
    )
  })

  it('orders numbers as their difference does', () => {
    expect(compare(rational(1n, 3n), parseDecimal('0.3333'))).toBe(1)
    fc.assert(
      fc.property(rationals, rationals, (a, b) => {
        const difference = subtract(a, b).numerator
        expect(compare(a, b)).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0)
        expect(compare(b, a) + compare(a, b)).toBe(0)
      }),
    )
  })
})

describe('a decimal', () => {
  it('is read as it is written', () => {
    expect(parseDecimal('12.50')).toEqual(rational(25n, 2n))
    expect(parseDecimal('-0.000001')).toEqual(rational(-1n, 1_000_000n))
    expect(parseDecimal('-0')).toEqual(zero)
    expect(parseDecimal('007')).toEqual(rational(7n))
  })

  it.each([
    '',
    ' 1',
    '1 ',
    '1\n',
    '.5',
    '5.',
    '+1',
    '--1',
    '1e3',
    '0x10',
    '1_000',
    '1,5',
    'NaN',
    'Infinity',
    '١',
  ])('refuses %j', (text) => {
    expect(() => parseDecimal(text)).toThrow('is not a decimal number')
  })

  it('has at most 40 digits on either side of the point', () => {
    const nines = '9'.repeat(40)
    expect(format(parseDecimal(`${nines}.${nines}`))).toBe(`${nines}.${nines}`)
    expect(() => parseDecimal(`1${nines}`)).toThrow('is not a decimal number')
    expect(() => parseDecimal(`0.${nines}1`)).toThrow('is not a decimal number')
  })

  it('is written as it was read', () => {
    fc.assert(
      fc.property(decimals, (text) => {
        expect(format(parseDecimal(text))).toBe(text)
      }),
    )
  })

  it('is read as it was written, where it is finite', () => {
    fc.assert(
      fc.property(whole, fc.integer({ min: 0, max: 40 }), (units, places) => {
        const value = rational(units, 10n ** BigInt(places))
        expect(parseDecimal(format(value))).toEqual(value)
        expect(parseDecimal(formatScaled(units, places))).toEqual(value)
      }),
    )
  })

  it('is a fraction in lowest terms where it is not finite', () => {
    expect(format(rational(61n, 1200n))).toBe('61/1200')
    expect(format(rational(-2n, 6n))).toBe('-1/3')
    expect(format(rational(1n, 3_200_000n))).toBe('0.0000003125')
  })
})

describe('rounding half-even', () => {
  /** The definition: the nearest whole number of units, and of two equally near the even one. */
  const byDefinition = (value: Rational, places: number): bigint => {
    const exact = multiply(value, rational(10n ** BigInt(places)))
    const near = exact.numerator / exact.denominator
    const distance = (units: bigint): Rational => {
      const difference = subtract(exact, rational(units))
      return difference.numerator < 0n ? subtract(zero, difference) : difference
    }
    return [near - 1n, near, near + 1n].reduce((best, units) => {
      const order = compare(distance(units), distance(best))
      return order < 0 || (order === 0 && units % 2n === 0n) ? units : best
    })
  }

  it.each([
    ['0.5', 0n],
    ['1.5', 2n],
    ['2.5', 2n],
    ['-0.5', 0n],
    ['-1.5', -2n],
    ['-2.5', -2n],
    ['2.500000000000000000000000000000000000001', 3n],
    ['2.499999999999999999999999999999999999999', 2n],
    ['-7', -7n],
  ])('rounds %s to %s', (text, units) => {
    expect(roundHalfEven(parseDecimal(text), 0)).toBe(units)
  })

  it('is the nearest, and of two the even one', () => {
    const ties = fc.tuple(whole, fc.integer({ min: 0, max: 25 })).map(([units, places]) => ({
      value: rational(2n * units + 1n, 2n * 10n ** BigInt(places)),
      places,
    }))
    const any = fc.record({ value: rationals, places: fc.integer({ min: 0, max: 25 }) })
    fc.assert(
      fc.property(fc.oneof(ties, any), ({ value, places }) => {
        expect(roundHalfEven(value, places)).toBe(byDefinition(value, places))
      }),
    )
  })

  it('is odd: a debt rounds as a claim does', () => {
    fc.assert(
      fc.property(rationals, (value) => {
        expect(roundHalfEven(subtract(zero, value), 12)).toBe(-roundHalfEven(value, 12))
      }),
    )
  })
})
