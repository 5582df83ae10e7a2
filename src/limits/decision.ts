import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import type { CeilingAsked } from './ceiling.ts'
import type { Hold } from './hold.ts'
import type { Action } from './limit.ts'
import type { Measure } from './measure.ts'
import type { LimitSubject } from './pattern.ts'

/** A call that asks to be admitted. `most` is the most it can cost, or null when nobody knows; `quote` says what is
 * known of it, for limits on other measures and for those that have a ceiling. */
export type Asked = {
  readonly subject: LimitSubject
  readonly at: Instant
  readonly most: Picos | null
  readonly quote?: CeilingAsked
  readonly currency: string
}

/** The call may go: it holds its most against each of its limits. `warnings` are limits that it does not fit and that
 * let it pass. */
export type Admitted = {
  readonly admitted: true
  readonly holds: readonly Hold[]
  readonly warnings: readonly Misfit[]
}

/** The call may not go, and has left no trace. It is told of one limit that it does not fit: of one that refuses before
 * one that waits, and of that before one that lowers the output. `fitsAt` and `fitsWhenFreed` then say about all the
 * limits it does not fit together. */
export type Refused = { readonly admitted: false } & Misfit

/** A call and a limit that it does not fit. `exceeded`: its most is more than what is free; `unbounded`: its most is
 * unknown; `currency`: it is priced in another currency than the limit. */
export type Misfit = {
  readonly reason: 'exceeded' | 'unbounded' | 'currency'
  readonly action: Action
  readonly asked: bigint | null
  /** When it fits if nothing else comes and nothing ends; null where no time makes room. */
  readonly fitsAt: Instant | null
  /** How much of what is held now must end without being used before it fits; null where even all of it is too little. */
  readonly fitsWhenFreed: bigint | null
} & LimitState

/** Where a counter of a limit stands: `cap + over = settled + held + unresolved + free`. Amounts are in the smallest unit
 * of the measure. `over` is what vendors billed beyond the most they were held to, what a limit that only warns let
 * pass, or what a lowered cap leaves above itself. */
export type LimitState = {
  readonly limit: string
  /** Whose counter it is, of a limit that has one for each of something; empty where it has one. */
  readonly counter: Readonly<Record<string, string | null>>
  readonly measure: Measure
  readonly cap: bigint
  readonly currency: string | null
  readonly windowStart: Instant
  readonly resetsAt: Instant | null
  readonly settled: bigint
  readonly held: bigint
  readonly unresolved: bigint
  readonly free: bigint
  readonly over: bigint
}
