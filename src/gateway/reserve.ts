import type { Call, Reservation } from '../ledger/entry.ts'
import type { Ended } from '../limits/admit.ts'
import type { Picos } from '../money/money.ts'
import type { Quote } from '../planning/quote.ts'
import { admitOrLower, type Clamp, type Lowered, type Tried, withLowered } from './clamp.ts'
import { limitRefusal } from './limit-refusal.ts'
import type { Parts } from './parts.ts'
import type { SpoolPlace } from './spool/spool-queue.ts'
import type { Entered } from './vendor-pools.ts'

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
  const { admission, waiting, ledger, spool, leases, clock, vendorPools } = parts
  const askedWith = (quote: Quote) => {
    const at = clock.now()
    return { subject: call, at, most: quote.most, quote, currency: quote.currency }
  }
  let closest = cheap
  const isTight = admission.look(askedWith(closest))?.reason !== 'exceeded'
  if (!isTight) closest = (await tighten()) ?? cheap
  let tried: Pick<Tried, 'quoted' | 'lowered'> = { quoted: closest, lowered: null }
  let entered: Entered | null = null
  const attempt = (isPassed: boolean) => () => {
    entered = isPassed ? vendorPools.enter(call, askedWith(closest)) : null
    if (entered !== null && entered.refused !== null) return entered.refused
    const { decision: answer, ...rest } = admitOrLower(admission, askedWith, { quoted: closest, clamp })
    if (!answer.admitted) entered?.undo()
    tried = rest
    return answer
  }
  let decision = await waiting.admitted(attempt(leaseMs === null))
  // Where no waiting helps, the vendor itself shall say no.
  if (isOfVendor(entered)) decision = await waiting.admitted(attempt(false))
  const { quoted, lowered } = tried
  if (!decision.admitted) throw limitRefusal(call, quoted, decision, clock.now(), clamp)
  keep(entered)
  const { most, currency } = quoted
  const reservation: Reservation = {
    call: withLowered(call, lowered),
    currency,
    most,
    holds: decision.holds,
    leaseUntil: leaseMs === null ? leases.until(clock.now()) : clock.now() + leaseMs,
  }
  let spooled: SpoolPlace | null = null
  try {
    if (leaseMs === null) spooled = await spool.reserve(reservation, allowance)
    else await ledger.reserve(reservation)
  } catch (error) {
    vendorPools.ended(call.id, nothing)
    admission.release(endedNow(parts, reservation))
    throw error
  }
  if (leaseMs === null) leases.hold(call.id)
  return { reservation, quoted, lowered, spooled }
}

const isOfVendor = (entered: Entered | null): boolean => entered !== null && entered.refused !== null

const keep = (entered: Entered | null): void => {
  if (entered !== null && entered.refused === null) entered.keep()
}

/** What a call uses of its vendor's limits that never came there. */
const nothing = { requests: 0n, tokens: 0n, images: 0n } as const

/** Ends a reservation whose call was never sent. */
export const release = async (parts: Parts, reservation: Reservation, reason: string): Promise<void> => {
  const { call } = reservation
  parts.leases.letGo(call.id)
  parts.vendorPools.ended(call.id, nothing)
  const released = await parts.ledger.release({ callId: call.id, at: parts.clock.now(), reason })
  if (released === 'done') parts.admission.release(endedNow(parts, reservation))
  if (released === 'late') parts.admission.forgive(endedNow(parts, reservation))
}

const endedNow = ({ clock }: Parts, { holds, call }: Reservation): Ended => ({
  holds,
  reservedAt: call.at,
  at: clock.now(),
})
