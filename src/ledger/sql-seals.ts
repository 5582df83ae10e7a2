import { OctroiError } from '../errors.ts'
import type { Instant } from '../time.ts'
import { checkpointLines, foldCalls, sumOfCheckpoints, writeCheckpoint } from './checkpoint.ts'
import { amount, amountColumn, number, numberOrNull, text } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import { selectedEntries } from './entry-rows.ts'
import { type Books, emptyBooks } from './fold.ts'
import { type EntryLine, entryOfLine } from './lines.ts'
import { nameId, nameParts } from './names.ts'
import type { Day, DayPage, DayPart, DaysToSeal, EntryColumn, KeptSeal, PruneStep, Seal } from './seal.ts'

/** The verbs of sealed days over SQL. Lines are the rows of entries as JSON, whole and with the names they refer to, so
 * that they can be kept elsewhere and put back as they were. */

const daysToSeal = (connection: Connection, before: Day): DaysToSeal => {
  const sealed = new Set(connection.all('SELECT day FROM seals').map((row) => number(row['day'])))
  const open = new Set(connection.all(openDays, before).map((row) => number(row['day'])))
  const [behind = before] = connection
    .all('SELECT min(closed_until) / 86400000 AS day FROM stays WHERE to_at IS NULL OR closed_until < to_at')
    .flatMap((row) => numberOrNull(row['day']) ?? [])
  const days = [...new Set([...daysWith(connection, nextCalls), ...daysWith(connection, nextPosts)])]
    .filter((day) => day < before && !sealed.has(day))
    .sort((a, b) => a - b)
  const isWaiting = (day: Day): boolean => open.has(day) || day >= behind
  return { days: days.filter((day) => !isWaiting(day)), waiting: days.filter(isWaiting) }
}

const openDays = `
  SELECT DISTINCT e.at / 86400000 AS day FROM open_reservations o JOIN entries e ON e.sequence = o.entry
  WHERE e.at / 86400000 < ?`
const nextCalls = `
  SELECT at / 86400000 AS day FROM entries WHERE kind = 'reserved' AND at / 86400000 > ? ORDER BY at / 86400000 LIMIT 1`
const nextPosts = `
  SELECT from_at / 86400000 AS day FROM entries
  WHERE kind IN ('accrued', 'imported') AND from_at / 86400000 > ? ORDER BY from_at / 86400000 LIMIT 1`

/** Steps from day to day by an index, so that it takes as long as there are days. */
const daysWith = (connection: Connection, next: string): readonly Day[] => {
  const days: Day[] = []
  for (let day = -1; ; ) {
    const row = connection.get(next, day)
    if (row === undefined) return days
    day = number(row['day'])
    days.push(day)
  }
}

const lastSequence = (connection: Connection): number =>
  number(connection.get('SELECT coalesce(max(sequence), 0) AS last FROM entries')?.['last'])

const callDays = (connection: Connection): readonly Day[] => daysWith(connection, nextCalls)

const dayPage = (
  connection: Connection,
  { day, part, last, after, limit }: { day: Day; part: DayPart; last: number; after: number; limit: number },
): DayPage => {
  const firsts = connection.all(part === 'calls' ? callsOfDay : postsOfDay, day, after, last, limit)
  const next = firsts.length < limit ? null : number(firsts.at(-1)?.['sequence'])
  if (firsts.length === 0) return { lines: [], after: null }
  const of = part === 'calls' ? 'e.call_id IN' : 'e.sequence IN'
  const ids = JSON.stringify(
    firsts.map((row) => (part === 'calls' ? text(row['call_id']) : number(row['sequence']))),
  )
  const lines = connection
    .all(
      `${lineOf(connection)} WHERE ${of} (SELECT value FROM json_each(?)) AND e.sequence <= ? ORDER BY e.sequence`,
      ids,
      last,
    )
    .map((row) => text(row['line']))
  return { lines, after: next }
}

const callsOfDay = `
  SELECT sequence, call_id FROM entries
  WHERE kind = 'reserved' AND at / 86400000 = ? AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?`
const postsOfDay = `
  SELECT sequence FROM entries WHERE kind IN ('accrued', 'imported') AND from_at / 86400000 = ?
    AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?`

/** Columns that refer to names. */
const named = ['owner', 'service', 'book', 'source']

const entryColumns = (connection: Connection): readonly EntryColumn[] =>
  connection.all('PRAGMA table_info(entries)').map((row) => {
    const name = text(row['name'])
    return { name, type: text(row['type']), isName: named.includes(name) }
  })

const ledgerFile = (connection: Connection): string =>
  text(connection.get("SELECT file FROM pragma_database_list WHERE name = 'main'")?.['file'])

/** The statement that gives entries as lines: amounts as texts, since numbers of JSON end at 2^53. */
const lineOf = (connection: Connection): string => {
  const columns = entryColumns(connection)
  const plain = columns
    .filter(({ isName }) => !isName)
    .map(({ name, type }) => `'${name}', ${type === 'ANY' ? `CAST(e."${name}" AS TEXT)` : `e."${name}"`}`)
  const names = columns.filter(({ isName }) => isName).map(({ name }) => name)
  return `
    SELECT json_patch('{}', json_object(${[...plain, ...names.map((name) => `'${name}_name', n_${name}.name`)].join(', ')},
      'charges', (SELECT json_group_array(json_object('price_name', n.name, 'quantity', c.quantity,
          'amount', CAST(c.amount AS TEXT), 'exact', c.exact) ORDER BY c.position)
        FROM charges c JOIN names n ON n.id = c.price WHERE c.entry = e.sequence),
      'holds', (SELECT json_group_array(json_object('limit_name', n.name, 'window_start', h.window_start,
          'amount', CAST(h.amount AS TEXT)) ORDER BY h.position)
        FROM holds h JOIN names n ON n.id = h."limit" WHERE h.entry = e.sequence))) AS line
    FROM entries e ${names.map((name) => `LEFT JOIN names n_${name} ON n_${name}.id = e.${name}`).join(' ')}`
}

const recordSeal = (connection: Connection, seal: Seal): KeptSeal => {
  const { day, file, sha256, content, bytes, lastSequence: last, calls, entries, charges, sums, at } = seal
  connection.run(
    `INSERT INTO seals (day, file, sha256, content, bytes, last_sequence, calls, entries, charges, sums, at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day) DO NOTHING`,
    ...[day, file, sha256, content, bytes, last, calls, entries, charges],
    sumsText(sums),
    at,
  )
  return sealOf(connection, day)
}

const replaceSeal = (connection: Connection, seal: Seal): KeptSeal => {
  const { day, file, sha256, content, bytes, lastSequence: last, calls, entries, charges, sums, at } = seal
  connection.run(
    `UPDATE seals SET file = ?, sha256 = ?, content = ?, bytes = ?, last_sequence = ?, calls = ?, entries = ?,
       charges = ?, sums = ?, at = ? WHERE day = ?`,
    ...[file, sha256, content, bytes, last, calls, entries, charges, sumsText(sums), at, day],
  )
  return sealOf(connection, day)
}

const sumsText = (sums: Seal['sums']): string =>
  JSON.stringify(Object.fromEntries(Object.entries(sums).map(([currency, sum]) => [currency, `${sum}`])))

const isOpenDay = (connection: Connection, day: Day): boolean =>
  connection
    .all(openDays, day + 1)
    .map((row) => number(row['day']))
    .includes(day)

const seals = (connection: Connection): readonly KeptSeal[] =>
  connection.all('SELECT * FROM seals ORDER BY day').map(readSeal)

const sealOf = (connection: Connection, day: Day): KeptSeal => {
  const row = connection.get('SELECT * FROM seals WHERE day = ?', day)
  if (row === undefined) throw new OctroiError('bad_input', `Day ${day} is not sealed.`)
  return readSeal(row)
}

const readSeal = (row: Row): KeptSeal => ({
  day: number(row['day']),
  file: text(row['file']),
  sha256: text(row['sha256']),
  content: text(row['content']),
  bytes: number(row['bytes']),
  lastSequence: number(row['last_sequence']),
  calls: number(row['calls']),
  entries: number(row['entries']),
  charges: number(row['charges']),
  sums: Object.fromEntries(
    Object.entries<string>(JSON.parse(text(row['sums']))).map(([currency, sum]) => [currency, BigInt(sum)]),
  ),
  at: number(row['at']),
  isPruned: number(row['is_pruned']) === 1,
  droppedAt: numberOrNull(row['dropped_at']),
})

const pruneDay = (
  connection: Connection,
  { day, after, limit }: { day: Day; after: number; limit: number },
): PruneStep => {
  const { lastSequence: last, droppedAt } = sealOf(connection, day)
  if (droppedAt !== null) throw new OctroiError('bad_input', `The file of day ${day} was given up.`)
  const firsts = connection.all(callsOfDay, day, after, last, limit)
  const ids = connection
    .all(prunable, JSON.stringify(firsts.map((row) => text(row['call_id']))), last)
    .map((row) => text(row['call_id']))
  if (ids.length > 0) removeCalls(connection, day, ids)
  return {
    removed: ids.length,
    after: firsts.length < limit ? null : number(firsts.at(-1)?.['sequence']),
  }
}

const nextPrunable = `
  SELECT 1 FROM entries r JOIN entries e ON e.sequence = (SELECT max(sequence) FROM entries WHERE call_id = r.call_id)
  WHERE r.kind = 'reserved' AND r.at / 86400000 = ? AND e.sequence <= ?
    AND e.kind IN ('settled', 'adjusted', 'released') AND e.sequence < (SELECT max(sequence) FROM entries) LIMIT 1`

const isPrunable = (connection: Connection, day: Day): boolean => {
  const { lastSequence: last } = sealOf(connection, day)
  return connection.get(nextPrunable, day, last) !== undefined
}

/** Calls whose last entry the file has and says what they came to. The very last entry of the ledger stays, so that
 * sequences grow on from it. */
const prunable = `
  SELECT e.call_id, e.kind, max(e.sequence) AS last FROM entries e
  WHERE e.call_id IN (SELECT value FROM json_each(?)) GROUP BY e.call_id
  HAVING last <= ? AND e.kind IN ('settled', 'adjusted', 'released') AND last < (SELECT max(sequence) FROM entries)`

const removeCalls = (connection: Connection, day: Day, ids: readonly string[]): void => {
  const list = JSON.stringify(ids)
  const entries = selectedEntries(
    connection,
    'WHERE e.call_id IN (SELECT value FROM json_each(?)) ORDER BY e.sequence',
    list,
  )
  const books = emptyBooks()
  foldCalls(books, entries)
  keepFold(connection, { day, sign: 1, entries: entries.length, calls: ids.length, books })
  for (const kind of ['kind <> ', 'kind = ']) {
    connection.run(
      `DELETE FROM entries WHERE call_id IN (SELECT value FROM json_each(?)) AND ${kind} 'reserved'`,
      list,
    )
  }
  const sequences = JSON.stringify(entries.map(({ sequence }) => sequence))
  for (const table of ['charges', 'holds']) {
    connection.run(`DELETE FROM ${table} WHERE entry IN (SELECT value FROM json_each(?))`, sequences)
  }
  connection.run('UPDATE seals SET is_pruned = 1 WHERE day = ? AND is_pruned = 0', day)
}

const keepFold = (
  connection: Connection,
  kept: { day: Day; sign: 1 | -1; entries: number; calls: number; books: Books },
): void => {
  const { day, sign, entries, calls, books } = kept
  if (books.faults.length > 0 || books.open.size > 0) {
    throw new OctroiError('ledger_corrupt', `Calls of day ${day} break a rule. Run octroi ledger verify.`)
  }
  connection.run(
    'INSERT INTO checkpoints (day, sign, entries, calls, fold) VALUES (?, ?, ?, ?, ?)',
    ...[day, sign, entries, calls, writeCheckpoint(books)],
  )
}

const thawCalls = (
  connection: Connection,
  { day, lines }: { day: Day; lines: readonly EntryLine[] },
): number => {
  const { lastSequence: last } = sealOf(connection, day)
  const calls = Map.groupBy(lines, (row) => row.call_id)
  const missing = [...calls.entries()].filter(
    ([id]) => connection.get('SELECT 1 FROM entries WHERE call_id = ?', id) === undefined,
  )
  const back = missing.flatMap(([, of]) => of).sort((a, b) => a.sequence - b.sequence)
  if (back.some((row) => row.sequence > last)) {
    throw new OctroiError('bad_input', `An entry of day ${day} is later than its seal.`)
  }
  if (back.length === 0) return 0
  for (const row of back) putBack(connection, row)
  const books = emptyBooks()
  foldCalls(books, back.map(entryOfLine))
  keepFold(connection, { day, sign: -1, entries: back.length, calls: missing.length, books })
  return missing.length
}

const putBack = (connection: Connection, row: EntryLine): void => {
  const columns = entryColumns(connection)
  const values = columns.map(({ name, type, isName }): SqlValue => {
    if (isName) return idOf(connection, name, row[`${name}_name`])
    const value = row[name] ?? null
    return type === 'ANY' && value !== null ? amountColumn(amount(value)) : value
  })
  connection.run(`INSERT INTO entries VALUES (${columns.map(() => '?').join()})`, ...values)
  row.charges.forEach((charge, position) => {
    connection.run(
      'INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?)',
      ...[row.sequence, position, idOf(connection, 'price', charge['price_name'])],
      ...[charge['quantity'] ?? null, amountColumn(amount(charge['amount'])), charge['exact'] ?? null],
    )
  })
  row.holds.forEach((hold, position) => {
    connection.run(
      'INSERT INTO holds VALUES (?, ?, ?, ?, ?)',
      ...[row.sequence, position, idOf(connection, 'limit', hold['limit_name'])],
      ...[number(hold['window_start']), amountColumn(amount(hold['amount']))],
    )
  })
}

const idOf = (connection: Connection, kind: string, name: SqlValue | undefined): SqlValue =>
  typeof name === 'string' ? nameId(connection, kind as Parameters<typeof nameId>[1], nameParts(name)) : null

const changedCalls = (
  connection: Connection,
  { from, to }: { from: Day; to: Day },
): readonly { day: Day; callId: string }[] =>
  connection
    .all(changed, from, to, from, to)
    .map((row) => ({ day: number(row['day']), callId: text(row['call_id']) }))

/** A call that has ended is changed by corrections only; one that is new was reserved after the seal. Joined in this
 * order, so that it takes as long as there are such, not as there are calls; `+` lets the index of an expression be
 * used. */
const changed = `
  SELECT s.day, r.call_id FROM seals s CROSS JOIN entries r INDEXED BY calls_of_day
  WHERE s.day >= ? AND s.day <= ? AND r.kind = 'reserved' AND r.at / 86400000 = +s.day AND r.sequence > s.last_sequence
  UNION
  SELECT s.day, e.call_id FROM entries e CROSS JOIN entries r CROSS JOIN seals s
  WHERE r.call_id = e.call_id AND r.kind = 'reserved' AND s.day = r.at / 86400000 AND e.corrects IS NOT NULL AND e.kind IN ('adjusted', 'released') AND e.sequence > s.last_sequence
    AND s.day >= ? AND s.day <= ?`

const keptCalls = (connection: Connection, day: Day): readonly string[] =>
  connection
    .all(`SELECT call_id FROM entries WHERE kind = 'reserved' AND at / 86400000 = ?`, day)
    .map((row) => text(row['call_id']))

const pruneMark = (connection: Connection): number =>
  number(connection.get('SELECT coalesce(max(id), 0) AS mark FROM checkpoints')?.['mark'])

const dayCheckpoint = (connection: Connection, day: Day): readonly (readonly [string, string])[] => {
  const kept = connection.all('SELECT sign, fold FROM checkpoints WHERE day = ? ORDER BY id', day)
  return checkpointLines(
    sumOfCheckpoints(kept.map((row) => ({ fold: row['fold'] as Uint8Array, sign: amount(row['sign']) }))),
  )
}

const dropSealed = (connection: Connection, { day, at }: { day: Day; at: Instant }): void => {
  connection.run('UPDATE seals SET dropped_at = ? WHERE day = ? AND dropped_at IS NULL', at, day)
}

/** The verbs, for the database's thread. */
export const sealVerbs = {
  daysToSeal,
  lastSequence,
  entryColumns,
  ledgerFile,
  callDays,
  dayPage,
  recordSeal,
  replaceSeal,
  isOpenDay,
  seals,
  pruneDay,
  isPrunable,
  thawCalls,
  changedCalls,
  keptCalls,
  pruneMark,
  dayCheckpoint,
  dropSealed,
}
