import { describe, expect, it } from 'vitest'
import type { LimitState } from '../../limits/decision.ts'
import { createBurnWatch, watchedMax } from './burn-watch.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const start = Date.parse('2023-11-01')
/** 30 days, of which an hour is expected to spend 10 of 7,200. */
const monthMs = 720 * hourMs

const stateAt = (settled: number, more: Partial<LimitState> = {}): LimitState => ({
  ...{ limit: 'month', counter: {}, measure: 'cost', currency: 'USD', cap: 7_200n },
  ...{ windowStart: start, resetsAt: start + monthMs, settled: BigInt(settled) },
  ...{ held: 0n, unresolved: 0n, free: 0n, over: 0n },
  ...more,
})

/** Spends so much each minute from one minute on to another, and gives the hours of the rules that are broken at each. */
const spender = (spentMin = 0n) => {
  const watch = createBurnWatch()
  const limits = new Map([['month', { burnRate: { spentMin } }]])
  let [minute, spent] = [0, 0]
  return {
    spend: (perMinute: number, minutes: number, more: Partial<LimitState> = {}) => {
      const broken: string[] = []
      for (const last = minute + minutes; minute < last; minute += 1) {
        spent += perMinute
        const at = start + minute * minuteMs
        for (const { rule, since } of watch.look([stateAt(spent, more)], limits, at)) {
          broken.push(`${rule.longMs / hourMs} h since minute ${(since - start) / minuteMs}`)
        }
      }
      return [...new Set(broken)]
    },
    sleep: (minutes: number) => {
      minute += minutes
    },
  }
}

describe('a budget of 7,200 for 30 days, of which 10 are expected each hour', () => {
  it('that is spent at 180 an hour is told of when an hour was watched, once an hour', () => {
    const { spend } = spender()
    expect(spend(3, 60)).toEqual([])
    expect(spend(3, 61)).toEqual(['1 h since minute 60', '1 h since minute 120'])
  })

  it('that is spent at 120 an hour is told of when six hours were watched', () => {
    const { spend } = spender()
    expect(spend(2, 360)).toEqual([])
    expect(spend(2, 10)).toEqual(['6 h since minute 360'])
  })

  it('that is spent at 30 an hour is not told of: three times as fast as time is neither rule', () => {
    const { spend } = spender()
    for (let hours = 0; hours < 12; hours += 1) {
      expect(spend(1, 30)).toEqual([])
      expect(spend(0, 30)).toEqual([])
    }
  })

  it('that was spent at once and then no more is told of for five minutes', () => {
    const { spend } = spender()
    expect(spend(0, 61)).toEqual([])
    expect(spend(150, 1)).toEqual(['1 h since minute 61'])
    expect(spend(0, 4)).toEqual(['1 h since minute 61'])
    expect(spend(0, 60)).toEqual([])
  })

  it('of which less than 200 went in the hour is not told of where that is the least', () => {
    expect(spender(200n).spend(3, 100)).toEqual([])
    expect(spender(180n).spend(3, 100)).toEqual(['1 h since minute 60'])
  })

  it('that nobody looked at for 11 minutes is watched anew', () => {
    const { spend, sleep } = spender()
    expect(spend(3, 59)).toEqual([])
    sleep(11)
    expect(spend(3, 60)).toEqual([])
    expect(spend(3, 2)).toEqual(['1 h since minute 130'])
  })

  it('begins anew with the next window', () => {
    const { spend } = spender()
    expect(spend(3, 50)).toEqual([])
    const next = { windowStart: start + 50 * minuteMs, resetsAt: start + monthMs + 50 * minuteMs }
    expect(spend(3, 60, next)).toEqual([])
    expect(spend(3, 1, next)).toEqual(['1 h since minute 110'])
  })
})

it('a thousand counters are watched, and others when those are past', () => {
  const watch = createBurnWatch()
  const limits = new Map([['month', { burnRate: { spentMin: 0n } }]])
  const of = (user: number, settled: number, day: number) =>
    stateAt(settled, {
      counter: { endUser: `u_${user}` },
      windowStart: start + day * 24 * hourMs,
      resetsAt: start + (day + 1) * 24 * hourMs,
    })
  for (let user = 0; user < watchedMax; user += 1) watch.look([of(user, 0, 0)], limits, start)
  const burns = (user: number, day: number): boolean => {
    const from = start + day * 24 * hourMs
    for (let minute = 0; minute <= 60; minute += 1) {
      const found = watch.look([of(user, minute * 80, day)], limits, from + minute * minuteMs)
      if (found.length > 0) return true
    }
    return false
  }
  expect(burns(5_000, 0)).toBe(false)
  expect(burns(0, 0)).toBe(true)
  expect(burns(5_000, 1)).toBe(true)
})
