import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPicos, parsePicos, post } from './money.ts'
import { parseDecimal, rational } from './rational.ts'

describe('a posted amount', () => {
  it('is a whole number of 10^-12 of its currency', () => {
    expect(post(parseDecimal('0.805'))).toBe(805_000_000_000n)
    expect(formatPicos(805_000_000_000n)).toBe('0.805')
    expect(formatPicos(-1n)).toBe('-0.000000000001')
    expect(formatPicos(0n)).toBe('0')
  })

  it('is rounded once, half-even', () => {
    expect(formatPicos(post(rational(61n, 1200n)))).toBe('0.050833333333')
    expect(post(parseDecimal('0.0000000000005'))).toBe(0n)
    expect(post(parseDecimal('0.0000000000015'))).toBe(2n)
  })

  it('is written and read back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (picos) => {
        expect(parsePicos(formatPicos(picos))).toBe(picos)
        expect(post(parseDecimal(formatPicos(picos)))).toBe(picos)
      }),
    )
  })

  it('has at most 12 decimals', () => {
    expect(parsePicos('0.0000000000010')).toBe(1n)
    expect(() => parsePicos('0.0000000000001')).toThrow('more than 12 decimals')
    expect(() => parsePicos('a lot')).toThrow('is not a decimal number')
  })
})
