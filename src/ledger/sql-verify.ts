import { format, rational } from '../money/rational.ts'
import { amount, number, parseFraction, text, whole } from './columns.ts'
import type { Connection, Row } from './database.ts'
import { entriesAfter, entriesOfCall } from './entry-rows.ts'
import { type Books, emptyBooks, foldEntry } from './fold.ts'
import { foldRollups, type IsRolled } from './fold-rollups.ts'
import type { Difference, Verification } from './ledger.ts'
import { nameParts } from './names.ts'
import { dayMs, dayOf } from './seal.ts'
import { addCheckpoints } from './sql-seals.ts'

/** Bounds the list of differences; they are all counted. */
const differencesMax = 1_000
const page = 1_000

/** Folds every entry anew and compares with what the ledger kept: one consistent view, in constant pages. */
export const verifyEntries = (connection: Connection): Verification => {
  const differences: Difference[] = []
  let count = 0
  const differ = (difference: Difference): void => {
    count += 1
    if (differences.length < differencesMax) differences.push(difference)
  }

  for (const row of connection.all('PRAGMA quick_check(100)')) {
    if (row['quick_check'] !== 'ok')
      differ({ where: 'file', key: '', folded: 'ok', kept: text(row['quick_check']) })
  }
  for (const row of connection.all('PRAGMA foreign_key_check')) {
    const kept = `row ${row['rowid']} refers to a row of ${row['parent']} that is not there`
    differ({ where: 'file', key: text(row['table']), folded: 'ok', kept })
  }
  const { books, entries, calls } = foldAll(connection)
  for (const { key, rule } of books.faults) differ({ where: 'entries', key, folded: null, kept: rule })
  for (const row of connection.all(repeatedEnds)) {
    differ({
      where: 'entries',
      key: text(row['call_id']),
      folded: '1',
      kept: `${number(row['times'])} x ${row['kind']}`,
    })
  }
  for (const { where, folded, kept } of comparisons(connection, books)) compare(where, folded, kept, differ)
  for (const { where, folded, kept } of rollupComparisons(connection, books)) {
    compare(where, folded, kept, differ)
  }
  return { agrees: count === 0, entries, calls, differenceCount: count, differences }
}

const foldAll = (connection: Connection): { books: Books; entries: number; calls: number } => {
  const books = emptyBooks()
  let { entries, calls } = addCheckpoints(connection, books)
  let after = 0
  for (;;) {
    const next = entriesAfter(connection, { after, limit: page })
    for (const entry of next) {
      foldEntry(books, entry, (callId) => entriesOfCall(connection, callId))
      after = entry.sequence
      if (entry.kind === 'reserved') calls += 1
    }
    entries += next.length
    if (next.length < page) return { books, entries, calls }
  }
}

/** A call is reserved once and ends once; adjustments may follow. A session is posted once, and an imported line that
 * corrects none. */
const repeatedEnds = `
  SELECT call_id, kind, count(*) AS times FROM entries
  WHERE kind NOT IN ('adjusted', 'closed') AND corrects IS NULL AND object IS NULL GROUP BY call_id, kind = 'reserved' HAVING count(*) > 1`

type Lines = Iterable<readonly [key: string, value: string]>

const comparisons = (
  connection: Connection,
  { open, balances, chargeHours, callHours, stays }: Books,
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
    where: 'charges by hour',
    folded: [...chargeHours].map(
      ([key, { quantity, amount }]) => [key, `${format(quantity)} ${amount}`] as const,
    ),
    kept: connection
      .all(`${hours('charge_hours')}`)
      .map((row) => [hourKey(row, [row['meter'], row['basis'], number(row['priced'])]), chargeLine(row)]),
  },
  {
    where: 'calls by hour',
    folded: [...callHours].map(
      ([key, { calls, unpriced, resentTokens, resentAmount }]) =>
        [key, `${calls} ${unpriced} ${resentTokens} ${resentAmount}`] as const,
    ),
    kept: connection
      .all(`${hours('call_hours')}`)
      .map((row) => [hourKey(row, [row['basis']]), callLine(row)]),
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

const rollupComparisons = (connection: Connection, books: Books): ReturnType<typeof comparisons> => {
  const { charges, calls } = foldRollups(books, rolledIn(connection))
  return [
    {
      where: 'rollups',
      folded: charges,
      kept: connection
        .all(rolledRows('charge_rollups'))
        .map((row) => [
          rolledKey(row, [row['meter'], row['basis'], number(row['priced'])]),
          `${chargeLine(row)} of ${number(row['parts'])}`,
        ]),
    },
    {
      where: 'rollups',
      folded: calls,
      kept: connection
        .all(rolledRows('call_rollups'))
        .map((row) => [rolledKey(row, [row['basis']]), `${callLine(row)} of ${number(row['parts'])}`]),
    },
  ]
}

/** Stays of which anything was posted. */
const keptStays = `
  SELECT * FROM stays WHERE posted <> 0 OR list_posted <> 0
    OR EXISTS (SELECT 1 FROM entries WHERE call_id = 'stay_' || stays.id)`

/** Entries of a stay must lie in what it says is posted. */
const lateStays = `
  SELECT e.call_id FROM entries e LEFT JOIN stays s ON s.id = CAST(substr(e.call_id, 6) AS INTEGER)
  WHERE e.kind = 'accrued' AND e.object IS NOT NULL AND (s.id IS NULL OR e.to_at > s.closed_until)`

const hours = (table: 'charge_hours' | 'call_hours'): string => `
  SELECT h.*, o.name AS owner_name, s.name AS service_name FROM ${table} h
  JOIN names o ON o.id = h.owner JOIN names s ON s.id = h.service`

/** A step adds owners of an hour in the order of their ids. */
const rolledIn = (connection: Connection): IsRolled => {
  const days = new Map(connection.all('SELECT * FROM rolled_days').map((row) => [number(row['day']), row]))
  return (at, owner) => {
    const day = dayOf(at)
    const to = days.get(day)
    if (to === undefined) return false
    const next = day * dayMs + number(to['hour']) * 3_600_000
    return at < next || (at === next && number(ownerIdOf(connection, owner)) <= number(to['owner']))
  }
}

const ownerIdOf = (connection: Connection, owner: readonly (string | null)[]) =>
  connection.get(`SELECT id FROM names WHERE kind = 'owner' AND name = ?`, JSON.stringify(owner))?.['id']

const rolledRows = (table: 'charge_rollups' | 'call_rollups'): string => `
  SELECT h.*, o.name AS owner_name, s.name AS service_name FROM ${table} h
  JOIN names o ON o.id = h.owner JOIN names s ON s.id = h.service`

const rolledKey = (row: Row, more: readonly unknown[]): string =>
  JSON.stringify([
    text(row['rollup']),
    number(row['time']),
    ...nameParts(row['owner_name']),
    ...nameParts(row['service_name']),
    ...more,
  ])

const hourKey = (row: Row, more: readonly unknown[]): string =>
  JSON.stringify([
    number(row['hour']),
    ...nameParts(row['owner_name']),
    ...nameParts(row['service_name']),
    ...more,
  ])

const balanceLine = (row: Row): string => {
  const settled = whole(row['settled_units'], row['settled_picos'])
  const held = whole(row['held_units'], row['held_picos'])
  return `${settled} ${held} ${whole(row['unresolved_units'], row['unresolved_picos'])}`
}

const chargeLine = (row: Row): string => {
  const { quantity } = row
  const exact = typeof quantity === 'bigint' ? rational(quantity) : parseFraction(text(quantity))
  return `${format(exact)} ${whole(row['units'], row['picos'])}`
}

const callLine = (row: Row): string => {
  const resent = whole(row['resent_units'], row['resent_picos'])
  return `${number(row['calls'])} ${number(row['unpriced'])} ${number(row['resent_tokens'])} ${resent}`
}

const compare = (
  where: Difference['where'],
  folded: Lines,
  kept: Lines,
  differ: (difference: Difference) => void,
): void => {
  const left = new Map(folded)
  for (const [key, value] of kept) {
    const expected = left.get(key) ?? null
    left.delete(key)
    if (expected !== value) differ({ where, key, folded: expected, kept: value })
  }
  for (const [key, value] of left) differ({ where, key, folded: value, kept: null })
}
