import { Temporal } from 'temporal-polyfill'
import type { Instant } from '../time.ts'

/** A calendar window in a zone (IANA name). The month begins at its first instant there. */
export type CalendarWindow = { readonly calendar: 'month'; readonly timeZone: string }

/** A stretch of time: from `start` up to but not including `end`. */
export type Period = { readonly start: Instant; readonly end: Instant }

/** The period of the window that `at` falls in. Periods tile time without gap or overlap: a month begins at
 * the first instant of its first day in the zone, be that midnight, the end of a clock's jump forward, or the
 * first of two midnights; an hour that the clock repeats stays in the month that had begun. */
export const windowOf = (window: CalendarWindow, at: Instant): Period => {
  const { timeZone } = window
  const month = Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toPlainYearMonth()
  const period = monthPeriod(month, timeZone)
  return at < period.end ? period : monthPeriod(month.add({ months: 1 }), timeZone)
}

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

const monthPeriod = (month: Temporal.PlainYearMonth, timeZone: string): Period => ({
  start: firstInstant(month, timeZone),
  end: firstInstant(month.add({ months: 1 }), timeZone),
})

const firstInstant = (month: Temporal.PlainYearMonth, timeZone: string): Instant =>
  month.toPlainDate({ day: 1 }).toZonedDateTime(timeZone).epochMilliseconds
