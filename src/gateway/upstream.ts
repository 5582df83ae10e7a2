import type { VendorTier } from '../limits/vendor-tier.ts'
import type { Provider } from '../providers/provider.ts'

/** A provider as the operator configured it. */
export type Upstream = {
  /** Its name in paths and in the ledger: `openai`, or what the operator calls it. */
  readonly name: string
  readonly provider: Provider
  readonly baseUrl: URL
  /** The vendor's key for calls that come with an Octroi key, as it is now; null where there is none. */
  readonly credential: () => string | null
  /** The environment variable that key is taken from; null where the vendor wants none. */
  readonly keyVariable?: string | null
  /** The provider whose price rows hold for it. */
  readonly pricesFrom: string
  /** The models by the names that stand for them here, as those of deployments. */
  readonly models?: Readonly<Record<string, string>>
  /** The tier of the account at the vendor, by whose rate limits calls wait; null where they do not. */
  readonly tier: VendorTier | null
  /** Whether the replies of the vendor say how much of its rate limits is left, and calls wait by that. */
  readonly learnsLimits: boolean
}
