import type { Attempt, Reservation, Settlement } from '../ledger/entry.ts'
import type { Outcome } from '../ledger/ledger.ts'
import type { Actual, Ended } from '../limits/admit.ts'
import type { Used } from '../limits/measure.ts'
import type { Picos } from '../money/money.ts'
import type { Parts } from './parts.ts'
import type { SpoolPlace } from './spool/spool-queue.ts'

/** The ledger's verbs on a call, together with what each does to the limits, the vendor's limits, the leases and the till:
 * the one place that says so, whichever process the call lives in. Each resolves when it is as durable as the ledger
 * makes it, and rejects as the ledger does. */
export type Booking = {
  /** Writes a call whose holds are admitted. `allowance`: how much may wait for the ledger while it cannot be written; null
   * where nothing may. Gives where it waits, null where it is in the ledger. What cannot be written holds nothing. */
  readonly reserve: (reservation: Reservation, allowance: Picos | null) => Promise<SpoolPlace | null>
  /** The same of a call that lives elsewhere: nobody here renews its lease, and it never waits for the ledger. */
  readonly reserveElsewhere: (reservation: Reservation) => Promise<void>
  /** Ends a call by what it cost. `used`: what it used of its vendor's limits. Gives where that waits, as `reserve`. */
  readonly settle: (
    reservation: Reservation,
    settlement: Settlement,
    came: { readonly to: Actual; readonly used: Used },
  ) => Promise<SpoolPlace | null>
  /** Ends a reservation whose call was never sent; `attempt` where that was tried. */
  readonly release: (reservation: Reservation, reason: string, attempt?: Attempt) => Promise<void>
}

/** What a call uses of its vendor's limits that never came there. */
const nothing: Used = { requests: 0n, tokens: 0n, images: 0n }

/** Books in the process that keeps the ledger. */
export const createBooking = (
  parts: Pick<Parts, 'admission' | 'clock' | 'leases' | 'ledger' | 'spool' | 'till' | 'vendorPools'>,
): Booking => {
  const { admission, clock, leases, ledger, spool, till } = parts

  const endedNow = ({ holds, call }: Reservation): Ended => ({
    ...{ holds, reservedAt: call.at },
    at: clock.now(),
  })

  const orUndone = async <Result>(reservation: Reservation, written: Promise<Result>): Promise<Result> => {
    try {
      return await written
    } catch (error) {
      parts.vendorPools.ended(reservation.call.id, nothing)
      admission.release(endedNow(reservation))
      throw error
    }
  }

  return {
    reserve: async (reservation, allowance) => {
      const place = await orUndone(reservation, spool.reserve(reservation, allowance))
      leases.hold(reservation.call.id)
      return place
    },
    reserveElsewhere: async (reservation) => {
      await orUndone(reservation, ledger.reserve(reservation))
    },
    settle: async ({ call, holds }, settlement, { to, used }) => {
      parts.vendorPools.ended(call.id, used)
      // Where it can be neither written nor spooled the call is let go of as well: it expires at its most.
      const written: Outcome = await ledger.settle(settlement).finally(() => leases.letGo(call.id))
      const ended = { holds, reservedAt: call.at, at: settlement.at }
      if (written === 'done') admission.settle(ended, to)
      if (written === 'late') admission.adjust(ended, to)
      const place = spool.placeOf(call.id)
      if (written === 'done' || written === 'late') till.ring(call, settlement, to.cost, place)
      return place
    },
    release: async (reservation, reason, attempt) => {
      const { id: callId } = reservation.call
      leases.letGo(callId)
      parts.vendorPools.ended(callId, nothing)
      const released = await ledger.release({
        ...{ callId, at: clock.now(), reason },
        ...(attempt !== undefined && { attempt }),
      })
      if (released === 'done') admission.release(endedNow(reservation))
      if (released === 'late') admission.forgive(endedNow(reservation))
    },
  }
}
