import type { Meter } from '../usage/meter.ts'
import { quantities, type Usage } from '../usage/usage.ts'

/** How much of something a call can use before it is sent: at least `least`, at most `most` units, each of
 * which falls under one of `meters` (input may be fresh, cached or written to the cache; nobody knows before).
 * `most` is null where no bound exists; `reason` says why, or why it is so wide. `attributes`: what of the request selects the
 * price of these meters, beside its tier. Bounds of one call are disjoint. */
export type Bound = {
  readonly meters: readonly [Meter, ...Meter[]]
  readonly least: number
  readonly most: number | null
  readonly reason?: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** The bounds of a usage that is the most there can be. */
export const boundsOfUsage = (usage: Usage): readonly Bound[] =>
  quantities(usage).map(([meter, { numerator, denominator }]) => ({
    meters: [meter],
    least: 0,
    most: Number((numerator + denominator - 1n) / denominator),
  }))
