import type { LimitState } from '../limits/admit.ts'
import { unitOf } from '../limits/limit.ts'
import { formatAmount } from '../limits/measure.ts'
import { formatInstant } from '../time.ts'

/** Where a counter of a limit stands, as people and machines see it: amounts are plain decimals in `unit`. */
export type ShownLimit = ReturnType<typeof shownLimit>

/** Makes it of a counter of any measure. */
export const shownLimit = (state: LimitState) => {
  const amount = (units: bigint): string => formatAmount(state.measure, units)
  return {
    limit: state.limit,
    counter: state.counter,
    measure: state.measure,
    currency: state.currency,
    unit: unitOf(state),
    cap: amount(state.cap),
    settled: amount(state.settled),
    held: amount(state.held),
    unresolved: amount(state.unresolved),
    free: amount(state.free),
    over: amount(state.over),
    windowStart: formatInstant(state.windowStart),
    resetsAt: state.resetsAt === null ? null : formatInstant(state.resetsAt),
  }
}

/** The same with whose limit it is: the operator's, or the vendor's own. */
export type ListedLimit = ShownLimit & { readonly setBy: 'operator' | 'vendor' }

/** Makes it of the limits of one of them. */
export const listedLimits = (
  states: readonly LimitState[],
  setBy: ListedLimit['setBy'],
): readonly ListedLimit[] => states.map((state) => ({ setBy, ...shownLimit(state) }))
