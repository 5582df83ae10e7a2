import type { Attempt, Call, Reservation } from '../ledger/entry.ts'
import type { Picos } from '../money/money.ts'
import type { Quote } from '../planning/quote.ts'
import { type Clamp, type Lowered, withLowered } from './clamp.ts'
import { limitRefusal } from './limit-refusal.ts'
import type { Parts } from './parts.ts'
import type { SpoolPlace } from './spool/spool-queue.ts'

/** What is held, and the quote that was held: the cheap one, or a tighter one where that alone fitted, or that of the
 * output limit that the call was `lowered` to. `spooled`: where it waits for the ledger, if that could not take it. */
export type Reserved = {
  readonly reservation: Reservation
  readonly quoted: Quote
  readonly lowered: Lowered | null
  readonly spooled: SpoolPlace | null
}

/** Holds the most a call can cost against all its limits, or none, and makes it durable. Nothing may be sent
 * to the vendor before this resolves. Where the quote does not fit into a budget, `tighten` is asked once for a
 * closer one: counting is dear, so it is done only where it decides. With
 * `leaseMs` the call lives elsewhere: its lease is that long, and nobody here renews it. `clamp` says how the
 * output limit of a call that is passed on may be lowered. `allowance`: how much may wait for the ledger while it cannot
 * be written; null where the call is refused then. Throws `budget_exceeded`, `unbounded`, `unpriced`, `currency_mismatch`,
 * or what the ledger throws. */
export const reserve = async (
  parts: Parts,
  call: Call,
  cheap: Quote,
  tighten: () => Promise<Quote | null>,
  leaseMs: number | null = null,
  clamp: () => Clamp | null = () => null,
  allowance: Picos | null = null,
): Promise<Reserved> => {
  const { booking, leases, clock } = parts
  const isHere = leaseMs === null
  const tried = await parts.admitCall(parts, { call, cheap, tighten, clamp, isHere })
  const { decision, quoted, lowered } = tried
  if (!decision.admitted) throw limitRefusal(call, quoted, decision, clock.now(), clamp)
  const { most, currency } = quoted
  const reservation: Reservation = {
    call: withLowered(call, lowered),
    currency,
    most,
    holds: decision.holds,
    leaseUntil: leaseMs === null ? leases.until(clock.now()) : clock.now() + leaseMs,
  }
  if (isHere) {
    const spooled = await booking.reserve(reservation, allowance)
    return { reservation, quoted, lowered, spooled }
  }
  await booking.reserveElsewhere(reservation)
  return { reservation, quoted, lowered, spooled: null }
}

/** Ends a reservation whose call was never sent; `attempt` where that was tried. */
export const release = (
  parts: Parts,
  reservation: Reservation,
  reason: string,
  attempt?: Attempt,
): Promise<void> => parts.booking.release(reservation, reason, attempt)
