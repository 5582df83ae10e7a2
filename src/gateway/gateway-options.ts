import type { Database } from '../ledger/database.ts'
import type { Crossing } from '../limits/crossing.ts'
import type { VendorLimits } from '../limits/vendor-limits.ts'
import type { ModelFacts } from '../pricing/model-facts.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { ServicePromise } from '../reports/service-promise.ts'
import type { Clock } from '../time.ts'
import type { GatewayConfig } from './config.ts'
import type { CountingBounds } from './counting.ts'
import type { ForwardTimeouts } from './forward.ts'
import type { RefusedRequest } from './handle.ts'
import type { NotifyEvent } from './notify/notify.ts'
import type { GatewayBounds } from './parts.ts'
import type { PriceFilePaths } from './reporting/rerate-thread.ts'
import type { SealingEvent } from './sealed-days.ts'
import type { SpoolEvent } from './spool/spool.ts'
import type { TillLine } from './till.ts'
import type { Rhythms } from './watches.ts'

/** What a gateway is started with. */
export type GatewayOptions = {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly book: PriceBook
  /** Where the price files of that book are, for re-ratings, which read them anew; without it there are none. */
  readonly priceFiles?: () => Promise<PriceFilePaths>
  readonly models: ModelFacts
  /** Opened with `ledgerStore` and `registryStore`. The gateway closes it. */
  readonly database: Database
  /** Opens the ledger once more beside the writer, for reports; without it they are read through the writer. */
  readonly openReader?: () => Promise<Database>
  /** Where sealed days of the ledger are kept. Without it their calls cannot be read. */
  readonly sealedFolder?: string
  /** Keys the hashes of keys and end users. */
  readonly pepper: Uint8Array
  /** Opens the stored keys of vendors; without it there may be none. */
  readonly masterKey?: Uint8Array | null
  /** The vendors' own rate limits, for providers whose tier is configured; and what they promise of their service. */
  readonly vendorLimits?: VendorLimits
  readonly promises?: readonly ServicePromise[]
  /** Default 127.0.0.1. Calls without a key need loopback. */
  readonly host?: string
  /** 0 is any free port. */
  readonly port: number
  /** The control plane's port; 0 is any free one, null is none. */
  readonly controlPort: number | null
  /** Default 127.0.0.1. Any other needs an admin token. */
  readonly controlHost?: string
  /** Where there is one, the control plane wants it, except for its health. */
  readonly adminToken?: string
  readonly onTill?: (line: TillLine) => void
  /** Told once of every share of a cap (`warnAt`) that a limit has reached. */
  readonly onCrossing?: (crossing: Crossing) => void
  /** Told of every fault, without content. */
  readonly onFault?: (error: unknown) => void
  /** Told of every request that is refused, without content. */
  readonly onRefused?: (request: RefusedRequest) => void
  readonly bounds?: Partial<GatewayBounds>
  readonly timeouts?: Partial<ForwardTimeouts>
  /** How long texts wait to be counted, and how many. */
  readonly counting?: Partial<CountingBounds>
  /** The folder of the spool's file, in which calls wait while the ledger cannot be written. Without one they wait in
   * memory only. */
  readonly spoolFolder?: string
  /** Told of every alert that is raised, and of what could not be delivered. */
  readonly onAlert?: (event: NotifyEvent) => void
  /** Told of every day that is sealed or pruned. */
  readonly onSealing?: (event: SealingEvent) => void
  /** Told when calls begin to wait for the ledger, and when all of them are in it. */
  readonly onSpool?: (event: SpoolEvent) => void
  /** How often runs and jobs that go on at the vendor are asked after. */
  readonly rhythms?: Partial<Rhythms>
  /** A socket in the file system on which the data plane listens, in the place of `host` and `port`: for worker processes,
   * which answer there. */
  readonly workersPath?: string
}
