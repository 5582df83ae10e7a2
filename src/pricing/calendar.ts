import { OctroiError } from '../errors.ts'
import type { Instant } from '../time.ts'

/** The days on which a vendor's rule counts as a holiday, in the calendar of a zone. `through`: the last day the
 * calendar knows of. Later days are not taken for holidays, and a charge that depends on it says so. */
export type Calendar = {
  readonly through: string
  readonly days: ReadonlySet<string>
}

/** Reads a calendar of a price file: `{days: ["2026-10-01", ...], through: "2026-12-31", source}`. Throws an
 * `Error` with the reason. */
export const parseCalendar = (value: unknown): Calendar => {
  const fields: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? { ...value } : {}
  if (typeof fields['source'] !== 'string' || fields['source'] === '')
    throw new Error('source must be a text')
  if (!Array.isArray(fields['days'])) throw new Error('days must be a list of days')
  return { through: day(fields['through']), days: new Set(fields['days'].map(day)) }
}

/** A day and the minute within it, as a wall clock in a zone shows them. `weekday`: Sunday is 0. */
export type LocalTime = { readonly day: string; readonly weekday: number; readonly minute: number }

/** What a wall clock in a zone (IANA name, or UTC) shows at an instant. Throws `bad_price_row` for an unknown zone. */
export const localTime = (at: Instant, timeZone: string): LocalTime => {
  const local = new Date(at + offsetOf(at, timeZone))
  return {
    day: local.toISOString().slice(0, 10),
    weekday: local.getUTCDay(),
    minute: local.getUTCHours() * 60 + local.getUTCMinutes(),
  }
}

const day = (value: unknown): string => {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(Date.parse(value))) {
    throw new Error(`"${String(value)}" is not a day such as 2026-10-01`)
  }
  return value
}

/** How far a zone's wall clock is ahead of UTC, in milliseconds. Clocks change at quarter hours only, so the answer
 * for the last quarter asked about is kept. */
const offsetOf = (at: Instant, timeZone: string): number => {
  if (timeZone === 'UTC') return 0
  const zone = zones.get(timeZone) ?? openZone(timeZone)
  const quarter = Math.floor(at / quarterHour)
  if (zone.quarter !== quarter) {
    zone.quarter = quarter
    zone.offset = readOffset(zone.format, quarter * quarterHour)
  }
  return zone.offset
}

const quarterHour = 900_000

type Zone = { readonly format: Intl.DateTimeFormat; quarter: number; offset: number }

const zones = new Map<string, Zone>()

/** Opening a zone takes the time of a thousand rows, so a zone is opened when a price first asks for it. */
const openZone = (timeZone: string): Zone => {
  const format = formatIn(timeZone)
  const zone = { format, quarter: Number.NaN, offset: 0 }
  zones.set(timeZone, zone)
  return zone
}

const formatIn = (timeZone: string): Intl.DateTimeFormat => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  } catch {
    throw new OctroiError(
      'bad_price_row',
      `A price asks for the time zone "${timeZone}", which is not known here.`,
    )
  }
}

const readOffset = (format: Intl.DateTimeFormat, at: Instant): number => {
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name) ?? []
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000
  return sign === '-' ? -offset : offset
}
