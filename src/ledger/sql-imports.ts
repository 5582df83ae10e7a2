import { OctroiError } from '../errors.ts'
import { number, text } from './columns.ts'
import type { Connection, Row } from './database.ts'
import { insertEntry, selectedEntries } from './entry-rows.ts'
import type { ClosedPeriod, Imported, ImportOutcome } from './imported.ts'
import { type Appended, idsOf, insertLines, isSameLine, lineRows } from './imported-rows.ts'
import type { ImportPost } from './ledger.ts'
import { nameParts } from './names.ts'
import type { ClosedRow, ImportedPage, ImportedRow } from './reading.ts'
import { addImported, writeFolds } from './running-folds.ts'

/** The verbs of imports over SQL: lines, and the hours they are posted in, in one atomic step. */

const postImports = (connection: Connection, { lines, correctClosed }: ImportPost): ImportOutcome => {
  const isClosed = correctClosed ? () => false : closedFor(readClosed(connection))
  const outcome = { written: 0, repeated: 0, replaced: 0 }
  for (const some of apart(lines)) {
    const { added, replaced, repeated } = postApart(connection, some, isClosed)
    outcome.written += added
    outcome.repeated += repeated
    outcome.replaced += replaced
  }
  writeFolds(connection)
  return outcome
}

/** In order, no id twice in one part. */
const apart = (lines: readonly Imported[]): readonly (readonly Imported[])[] => {
  const parts: Imported[][] = [[]]
  let ids = new Set<string>()
  for (const line of lines) {
    if (ids.has(line.lineId)) {
      parts.push([])
      ids = new Set()
    }
    ids.add(line.lineId)
    parts.at(-1)?.push(line)
  }
  return parts
}

const postApart = (
  connection: Connection,
  lines: readonly Imported[],
  isClosed: (line: Spanned) => boolean,
): { readonly added: number; readonly replaced: number; readonly repeated: number } => {
  const standing = standingRows(connection, lines)
  const charges = chargesOf(connection, [...standing.values()])
  let sequence = number(connection.get('SELECT coalesce(max(sequence), 0) AS last FROM entries')?.['last'])
  const appended: Appended[] = []
  const taken: number[] = []
  let repeated = 0
  for (const line of lines) {
    check(line)
    const rows = lineRows(connection, line)
    const stands = standing.get(line.lineId)
    const place = stands === undefined ? null : number(stands['sequence'])
    if (stands !== undefined && isSameLine(stands, charges.get(place ?? 0) ?? [], rows)) {
      repeated += 1
      continue
    }
    if (isClosed(line)) throw isInClosed(line)
    if (place !== null) taken.push(place)
    sequence += 1
    appended.push({ sequence, at: line.at, corrects: place, rows })
    addImported(connection, { at: line.from, owner: rows.owner, service: rows.service }, line)
  }
  for (const line of linesAt(connection, taken)) {
    if (isClosed(line)) throw isInClosed(line)
    addImported(connection, { at: line.from, ...idsOf(connection, line) }, line, -1)
  }
  insertLines(connection, appended)
  return { added: appended.length - taken.length, replaced: taken.length, repeated }
}

/** The rows of what stands under the ids of lines. */
const standingRows = (connection: Connection, lines: readonly Imported[]): ReadonlyMap<string, Row> => {
  const ids = JSON.stringify(lines.map(({ lineId }) => lineId))
  const rows = connection.all(standingOf, ids)
  const stranger = rows.find((row) => row['kind'] !== 'imported')
  if (stranger !== undefined) {
    throw refuse(`has the id "${text(stranger['call_id'])}", which is that of another entry`, {})
  }
  return new Map(rows.map((row) => [text(row['call_id']), row]))
}

const standingOf = `
  SELECT e.* FROM entries e WHERE e.call_id IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM entries c WHERE c.corrects = e.sequence)`

const chargesOf = (connection: Connection, entries: readonly Row[]): ReadonlyMap<number, readonly Row[]> => {
  if (entries.length === 0) return new Map()
  const sequences = JSON.stringify(entries.map((row) => number(row['sequence'])))
  const rows = connection.all(
    'SELECT * FROM charges WHERE entry IN (SELECT value FROM json_each(?)) ORDER BY entry, position',
    sequences,
  )
  return Map.groupBy(rows, (row) => number(row['entry']))
}

const linesAt = (connection: Connection, sequences: readonly number[]): readonly ImportedRow[] =>
  sequences.length === 0
    ? []
    : selectedEntries(
        connection,
        'WHERE e.sequence IN (SELECT value FROM json_each(?))',
        JSON.stringify(sequences),
      ).filter((entry) => entry.kind === 'imported')

const check = (line: Imported): void => {
  const { lineId, from, to, role, charges, unpriced, calls } = line
  if (lineId === '') throw refuse('has no id', {})
  if (!(from < to)) throw refuse(`"${lineId}" is for no time`, { lineId })
  if (!Number.isSafeInteger(calls) || calls < 0) {
    throw refuse(`"${lineId}" has ${calls} calls`, { lineId })
  }
  if (role === 'bill' && (charges.length > 0 || unpriced.length > 0 || calls > 0)) {
    throw refuse(`"${lineId}" is of a bill, which is evidence, and posts spend`, { lineId })
  }
}

const refuse = (what: string, details: Readonly<Record<string, unknown>>): OctroiError =>
  new OctroiError('bad_input', `An imported line ${what}. It is not posted.`, details)

type Spanned = { readonly from: number; readonly to: number; readonly provider: string | null }

/** Whether something lies in a period that is closed for its provider, or for all. */
const closedFor =
  (closed: readonly ClosedPeriod[]) =>
  ({ from, to, provider }: Spanned): boolean =>
    closed.some(
      (period) =>
        period.from < to && from < period.to && (period.provider === null || period.provider === provider),
    )

const isInClosed = ({ lineId, provider, from, to }: Imported): OctroiError =>
  new OctroiError(
    'period_closed',
    `The imported line "${lineId}" would change what ${provider} came to in a period that is closed. It is not posted.`,
    { lineId, provider, from, to },
  )

const closePeriod = (connection: Connection, period: ClosedPeriod): void => {
  const { provider, from, to } = period
  if (!(from < to))
    throw new OctroiError('bad_input', 'A period to close is no time: it ends before it begins.')
  if (closedFor(readClosed(connection))(period)) {
    throw new OctroiError(
      'period_closed',
      `The period is closed already, for ${provider ?? 'all providers'} or for all, or overlaps one that is.`,
      { provider, from, to },
    )
  }
  insertEntry(connection, { kind: 'closed', ...period })
}

const readClosed = (connection: Connection): readonly ClosedRow[] =>
  selectedEntries(connection, `WHERE e.kind = 'closed' ORDER BY e.sequence`).filter(
    (entry) => entry.kind === 'closed',
  )

/** Reads the next lines that stand, in the order of their time. */
const readImported = (
  connection: Connection,
  { from, to, provider, importer, account, role, after, limit }: ImportedPage,
): readonly ImportedRow[] => {
  const asked = [importer, account, role, provider]
  const sources = connection
    .all(`SELECT id, name FROM names WHERE kind = 'source'`)
    .filter((row) => {
      const parts = nameParts(row['name'])
      return asked.every((part, index) => part === undefined || part === parts[index])
    })
    .map((row) => number(row['id']))
  if (sources.length === 0) return []
  return selectedEntries(
    connection,
    `WHERE e.kind = 'imported' AND (e.from_at, e.sequence) > (?, ?) AND e.from_at < ?
       AND e.source IN (SELECT value FROM json_each(?))
       AND NOT EXISTS (SELECT 1 FROM entries c WHERE c.corrects = e.sequence)
     ORDER BY e.from_at, e.sequence LIMIT ?`,
    ...[after?.from ?? from, after?.sequence ?? 0, to, JSON.stringify(sources), limit],
  ).filter((entry) => entry.kind === 'imported')
}

/** The verbs, for the database's thread. */
export const importVerbs = { postImports, closePeriod, imported: readImported, closed: readClosed }
