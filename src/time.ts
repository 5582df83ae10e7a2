import { OctroiError } from './errors.ts'

/** A point in time: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number

/** What tells the time. One clock is set at start and shared by gateway, ledger and sandbox. */
export type Clock = { readonly now: () => Instant }

const dateOnly = /^\d{4}-\d{2}-\d{2}$/
const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/

/** Reads an RFC 3339 instant, or a date, which means midnight UTC. Throws `bad_instant`. */
export const parseInstant = (text: string): Instant => {
  const day = text.slice(0, 10)
  const at = dateOnly.test(text) || dateTime.test(text) ? Date.parse(text) : Number.NaN
  const exists = !Number.isNaN(at) && new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) === day
  if (!exists) {
    throw new OctroiError(
      'bad_instant',
      `"${text.slice(0, 40)}" is not an instant. Write it as 2023-11-15 or 2023-11-15T12:00:00Z.`,
    )
  }
  return at
}

/** Writes an instant as RFC 3339 in UTC; milliseconds only where there are some. */
export const formatInstant = (at: Instant): string => new Date(at).toISOString().replace('.000Z', 'Z')

/** A clock that stands still until it is moved, for tests and simulations. It never goes back. */
export const manualClock = (start: Instant): Clock & { readonly advance: (milliseconds: number) => void } => {
  let at = start
  return {
    now: () => at,
    advance: (milliseconds) => {
      at += Math.max(0, milliseconds)
    },
  }
}
