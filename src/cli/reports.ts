import type { z } from 'zod'
import { OctroiError } from '../errors.ts'
import { parametersOf, readAsked } from '../gateway/reporting/asked.ts'
import type { ReportRoute } from '../gateway/reporting/report-route.ts'
import type { Database } from '../ledger/database.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore } from '../ledger/ledger.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { format, formatScaled, type Rational, roundHalfEven } from '../money/rational.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'
import { clockFrom } from './clock.ts'

/** What the commands that read a ledger share. */

/** The period of a report: from `from` up to but not including `to`; null is without end. */
export type ReportPeriod = { readonly from: Instant | null; readonly to: Instant | null }

/** Reads a ledger beside whoever writes it, and closes it again. Throws `bad_input` when there is none. */
export const withLedger = async <Result>(
  options: Readonly<Record<string, unknown>>,
  read: (database: Database) => Promise<Result>,
): Promise<Result> => {
  const database = await openSqlite({
    file: String(options['ledger']),
    stores: [ledgerStore],
    readOnly: true,
  })
  try {
    return await read(database)
  } finally {
    await database.close()
  }
}

/** Reads a report as the control plane does, from a ledger and by the options of the same names. Throws `bad_input`,
 * which names the option. */
export const askReport = <Asked extends z.ZodType, Report>(
  route: ReportRoute<Asked, Report>,
  options: Readonly<Record<string, unknown>>,
  onProgress: (percent: number) => void = () => {},
): Promise<Report> => {
  const texts = parametersOf(route.asked).flatMap(({ name }) =>
    options[name] === undefined ? [] : [[name, String(options[name])]],
  )
  const asked = readAsked(route.asked, Object.fromEntries(texts), optionNamed)
  const sealed = sealedFolderOf(String(options['ledger']))
  return withLedger(options, (database) =>
    route.read({ database, sealed, clock: clockFrom(undefined), onProgress }, asked),
  )
}

/** `capTokens` is the option `--cap-tokens`. */
const optionNamed = (parameter: string): string =>
  `--${parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** Reads `--from` and `--to`, which are whole hours. Throws `bad_instant` and `bad_input`. */
export const readPeriod = (options: Readonly<Record<string, unknown>>): ReportPeriod => {
  const [from, to] = (['from', 'to'] as const).map((name) => readHour(name, options[name]))
  if (typeof from === 'number' && typeof to === 'number' && from >= to) {
    throw new OctroiError(
      'bad_input',
      `--from ${formatInstant(from)} is not before --to ${formatInstant(to)}.`,
    )
  }
  return { from: from ?? null, to: to ?? null }
}

/** The bounds of a period as the ledger takes them. */
export const boundsOf = ({ from, to }: ReportPeriod): { from: Instant; to: Instant } => ({
  from: from ?? Number.MIN_SAFE_INTEGER,
  to: to ?? Number.MAX_SAFE_INTEGER,
})

/** A period as JSON. */
export const periodJson = ({ from, to }: ReportPeriod): { from: string | null; to: string | null } => ({
  from: from === null ? null : formatInstant(from),
  to: to === null ? null : formatInstant(to),
})

/** A share as JSON: a decimal of at most six places. */
export const shareJson = (share: Rational | null): string | null =>
  share === null ? null : formatScaled(roundHalfEven(share, 6), 6)

/** A count for people, by thousands: `1,234,567`. */
export const formatCount = (count: number | bigint): string => count.toLocaleString('en-US')

/** A quantity for people: by thousands where it is whole. */
export const formatQuantity = (quantity: Rational): string =>
  quantity.denominator === 1n ? formatCount(quantity.numerator) : format(quantity)

const readHour = (name: string, written: unknown): Instant | undefined => {
  if (written === undefined) return undefined
  const at = parseInstant(String(written))
  if (at % 3_600_000 === 0) return at
  throw new OctroiError('bad_input', `--${name} "${written}" is not a whole hour. Reports count whole hours.`)
}
