import { counterOf, type Hold } from '../limits/hold.ts'
import type { Instant } from '../time.ts'
import { amount, number } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import type { Reservation } from './entry.ts'
import { nameParts } from './names.ts'
import { ownerId } from './owners.ts'

/** What the end of a call needs of its beginning. */
export type Reserved = {
  readonly at: Instant
  readonly owner: SqlValue
  readonly provider: string
  readonly endpoint: string
  readonly currency: string
  readonly holds: readonly Hold[]
}

/** Keeps a reservation open. One that ends before `writeOpen` never touches the table. */
export const open = (connection: Connection, entry: number, reservation: Reservation): void => {
  const { call, currency, holds, leaseUntil } = reservation
  const { at, provider, endpoint } = call
  const { reserved, unwritten } = memoryOf(connection)
  unwritten.set(call.id, [entry, leaseUntil])
  if (reserved.size >= reservedMax) reserved.clear()
  reserved.set(call.id, { at, owner: ownerId(connection, call), provider, endpoint, currency, holds })
}

/** The reservation of a call that has not ended; null when there is none. */
export const openReservation = (connection: Connection, callId: string): Reserved | null => {
  const { reserved, unwritten } = memoryOf(connection)
  const known = reserved.get(callId)
  if (known !== undefined) return known
  const entry =
    unwritten.get(callId)?.[0] ??
    connection.get('SELECT entry FROM open_reservations WHERE call_id = ?', callId)?.['entry']
  return entry === undefined ? null : readReserved(connection, entry)
}

/** Ends it. */
export const close = (connection: Connection, callId: string): void => {
  const { reserved, unwritten } = memoryOf(connection)
  reserved.delete(callId)
  if (unwritten.delete(callId)) return
  connection.run('DELETE FROM open_reservations WHERE call_id = ?', callId)
}

/** Writes those that were opened in this commit and are open still. */
export const writeOpen = (connection: Connection): void => {
  const { unwritten } = memoryOf(connection)
  for (const [callId, [entry, leaseUntil]] of unwritten) {
    connection.run('INSERT INTO open_reservations VALUES (?, ?, ?)', callId, entry, leaseUntil)
  }
  unwritten.clear()
}

/** The reservation of a call, open or ended. */
export const reservedEntry = (connection: Connection, callId: string): Reserved =>
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
        ...counterOf(nameParts(hold['name'])),
        windowStart: number(hold['window_start']),
        amount: amount(hold['amount']),
      })),
  }
}

/** Bounds the reservations that are kept in memory; one that is not is read from the tables. */
const reservedMax = 10_000

type Memory = {
  readonly reserved: Map<string, Reserved>
  readonly unwritten: Map<string, readonly [entry: number, leaseUntil: Instant]>
}

const memories = new WeakMap<object, Memory>()

const memoryOf = (connection: Connection): Memory => {
  const key = connection.memory()
  const known = memories.get(key)
  if (known !== undefined) return known
  const memory: Memory = { reserved: new Map(), unwritten: new Map() }
  memories.set(key, memory)
  return memory
}
