import type { Instant } from '../time.ts'
import { type Measure, measureNames, type Used } from './measure.ts'

/** One counter of a limit. `measure` is left out where it is `cost`; `counter` is the one of several that a limit with
 * `each` keeps, and is left out where there is one: JSON such as `{"endUser":"u_1"}`. */
export type CounterName = {
  readonly limit: string
  readonly measure?: Exclude<Measure, 'cost'>
  readonly counter?: string
}

/** What one call holds against one limit, in the window (or the slot of it) of the reservation's instant. The amount
 * is in the smallest unit of the measure: picos, nanoseconds, or whole things. */
export type Hold = CounterName & { readonly windowStart: Instant; readonly amount: bigint }

/** What a counter holds in a window or slot: `settled`, `held` by open reservations, `unresolved` by expired ones. */
export type Balance = CounterName & {
  readonly windowStart: Instant
  readonly settled: bigint
  readonly held: bigint
  readonly unresolved: bigint
}

/** What a hold settles at when its call is known to have cost and used so much. Where nothing is said of its measure it
 * settles at what it held. Calls in flight are never settled: they have ended. */
export const settledOf = (hold: Hold, cost: bigint, used: Used | undefined): bigint => {
  const { measure } = hold
  if (measure === undefined) return cost
  if (measure === 'concurrent') return 0n
  return used?.[measure] ?? hold.amount
}

/** What a hold leaves unresolved when its lease passes: all of it, but a call whose lease has passed is no longer in
 * flight. */
export const unresolvedOf = ({ measure, amount }: Hold): bigint => (measure === 'concurrent' ? 0n : amount)

/** The name of a counter in parts, as the ledger stores it. */
export const counterParts = ({ limit, measure, counter }: CounterName): readonly string[] =>
  counter !== undefined
    ? [limit, measure ?? 'cost', counter]
    : measure !== undefined
      ? [limit, measure]
      : [limit]

/** Reads what `counterParts` wrote. */
export const counterOf = (parts: readonly unknown[]): CounterName => {
  const [limit, measure, counter] = parts.map(String)
  const known = measureNames.find((each) => each === measure)
  return {
    limit: limit ?? '',
    ...(known !== undefined && known !== 'cost' && { measure: known }),
    ...(counter !== undefined && { counter }),
  }
}
