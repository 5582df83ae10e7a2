import { Temporal } from 'temporal-polyfill'
import { type Period, windowOf } from '../limits/window.ts'
import { formatInstant, type Instant } from '../time.ts'

/** What of time spend can be grouped by. */
export const timeDimensions = ['hour', 'day', 'week', 'month'] as const
export type TimeDimension = (typeof timeDimensions)[number]

/** The hours, days, weeks and months of a zone, and what they are called: `2023-11-15T13:00:00+01:00`, `2023-11-15`,
 * `2023-W46` (ISO 8601: weeks begin on Monday), `2023-11`. Days are those of the zone's own clock, changes of the clock
 * included; an hour of UTC ends in `Z`. */
export type ZoneNames = {
  readonly timeZone: string
  readonly nameOf: (dimension: TimeDimension, at: Instant) => string
  /** The period that was named so; null where none was. */
  readonly periodOf: (dimension: TimeDimension, name: string) => Period | null
  /** When periods begin: that of `start`, and all up to but not including `end`. */
  readonly startsOf: (
    dimension: TimeDimension,
    between: { readonly start: Instant; readonly end: Instant },
  ) => readonly Instant[]
}

/** The names of times in a zone, which is one of the IANA database. */
export const zoneNames = (timeZone: string): ZoneNames => {
  const kinds = new Map(timeDimensions.map((calendar) => [calendar, createKind({ calendar, timeZone })]))
  return {
    timeZone,
    nameOf: (dimension, at) => kinds.get(dimension)?.nameOf(at) ?? '',
    periodOf: (dimension, name) => kinds.get(dimension)?.periodOf(name) ?? null,
    startsOf: (dimension, between) => kinds.get(dimension)?.startsOf(between) ?? [],
  }
}

const createKind = (window: { readonly calendar: TimeDimension; readonly timeZone: string }) => {
  const periods = new Map<string, Period>()
  const names = new Map<Instant, string>()
  return {
    nameOf: (at: Instant): string => {
      const period = windowOf(window, at)
      const known = names.get(period.start)
      if (known !== undefined) return known
      const name = written(window, period.start)
      names.set(period.start, name)
      periods.set(name, period)
      return name
    },
    periodOf: (name: string): Period | null => periods.get(name) ?? null,
    startsOf: ({ start, end }: { readonly start: Instant; readonly end: Instant }): readonly Instant[] => {
      const starts: Instant[] = []
      for (let at = start; at < end; ) {
        const period = windowOf(window, at)
        starts.push(period.start)
        at = period.end ?? end
      }
      return starts
    },
  }
}

const written = (
  { calendar, timeZone }: { readonly calendar: TimeDimension; readonly timeZone: string },
  start: Instant,
): string => {
  if (calendar === 'hour' && timeZone === 'UTC') return formatInstant(start)
  const local = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timeZone)
  if (calendar === 'hour') return local.toString({ timeZoneName: 'never', smallestUnit: 'second' })
  const day = local.toPlainDate()
  if (calendar === 'day') return day.toString()
  if (calendar === 'month') return day.toPlainYearMonth().toString()
  return `${day.yearOfWeek}-W${String(day.weekOfYear).padStart(2, '0')}`
}
