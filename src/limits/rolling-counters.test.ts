import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hold } from './hold.ts'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'

const noon = Date.parse('2023-11-15T12:00:00Z')
const minute = 60_000
const anHour = (cap: number, measure = 'tokens') => ({
  name: 'hour',
  measure,
  cap: String(cap),
  window: { rolling: '1h' },
})

describe('a rolling hour of 100 tokens', () => {
  it('has room again when the slot of what was used has left it', () => {
    const admission = admissionOf(anHour(100))
    holdsOf(admission, askFor(60, noon + 30_000))
    holdsOf(admission, askFor(40, noon + 10 * minute))
    expect(admission.admit(askFor(50, noon + 20 * minute))).toMatchObject({
      admitted: false,
      fitsAt: noon + 61 * minute,
      free: 0n,
      resetsAt: noon + 71 * minute,
    })
    expect(admission.admit(askFor(60, noon + 61 * minute - 1)).admitted).toBe(false)
    expect(admission.admit(askFor(60, noon + 61 * minute)).admitted).toBe(true)
  })

  it('gets back at once what a call held and did not use', () => {
    const admission = admissionOf(anHour(100))
    const holds = holdsOf(admission, askFor(100, noon))
    admission.settle({ holds, reservedAt: noon, at: noon + minute }, { cost: 0n, used: { tokens: 30n } })
    expect(admission.state(noon + minute)[0]).toMatchObject({ settled: 30n, held: 0n, free: 70n })
  })

  it('never admits what is more than its cap', () => {
    expect(admissionOf(anHour(100)).admit(askFor(101, noon))).toMatchObject({
      fitsAt: null,
      fitsWhenFreed: null,
    })
  })

  it('does not forget because a clock goes back', () => {
    const admission = admissionOf(anHour(100))
    holdsOf(admission, askFor(100, noon))
    expect(admission.admit(askFor(1, noon - 2 * 60 * minute)).admitted).toBe(false)
  })
})

it('lets no hour use more than its cap, whatever happens in whatever order', () => {
  const step = fc.record({
    verb: fc.constantFrom('admit', 'admit', 'admit', 'settle', 'release', 'expire', 'adjust'),
    most: fc.integer({ min: 0, max: 60 }),
    pick: fc.nat(),
    later: fc.constantFrom(0, 0, 1, 30_000, 5 * minute, 61 * minute),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const admission = admissionOf(anHour(100))
      const calls: { at: number; amount: bigint; holds: readonly Hold[]; state: string }[] = []
      let at = noon
      for (const { verb, most, pick, later } of steps) {
        at += later
        if (verb === 'admit') {
          const before = admission.state(at)
          const decision = admission.admit(askFor(most, at))
          if (decision.admitted)
            calls.push({ at, amount: BigInt(most), holds: decision.holds, state: 'open' })
          else expect(admission.state(at)).toEqual(before)
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
        const used = calls
          .filter((call) => call.at > at - 60 * minute)
          .reduce((sum, { amount }) => sum + amount, 0n)
        expect(state.settled + state.held + state.unresolved >= used).toBe(true)
        expect(used <= 100n).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})
