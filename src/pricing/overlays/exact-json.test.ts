import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { format, multiply, parseDecimal, rational } from '../../money/rational.ts'
import { parseExactJson, perMillion, readForeignPrice } from './exact-json.ts'

const price = (value: unknown): string => {
  const read = readForeignPrice(value)
  return 'why' in read ? read.why : perMillion(read)
}

describe('numbers of other databases', () => {
  it('stay the texts they were written as', () => {
    expect(parseExactJson('{"a":1e-06,"b":[0.10,"x",true,null]}')).toEqual({
      a: '1e-06',
      b: ['0.10', 'x', true, null],
    })
  })

  it.each([
    ['1e-06', '1'],
    ['3.75E-06', '3.75'],
    ['0.0000001', '0.1'],
    ['2.8e-09', '0.0028'],
    ['1e+2', '100000000'],
    ['9.54e-07', '0.954'],
    ['0.000000010', '0.01'],
  ])('%s a token is %s a million', (text, million) => {
    expect(price(text)).toBe(million)
  })

  it.each([
    ['0', 'zero, which can mean free or not known'],
    ['0.0', 'zero, which can mean free or not known'],
    ['0e5', 'zero, which can mean free or not known'],
    ['0.0002833333333333333', 'more than 12 digits: what a float left of a division'],
    ['-1e-06', 'not a decimal number'],
    ['1e999', 'not a decimal number'],
    ['NaN', 'not a decimal number'],
    [null, 'not a decimal number'],
    [{}, 'not a decimal number'],
    [['1e-06'], 'not a decimal number'],
  ])('%s is no price: %s', (value, why) => {
    expect(price(value)).toBe(why)
  })

  it('are exact, whatever their digits and exponent', () => {
    const digits = fc.integer({ min: 1, max: 999_999 })
    fc.assert(
      fc.property(digits, fc.integer({ min: -20, max: 10 }), (whole, exponent) => {
        const power = rational(10n ** BigInt(Math.abs(exponent)))
        const million = multiply(parseDecimal(String(whole)), rational(1_000_000n))
        const expected =
          exponent < 0
            ? multiply(million, { numerator: 1n, denominator: power.numerator })
            : multiply(million, power)
        expect(price(`${whole}e${exponent}`)).toBe(format(expected))
      }),
    )
  })
})
