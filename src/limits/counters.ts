import type { Instant } from '../time.ts'
import type { Balance } from './hold.ts'

/** How much more or less of each number: what a hold that begins or ends does to its counter. */
export type Change = { readonly settled?: bigint; readonly held?: bigint; readonly unresolved?: bigint }

/** What stands in a counter at an instant. `resetsAt`: when the window ends (calendar) or, if nothing more comes, is
 * empty (rolling, bucket); null where no time empties it. */
export type Standing = {
  readonly settled: bigint
  readonly held: bigint
  readonly unresolved: bigint
  readonly windowStart: Instant
  readonly resetsAt: Instant | null
}

/** Where a hold counts, and the instant of its reservation. */
export type Place = { readonly counter: string; readonly windowStart: Instant; readonly reservedAt: Instant }

/** The counters of one limit, by the name of each. Time never goes back in them: an earlier instant than the latest counts
 * as the latest. */
export type Counters = {
  readonly fits: (counter: string, at: Instant, amount: bigint) => boolean
  readonly stand: (counter: string, at: Instant) => Standing
  /** Begins a hold, and gives the start of the window or slot in which it counts. */
  readonly hold: (counter: string, at: Instant, amount: bigint) => Instant
  /** Counts a hold that another process has begun, in the window or slot where it did, though it be past by now. */
  readonly place: (place: Omit<Place, 'reservedAt'>, at: Instant, amount: bigint) => void
  readonly change: (place: Place, at: Instant, change: Change) => void
  /** The first instant at which an amount fits, if nothing else comes and nothing ends; null where no time makes room. */
  readonly fitsAt: (counter: string, at: Instant, amount: bigint) => Instant | null
  /** Where something counts that is incurred already. */
  readonly placeOf: (at: Instant) => Instant
  /** Counts on from a balance of the ledger. Balances come in the order of their windows. */
  readonly load: (counter: string, balance: Balance) => void
  /** Goes on under another cap. */
  readonly recap: (cap: bigint) => void
  /** The latest instant that has been seen here: what counts from now on counts no earlier. */
  readonly latest: () => Instant
  /** The counters that hold anything. */
  readonly names: () => Iterable<string>
}

export const emptyStanding = { settled: 0n, held: 0n, unresolved: 0n } as const

type Numbers = { readonly settled: bigint; readonly held: bigint; readonly unresolved: bigint }

/** The numbers as they are shown. That the truth about an expired hold may be counted before its expiry is makes
 * `unresolved` negative until then: it is taken from what is still held. */
export const shownOf = ({ settled, held, unresolved }: Numbers): Numbers =>
  unresolved >= 0n ? { settled, held, unresolved } : { settled, held: held + unresolved, unresolved: 0n }
