import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAdmission } from './admit.ts'
import type { Hold } from './hold.ts'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'
import { parseLimit } from './parse-limit.ts'

const noon = Date.parse('2023-11-15T12:00:00Z')
const perMinute = (cap: number, measure = 'requests') => ({
  name: 'rate',
  measure,
  cap: String(cap),
  window: { bucket: '1m' },
})

describe('a bucket of 3 requests a minute', () => {
  it('admits three at once, and one more every 20 seconds', () => {
    const admission = admissionOf(perMinute(3))
    for (let call = 1; call <= 3; call += 1) holdsOf(admission, askFor(1, noon))
    expect(admission.admit(askFor(1, noon))).toMatchObject({
      admitted: false,
      fitsAt: noon + 20_000,
      free: 0n,
    })
    expect(admission.admit(askFor(1, noon + 19_999)).admitted).toBe(false)
    expect(admission.admit(askFor(1, noon + 20_000)).admitted).toBe(true)
    expect(admission.admit(askFor(1, noon + 20_000)).admitted).toBe(false)
  })

  it('says when it is full again', () => {
    const admission = admissionOf(perMinute(3))
    holdsOf(admission, askFor(1, noon))
    expect(admission.state(noon)[0]).toMatchObject({ held: 1n, free: 2n, resetsAt: noon + 20_000 })
    expect(admission.state(noon + 20_000)[0]).toMatchObject({ held: 0n, free: 3n })
  })
})

it('predicts the waits that the vendor told in tokens a minute', () => {
  // 10,000 a minute, 6,921 used, 5,696 asked: "try again in 15.702s" (2023-11-16).
  const admission = admissionOf(perMinute(10_000, 'tokens'))
  holdsOf(admission, askFor(6_921, noon))
  expect(admission.admit(askFor(5_696, noon))).toMatchObject({ fitsAt: noon + 15_702 })
})

it('admits no more of 1,022 calls at 100 a minute than the burst and the refill in any stretch of time', () => {
  const admission = admissionOf(perMinute(100))
  const admitted: number[] = []
  for (let call = 0; call < 1_022; call += 1) {
    const at = noon + call * 100
    if (admission.admit(askFor(1, at)).admitted) admitted.push(at)
  }
  expect(admitted).toHaveLength(270)
  for (const [first, from] of admitted.entries()) {
    for (const [last, to] of admitted.entries()) {
      if (last < first) continue
      expect(last - first + 1).toBeLessThanOrEqual(100 + ((to - from) * 100) / 60_000)
    }
  }
})

it('gives back what a call held and did not use, but not what has been refilled since', () => {
  const admission = admissionOf(perMinute(100, 'tokens'))
  const first = holdsOf(admission, askFor(100, noon))
  const later = noon + 60_000
  holdsOf(admission, askFor(50, later))
  // The bucket was full again: that the first used only 10 makes no room now.
  admission.settle({ holds: first, reservedAt: noon, at: later }, { cost: 0n, used: { tokens: 10n } })
  expect(admission.state(later)[0]).toMatchObject({ free: 50n })
  const third = holdsOf(admission, askFor(50, later))
  admission.settle({ holds: third, reservedAt: later, at: later }, { cost: 0n, used: { tokens: 20n } })
  expect(admission.state(later)[0]).toMatchObject({ free: 30n })
})

it('keeps an expired hold apart while it is not refilled, and forgets it then', () => {
  const admission = admissionOf(perMinute(100, 'tokens'))
  const holds = holdsOf(admission, askFor(60, noon))
  const ended = { holds, reservedAt: noon, at: noon + 6_000 }
  admission.expire(ended)
  expect(admission.state(noon + 6_000)[0]).toMatchObject({ held: 0n, unresolved: 50n, free: 50n })
  admission.adjust(ended, { cost: 0n, used: { tokens: 30n } })
  expect(admission.state(noon + 6_000)[0]).toMatchObject({ unresolved: 0n, settled: 20n, free: 80n })
})

it('counts on from slots of the ledger as if what they hold was taken when they end', () => {
  const before = admissionOf(perMinute(100, 'tokens'))
  const [hold] = holdsOf(before, askFor(60, noon + 700))
  expect(hold).toEqual({ limit: 'rate', measure: 'tokens', windowStart: noon, amount: 60n })
  const numbers = { windowStart: noon, settled: 0n, held: 60n, unresolved: 0n }
  const after = createAdmission(
    [parseLimit(perMinute(100, 'tokens'))],
    [{ limit: 'rate', measure: 'tokens', ...numbers }],
  )
  expect(after.state(noon + 1_000)[0]).toMatchObject({ held: 60n, free: 40n })
  expect(after.state(noon + 37_000)[0]).toMatchObject({ held: 0n, free: 100n })
})

/** What the level would be had each call taken at its admission what it has come to now. */
const exactLevel = (calls: readonly { at: number; amount: bigint }[], cap: bigint, now: number): bigint => {
  let [level, at] = [0n, Number.NEGATIVE_INFINITY]
  const drain = (to: number) => {
    const left = at === Number.NEGATIVE_INFINITY ? 0n : level - cap * BigInt(to - at)
    level = left < 0n ? 0n : left
    at = to
  }
  for (const call of calls) {
    drain(call.at)
    level += call.amount * 60_000n
  }
  drain(now)
  return level
}

it('gives back no more than is left after a later call gave back first', () => {
  // Found by the property below: 100 of 100 were free where 99 were.
  const admission = admissionOf(perMinute(100, 'tokens'))
  const admitted = (most: number, at: number) => ({
    holds: holdsOf(admission, askFor(most, at)),
    reservedAt: at,
    at: noon + 5_500,
  })
  const first = admitted(9, noon)
  const second = admitted(1, noon + 5_000)
  admitted(9, noon + 5_500)
  admission.release(second)
  admission.release(first)
  expect(admission.state(noon + 10_500)[0]).toMatchObject({ free: 99n })
})

it('stands as if each call had taken at once what it used in the end, in whatever order they end', () => {
  const step = fc.record({
    verb: fc.constantFrom('admit', 'admit', 'admit', 'settle', 'release', 'expire', 'adjust'),
    most: fc.integer({ min: 0, max: 60 }),
    pick: fc.nat(),
    later: fc.constantFrom(0, 0, 1, 500, 5_000, 20_000, 90_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const admission = admissionOf(perMinute(100, 'tokens'))
      const calls: { at: number; amount: bigint; holds: readonly Hold[]; state: string }[] = []
      let at = noon
      for (const { verb, most, pick, later } of steps) {
        at += later
        if (verb === 'admit') {
          const decision = admission.admit(askFor(most, at))
          if (decision.admitted)
            calls.push({ at, amount: BigInt(most), holds: decision.holds, state: 'open' })
          else {
            const fitsAt = decision.fitsAt ?? 0
            expect(exactLevel(calls, 100n, fitsAt) <= BigInt(100 - most) * 60_000n).toBe(true)
            expect(exactLevel(calls, 100n, fitsAt - 1) > BigInt(100 - most) * 60_000n).toBe(true)
          }
        } else {
          const some = calls.filter(({ state }) => state === (verb === 'adjust' ? 'expired' : 'open'))
          const call = some[pick % Math.max(1, some.length)]
          if (call === undefined) continue
          const ended = { holds: call.holds, reservedAt: call.at, at }
          if (verb === 'settle' || verb === 'adjust') {
            call.amount = (call.amount * BigInt(pick % 101)) / 100n
            admission[verb](ended, { cost: 0n, used: { tokens: call.amount } })
          } else if (verb === 'release') {
            call.amount = 0n
            admission.release(ended)
          } else admission.expire(ended)
          call.state = verb === 'expire' ? 'expired' : 'ended'
        }
        const [state] = admission.state(at)
        if (state === undefined) throw new Error('no state')
        expect(state.settled + state.held + state.unresolved + state.free).toBe(100n)
        expect(state.free).toBe((100n * 60_000n - exactLevel(calls, 100n, at)) / 60_000n)
        expect(state.over).toBe(0n)
      }
      for (const [index, from] of calls.entries()) {
        let used = 0n
        for (const to of calls.slice(index)) {
          used += to.amount
          expect(used * 60_000n <= 100n * BigInt(60_000 + to.at - from.at)).toBe(true)
        }
      }
    }),
    { numRuns: 300 },
  )
})

it('has a bucket for each end user, and forgets those that are full', () => {
  const admission = admissionOf({ ...perMinute(3), each: ['endUser'] })
  const ask = (endUser: string, at: number) => ({ holds: holdsOf(admission, askFor(1, at, { endUser })), at })
  const first = Array.from({ length: 1_000 }, (_, user) => ask(`u_${user}`, noon))
  expect(admission.state(noon, 2_000)).toHaveLength(1_000)
  for (const { holds } of first) {
    admission.settle({ holds, reservedAt: noon, at: noon + 1 }, { cost: 0n, used: { requests: 1n } })
  }
  for (let call = 1; call <= 600; call += 1) ask('one', noon + 60_000 + call * 20_000)
  expect(admission.state(noon + 13_000_000, 2_000)).toHaveLength(1)
})
