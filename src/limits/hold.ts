import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'

/** What one call holds against one limit, in the window of the reservation's instant. */
export type Hold = { readonly limit: string; readonly windowStart: Instant; readonly amount: Picos }

/** What a limit's window holds: `settled`, `held` by open reservations, `unresolved` by expired ones. */
export type Balance = {
  readonly limit: string
  readonly windowStart: Instant
  readonly settled: Picos
  readonly held: Picos
  readonly unresolved: Picos
}
