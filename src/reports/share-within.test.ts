import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareWithin } from './share-within.ts'

describe('what several estimates really came to', () => {
  it('is the whole, for one of them', () => {
    expect(shareWithin(1_061, [{ estimate: 1_050, low: 1_050, high: 3_098 }])).toEqual([1_061])
    expect(shareWithin(7, [{ estimate: 7, low: 7, high: 7 }])).toEqual([7])
  })

  it('is shared by what their intervals leave open, the rest to the largest remainder', () => {
    // 10 more: rooms of 100 and 200 take 3.33 and 6.67.
    expect(
      shareWithin(310, [
        { estimate: 100, low: 100, high: 200 },
        { estimate: 200, low: 200, high: 400 },
      ]),
    ).toEqual([103, 207])
    // 10 less: only the second can be less.
    expect(
      shareWithin(290, [
        { estimate: 100, low: 100, high: 200 },
        { estimate: 200, low: 150, high: 400 },
      ]),
    ).toEqual([100, 190])
  })

  it('goes to those without an upper bound, where there are any', () => {
    expect(
      shareWithin(1_300, [
        { estimate: 100, low: 0, high: null },
        { estimate: 500, low: 500, high: 600 },
        { estimate: 200, low: 0, high: null },
      ]),
    ).toEqual([267, 500, 533])
  })

  it('is unknown where no numbers within the intervals come to it', () => {
    const one = [{ estimate: 100, low: 90, high: 110 }]
    expect(shareWithin(111, one)).toBeNull()
    expect(shareWithin(89, one)).toBeNull()
    expect(shareWithin(5, [])).toBeNull()
  })

  it('sums to the whole, and leaves no interval', () => {
    const estimate = fc
      .tuple(fc.nat(1_000_000), fc.nat(1_000_000), fc.option(fc.nat(1_000_000)))
      .map(([low, more, room]) => ({
        low,
        estimate: low + more,
        high: room === null ? null : low + more + room,
      }))
    fc.assert(
      fc.property(fc.array(estimate, { minLength: 1, maxLength: 8 }), fc.nat(20_000_000), (all, total) => {
        const shares = shareWithin(total, all)
        const least = all.reduce((sum, { low }) => sum + low, 0)
        const most = all.reduce((sum, { high }) => sum + (high ?? Number.POSITIVE_INFINITY), 0)
        expect(shares === null).toBe(total < least || total > most)
        if (shares === null) return
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total)
        for (const [index, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(all[index]?.low ?? 0)
          expect(share).toBeLessThanOrEqual(all[index]?.high ?? Number.POSITIVE_INFINITY)
        }
      }),
    )
  })
})
