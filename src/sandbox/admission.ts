import { openVendorLimits } from '../limits/vendor-limits.ts'
import type { VendorTier } from '../limits/vendor-tier.ts'
import { type Account, type AccountOptions, openAccount } from './account.ts'
import { isCounted } from './asked.ts'
import type { BookTotal } from './books.ts'
import { openRateLimits, type Rated } from './rate-limits.ts'
import type { Fields, WireRoute, World } from './world.ts'

/** The vendor's rate limits, from the files of `prices/limits/`: those of the tier that the account has climbed to,
 * or of `tier`. */
export type LimitsOption = 'off' | { readonly files: readonly unknown[]; readonly tier?: VendorTier }

/** What lets requests in: the account's credit, then its limits. */
export type Admission = {
  readonly account: Account
  readonly admit: (request: { readonly route: WireRoute; readonly body: Fields }) => Rated
}

/** Opens the account of a sandbox and its limits. Throws `bad_limit_row` and `bad_input`. */
export const openAdmission = (
  world: World,
  {
    limits = 'off',
    account: options,
    total,
  }: {
    readonly limits?: LimitsOption
    readonly account?: AccountOptions
    readonly total: () => BookTotal
  },
): Admission => {
  const rules = limits === 'off' ? null : openVendorLimits(limits.files)
  const account = openAccount(world, {
    ...options,
    limits: rules,
    total,
    ...(limits !== 'off' && limits.tier !== undefined && { tier: limits.tier }),
  })
  const { clock, profile } = world
  const rated =
    rules === null
      ? null
      : openRateLimits({ limits: rules, clock, organization: profile.organization, tier: account.tier })
  return {
    account,
    admit: ({ route, body }) => {
      if (costs(route) && account.spent()) return { headers: {}, refusal: profile.refusals.quotaExceeded() }
      return rated?.admit({ path: route.path, body }) ?? { headers: {}, refusal: null }
    },
  }
}

/** What is not let in without credit. */
const costs = ({ method, path, family, startsRun }: WireRoute): boolean =>
  method === 'POST' && (startsRun === true || family === 'fine-tuning' || isCounted(path))
