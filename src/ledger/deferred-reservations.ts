import type { Reservation } from './entry.ts'
import type { Ledger } from './ledger.ts'

/** When a reservation goes to the disk: `before-send`, before the first byte of its call goes to the vendor;
 * `before-reply`, together with the end of its call, before the last byte goes to the client. */
export type Journal = 'before-send' | 'before-reply'

/** The same ledger, whose reservations stay in memory until their call ends and are then written in one commit with its
 * end: half the flushes to the disk. What is reserved at a crash is lost with the process, though vendors may bill it.
 * Whoever renews, expires or asks has all that is still held written first, so that a call that lasts is kept as by any
 * ledger. An id must be new. */
export const deferReservations = (ledger: Ledger): Ledger => {
  const held = new Map<string, Reservation>()

  /** Idempotent, so it may run beside the end of the same call. */
  const write = async (reservation: Reservation): Promise<void> => {
    await ledger.reserve(reservation)
    held.delete(reservation.call.id)
  }

  const writeAll = async (): Promise<void> => {
    await Promise.all([...held.values()].map(write))
  }

  /** Both are asked for in one round of the event loop: they share a commit. */
  const end = async <Outcome>(callId: string, ends: () => Promise<Outcome>): Promise<Outcome> => {
    const reservation = held.get(callId)
    if (reservation === undefined) return ends()
    const [, outcome] = await Promise.all([write(reservation), ends()])
    return outcome
  }

  const afterAll = async <Result>(asks: () => Promise<Result>): Promise<Result> => {
    await writeAll()
    return asks()
  }

  return {
    ...ledger,
    reserve: async (reservation) => {
      const { id } = reservation.call
      const known = held.get(id)
      if (known !== undefined) {
        await write(known)
        return ledger.reserve(reservation)
      }
      held.set(id, reservation)
      return 'done'
    },
    settle: (settlement) => end(settlement.callId, () => ledger.settle(settlement)),
    release: (release) => end(release.callId, () => ledger.release(release)),
    renew: (lease) => afterAll(() => ledger.renew(lease)),
    expire: (at) => afterAll(() => ledger.expire(at)),
    unended: (callId) => afterAll(() => ledger.unended(callId)),
    life: (callId) => afterAll(() => ledger.life(callId)),
    balances: () => afterAll(ledger.balances),
    close: () => afterAll(ledger.close).catch(ledger.close),
  }
}
