import type { RateLimitHeaders } from '../providers/provider.ts'
import { type Instant, parseInstant } from '../time.ts'

/** What a vendor's reply says of one of its rate limits. `left`: what the vendor would still take now; null where it does
 * not say so. `lengthMs`: the time in which the whole limit refills; null where that cannot be told. */
export type SaidLimit = {
  readonly measure: RateLimitHeaders['counts'][number]['measure']
  readonly cap: number
  readonly left: number | null
  readonly lengthMs: number | null
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Reads the headers of a reply as its provider describes them. What is no plain count, negative, zero or absurdly large
 * is taken as not said. */
export const saidLimits = (
  headers: Headers,
  { reset, counts }: RateLimitHeaders,
  at: Instant,
): readonly SaidLimit[] =>
  counts.flatMap(({ measure, named, lengthMs }) => {
    const cap = countIn(headers, named('limit'))
    if (cap === null || cap < 1) return []
    const remaining = countIn(headers, named('remaining'))
    const left = remaining === null ? null : Math.min(remaining, cap)
    const resetMs =
      reset === 'duration'
        ? parseDuration(textIn(headers, named('reset')))
        : msUntil(headers, named('reset'), at)
    return [{ measure, cap, left, lengthMs: lengthMs ?? lengthOf(cap, left, resetMs) }]
  })

/** How long a refusing vendor asks to be left alone, in milliseconds: by `retry-after-ms`, or by `retry-after` in seconds
 * or as a date. Null where neither says a time, or an absurd one. */
export const saidWait = (headers: Headers, at: Instant): number | null => {
  const ms = decimalIn(headers, 'retry-after-ms')
  if (ms !== null) return within(Math.ceil(ms))
  const seconds = decimalIn(headers, 'retry-after')
  if (seconds !== null) return within(Math.ceil(seconds * 1_000))
  const date = textIn(headers, 'retry-after')
  const until = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(date)
    ? Date.parse(date)
    : Number.NaN
  return Number.isNaN(until) ? null : within(Math.max(0, until - at))
}

/** Longer than any reset or wait that is meant: a week. */
const saidMsMax = 604_800_000

const within = (ms: number): number | null => (ms <= saidMsMax ? ms : null)

/** Reads a duration as Go writes it, `6m0s`, `120ms` or `1h2m3.5s`, in milliseconds, rounded up. Null where it is none, or
 * longer than a week. */
export const parseDuration = (text: string): number | null => {
  const parts =
    /^(?:(\d{1,6})h)?(?:(\d{1,8})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/.exec(
      text,
    )
  if (parts === null || text === '') return null
  const [hours, minutes, seconds, ms] = parts.slice(1).map((part) => Number(part ?? 0))
  const sum = (hours ?? 0) * 3_600_000 + (minutes ?? 0) * 60_000 + (seconds ?? 0) * 1_000 + (ms ?? 0)
  return within(Math.ceil(Number(sum.toFixed(6))))
}

const windows = [60_000, 86_400_000] as const

/** In what time a bucket refills: its reset is the time until it is full, so `reset * cap / (cap - left)` (headers of a
 * tier 2 account, community.openai.com/t/541210, 2023-12-03: within 60 ms of a day in 7 of 7). A minute or a day, whichever
 * is near; null where neither is, or the bucket is full. */
const lengthOf = (cap: number, left: number | null, resetMs: number | null): number | null => {
  if (left === null || resetMs === null || left >= cap) return null
  const whole = (resetMs * cap) / (cap - left)
  return windows.find((length) => whole > length / 2 && whole < length * 2) ?? null
}

const textIn = (headers: Headers, name: string): string => {
  const written = headers[name]
  return typeof written === 'string' ? written.trim() : ''
}

const decimalIn = (headers: Headers, name: string): number | null => {
  const text = textIn(headers, name)
  return /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : null
}

/** A whole number; a fraction of a unit is none. */
const countIn = (headers: Headers, name: string): number | null => {
  const count = decimalIn(headers, name)
  return count === null ? null : Math.floor(count)
}

const msUntil = (headers: Headers, name: string, at: Instant): number | null => {
  const text = textIn(headers, name)
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return null
  try {
    return within(Math.max(0, parseInstant(text) - at))
  } catch {
    return null
  }
}
