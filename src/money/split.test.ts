import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { split } from './split.ts'

describe('a split amount', () => {
  it('gives what is left over to whoever lost most by rounding', () => {
    expect(split(10n, [1n, 1n, 1n])).toEqual([4n, 3n, 3n])
    expect(split(100n, [1n, 2n, 4n])).toEqual([14n, 29n, 57n])
    expect(split(7n, [0n, 5n])).toEqual([0n, 7n])
    expect(split(-10n, [1n, 1n, 1n])).toEqual([-4n, -3n, -3n])
  })

  it('refuses weights that say nothing', () => {
    expect(() => split(1n, [0n, 0n])).toThrow(/one is above 0/)
    expect(() => split(1n, [2n, -1n])).toThrow(/none is negative/)
  })

  it('sums to the whole, and gives no part a unit more or less than its share', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 30n }), { minLength: 1, maxLength: 20 })
    const amount = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })
    fc.assert(
      fc.property(amount, weights, (whole, shares) => {
        const sum = shares.reduce((total, share) => total + share, 0n)
        fc.pre(sum > 0n)
        const parts = split(whole, shares)
        expect(parts.reduce((total, part) => total + part, 0n)).toBe(whole)
        for (const [index, part] of parts.entries()) {
          const off = part * sum - whole * (shares[index] ?? 0n)
          expect(off < sum && off > -sum).toBe(true)
        }
      }),
    )
  })
})
