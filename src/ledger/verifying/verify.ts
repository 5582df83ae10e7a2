import { amount, number, text, whole } from '../columns.ts'
import type { Connection, Row } from '../database.ts'
import { entriesAfter, entriesOfCall } from '../entry-rows.ts'
import { type Books, emptyBooks, foldEntry } from '../fold.ts'
import type { Difference, Verification } from '../ledger.ts'
import { nameParts } from '../names.ts'
import { compareLines, type Differ, type Lines } from './compare.ts'
import { type FoldedDays, openFoldedDays } from './folded-days.ts'
import { verifyDays } from './verify-days.ts'

/** Bounds the list of differences; they are all counted. */
const differencesMax = 1_000
const page = 1_000

/** How many sums by hour are folded in memory: a hundred megabytes or two. More are put aside, by day. */
const linesInMemory = 250_000

/** Folds every entry anew and compares with what the ledger kept: one consistent view, in constant pages. Memory holds
 * `linesMost` sums by hour, or the day that has the most sums by hour, whichever is more, and the balances. */
export const verifyEntries = (
  connection: Connection,
  { linesMost = linesInMemory }: { readonly linesMost?: number },
): Verification => {
  const differences: Difference[] = []
  let count = 0
  const differ = (difference: Difference): void => {
    count += 1
    if (differences.length < differencesMax) differences.push(difference)
  }
  verifyFile(connection, differ)
  const folded = openFoldedDays(connection)
  const { books, entries, calls } = foldAll(connection, folded, linesMost)
  for (const { key, rule } of books.faults) differ({ where: 'entries', key, folded: null, kept: rule })
  for (const row of connection.all(repeatedEnds)) {
    differ({
      where: 'entries',
      key: text(row['call_id']),
      folded: '1',
      kept: `${number(row['times'])} x ${row['kind']}`,
    })
  }
  verifyDays(connection, books, folded, differ)
  folded.close()
  for (const { where, ...lines } of comparisons(connection, books)) compareLines(where, lines, differ)
  return { agrees: count === 0, entries, calls, differenceCount: count, differences }
}

const verifyFile = (connection: Connection, differ: Differ): void => {
  for (const row of connection.all('PRAGMA quick_check(100)')) {
    if (row['quick_check'] !== 'ok')
      differ({ where: 'file', key: '', folded: 'ok', kept: text(row['quick_check']) })
  }
  for (const row of connection.all('PRAGMA foreign_key_check')) {
    const kept = `row ${row['rowid']} refers to a row of ${row['parent']} that is not there`
    differ({ where: 'file', key: text(row['table']), folded: 'ok', kept })
  }
}

/** Folds the entries that are there, and counts those that checkpoints stand for. */
const foldAll = (
  connection: Connection,
  folded: FoldedDays,
  linesMost: number,
): { books: Books; entries: number; calls: number } => {
  const books = emptyBooks()
  const removed = connection.get(
    'SELECT coalesce(sum(sign * entries), 0) AS entries, coalesce(sum(sign * calls), 0) AS calls FROM checkpoints',
  )
  let [entries, calls] = [number(removed?.['entries']), number(removed?.['calls'])]
  let after = 0
  for (;;) {
    const next = entriesAfter(connection, { after, limit: page })
    for (const entry of next) {
      foldEntry(books, entry, (callId) => entriesOfCall(connection, callId))
      after = entry.sequence
      if (entry.kind === 'reserved') calls += 1
    }
    entries += next.length
    const isLast = next.length < page
    folded.relieve(books, isLast ? 0 : linesMost)
    if (isLast) return { books, entries, calls }
  }
}

/** A call is reserved once and ends once; adjustments may follow. A session is posted once, and an imported line that
 * corrects none. */
const repeatedEnds = `
  SELECT call_id, kind, count(*) AS times FROM entries
  WHERE kind NOT IN ('adjusted', 'closed') AND corrects IS NULL AND object IS NULL GROUP BY call_id, kind = 'reserved' HAVING count(*) > 1`

const comparisons = (
  connection: Connection,
  { open, balances, stays }: Books,
): readonly { readonly where: Difference['where']; readonly folded: Lines; readonly kept: Lines }[] => [
  {
    where: 'open reservations',
    folded: [...open.keys()].map((callId) => [callId, 'open'] as const),
    kept: connection
      .all('SELECT call_id FROM open_reservations')
      .map((row) => [text(row['call_id']), 'open']),
  },
  {
    where: 'balances',
    folded: [...balances].map(
      ([key, { settled, held, unresolved }]) => [key, `${settled} ${held} ${unresolved}`] as const,
    ),
    kept: connection
      .all('SELECT b.*, n.name FROM balances b JOIN names n ON n.id = b."limit"')
      .map((row) => [
        JSON.stringify([...nameParts(row['name']), number(row['window_start'])]),
        balanceLine(row),
      ]),
  },
  {
    where: 'accruals',
    folded: [...stays].map(([id, { posted, list }]) => [id, `${posted} ${list}`] as const),
    kept: connection
      .all(keptStays)
      .map((row) => [`stay_${number(row['id'])}`, `${amount(row['posted'])} ${amount(row['list_posted'])}`]),
  },
  {
    where: 'accruals',
    folded: [],
    kept: connection
      .all(`${lateStays} LIMIT ${differencesMax}`)
      .map((row) => [text(row['call_id']), 'posted beyond what it is closed until']),
  },
]

/** Stays of which anything was posted. */
const keptStays = `
  SELECT * FROM stays WHERE posted <> 0 OR list_posted <> 0
    OR EXISTS (SELECT 1 FROM entries WHERE call_id = 'stay_' || stays.id)`

/** Entries of a stay must lie in what it says is posted. */
const lateStays = `
  SELECT e.call_id FROM entries e LEFT JOIN stays s ON s.id = CAST(substr(e.call_id, 6) AS INTEGER)
  WHERE e.kind = 'accrued' AND e.object IS NOT NULL AND (s.id IS NULL OR e.to_at > s.closed_until)`

const balanceLine = (row: Row): string => {
  const settled = whole(row['settled_units'], row['settled_picos'])
  const held = whole(row['held_units'], row['held_picos'])
  return `${settled} ${held} ${whole(row['unresolved_units'], row['unresolved_picos'])}`
}
