import { OctroiError } from '../errors.ts'
import { type Picos, post } from '../money/money.ts'
import { add, type Rational, rational, zero } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from './meter.ts'

/** Something that is kept: so many bytes or tokens of an object, from the first instant to the one at which they
 * are gone (half-open). `to` is null while it is still kept. What is billed once for each user of it, as
 * retrieval was for each assistant, is one object for each. */
export type Holding = {
  readonly object: string
  readonly amount: number
  readonly from: Instant
  readonly to: Instant | null
}

/** Bytes kept, as gigabyte-days up to an instant: bytes x seconds / (bytes of a gigabyte x 86,400), exactly.
 * `gigabyteBytes` is 2^30 or 10^9, as the vendor says. The holdings are those of one account: at each instant
 * `freeBytes` of their sum are free. No vendor publishes how it counts parts of a day; this is exact to the
 * millisecond and the same however a holding is split. Throws `bad_number`, and `bad_input` where one object
 * is kept twice at one instant. */
export const gigabyteDays = (
  holdings: readonly Holding[],
  {
    until,
    gigabyteBytes,
    freeBytes = 0,
  }: { readonly until: Instant; readonly gigabyteBytes: number; readonly freeBytes?: number },
): Rational =>
  rational(
    amountTime(holdings, { until, free: freeBytes }),
    BigInt(whole('gigabyteBytes', gigabyteBytes)) * BigInt(dayMs),
  )

/** Tokens kept in a cache, as token-hours up to an instant, exactly. Throws as `gigabyteDays` does. */
export const tokenHours = (holdings: readonly Holding[], { until }: { readonly until: Instant }): Rational =>
  rational(amountTime(holdings, { until, free: 0 }), BigInt(hourMs))

/** How much of its meter a stay comes to between two instants. A gigabyte is 2^30 bytes, as OpenAI's price page says
 * for file search (the row of `file_search_gb_day`); for the retrieval of 2023 no page said. Throws `bad_input` for a
 * meter that does not grow with what is kept, and as `gigabyteDays` does. */
export const stayQuantity = (
  meter: Meter,
  { amount, from, to }: { readonly amount: number; readonly from: Instant; readonly to: Instant },
): Rational => {
  const holdings = [{ object: meter, amount, from, to }]
  switch (meterFacts(meter).unit) {
    case 'gigabyte-day':
      return gigabyteDays(holdings, { until: to, gigabyteBytes: 2 ** 30 })
    case 'token-hour':
      return tokenHours(holdings, { until: to })
    default:
      throw new OctroiError('bad_input', `"${meter}" does not grow with time. Keep gigabytes or tokens.`, {
        meter,
      })
  }
}

/** A stretch of time that is billed as one, and how many calls fell into it. */
export type Session = {
  readonly owner: string
  readonly from: Instant
  readonly to: Instant
  readonly calls: number
}

/** The sessions that calls of a tool open, in order of their start. The first call of an owner (a thread) opens
 * one; it holds for `seconds`, half-open: a call at its very end opens the next. */
export const sessions = (
  calls: readonly { readonly owner: string; readonly at: Instant }[],
  { seconds }: { readonly seconds: number },
): readonly Session[] => spans(calls, (_, from) => from + whole('seconds', seconds) * secondMs)

/** The containers that uses open, in order of their start. A container that is not used for `idleSeconds`
 * expires, and the next use, at that very instant or later, opens another. `to` is when it expires. */
export const containers = (
  uses: readonly { readonly owner: string; readonly at: Instant }[],
  { idleSeconds }: { readonly idleSeconds: number },
): readonly Session[] => spans(uses, (last) => last + whole('idleSeconds', idleSeconds) * secondMs)

/** How the time of a container becomes sessions. `blockSeconds`: one session is this long, and each begun block
 * counts whole; null: a container is one session, however long. `minutesMin`: billed by the begun minute
 * instead, as parts of a block, and at least so many. */
export type ContainerRule = { readonly blockSeconds: number | null; readonly minutesMin?: number }

/** OpenAI's rule for a container by the day it starts: one price however long; blocks of 20 minutes (the price
 * page of September 2026; their first day, 2026-03-31, is not established); from 2026-06-02 by the minute, at
 * least five, where the session is eligible. */
export const containerRule = (container: {
  readonly startedAt: Instant
  readonly eligible: boolean
}): ContainerRule => {
  if (container.startedAt < Date.UTC(2026, 2, 31)) return { blockSeconds: null }
  const byMinute = container.eligible && container.startedAt >= Date.UTC(2026, 5, 2)
  return byMinute ? { blockSeconds: 1200, minutesMin: 5 } : { blockSeconds: 1200 }
}

/** The sessions, or parts of one, that a container costs after so many milliseconds. What started costs a
 * minute or a block, even if it ended at once. */
export const containerSessions = (
  milliseconds: number,
  { blockSeconds, minutesMin }: ContainerRule,
): Rational => {
  const lasted = BigInt(whole('milliseconds', milliseconds))
  if (blockSeconds === null) return rational(1n)
  const block = BigInt(whole('blockSeconds', blockSeconds) * secondMs)
  if (minutesMin === undefined) return rational(begun(lasted, block))
  const minutes = begun(lasted, BigInt(minuteMs))
  const least = BigInt(whole('minutesMin', minutesMin))
  return rational((minutes < least ? least : minutes) * BigInt(minuteMs), block)
}

/** The hours of instances that ran for so many milliseconds each, every one of them for at least
 * `secondsMin`. */
export const instanceHours = (
  milliseconds: readonly number[],
  { secondsMin = 0 }: { readonly secondsMin?: number } = {},
): Rational => {
  const least = whole('secondsMin', secondsMin) * secondMs
  return milliseconds
    .map((lasted) => rational(BigInt(Math.max(whole('milliseconds', lasted), least)), BigInt(hourMs)))
    .reduce(add, zero)
}

/** The stretches of time in which something that grows is posted, from where it is posted already up to `until`: each
 * ends at the next full hour (UTC), so that it belongs to one. What lies further back than 48 hours before the
 * closing, as after a long stop or a clock that jumped, is posted by the day (UTC) instead. At most `limit` of them. */
export const closings = (
  from: Instant,
  { until, closing, limit }: { readonly until: Instant; readonly closing: Instant; readonly limit: number },
): readonly { readonly from: Instant; readonly to: Instant }[] => {
  const stretches: { from: Instant; to: Instant }[] = []
  for (let start = from; start < until && stretches.length < limit; ) {
    const unit = closing - start > hourlyFor ? dayMs : hourMs
    const to = Math.min((Math.floor(start / unit) + 1) * unit, until)
    stretches.push({ from: start, to })
    start = to
  }
  return stretches
}

/** What to post now for a charge that grows: its exact amount to date, rounded once, less what was posted
 * before. The posts of one accrual sum to the rounded whole, at whatever instants they are made; a correction
 * downwards is negative. */
export const postedDelta = (exactToDate: Rational, posted: Picos): Picos => post(exactToDate) - posted

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const hourlyFor = 48 * hourMs

/** Amount x milliseconds above what is free, over all instants before `until`. */
const amountTime = (
  holdings: readonly Holding[],
  { until, free }: { readonly until: Instant; readonly free: number },
): bigint => {
  const kept = holdings.map((holding) => clipped(holding, whole('until', until)))
  refuseOverlaps(kept)
  const changes = kept
    .flatMap(({ amount, from, to }) => [
      { at: from, by: BigInt(amount) },
      { at: to, by: -BigInt(amount) },
    ])
    .sort((a, b) => a.at - b.at)
  const spared = BigInt(whole('free', free))
  let [total, held, since] = [0n, 0n, 0]
  for (const { at, by } of changes) {
    if (held > spared) total += (held - spared) * BigInt(at - since)
    held += by
    since = at
  }
  return total
}

type Kept = Holding & { readonly to: Instant }

const clipped = (holding: Holding, until: Instant): Kept => {
  const { object, amount, from, to } = holding
  whole(`the amount of "${object}"`, amount)
  whole(`the start of "${object}"`, from)
  if (to !== null && whole(`the end of "${object}"`, to) < from) {
    throw new OctroiError('bad_input', `"${object}" is gone before it is kept: its end is before its start.`)
  }
  return { object, amount, from: Math.min(from, until), to: Math.min(to ?? until, until) }
}

/** Two sizes of one object at one instant contradict each other; which one is billed nobody can say. */
const refuseOverlaps = (kept: readonly Kept[]): void => {
  const lasting = kept.filter(({ from, to }) => from < to)
  for (const [object, stays] of Map.groupBy(lasting, (holding) => holding.object)) {
    const sorted = stays.sort((a, b) => a.from - b.from)
    sorted.forEach(({ to }, index) => {
      const next = sorted[index + 1]
      if (next === undefined || next.from >= to) return
      throw new OctroiError(
        'bad_input',
        `"${object}" is kept twice at one instant. End the first holding where the second begins.`,
        { object, at: next.from },
      )
    })
  }
}

/** The stretches that calls open, each ending at what `end` makes of its last and its first call. */
const spans = (
  calls: readonly { readonly owner: string; readonly at: Instant }[],
  end: (last: Instant, from: Instant) => Instant,
): readonly Session[] => {
  const open = new Map<string, Session>()
  const closed: Session[] = []
  for (const { owner, at } of [...calls].sort((a, b) => a.at - b.at)) {
    whole('the instant of a call', at)
    const running = open.get(owner)
    const goesOn = running !== undefined && at < running.to
    if (running !== undefined && !goesOn) closed.push(running)
    const from = goesOn ? running.from : at
    open.set(owner, { owner, from, to: end(at, from), calls: goesOn ? running.calls + 1 : 1 })
  }
  return [...closed, ...open.values()].sort(
    (a, b) => a.from - b.from || (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0),
  )
}

const begun = (lasted: bigint, unit: bigint): bigint => (lasted === 0n ? 1n : (lasted + unit - 1n) / unit)

const whole = (what: string, value: number): number => {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new OctroiError('bad_number', `${what} must be a whole number from 0 to 2^53 - 1, not ${value}.`)
}
