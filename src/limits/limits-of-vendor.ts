import type { Limit } from './limit.ts'
import type { Measure } from './measure.ts'
import type { VendorLimit, VendorLimits } from './vendor-limits.ts'

/** What a row of a vendor's limits caps, and in what time its bucket refills. That the vendors' days are buckets too is
 * seen in the waits they tell: 432 seconds at 200 requests a day. */
const caps = [
  { field: 'requestsPerMinute', measure: 'requests', bucket: '1m', lengthMs: 60_000 },
  { field: 'requestsPerDay', measure: 'requests', bucket: '1d', lengthMs: 86_400_000 },
  { field: 'tokensPerMinute', measure: 'tokens', bucket: '1m', lengthMs: 60_000 },
  { field: 'tokensPerDay', measure: 'tokens', bucket: '1d', lengthMs: 86_400_000 },
  { field: 'imagesPerMinute', measure: 'images', bucket: '1m', lengthMs: 60_000 },
] as const satisfies readonly {
  readonly field: keyof VendorLimit
  readonly measure: Measure
  readonly bucket: string
  readonly lengthMs: number
}[]

/** A row of a vendor's own rate limits as limits that wait, so that a call stays here until the vendor takes it. They are
 * one for the model, its aliases and what is tuned of it. `upstream` is the name under which the vendor is configured. */
export const limitsOfVendor = (
  row: VendorLimit,
  { upstream, tuned }: { readonly upstream: string; readonly tuned: VendorLimits['tuned'] },
): readonly Limit[] => {
  const names = [row.model, ...row.aliases]
  const rule = tuned.get(row.provider)
  const tunedNames = rule === undefined ? [] : names.map((name) => `${rule.before}${name}${rule.after}*`)
  return caps.flatMap(({ field, measure, bucket, lengthMs }) => {
    const cap = row[field]
    if (cap === null) return []
    return [
      {
        name: `${upstream} ${row.model} ${measure} ${bucket}`,
        match: { provider: upstream, model: [...names, ...tunedNames] },
        each: [],
        measure,
        cap: BigInt(cap),
        currency: null,
        window: { bucket, lengthMs },
        action: 'wait',
        warnAt: [],
        unpriced: 'refuse',
      } as const,
    ]
  })
}
