import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import type { Reservation, Settlement } from './entry.ts'

/** What a limit's window holds: `settled`, `held` by open reservations, `unresolved` by expired ones. */
export type Balance = {
  readonly limit: string
  readonly windowStart: Instant
  readonly settled: Picos
  readonly held: Picos
  readonly unresolved: Picos
}

/** `done`: written. `repeated`: the same was written before. `conflict`: another content stands under this
 * id; the first stays, and a conflict is noted. `late`: the reservation had expired, so the settlement was
 * written as an `adjusted` entry. `unknown`: no such reservation. */
export type Outcome = 'done' | 'repeated' | 'conflict' | 'late' | 'unknown'

/** The verbs of the ledger. Each promise resolves when the entry is on the disk, not before.
 * All are idempotent by call id. Rejects with `ledger_unavailable` when the disk refuses. */
export type Ledger = {
  readonly reserve: (reservation: Reservation) => Promise<Outcome>
  readonly settle: (settlement: Settlement) => Promise<Outcome>
  readonly release: (release: { callId: string; at: Instant; reason: string }) => Promise<Outcome>
  /** Lengthens the leases of calls that still live. */
  readonly renew: (lease: { callIds: readonly string[]; until: Instant }) => Promise<void>
  /** Ends every reservation whose lease has passed: it becomes `expired`, and its holds unresolved. */
  readonly expire: (at: Instant) => Promise<readonly Reservation[]>
  /** Balances of every limit and window that has any. */
  readonly balances: () => Promise<readonly Balance[]>
  readonly close: () => Promise<void>
}
