import { OctroiError } from '../errors.ts'
import type { Call, Reservation } from '../ledger/entry.ts'
import type { Refused } from '../limits/admit.ts'
import { formatPicos } from '../money/money.ts'
import type { Quote } from '../planning/quote.ts'
import { formatInstant } from '../time.ts'
import type { Parts } from './parts.ts'

/** What is held, and the quote that was held: the cheap one, or a tighter one where that alone fitted. */
export type Reserved = { readonly reservation: Reservation; readonly quoted: Quote }

/** Holds the most a call can cost against all its limits, or none, and makes it durable. Nothing may be sent
 * to the vendor before this resolves. Where the quote does not fit into a budget, `tighten` is asked once for a
 * closer one: counting is dear, so it is done only where it decides. Throws `budget_exceeded`, `unbounded`, `unpriced`, `currency_mismatch`,
 * or what the ledger throws. */
export const reserve = async (
  parts: Parts,
  call: Call,
  cheap: Quote,
  tighten: () => Promise<Quote | null>,
): Promise<Reserved> => {
  const { admission, ledger, leases } = parts
  const admit = (quote: Quote) =>
    admission.admit({ subject: call, at: call.at, most: quote.most, quote, currency: quote.currency })
  let quoted = cheap
  let decision = admit(quoted)
  if (!decision.admitted && decision.reason === 'budget') {
    quoted = (await tighten()) ?? cheap
    if (quoted !== cheap) decision = admit(quoted)
  }
  if (!decision.admitted) throw refusal(call, quoted, decision)
  const { most, currency } = quoted
  const reservation: Reservation = {
    call,
    currency,
    most,
    holds: decision.holds,
    leaseUntil: leases.until(call.at),
  }
  try {
    await ledger.reserve(reservation)
  } catch (error) {
    admission.release(reservation.holds)
    throw error
  }
  leases.hold(call.id)
  return { reservation, quoted }
}

/** Ends a reservation whose call was never sent. */
export const release = async (parts: Parts, { call, holds }: Reservation, reason: string): Promise<void> => {
  parts.leases.letGo(call.id)
  await parts.ledger.release({ callId: call.id, at: parts.clock.now(), reason })
  parts.admission.release(holds)
}

const refusal = (call: Call, asked: Quote, refused: Refused): OctroiError => {
  const money = (picos: bigint): string => `${formatPicos(picos)} ${refused.currency}`
  const details = {
    limit: refused.limit,
    cap: formatPicos(refused.cap),
    settled: formatPicos(refused.settled),
    held: formatPicos(refused.held),
    unresolved: formatPicos(refused.unresolved),
    free: formatPicos(refused.free),
    asked: refused.asked === null ? null : formatPicos(refused.asked),
    currency: refused.currency,
    resetsAt: formatInstant(refused.resetsAt),
  }
  if (refused.reason === 'currency') {
    return new OctroiError(
      'currency_mismatch',
      `${call.model} is priced in ${asked.currency}, the limit "${refused.limit}" is in ${refused.currency}. ` +
        'Give the limit the currency of the prices.',
      details,
    )
  }
  if (refused.reason === 'unbounded') {
    const unpriced = asked.unpriced[0]
    const why = unpriced?.message ?? asked.reasons[0] ?? 'nothing bounds it'
    return new OctroiError(
      unpriced === undefined ? 'unbounded' : 'unpriced',
      `The most this call can cost is not known, so the limit "${refused.limit}" cannot hold it: ${why}.`,
      details,
    )
  }
  return new OctroiError(
    'budget_exceeded',
    `Budget quota exceeded for the limit "${refused.limit}": of ${money(refused.cap)}, ` +
      `${money(refused.settled)} are spent and ${money(refused.held + refused.unresolved)} held; this call ` +
      `${asked.most === null ? 'has no price and is held at its ceiling of' : 'can cost up to'} ` +
      `${money(refused.asked ?? 0n)}, and ${money(refused.free)} are free. It resets at ${details.resetsAt}.`,
    details,
  )
}
