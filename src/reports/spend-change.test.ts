import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rational } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { type ChangedItem, changeOf, periodBefore, sumOfChanges } from './spend-change.ts'

type Side = readonly [quantity: bigint, amount: bigint]

const item = (before: Side, now: Side, unit = 'token'): ChangedItem => ({
  unit,
  before: { quantity: rational(before[0]), amount: before[1] },
  now: { quantity: rational(now[0]), amount: now[1] },
})

describe('why a figure changed', () => {
  it('is volume, where there is more of the same at the same prices', () => {
    // 10 at 2 and 20 at 5; now half as much again of each.
    const change = changeOf([item([10n, 20n], [15n, 30n]), item([20n, 100n], [30n, 150n])])
    expect(change).toEqual({ before: 120n, delta: 60n, price: 0n, volume: 60n, mix: 0n })
  })

  it('is price, where the same costs more', () => {
    // 10 at 2, now at 3; 20 at 5 as before.
    const change = changeOf([item([10n, 20n], [10n, 30n]), item([20n, 100n], [20n, 100n])])
    expect(change).toEqual({ before: 120n, delta: 10n, price: 10n, volume: 0n, mix: 0n })
  })

  it('is mix, where as much is used as before, and more of it is dear', () => {
    // 5 of 10 move from the price 2 to the price 5: 5 x 3.
    const change = changeOf([item([10n, 20n], [5n, 10n]), item([20n, 100n], [25n, 125n])])
    expect(change).toEqual({ before: 120n, delta: 15n, price: 0n, volume: 0n, mix: 15n })
  })

  it('is all three at once, and their sum', () => {
    // Before 10 at 2 and 10 at 4; now 5 at 3 and 25 at 4. In all 30 in place of 20: volume 60 x 1/2 = 30.
    // Price 5 x (3 - 2) = 5. At the old prices 5 x 2 + 25 x 4 = 110, of the same mix 90: 20.
    const change = changeOf([item([10n, 20n], [5n, 15n]), item([10n, 40n], [25n, 100n])])
    expect(change).toEqual({ before: 60n, delta: 55n, price: 5n, volume: 30n, mix: 20n })
  })

  it('is volume for what is new or gone', () => {
    expect(changeOf([item([0n, 0n], [3n, 9n]), item([2n, 4n], [0n, 0n])])).toEqual({
      ...{ before: 4n, delta: 5n, price: 0n, volume: 5n, mix: 0n },
    })
  })

  it('adds no images to tokens', () => {
    const change = changeOf([item([10n, 20n], [20n, 40n]), item([4n, 40n], [4n, 40n], 'image')])
    expect(change).toEqual({ before: 60n, delta: 20n, price: 0n, volume: 20n, mix: 0n })
  })

  it('gives units that rounding leaves to those that lost most', () => {
    // 3 at 1/3 become 1 at 1: price 2/3, volume -2/3. Rounded down 0 and -1; the unit left goes to price.
    expect(changeOf([item([3n, 1n], [1n, 1n])])).toEqual({
      ...{ before: 1n, delta: 0n, price: 1n, volume: -1n, mix: 0n },
    })
  })

  it('sums to the change, whatever the quantities and amounts', () => {
    const side = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.bigInt({ min: -9n, max: 10n ** 15n }))
    const items = fc.array(
      fc.tuple(side, side, fc.constantFrom('token', 'image')).map((some) => item(...some)),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(items, items, (some, others) => {
        const [first, second] = [changeOf(some), changeOf(others)]
        for (const { delta, price, volume, mix } of [first, second, sumOfChanges([first, second])]) {
          expect(price + volume + mix).toBe(delta)
        }
        const sum = (key: 'before' | 'now') => some.reduce((total, each) => total + each[key].amount, 0n)
        expect([first.before, first.before + first.delta]).toEqual([sum('before'), sum('now')])
      }),
    )
  })
})

describe('the period before', () => {
  const beforeOf = (from: string, to: string, timeZone = 'UTC') => {
    const period = periodBefore({ from: parseInstant(from), to: parseInstant(to) }, timeZone)
    return [period.from, period.to].map((at) => new Date(at).toISOString().slice(0, 16))
  }

  it('is the month before, of a month', () => {
    expect(beforeOf('2023-03-01', '2023-04-01')).toEqual(['2023-02-01T00:00', '2023-03-01T00:00'])
    expect(beforeOf('2023-10-01', '2024-01-01')).toEqual(['2023-07-01T00:00', '2023-10-01T00:00'])
  })

  it('has as many days, of which one has 25 hours', () => {
    // In Paris the clock goes back on 2023-10-29, so that the Monday after begins at 23:00 UTC.
    expect(beforeOf('2023-10-29T23:00:00Z', '2023-10-30T23:00:00Z', 'Europe/Paris')).toEqual([
      '2023-10-28T22:00',
      '2023-10-29T23:00',
    ])
  })

  it('is as long, of anything else', () => {
    expect(beforeOf('2023-11-15T12:00:00Z', '2023-11-15T15:00:00Z')).toEqual([
      '2023-11-15T09:00',
      '2023-11-15T12:00',
    ])
  })
})
