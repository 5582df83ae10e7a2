import type { Ledger } from '../ledger/ledger.ts'
import type { Admission } from '../limits/admit.ts'
import type { ModelFacts } from '../pricing/model-facts.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Clock } from '../time.ts'
import type { Accruals } from './accruals/accruals.ts'
import type { AdmitCall } from './admit-call.ts'
import type { BodyBounds } from './body.ts'
import type { Booking } from './booking.ts'
import type { Counting } from './counting.ts'
import type { Forward } from './forward.ts'
import type { Leases } from './leases.ts'
import type { Policy } from './policy.ts'
import type { Registry } from './registry/registry.ts'
import type { Spool } from './spool/spool.ts'
import type { StreamLimits } from './stream-limit.ts'
import type { Till } from './till.ts'
import type { VectorStorage } from './vector-storage.ts'
import type { VendorPools } from './vendor-limits/vendor-pools.ts'
import type { Waiting, WaitingBounds } from './waiting.ts'

/** What the steps of a call share. Nothing in it belongs to one call. */
export type Parts = {
  readonly clock: Clock
  readonly book: PriceBook
  readonly models: ModelFacts
  readonly admission: Admission
  readonly waiting: Pick<Waiting, 'admitted'>
  readonly admitCall: AdmitCall
  readonly booking: Booking
  readonly streamLimits: StreamLimits
  readonly ledger: Ledger
  readonly spool: Pick<Spool, 'reserve' | 'placeOf'>
  readonly registry: Registry
  readonly leases: Leases
  readonly accruals: Accruals
  readonly vectorStorage: VectorStorage
  readonly forward: Forward
  readonly counting: Counting
  readonly till: Till
  readonly bounds: GatewayBounds
  readonly policy: Policy
  readonly vendorPools: VendorPools
}

/** Bounds on what comes from outside. */
export type GatewayBounds = BodyBounds &
  WaitingBounds & {
    /** Whole replies up to this size are held until they are settled; larger ones stream. */
    readonly heldBytesMax: number
    /** What is kept of a larger reply to read its usage from. */
    readonly meteredBytesMax: number
    /** How long the rest of a stream is read for a client that has gone. */
    readonly drainMsMax: number
    readonly callsInFlightMax: number
    /** Runs and jobs that go on at vendors and are asked after. */
    readonly watchesMax: number
  }

export const defaultBounds: GatewayBounds = {
  requestBytesMax: 32_000_000,
  requestValuesMax: 100_000,
  requestEscapesMax: 2_000_000,
  requestDepthMax: 1_000,
  heldBytesMax: 8_000_000,
  meteredBytesMax: 64_000_000,
  drainMsMax: 120_000,
  callsInFlightMax: 10_000,
  waitersMax: 1_000,
  waitMsMax: 30_000,
  watchesMax: 50_000,
}
