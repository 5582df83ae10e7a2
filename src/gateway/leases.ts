import type { Reservation } from '../ledger/entry.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Admission } from '../limits/admit.ts'
import type { Clock, Instant } from '../time.ts'

/** The calls that live in this process. While a call lives its lease is renewed; what is let go of, or was
 * left behind by a process that died, expires: it was sent, so it stays counted at its most. */
export type Leases = {
  readonly until: (at: Instant) => Instant
  readonly hold: (callId: string) => void
  readonly letGo: (callId: string) => void
  readonly count: () => number
  /** Renews what lives and expires what does not, once. */
  readonly sweep: () => Promise<readonly Reservation[]>
}

const leaseMs = 60_000

export const createLeases = (parts: {
  ledger: Ledger
  admission: Admission
  clock: Clock
  /** Told of each call that does not live here any more. */
  left: (callId: string) => void
}): Leases => {
  const { ledger, admission, clock } = parts
  const live = new Set<string>()
  return {
    until: (at) => at + leaseMs,
    hold: (callId) => live.add(callId),
    letGo: (callId) => {
      live.delete(callId)
      parts.left(callId)
    },
    count: () => live.size,
    sweep: async () => {
      const at = clock.now()
      if (live.size > 0) await ledger.renew({ callIds: [...live], until: at + leaseMs })
      const expired = await ledger.expire(at)
      for (const { holds, call } of expired) admission.expire({ holds, reservedAt: call.at, at })
      return expired
    },
  }
}
