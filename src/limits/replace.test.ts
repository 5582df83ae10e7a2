import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import type { createAdmission } from './admit.ts'
import type { Balance, Hold } from './hold.ts'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'
import { parseLimit } from './parse-limit.ts'

const at = parseInstant('2023-11-15T12:00:00Z')
const november = parseInstant('2023-11-01T00:00:00Z')
const today = parseInstant('2023-11-15T00:00:00Z')

const limit = (more: object = {}) => ({
  name: 'tokens',
  measure: 'tokens',
  cap: '100',
  window: { calendar: 'month' },
  ...more,
})

const replace = (
  admission: ReturnType<typeof createAdmission>,
  balances: readonly Balance[],
  ...to: object[]
) => admission.replace(to.map(parseLimit), balances)

const settle = (admission: ReturnType<typeof createAdmission>, holds: readonly Hold[], tokens: bigint) =>
  admission.settle({ holds, reservedAt: at, at }, { cost: tokens, used: { requests: 1n, tokens } })

const windows = {
  month: { calendar: 'month' },
  hour: { rolling: '1h' },
  bucket: { bucket: '1h' },
}

describe('limits that are replaced', () => {
  it.each(Object.entries(windows))('count on under a new cap: %s', (_, window) => {
    const admission = admissionOf(limit({ window }))
    const holds = holdsOf(admission, askFor(60, at))
    replace(admission, [], limit({ window, cap: '150' }))
    expect(admission.state(at)).toMatchObject([{ cap: 150n, held: 60n, free: 90n, over: 0n }])
    expect(admission.admit(askFor(91, at)).admitted).toBe(false)
    const more = holdsOf(admission, askFor(90, at))
    settle(admission, holds, 10n)
    settle(admission, more, 90n)
    expect(admission.state(at)).toMatchObject([{ settled: 100n, held: 0n, free: 50n }])
  })

  it.each(Object.entries(windows))('show what a lowered cap leaves above itself: %s', (_, window) => {
    const admission = admissionOf(limit({ window }))
    const holds = holdsOf(admission, askFor(60, at))
    replace(admission, [], limit({ window, cap: '40' }))
    expect(admission.state(at)).toMatchObject([{ cap: 40n, held: 60n, free: 0n, over: 20n }])
    expect(admission.admit(askFor(1, at)).admitted).toBe(false)
    expect(admission.admit(askFor(0, at)).admitted).toBe(true)
    settle(admission, holds, 30n)
    expect(admission.state(at)).toMatchObject([{ settled: 30n, held: 0n, free: 10n, over: 0n }])
  })

  it('refill a bucket at the pace of the new cap from then on', () => {
    const admission = admissionOf(limit({ cap: '60', window: { bucket: '1m' } }))
    holdsOf(admission, askFor(60, at))
    holdsOf(admission, askFor(30, at + 30_000))
    replace(admission, [], limit({ cap: '6', window: { bucket: '1m' } }))
    expect(admission.state(at + 30_000)).toMatchObject([{ held: 60n, over: 54n }])
    expect(admission.state(at + 40_000)).toMatchObject([{ held: 59n, over: 53n }])
  })

  it('are not asked any more when they are removed, and their holds end for nothing', () => {
    const admission = admissionOf(limit({ cap: '10' }), limit({ name: 'other' }))
    const holds = holdsOf(admission, askFor(10, at))
    replace(admission, [], limit({ name: 'other' }))
    expect(admission.admit(askFor(50, at)).admitted).toBe(true)
    settle(admission, holds, 5n)
    expect(admission.state(at)).toMatchObject([{ limit: 'other', settled: 5n, held: 50n }])
  })

  it('count from the balances under another name', () => {
    const admission = admissionOf(limit())
    const holds = holdsOf(admission, askFor(100, at))
    replace(admission, [balanceOf({ limit: 'tokens', held: 100n })], limit({ name: 'renamed' }))
    expect(admission.state(at)).toMatchObject([{ limit: 'renamed', held: 0n, free: 100n }])
    settle(admission, holds, 40n)
    expect(admission.state(at)).toMatchObject([{ settled: 0n, free: 100n }])
  })

  it('count from the balances in another measure', () => {
    const admission = admissionOf(limit())
    const holds = holdsOf(admission, askFor(100, at))
    replace(admission, [balanceOf({ held: 100n })], limit({ measure: 'requests', cap: '3' }))
    expect(admission.state(at)).toMatchObject([{ measure: 'requests', held: 0n, free: 3n }])
    settle(admission, holds, 40n)
    expect(admission.state(at)).toMatchObject([{ settled: 0n, free: 3n }])
  })

  it('count from the balances in another window', () => {
    const admission = admissionOf(limit())
    const holds = holdsOf(admission, askFor(70, at))
    const balances = [balanceOf({ held: 70n }), balanceOf({ windowStart: today, settled: 20n })]
    replace(admission, balances, limit({ window: { calendar: 'day' } }))
    expect(admission.state(at)).toMatchObject([{ settled: 20n, held: 0n, free: 80n }])
    settle(admission, holds, 70n)
    expect(admission.state(at)).toMatchObject([{ settled: 20n, held: 0n, free: 80n }])
  })

  it('end what was held where no balance says so', () => {
    const admission = admissionOf(limit({ window: { calendar: 'day' } }))
    const holds = holdsOf(admission, askFor(70, at))
    replace(admission, [], limit({ window: { calendar: 'month' } }))
    settle(admission, holds, 70n)
    expect(admission.state(at)).toMatchObject([{ settled: 0n, held: 0n, free: 100n }])
  })

  it('count from the balances with another `each`', () => {
    const admission = admissionOf(limit())
    const holds = holdsOf(admission, askFor(70, at))
    const mine = balanceOf({ counter: '{"endUser":"u"}', settled: 30n })
    replace(admission, [balanceOf({ held: 70n }), mine], limit({ each: ['endUser'] }))
    expect(admission.admit(askFor(71, at, { endUser: 'u' })).admitted).toBe(false)
    expect(admission.admit(askFor(70, at, { endUser: 'u' })).admitted).toBe(true)
    expect(admission.admit(askFor(100, at, { endUser: 'v' })).admitted).toBe(true)
    settle(admission, holds, 70n)
    expect(admission.state(at).find(({ counter }) => counter['endUser'] === 'u')).toMatchObject({ held: 70n })
  })

  it('count on from the balances when they come back', () => {
    const admission = admissionOf(limit())
    const holds = holdsOf(admission, askFor(60, at))
    replace(admission, [])
    replace(admission, [balanceOf({ held: 60n })], limit())
    settle(admission, holds, 25n)
    expect(admission.state(at)).toMatchObject([{ settled: 25n, held: 0n }])
  })

  it('are about other calls from then on, and keep what they counted', () => {
    const admission = admissionOf(limit())
    settle(admission, holdsOf(admission, askFor(60, at)), 60n)
    replace(admission, [], limit({ match: { team: 'support' } }))
    expect(admission.admit(askFor(100, at)).admitted).toBe(true)
    expect(admission.admit(askFor(41, at, { team: 'support' })).admitted).toBe(false)
  })

  it('tell of a share once, and of what a lower cap makes them cross', () => {
    const admission = admissionOf(limit({ warnAt: [0.5, 0.9] }))
    const shares = (tokens: number) =>
      settle(admission, holdsOf(admission, askFor(tokens, at)), BigInt(tokens)).map(({ share }) => share)
    expect(shares(60)).toEqual(['0.5'])
    replace(admission, [], limit({ cap: '200', warnAt: [0.25, 0.5, 0.9] }))
    expect(shares(50)).toEqual([])
    replace(admission, [], limit({ cap: '120', warnAt: [0.25, 0.5, 0.9] }))
    expect(shares(1)).toEqual(['0.9'])
  })

  it('stay as they are when two of the new ones have one name', () => {
    const admission = admissionOf(limit())
    holdsOf(admission, askFor(60, at))
    expect(() => replace(admission, [], limit(), limit({ cap: '5' }))).toThrow(
      'Two limits have the same name',
    )
    expect(admission.state(at)).toMatchObject([{ cap: 100n, held: 60n }])
  })
})

const balanceOf = (more: Partial<Balance>): Balance => ({
  limit: 'tokens',
  measure: 'tokens',
  windowStart: november,
  settled: 0n,
  held: 0n,
  unresolved: 0n,
  ...more,
})
