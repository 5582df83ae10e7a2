import type { Instant } from '../time.ts'
import type { Holds, RowSelection } from './attributes.ts'
import { type Calendar, localTime } from './calendar.ts'

/** When a row holds that has a time band: its windows of the day, or all hours but those of another row
 * (`resolved.windowsOtherThan`), on its days and off its holidays. A window's end is exclusive, and it may pass
 * midnight. A day without the band (a weekend, a holiday) belongs to the row of all other hours. The windows are
 * read on the clock of `time_zone`, days and holidays in the calendar of `calendar_zone`. Throws an `Error` with
 * the reason. */
export const bandHolds = (row: RowSelection): Holds => {
  const band = readBand(row)
  return ({ at }) => isInside(band, at) !== band.isRest
}

/** Says at an instant what a row takes for granted: beyond the last day of its calendar a day counts as a working
 * day, which is the dearer reading. Null for a row that never does. */
export const assumptionOf = (row: RowSelection): ((at: Instant) => string | null) | null => {
  if (row.attributes['time_band'] === undefined) return null
  const { calendar, calendarZone, isRest } = readBand(row)
  if (calendar === null || isRest) return null
  return (at) => {
    const { day } = localTime(at, calendarZone)
    if (day <= calendar.through) return null
    return `${day} counts as a working day: the calendar "${String(row.resolved['calendar'])}" ends on ${calendar.through}`
  }
}

type Window = { readonly start: number; readonly end: number }

type Band = {
  readonly windows: readonly Window[]
  readonly zone: string
  readonly isRest: boolean
  readonly isWorkday: (weekday: number) => boolean
  readonly calendarZone: string
  readonly calendar: Calendar | null
}

const isInside = ({ windows, zone, isWorkday, calendar, calendarZone }: Band, at: Instant): boolean => {
  if (!isWithin(windows, at, zone)) return false
  const { day, weekday } = localTime(at, calendarZone)
  return isWorkday(weekday) && calendar?.days.has(day) !== true
}

const isWithin = (windows: readonly Window[], at: Instant, zone: string): boolean => {
  const { minute } = localTime(at, zone)
  return windows.some(({ start, end }) =>
    start < end ? start <= minute && minute < end : start <= minute || minute < end,
  )
}

const allOtherHours = 'all other hours'

const readBand = ({ attributes, resolved, calendars }: RowSelection): Band => {
  const { windows, days, holidays, time_zone: zone, calendar_zone: calendarZone = zone } = attributes
  const isRest = windows === allOtherHours
  if (isRest && resolved['windowsOtherThan'] === undefined) {
    throw new Error(`"${allOtherHours}" needs resolved.windowsOtherThan, the windows of the other band`)
  }
  return {
    windows: readWindows(isRest ? resolved['windowsOtherThan'] : windows),
    zone: readZone(zone),
    isRest,
    isWorkday: readDays(days),
    calendarZone: readZone(calendarZone),
    calendar: holidays === undefined ? null : calendarNamed(resolved['calendar'], calendars),
  }
}

const readWindows = (windows: unknown): readonly Window[] => {
  if (!Array.isArray(windows) || windows.length === 0) {
    throw new Error('windows must be a list such as ["01:00-04:00"]')
  }
  return windows.map((window: unknown) => {
    const [, ...digits] = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(String(window)) ?? []
    const [startHour = 99, startMinute = 0, endHour = 99, endMinute = 0] = digits.map(Number)
    if (startHour > 23 || endHour > 24 || startMinute > 59 || endMinute > 59) {
      throw new Error(`"${String(window)}" is not a window such as 01:00-04:00`)
    }
    return { start: startHour * 60 + startMinute, end: endHour * 60 + endMinute }
  })
}

const readDays = (days: unknown): Band['isWorkday'] => {
  if (days === 'all') return () => true
  if (days === 'Mon-Fri') return (weekday) => weekday >= 1 && weekday <= 5
  throw new Error('days must be "all" or "Mon-Fri"')
}

const readZone = (zone: unknown): string => {
  if (typeof zone !== 'string' || !/^(UTC|[A-Za-z]+(\/[A-Za-z0-9_+-]+)+)$/.test(zone)) {
    throw new Error('time_zone must be the name of a zone such as Asia/Shanghai')
  }
  return zone
}

const calendarNamed = (name: unknown, calendars: RowSelection['calendars']): Calendar => {
  const calendar = calendars.get(String(name))
  if (calendar === undefined) {
    throw new Error('holidays need resolved.calendar, the name of a calendar of the file')
  }
  return calendar
}
