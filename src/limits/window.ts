import { Temporal } from 'temporal-polyfill'
import type { Instant } from '../time.ts'

/** The calendar windows. Weeks begin on Monday; `total` never ends. */
export const calendars = ['hour', 'day', 'week', 'month', 'quarter', 'year', 'total'] as const

/** A calendar window in a zone (IANA name). A month, quarter or year may begin on another day than the first:
 * `anchorDay` is clamped to the length of its month, so 31 is the last day of every month. */
export type CalendarWindow = {
  readonly calendar: (typeof calendars)[number]
  readonly timeZone: string
  readonly anchorDay?: number
}

/** The last `lengthMs`, in slots: what began up to one `slotMs` before it counts too. */
export type RollingWindow = {
  readonly rolling: string
  readonly lengthMs: number
  readonly slotMs: number
}

/** A bucket of the size of the cap that refills evenly, the whole cap in `lengthMs`. */
export type BucketWindow = { readonly bucket: string; readonly lengthMs: number }

/** A stretch of time: from `start` up to but not including `end`; null is never. */
export type Period = { readonly start: Instant; readonly end: Instant | null }

/** The period of the window that `at` falls in. Periods tile time without gap or overlap: a day, and all that is made
 * of days, begins at the first instant of its first day in the zone, be that midnight, the end of a clock's jump
 * forward, or the first of two midnights; an hour that the clock repeats stays in the day that had begun. Hours are
 * counted from the beginning of their day: one in which the clock is changed has 23 or 25 of them. */
export const windowOf = (window: CalendarWindow, at: Instant): Period => {
  if (window.calendar === 'total') return always
  const recent = recentOf.get(window)
  for (const period of recent ?? []) if (period.start <= at && at < period.end) return period
  const found = window.calendar === 'hour' ? hourOf(window.timeZone, at) : datesPeriod(window, at)
  recentOf.set(window, recent?.[0] === undefined ? [found] : [found, recent[0]])
  return found
}

const always: Period = { start: 0, end: null }

type Ended = { readonly start: Instant; readonly end: Instant }

/** The last two periods that were asked for of a window: what asks next is nearly always in one of them. */
const recentOf = new WeakMap<CalendarWindow, readonly Ended[]>()

/** True for a name of the IANA time zone database that is known here. Bare offsets are not zones. */
export const isTimeZone = (name: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    new Temporal.ZonedDateTime(0n, name)
    return true
  } catch {
    return false
  }
}

const hourMs = 3_600_000

const hourOf = (timeZone: string, at: Instant): Ended => {
  const day = datesPeriod({ calendar: 'day', timeZone }, at)
  const start = day.start + Math.floor((at - day.start) / hourMs) * hourMs
  return { start, end: Math.min(start + hourMs, day.end) }
}

const datesPeriod = (window: CalendarWindow, at: Instant): Ended => {
  const { timeZone } = window
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDate()
  const first = firstDay(window, today)
  const next = nextDay(window, first)
  const end = firstInstant(next, timeZone)
  if (at < end) return { start: firstInstant(first, timeZone), end }
  return { start: end, end: firstInstant(nextDay(window, next), timeZone) }
}

/** The first day of the period that a day lies in. */
const firstDay = (window: CalendarWindow, day: Temporal.PlainDate): Temporal.PlainDate => {
  if (window.calendar === 'day') return day
  if (window.calendar === 'week') return day.subtract({ days: day.dayOfWeek - 1 })
  const month = day.toPlainYearMonth()
  const months = monthsIn(window)
  const begun = month.subtract({ months: (month.month - 1) % months })
  const first = anchored(window, begun)
  return Temporal.PlainDate.compare(day, first) < 0 ? anchored(window, begun.subtract({ months })) : first
}

const nextDay = (window: CalendarWindow, first: Temporal.PlainDate): Temporal.PlainDate => {
  if (window.calendar === 'day') return first.add({ days: 1 })
  if (window.calendar === 'week') return first.add({ days: 7 })
  return anchored(window, first.toPlainYearMonth().add({ months: monthsIn(window) }))
}

const monthsIn = ({ calendar }: CalendarWindow): number =>
  calendar === 'year' ? 12 : calendar === 'quarter' ? 3 : 1

const anchored = ({ anchorDay = 1 }: CalendarWindow, month: Temporal.PlainYearMonth): Temporal.PlainDate =>
  month.toPlainDate({ day: Math.min(anchorDay, month.daysInMonth) })

const firstInstant = (day: Temporal.PlainDate, timeZone: string): Instant =>
  day.toZonedDateTime(timeZone).epochMilliseconds
