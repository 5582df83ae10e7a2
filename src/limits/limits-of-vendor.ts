import type { Limit } from './limit.ts'
import type { Measure } from './measure.ts'
import type { VendorLimit, VendorLimits } from './vendor-limits.ts'
import type { VendorTier } from './vendor-tier.ts'

/** What a row of a vendor's limits caps, and in what time its bucket refills. That the vendors' days are buckets too is
 * seen in the waits they tell: 432 seconds at 200 requests a day. */
const caps = [
  { field: 'requestsPerMinute', measure: 'requests', lengthMs: 60_000 },
  { field: 'requestsPerDay', measure: 'requests', lengthMs: 86_400_000 },
  { field: 'tokensPerMinute', measure: 'tokens', lengthMs: 60_000 },
  { field: 'tokensPerDay', measure: 'tokens', lengthMs: 86_400_000 },
  { field: 'imagesPerMinute', measure: 'images', lengthMs: 60_000 },
] as const satisfies readonly {
  readonly field: keyof VendorLimit
  readonly measure: Measure
  readonly lengthMs: number
}[]

/** Whose limits they are: the name under which the vendor is configured, and all that the model is called there. `tier`
 * is null where the vendor's replies have said it, and no tier. */
export type VendorScope = {
  readonly upstream: string
  readonly model: string
  readonly names: readonly string[]
  readonly tier: VendorTier | null
}

/** A limit of a vendor as one that waits, so that a call stays here until the vendor takes it. */
export const limitOfVendor = (
  { upstream, model, names, tier }: VendorScope,
  { measure, lengthMs, cap }: { readonly measure: Measure; readonly lengthMs: number; readonly cap: bigint },
): Limit => ({
  name: `${upstream} ${measure} per ${lengthMs === 60_000 ? 'minute' : 'day'} of ${model}${tier === null ? '' : ` (tier ${tier})`}`,
  match: { provider: upstream, model: names },
  each: [],
  measure,
  cap,
  currency: null,
  window: { bucket: lengthMs === 60_000 ? '1m' : '1d', lengthMs },
  action: 'wait',
  warnAt: [],
  unpriced: 'refuse',
})

/** A row of a vendor's own rate limits as limits: one for the model, its aliases and what is tuned of it. */
export const limitsOfVendor = (
  row: VendorLimit,
  {
    upstream,
    tuned,
    tier = null,
  }: {
    readonly upstream: string
    readonly tuned: VendorLimits['tuned']
    readonly tier?: VendorTier | null
  },
): readonly Limit[] => {
  const scope = scopeOfRow(row, { upstream, tuned, tier })
  return caps.flatMap(({ field, measure, lengthMs }) => {
    const cap = row[field]
    return cap === null ? [] : [limitOfVendor(scope, { measure, lengthMs, cap: BigInt(cap) })]
  })
}

/** Whose limits a row has. */
export const scopeOfRow = (
  { model, aliases, provider }: VendorLimit,
  {
    upstream,
    tuned,
    tier,
  }: Pick<VendorScope, 'upstream' | 'tier'> & { readonly tuned: VendorLimits['tuned'] },
): VendorScope => {
  const names = [model, ...aliases]
  const rule = tuned.get(provider)
  const tunedNames = rule === undefined ? [] : names.map((name) => `${rule.before}${name}${rule.after}*`)
  return { upstream, model, names: [...names, ...tunedNames], tier }
}
