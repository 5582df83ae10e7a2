import { counterOf, counterParts, type Hold } from '../limits/hold.ts'
import type { Used } from '../limits/measure.ts'
import type { Charge } from '../pricing/price.ts'
import type { Accrued } from './accrual.ts'
import { exactColumn, priceParts, readCharge, readUnpriced, unpricedText } from './charge-rows.ts'
import {
  amount,
  amountColumn,
  amountOrNull,
  number,
  numberOrNull,
  quantityText,
  text,
  textOrNull,
} from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import type { Attempt, Basis, Call, LedgerEntry, Settlement, StoredEntry } from './entry.ts'
import { closedColumns, readClosedPeriod, readLine } from './imported-rows.ts'
import { nameId, nameParts } from './names.ts'
import { jsonColumn, ownerId, partText, readOwner } from './owners.ts'

/** Appends an entry with its charges or holds, and gives its sequence. Imported lines are appended many at a time, by
 * `insertLines`. */
export const insertEntry = (
  connection: Connection,
  entry: Exclude<LedgerEntry, { readonly kind: 'imported' }>,
  service: SqlValue = null,
): number => {
  switch (entry.kind) {
    case 'reserved':
      return insertReserved(connection, entry)
    case 'settled':
    case 'adjusted':
      return insertSettled(connection, entry, service)
    case 'released':
      return insertRow(connection, {
        ...ended(entry.kind, entry),
        note: entry.reason,
        corrects: entry.corrects,
        status: entry.status ?? null,
        ...attemptColumns(entry.attempt),
      })
    case 'expired':
      return insertRow(connection, ended(entry.kind, entry))
    case 'accrued':
      return insertAccrued(connection, entry, service)
    case 'closed':
      return insertRow(connection, { kind: entry.kind, ...closedColumns(entry) })
  }
}

/** All entries of one call, in order. */
export const entriesOfCall = (connection: Connection, callId: string): readonly StoredEntry[] =>
  selectedEntries(connection, 'WHERE e.call_id = ? ORDER BY e.sequence', callId)

/** The next entries of the whole ledger, in order. */
export const entriesAfter = (
  connection: Connection,
  { after, limit }: { readonly after: number; readonly limit: number },
): readonly StoredEntry[] =>
  selectedEntries(connection, 'WHERE e.sequence > ? ORDER BY e.sequence LIMIT ?', after, limit)

type EntryColumns = Readonly<Record<string, SqlValue>>

const ended = (kind: string, { callId, at }: { callId: string; at: number }): EntryColumns => ({
  kind,
  call_id: callId,
  at,
})

const attemptColumns = (attempt: Attempt | undefined): EntryColumns => ({
  duration_ms: attempt === undefined ? null : Math.round(attempt.durationMs),
  first_byte_ms: attempt?.firstByteMs == null ? null : Math.round(attempt.firstByteMs),
  retry: attempt?.retry ?? null,
})

const readAttempt = (row: Row): { readonly attempt?: Attempt } => {
  const durationMs = numberOrNull(row['duration_ms'])
  if (durationMs === null) return {}
  const firstByteMs = numberOrNull(row['first_byte_ms'])
  return { attempt: { durationMs, firstByteMs, retry: numberOrNull(row['retry']) ?? 0 } }
}

const insertReserved = (
  connection: Connection,
  { call, currency, most, holds, leaseUntil }: LedgerEntry & { kind: 'reserved' },
): number => {
  const sequence = insertRow(connection, {
    kind: 'reserved',
    call_id: call.id,
    at: call.at,
    owner: ownerId(connection, call),
    service: nameId(connection, 'service', [call.provider, call.model, call.endpoint, currency]),
    end_user: call.endUser,
    conversation: call.conversation,
    tags: jsonColumn(call.tags),
    most: most === null ? null : amountColumn(most),
    lease_until: leaseUntil,
  })
  insertHolds(connection, sequence, holds)
  return sequence
}

const insertHolds = (connection: Connection, sequence: number, holds: readonly Hold[]): void =>
  insertRows(
    connection,
    'holds',
    holds.map((hold, position) => [
      sequence,
      position,
      nameId(connection, 'limit', counterParts(hold)),
      hold.windowStart,
      amountColumn(hold.amount),
    ]),
  )

const insertSettled = (
  connection: Connection,
  entry: LedgerEntry & { kind: 'settled' | 'adjusted' },
  service: SqlValue,
): number => {
  const { resent, unpriced } = entry
  const sequence = insertRow(connection, {
    ...ended(entry.kind, entry),
    service,
    conversation: entry.conversation ?? null,
    corrects: entry.kind === 'adjusted' ? entry.corrects : null,
    tier: entry.tier,
    basis: entry.basis,
    status: entry.status,
    note: entry.note,
    book: nameId(connection, 'book', [entry.bookVersion]),
    unpriced: unpriced.length === 0 ? null : unpricedText(unpriced),
    resent_tokens: resent?.tokens ?? null,
    resent_amount: resent === null ? null : amountColumn(resent.amount),
    resent_exact: resent === null ? null : Number(resent.exact),
    used: entry.used === undefined ? null : usedText(entry.used),
    ...attemptColumns(entry.attempt),
  })
  insertCharges(connection, sequence, entry.charges)
  insertHolds(connection, sequence, entry.unresolved ?? [])
  return sequence
}

const insertAccrued = (
  connection: Connection,
  entry: LedgerEntry & { kind: 'accrued' },
  service: SqlValue,
): number => {
  const { owner, unpriced } = entry
  const sequence = insertRow(connection, {
    ...ended(entry.kind, { callId: entry.accrualId, at: entry.at }),
    owner: ownerId(connection, owner),
    service,
    end_user: owner.endUser,
    conversation: entry.conversation,
    tags: jsonColumn(owner.tags),
    basis: entry.basis,
    book: nameId(connection, 'book', [entry.bookVersion]),
    unpriced: unpriced.length === 0 ? null : unpricedText(unpriced),
    from_at: entry.from,
    to_at: entry.to,
    holder: entry.holder,
    object: entry.object,
    list: amountColumn(entry.list),
  })
  insertCharges(connection, sequence, entry.charges)
  insertHolds(connection, sequence, entry.counts)
  return sequence
}

const insertCharges = (connection: Connection, sequence: number, charges: readonly Charge[]): void =>
  insertRows(
    connection,
    'charges',
    charges.map((charge, position) => [
      sequence,
      position,
      nameId(connection, 'price', priceParts(charge)),
      quantityText(charge.quantity),
      amountColumn(charge.amount),
      exactColumn(charge),
    ]),
  )

/** All rows of an entry at once, in statements that are few. */
const insertRows = (
  connection: Connection,
  table: 'holds' | 'charges',
  rows: readonly (readonly SqlValue[])[],
): void => {
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const some = rows.slice(from, from + rowsPerStatement)
    const marks = some.map((row) => `(${row.map(() => '?').join()})`)
    connection.run(`INSERT INTO ${table} VALUES ${marks.join()}`, ...some.flat())
  }
}

const rowsPerStatement = 8

/** Entries of a kind always have the same columns, so there is a statement for each kind. */
const insertRow = (connection: Connection, values: EntryColumns): number => {
  const names = Object.keys(values).join()
  const marks = '?,'.repeat(Object.keys(values).length).slice(0, -1)
  return Number(
    connection.run(`INSERT INTO entries (${names}) VALUES (${marks})`, ...Object.values(values)).rowid,
  )
}

const selectEntries = `
  SELECT e.*, o.name AS owner_name, s.name AS service_name, b.name AS book_name, i.name AS source_name FROM entries e
  LEFT JOIN names o ON o.id = e.owner LEFT JOIN names s ON s.id = e.service
  LEFT JOIN names b ON b.id = e.book LEFT JOIN names i ON i.id = e.source`

/** Entries by a condition on the table `e`, which also orders and bounds them. */
export const selectedEntries = (
  connection: Connection,
  condition: string,
  ...values: SqlValue[]
): readonly StoredEntry[] => load(connection, connection.all(`${selectEntries} ${condition}`, ...values))

const load = (connection: Connection, rows: readonly Row[]): readonly StoredEntry[] => {
  if (rows.length === 0) return []
  const sequences = JSON.stringify(rows.map((row) => number(row['sequence'])))
  const holds = groupByEntry(
    connection.all(
      `SELECT h.*, n.name AS limit_name FROM holds h JOIN names n ON n.id = h."limit"
       WHERE h.entry IN (SELECT value FROM json_each(?)) ORDER BY h.entry, h.position`,
      sequences,
    ),
  )
  const charges = groupByEntry(
    connection.all(
      `SELECT c.*, n.name AS price_name FROM charges c JOIN names n ON n.id = c.price
       WHERE c.entry IN (SELECT value FROM json_each(?)) ORDER BY c.entry, c.position`,
      sequences,
    ),
  )
  return rows.map((row) => {
    const sequence = number(row['sequence'])
    const entry = readEntry(row, { holds: holds.get(sequence) ?? [], charges: charges.get(sequence) ?? [] })
    return { ...entry, sequence }
  })
}

const groupByEntry = (rows: readonly Row[]): ReadonlyMap<number, readonly Row[]> =>
  Map.groupBy(rows, (row) => number(row['entry']))

/** Reads the row of an entry with its names, its charges and its holds. */
export const readEntry = (
  row: Row,
  parts: { readonly holds: readonly Row[]; readonly charges: readonly Row[] },
): LedgerEntry => {
  const kind = text(row['kind'])
  const callId = text(row['call_id'])
  const at = number(row['at'])
  const corrects = numberOrNull(row['corrects'])
  if (kind === 'reserved') {
    return {
      kind,
      call: readCall(row),
      currency: String(nameParts(row['service_name'])[3]),
      most: amountOrNull(row['most']),
      holds: parts.holds.map(readHold),
      leaseUntil: number(row['lease_until']),
    }
  }
  if (kind === 'released') {
    const status = numberOrNull(row['status'])
    const reason = text(row['note'])
    return { kind, callId, at, reason, corrects, ...(status !== null && { status }), ...readAttempt(row) }
  }
  if (kind === 'expired') return { kind, callId, at }
  if (kind === 'accrued') return { kind, ...readAccrued(row, parts) }
  if (kind === 'imported') return { kind, corrects, ...readLine(row, parts.charges) }
  if (kind === 'closed') return { kind, ...readClosedPeriod(row) }
  const settlement = {
    ...readSettlement(row, parts.charges),
    ...(parts.holds.length > 0 && { unresolved: parts.holds.map(readHold) }),
  }
  return kind === 'settled'
    ? { kind, ...settlement }
    : { kind: 'adjusted', corrects: corrects ?? 0, ...settlement }
}

const readAccrued = (
  row: Row,
  { charges, holds }: { readonly holds: readonly Row[]; readonly charges: readonly Row[] },
): Accrued => {
  const [provider = null, model = null, endpoint = null, currency = null] = nameParts(
    row['service_name'],
  ).map(partText)
  return {
    accrualId: text(row['call_id']),
    at: number(row['at']),
    from: number(row['from_at']),
    to: number(row['to_at']),
    owner: readOwner(row),
    provider: provider ?? '',
    model,
    endpoint: endpoint ?? '',
    conversation: textOrNull(row['conversation']),
    holder: text(row['holder']),
    object: textOrNull(row['object']),
    basis: text(row['basis']) as Basis,
    currency: currency ?? '',
    charges: charges.map(readCharge),
    unpriced: readUnpriced(textOrNull(row['unpriced'])),
    list: amount(row['list']),
    counts: holds.map(readHold),
    bookVersion: String(nameParts(row['book_name'])[0]),
  }
}

const readCall = (row: Row): Call => {
  const [provider, model, endpoint] = nameParts(row['service_name']).map(String)
  return {
    id: text(row['call_id']),
    at: number(row['at']),
    provider: provider ?? '',
    model: model ?? '',
    endpoint: endpoint ?? '',
    ...readOwner(row),
    conversation: textOrNull(row['conversation']),
  }
}

const readHold = (row: Row): Hold => ({
  ...counterOf(nameParts(row['limit_name'])),
  windowStart: number(row['window_start']),
  amount: amount(row['amount']),
})

const usedText = (used: Used): string =>
  JSON.stringify(used, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))

const readUsed = (json: string): Used =>
  Object.fromEntries(
    Object.entries<string>(JSON.parse(json)).map(([measure, amount]) => [measure, BigInt(amount)]),
  )

const readSettlement = (row: Row, charges: readonly Row[]): Settlement => {
  const [, model, , currency] = nameParts(row['service_name'])
  const tokens = numberOrNull(row['resent_tokens'])
  const conversation = textOrNull(row['conversation'])
  const used = textOrNull(row['used'])
  return {
    ...(conversation !== null && { conversation }),
    ...(used !== null && { used: readUsed(used) }),
    ...readAttempt(row),
    callId: text(row['call_id']),
    at: number(row['at']),
    model: String(model),
    tier: textOrNull(row['tier']),
    basis: text(row['basis']) as Basis,
    currency: String(currency),
    charges: charges.map(readCharge),
    unpriced: readUnpriced(textOrNull(row['unpriced'])),
    resent:
      tokens === null
        ? null
        : { tokens, amount: amount(row['resent_amount']), exact: number(row['resent_exact']) === 1 },
    status: numberOrNull(row['status']),
    note: textOrNull(row['note']),
    bookVersion: String(nameParts(row['book_name'])[0]),
  }
}
