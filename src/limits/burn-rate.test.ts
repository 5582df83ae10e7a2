import { describe, expect, it } from 'vitest'
import { rational } from '../money/rational.ts'
import { burning, burnRate, burnRules } from './burn-rate.ts'

const monthMs = 30 * 86_400_000
const evenly = (lengthMs: number) => rational(BigInt(lengthMs), BigInt(monthMs))

describe('a budget of 7,200 for 30 days, of which 10 are expected each hour', () => {
  const look = (spentInHour: bigint) => (lengthMs: number) => ({
    spent: (spentInHour * BigInt(lengthMs)) / 3_600_000n,
    expectedShare: evenly(lengthMs),
  })
  const hoursOf = (spentInHour: bigint, spentMin = 0n) =>
    burning(burnRules, { cap: 7_200n, spentMin }, look(spentInHour)).map(({ longMs }) => longMs / 3_600_000)

  it('is as expected at 10 an hour, which breaks the slowest rule only', () => {
    expect(burnRate({ spent: 10n, expectedShare: evenly(3_600_000) }, 7_200n)).toEqual(rational(1n))
    expect(hoursOf(9n)).toEqual([])
    expect(hoursOf(12n)).toEqual([72])
  })

  it('burns at 60 and at 144 an hour', () => {
    expect(hoursOf(60n)).toEqual([6, 72])
    expect(hoursOf(144n)).toEqual([1, 6, 72])
    expect(hoursOf(144n, 200n)).toEqual([6, 72])
  })

  it('does not burn any more when the short stretch is quiet', () => {
    const over = (lengthMs: number) => ({
      spent: lengthMs === 3_600_000 ? 500n : 0n,
      expectedShare: evenly(lengthMs),
    })
    expect(burning(burnRules, { cap: 7_200n, spentMin: 0n }, over)).toEqual([])
  })

  it('does not burn on a Monday morning when that is expected', () => {
    const monday = (lengthMs: number) => ({ ...look(144n)(lengthMs), expectedShare: rational(1n, 10n) })
    expect(burning(burnRules.slice(0, 1), { cap: 7_200n, spentMin: 0n }, monday)).toEqual([])
  })
})

it('says nothing where nothing is expected or may be spent', () => {
  expect(burnRate({ spent: 1n, expectedShare: rational(0n) }, 10n)).toBeNull()
  expect(burnRate({ spent: 1n, expectedShare: rational(1n) }, 0n)).toBeNull()
})
