import type { Call, Reservation } from '../ledger/entry.ts'
import type { Ended } from '../limits/admit.ts'
import type { Quote } from '../planning/quote.ts'
import { admitOrLower, type Clamp, type Lowered, type Tried, withLowered } from './clamp.ts'
import { limitRefusal } from './limit-refusal.ts'
import type { Parts } from './parts.ts'

/** What is held, and the quote that was held: the cheap one, or a tighter one where that alone fitted, or that of the
 * output limit that the call was `lowered` to. */
export type Reserved = {
  readonly reservation: Reservation
  readonly quoted: Quote
  readonly lowered: Lowered | null
}

/** Holds the most a call can cost against all its limits, or none, and makes it durable. Nothing may be sent
 * to the vendor before this resolves. Where the quote does not fit into a budget, `tighten` is asked once for a
 * closer one: counting is dear, so it is done only where it decides. With
 * `leaseMs` the call lives elsewhere: its lease is that long, and nobody here renews it. `clamp` says how the
 * output limit of a call that is passed on may be lowered. Throws `budget_exceeded`, `unbounded`, `unpriced`, `currency_mismatch`,
 * or what the ledger throws. */
export const reserve = async (
  parts: Parts,
  call: Call,
  cheap: Quote,
  tighten: () => Promise<Quote | null>,
  leaseMs: number | null = null,
  clamp: () => Clamp | null = () => null,
): Promise<Reserved> => {
  const { admission, waiting, ledger, leases, clock } = parts
  const askedWith = (quote: Quote) => {
    const at = clock.now()
    return { subject: call, at, most: quote.most, quote, currency: quote.currency }
  }
  let closest = cheap
  const isTight = admission.look(askedWith(closest))?.reason !== 'exceeded'
  if (!isTight) closest = (await tighten()) ?? cheap
  let tried: Pick<Tried, 'quoted' | 'lowered'> = { quoted: closest, lowered: null }
  const decision = await waiting.admitted(() => {
    const { decision: answer, ...rest } = admitOrLower(admission, askedWith, { quoted: closest, clamp })
    tried = rest
    return answer
  })
  const { quoted, lowered } = tried
  if (!decision.admitted) throw limitRefusal(call, quoted, decision, clock.now(), clamp)
  const { most, currency } = quoted
  const reservation: Reservation = {
    call: withLowered(call, lowered),
    currency,
    most,
    holds: decision.holds,
    leaseUntil: leaseMs === null ? leases.until(clock.now()) : clock.now() + leaseMs,
  }
  try {
    await ledger.reserve(reservation)
  } catch (error) {
    admission.release(endedNow(parts, reservation))
    throw error
  }
  if (leaseMs === null) leases.hold(call.id)
  return { reservation, quoted, lowered }
}

/** Ends a reservation whose call was never sent. */
export const release = async (parts: Parts, reservation: Reservation, reason: string): Promise<void> => {
  const { call } = reservation
  parts.leases.letGo(call.id)
  const released = await parts.ledger.release({ callId: call.id, at: parts.clock.now(), reason })
  if (released === 'done') parts.admission.release(endedNow(parts, reservation))
  if (released === 'late') parts.admission.forgive(endedNow(parts, reservation))
}

const endedNow = ({ clock }: Parts, { holds, call }: Reservation): Ended => ({
  holds,
  reservedAt: call.at,
  at: clock.now(),
})
