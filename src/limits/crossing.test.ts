import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Hold } from './hold.ts'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'

const dayMs = 86_400_000
const noon = Date.parse('2023-11-15T12:00:00Z')
const shares = ['0.25', '0.5', '0.9', '1', '1.5']

/** Spend so much; let a call of so much expire; say that the latest expired one cost so much in truth; sleep a day. */
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('spend', 'expire', 'correct'), amount: fc.integer({ min: 0, max: 70 }) }),
  fc.record({ kind: fc.constant('sleep'), amount: fc.constant(0) }),
)

it('each share of a cap of 100 is told of once in a day, on the day and if it is reached, whatever is spent, expires and is corrected', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const limit = { name: 'day', measure: 'cost', cap: '0.0000000001', window: { calendar: 'day' } }
      const admission = admissionOf({ ...limit, action: 'warn', warnAt: shares.map(Number) })
      const [told, expected]: [string[], Set<string>] = [[], new Set()]
      let [day, used] = [0, 0]
      let expired: { holds: readonly Hold[]; day: number; amount: number }[] = []
      for (const { kind, amount } of steps) {
        const at = noon + day * dayMs
        const ended = (holds: readonly Hold[]) => ({ holds, reservedAt: at, at })
        let crossed: readonly { share: string; windowStart: number }[] = []
        if (kind === 'sleep') [day, used] = [day + 1, 0]
        else if (kind === 'correct') {
          const last = expired.at(-1)
          if (last === undefined) continue
          expired = expired.slice(0, -1)
          crossed = admission.adjust(
            { ...ended(last.holds), reservedAt: noon + last.day * dayMs },
            { cost: BigInt(amount) },
          )
          if (last.day === day) used += amount - last.amount
        } else {
          const holds = holdsOf(admission, askFor(amount, at))
          if (kind === 'spend') crossed = admission.settle(ended(holds), { cost: BigInt(amount) })
          else {
            crossed = admission.expire(ended(holds))
            expired.push({ holds, day, amount })
          }
          used += amount
        }
        told.push(...crossed.map(({ share, windowStart }) => `${share} on ${windowStart}`))
        const midnight = noon - dayMs / 2 + day * dayMs
        for (const share of shares)
          if (used > 0 && used >= Number(share) * 100) expected.add(`${share} on ${midnight}`)
      }
      expect(told.toSorted()).toEqual([...expected].toSorted())
    }),
  )
})
