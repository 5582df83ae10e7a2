import { OctroiError } from '../errors.ts'
import type { Balance, Hold } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { amount, number, text, whole } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import type { Release, Reservation, Settlement, StoredEntry } from './entry.ts'
import { contentOf, entriesOfCall, insertEntry, isSameContent } from './entry-rows.ts'
import type { Outcome } from './ledger.ts'
import { nameId, nameParts } from './names.ts'
import { addToHours, moveBalances } from './running-folds.ts'
import { readCalls, readSpend } from './sql-readings.ts'
import { verifyEntries } from './sql-verify.ts'

/** How many reservations one `expire` ends at most, so that others are not kept waiting. */
export const expiredPerStep = 1_000

const reserve = (connection: Connection, reservation: Reservation): Outcome => {
  const { call, holds, leaseUntil } = reservation
  if (holds.some((hold) => hold.amount < 0n)) {
    throw new OctroiError('bad_number', `Call "${call.id}" holds less than nothing.`)
  }
  const before = entriesOfCall(connection, call.id)
  const first = before.find((entry) => entry.kind === 'reserved')
  if (first !== undefined)
    return compare(connection, { callId: call.id, kind: 'reserved' }, [first], reservation)
  const sequence = insertEntry(connection, { kind: 'reserved', ...reservation })
  connection.run('INSERT INTO open_reservations VALUES (?, ?, ?)', call.id, sequence, leaseUntil)
  moveBalances(connection, holds, (held) => ({ held }))
  return 'done'
}

const settle = (connection: Connection, settlement: Settlement): Outcome => {
  const { callId } = settlement
  const open = openReservation(connection, callId)
  if (open !== null) {
    const total = bill(connection, open, { kind: 'settled', ...settlement })
    close(connection, callId)
    moveBalances(connection, open.holds, (amount) => ({ held: -amount, settled: total }))
    leaveUnresolved(connection, settlement)
    return 'done'
  }
  const before = entriesOfCall(connection, callId)
  const last = before.at(-1)
  if (last === undefined) return 'unknown'
  if (last.kind !== 'expired') return compare(connection, { callId, kind: 'settled' }, before, settlement)
  const reservation = reservedEntry(connection, callId)
  const total = bill(connection, reservation, { kind: 'adjusted', corrects: last.sequence, ...settlement })
  moveBalances(connection, reservation.holds, (amount) => ({ unresolved: -amount, settled: total }))
  leaveUnresolved(connection, settlement)
  return 'late'
}

/** What has no price counts on where a limit has a ceiling for it. */
const leaveUnresolved = (connection: Connection, { unresolved = [] }: Settlement): void =>
  moveBalances(connection, unresolved, (amount) => ({ unresolved: amount }))

const release = (connection: Connection, asked: Release): Outcome => {
  const { callId } = asked
  const open = openReservation(connection, callId)
  if (open !== null) {
    insertEntry(connection, { kind: 'released', corrects: null, ...asked })
    close(connection, callId)
    moveBalances(connection, open.holds, (amount) => ({ held: -amount }))
    return 'done'
  }
  const before = entriesOfCall(connection, callId)
  const last = before.at(-1)
  if (last === undefined) return 'unknown'
  if (last.kind !== 'expired') return compare(connection, { callId, kind: 'released' }, before, asked)
  insertEntry(connection, { kind: 'released', corrects: last.sequence, ...asked })
  const { holds } = reservedEntry(connection, callId)
  moveBalances(connection, holds, (amount) => ({ unresolved: -amount }))
  return 'late'
}

const renew = (connection: Connection, lease: { callIds: readonly string[]; until: Instant }): void => {
  connection.run(
    `UPDATE open_reservations SET lease_until = max(lease_until, ?)
     WHERE call_id IN (SELECT value FROM json_each(?))`,
    lease.until,
    JSON.stringify(lease.callIds),
  )
}

/** Expires the next reservations whose lease has passed; fewer than `expiredPerStep` when no more are left. */
const expire = (connection: Connection, at: Instant): readonly Reservation[] =>
  connection
    .all('SELECT call_id FROM open_reservations WHERE lease_until <= ? LIMIT ?', at, expiredPerStep)
    .map(({ call_id }) => {
      const callId = text(call_id)
      const reservation = storedReservation(entriesOfCall(connection, callId))
      insertEntry(connection, { kind: 'expired', callId, at })
      close(connection, callId)
      moveBalances(connection, reservation.holds, (amount) => ({ held: -amount, unresolved: amount }))
      return reservation
    })

const unended = (connection: Connection, callId: string): Reservation | null => {
  const entries = entriesOfCall(connection, callId)
  const last = entries.at(-1)?.kind
  return last === 'reserved' || last === 'expired' ? storedReservation(entries) : null
}

const balances = (connection: Connection): readonly Balance[] =>
  connection
    .all(
      'SELECT b.*, n.name FROM balances b JOIN names n ON n.id = b."limit" ORDER BY b.window_start, n.name',
    )
    .map((row) => ({
      limit: String(nameParts(row['name'])[0]),
      windowStart: number(row['window_start']),
      settled: whole(row['settled_units'], row['settled_picos']),
      held: whole(row['held_units'], row['held_picos']),
      unresolved: whole(row['unresolved_units'], row['unresolved_picos']),
    }))

/** The verbs of the ledger over SQL, for the database's thread. */
export const verbs = {
  reserve,
  settle,
  release,
  renew,
  expire,
  unended,
  balances,
  spend: readSpend,
  calls: readCalls,
  verify: verifyEntries,
}

/** What the end of a call needs of its beginning. */
type Reserved = {
  readonly at: Instant
  readonly owner: SqlValue
  readonly provider: string
  readonly endpoint: string
  readonly currency: string
  readonly holds: readonly Hold[]
}

const openReservation = (connection: Connection, callId: string): Reserved | null => {
  const open = connection.get('SELECT entry FROM open_reservations WHERE call_id = ?', callId)
  return open === undefined ? null : readReserved(connection, open['entry'])
}

const reservedEntry = (connection: Connection, callId: string): Reserved =>
  readReserved(
    connection,
    connection.get(`SELECT sequence FROM entries WHERE call_id = ? AND kind = 'reserved'`, callId)?.[
      'sequence'
    ],
  )

const readReserved = (connection: Connection, sequence: SqlValue | undefined): Reserved => {
  const row: Row =
    connection.get(
      'SELECT e.at, e.owner, n.name FROM entries e JOIN names n ON n.id = e.service WHERE e.sequence = ?',
      sequence ?? null,
    ) ?? {}
  const [provider, , endpoint, currency] = nameParts(row['name']).map(String)
  return {
    at: number(row['at']),
    owner: row['owner'] ?? null,
    provider: provider ?? '',
    endpoint: endpoint ?? '',
    currency: currency ?? '',
    holds: connection
      .all(
        `SELECT n.name, h.window_start, h.amount FROM holds h JOIN names n ON n.id = h."limit"
         WHERE h.entry = ? ORDER BY h.position`,
        sequence ?? null,
      )
      .map((hold) => ({
        limit: String(nameParts(hold['name'])[0]),
        windowStart: number(hold['window_start']),
        amount: amount(hold['amount']),
      })),
  }
}

/** Appends the end of a call, adds it to its hour, and gives its sum. */
const bill = (
  connection: Connection,
  reserved: Reserved,
  entry: Settlement & ({ kind: 'settled' } | { kind: 'adjusted'; corrects: number }),
): Picos => {
  if (entry.currency !== reserved.currency) {
    throw new OctroiError(
      'currency_mismatch',
      `Call "${entry.callId}" was reserved in ${reserved.currency} and cannot be settled in ${entry.currency}.`,
    )
  }
  const { provider, endpoint, at, owner } = reserved
  const service = nameId(connection, 'service', [provider, entry.model, endpoint, entry.currency])
  insertEntry(connection, entry, service)
  addToHours(connection, { at, owner, service }, entry)
  return entry.charges.reduce((sum, charge) => sum + charge.amount, 0n)
}

const close = (connection: Connection, callId: string): void => {
  connection.run('DELETE FROM open_reservations WHERE call_id = ?', callId)
}

/** The same content was written before, or another stands: then what came is noted, and nothing changes. */
const compare = (
  connection: Connection,
  { callId, kind }: { readonly callId: string; readonly kind: 'reserved' | 'settled' | 'released' },
  before: readonly StoredEntry[],
  content: Reservation | Settlement | Release,
): Outcome => {
  const alike = kind === 'settled' ? ['settled', 'adjusted'] : [kind]
  if (before.some((entry) => alike.includes(entry.kind) && isSameContent(entry, content))) return 'repeated'
  connection.run('INSERT OR IGNORE INTO conflicts VALUES (?, ?, ?)', callId, kind, contentOf(content))
  return 'conflict'
}

const storedReservation = (entries: readonly StoredEntry[]): Reservation => {
  const reserved = entries.find((entry) => entry.kind === 'reserved')
  if (reserved === undefined) {
    throw new OctroiError('ledger_corrupt', 'An open reservation has no entry. Run octroi ledger verify.')
  }
  const { call, currency, most, holds, leaseUntil } = reserved
  return { call, currency, most, holds, leaseUntil }
}
