import type { ClosedPath } from '../endpoints/closed.ts'
import type { Endpoint } from '../endpoints/endpoint.ts'
import type { ReadWire, ReplyReader } from '../endpoints/reply.ts'

/** How a provider takes its key: the header, and what stands before the key in it. */
export type Authorization = { readonly header: string; readonly prefix: string }

/** How a provider's replies say where its rate limits stand. */
export type RateLimitHeaders = {
  /** How the time to a full bucket is written: as Go writes durations, or as an instant (RFC 3339). */
  readonly reset: 'duration' | 'instant'
  readonly counts: readonly {
    /** What is counted there as it is here: a vendor that leaves cached input out counts no such tokens. */
    readonly measure: 'requests' | 'tokens'
    readonly named: (part: 'limit' | 'remaining' | 'reset') => string
    /** The time in which the whole limit refills; null where only the reset tells it. */
    readonly lengthMs: number | null
  }[]
}

/** OpenAI's headers, which others that speak its wire send as well: of the limit of a minute or of a day, whichever binds
 * (headers of 2023-12-03). */
export const openaiRateLimits: RateLimitHeaders = {
  reset: 'duration',
  counts: (['requests', 'tokens'] as const).map((measure) => ({
    measure,
    named: (part) => `x-ratelimit-${part}-${measure}`,
    lengthMs: null,
  })),
}

/** A vendor: where it is, how it takes its key, which wires it speaks and what it calls its counters there. */
export type Provider = {
  readonly id: string
  /** With the version in its path, unless it has `versions`. Null where the operator must say it. */
  readonly baseUrl: string | null
  /** The versions that a path may begin with, where clients choose among several: they are passed on. */
  readonly versions?: readonly string[]
  readonly authorize: Authorization
  /** The environment variable that holds the vendor's key. Null: the operator names one, or there is none. */
  readonly keyVariable: string | null
  readonly endpoints: readonly Endpoint[]
  /** Wires of which only the replies are known: what went over them can be priced, the gateway does not pass
   * them yet. */
  readonly readOnly?: readonly ReadWire[]
  /** Where its replies say how much of its rate limits is left. */
  readonly rateLimits?: RateLimitHeaders
  /** Paths that are closed at this provider, beside those that are closed at every one. */
  readonly closed?: readonly ClosedPath[]
}

/** What reads the replies of a provider's wire, or null where there is no such wire or nothing on it costs. */
export const replyReader = (provider: Provider, endpoint: string): ReplyReader | null =>
  [...provider.endpoints, ...(provider.readOnly ?? [])].find(({ id }) => id === endpoint)?.reader ?? null

export const bearer: Authorization = { header: 'authorization', prefix: 'Bearer ' }
