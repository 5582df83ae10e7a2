import { findVendorLimits, type VendorLimit, type VendorLimits } from '../limits/vendor-limits.ts'
import type { VendorTier } from '../limits/vendor-tier.ts'
import type { Clock, Instant } from '../time.ts'
import { type Asked, askedOf } from './asked.ts'
import { Refusal } from './refusal.ts'
import type { Fields } from './world.ts'

/** What a limit says of a request: the headers that tell what is left, and, when it has to wait, the refusal. */
export type Rated = { readonly headers: Readonly<Record<string, string>>; readonly refusal: Refusal | null }

/** Counts requests against the limits of an account. A request is counted when it is let in, whatever becomes of
 * it afterwards, and stays counted as it was estimated: the vendor's headers show what was held, not what was used
 * (two counters side by side, headers of December 2023). One that is refused is not counted. */
export type RateLimits = {
  readonly admit: (request: { readonly path: string; readonly body: Fields }) => Rated
}

const minute = 60_000
const day = 86_400_000

/** What is limited: how it is measured, over how long, and how the vendor writes it. */
const dimensions = [
  { name: 'requestsPerMinute', measure: 'requests', windowMs: minute, words: 'requests per min (RPM)' },
  { name: 'requestsPerDay', measure: 'requests', windowMs: day, words: 'requests per day (RPD)' },
  { name: 'tokensPerMinute', measure: 'tokens', windowMs: minute, words: 'tokens per min (TPM)' },
  { name: 'tokensPerDay', measure: 'tokens', windowMs: day, words: 'tokens per day (TPD)' },
  { name: 'imagesPerMinute', measure: 'images', windowMs: minute, words: 'images per minute' },
] as const
type Dimension = (typeof dimensions)[number]

/** Opens the limits of an account. A model and what shares its limit draw on one bucket a dimension, which empties
 * by `limit / window`, without steps. Nothing is kept on disk: a restart starts with empty buckets. */
export const openRateLimits = ({
  limits,
  clock,
  organization,
  tier,
}: {
  readonly limits: VendorLimits
  readonly clock: Clock
  readonly organization: string
  readonly tier: () => VendorTier
}): RateLimits => {
  const buckets = new Map<string, Bucket>()
  return {
    admit: ({ path, body }) => {
      const asked = askedOf(path, body)
      if (asked === null) return { headers: {}, refusal: null }
      const at = clock.now()
      const row = findVendorLimits(limits, { provider: 'openai', model: asked.model, tier: tier(), at })
      if (row === null) return { headers: {}, refusal: null }
      const checks = checksOf(row, asked, buckets, at)
      const [refused] = checks
        .filter((check) => check.used + check.requested > check.limit)
        .sort((a, b) => waitMs(b) - waitMs(a))
      if (refused !== undefined) {
        return { headers: headersOf(checks), refusal: refusalOf(refused, asked.model, organization) }
      }
      const counted = checks.map(count)
      for (const { key, level } of counted) buckets.set(key, { level, at })
      return { headers: headersOf(counted), refusal: null }
    },
  }
}

/** How full a bucket was at an instant, in units times the milliseconds of its window: so that what drains out in
 * a millisecond is a whole number. */
type Bucket = { readonly level: number; readonly at: Instant }

type Check = Dimension & {
  readonly key: string
  readonly limit: number
  readonly level: number
  /** In whole units, rounded up, as the vendor counts: who made 3 requests of 3 reads "Used 3" and waits the 20
   * seconds of one, whenever he asks again (ten refusals of 2023 to 2026 fit to the millisecond). */
  readonly used: number
  readonly requested: number
}

const checksOf = (
  row: VendorLimit,
  asked: Asked,
  buckets: ReadonlyMap<string, Bucket>,
  at: Instant,
): readonly Check[] =>
  dimensions.flatMap((dimension) => {
    const limit = row[dimension.name]
    if (limit === null) return []
    const key = `${row.model} ${dimension.name}`
    const bucket = buckets.get(key) ?? { level: 0, at }
    const level = Math.max(0, bucket.level - limit * Math.max(0, at - bucket.at))
    const used = Math.ceil(level / dimension.windowMs)
    return [{ ...dimension, key, limit, level, used, requested: asked[dimension.measure] }]
  })

const count = (check: Check): Check => {
  const level = check.level + check.requested * check.windowMs
  return { ...check, level, used: Math.ceil(level / check.windowMs) }
}

/** How long until there is room: never, for more than the whole bucket holds. */
const waitMs = ({ used, requested, limit, windowMs }: Check): number =>
  requested > limit ? Number.POSITIVE_INFINITY : Math.ceil(((used + requested - limit) * windowMs) / limit)

/** `x-ratelimit-*`. Where there is a limit for the day as well, that one is shown (headers of 2023-12-03). `reset`
 * is the time until the bucket is empty again. */
const headersOf = (checks: readonly Check[]): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const measure of ['requests', 'tokens'] as const) {
    const shown = checks.findLast((check) => check.measure === measure)
    if (shown === undefined) continue
    headers[`x-ratelimit-limit-${measure}`] = String(shown.limit)
    headers[`x-ratelimit-remaining-${measure}`] = String(Math.max(0, shown.limit - shown.used))
    headers[`x-ratelimit-reset-${measure}`] = durationText(
      shown.level === 0 ? 0 : Math.ceil(shown.level / shown.limit),
    )
  }
  return headers
}

/** In the vendor's words. Requests and tokens: ecoute issue 194, screenshot-to-code issue 76 (2023-11-22). More than
 * there ever is: openai-cookbook issue 842 (2023-11-10). Images: one-api issue 881 (2023-12-28), which names no
 * wait. */
const refusalOf = (check: Check, model: string, organization: string): Refusal => {
  const { measure, words, limit, used, requested } = check
  const type = measure === 'tokens' ? 'tokens' : 'requests'
  return new Refusal(429, message(), { type, code: 'rate_limit_exceeded' })

  function message(): string {
    if (measure === 'images') {
      return (
        `Rate limit exceeded for ${words} in organization ${organization}. Limit: ${limit}/1min. ` +
        `Current: ${used + requested}/1min. Please visit https://platform.openai.com/docs/guides/rate-limits ` +
        'to learn how to increase your rate limit.'
      )
    }
    const more = 'Visit https://platform.openai.com/account/rate-limits to learn more.'
    if (requested > limit) {
      return (
        `Request too large for ${model} in organization ${organization} on ${words}: Limit ${limit}, ` +
        `Requested ${requested}. The input or output tokens must be reduced in order to run successfully. ${more}`
      )
    }
    return (
      `Rate limit reached for ${model} in organization ${organization} on ${words}: Limit ${limit}, ` +
      `Used ${used}, Requested ${requested}. Please try again in ${durationText(waitMs(check))}. ${more}`
    )
  }
}

/** Whole milliseconds as the vendor writes them, which is as Go does: `0s`, `174ms`, `8.64s`, `6m0s`,
 * `23h18m29.144s`. */
export const durationText = (milliseconds: number): string => {
  if (milliseconds === 0) return '0s'
  if (milliseconds < 1000) return `${milliseconds}ms`
  const whole = Math.floor(milliseconds / 1000)
  const fraction = String(milliseconds % 1000)
    .padStart(3, '0')
    .replace(/0+$/, '')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const seconds = `${whole % 60}${fraction === '' ? '' : `.${fraction}`}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
