import type { Instant } from '../time.ts'
import type { Refused } from './decision.ts'
import type { CounterName } from './hold.ts'

/** An amount of one counter of a limit that the keeper of the counters has lent to a worker process, which admits calls
 * from it without asking. It sits in no window: it counts in the one in which it is used. The worker places nothing
 * before `latest`, so that nothing comes into a window that the keeper has left. */
export type Slice = CounterName & { readonly added: bigint; readonly latest: Instant }

/** A call may be admitted by the worker that asked, and perhaps the next ones too. */
export type Lent = {
  readonly lent: true
  /** Of the limits under which it is lent. */
  readonly epoch: number
  readonly at: Instant
  readonly slices: readonly Slice[]
}

/** A call does not fit. Where it would if workers gave back what is lent to them, `recall` says which. */
export type NotLent = { readonly lent: false; readonly refused: Refused; readonly recall: readonly Recall[] }

/** Counters of which a worker should give its slices back. */
export type Recall = { readonly worker: string; readonly counters: readonly CounterName[] }

/** What was left of a slice that a worker gives back. */
export type Left = CounterName & { readonly amount: bigint }
