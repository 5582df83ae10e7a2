import { parseMeter } from '../usage/meter.ts'
import { number, parseQuantity, text, whole } from './columns.ts'
import type { Connection, Row } from './database.ts'
import type { Basis, StoredEntry } from './entry.ts'
import { entriesOfCall, selectedEntries } from './entry-rows.ts'
import { nameParts } from './names.ts'
import type { AccruedRow, CallRow, CallsAsked, SpendAsked, SpendRow } from './reading.ts'

/** Reads the hours of a period: one row per meter, and one per hour for the calls themselves. */
export const readSpend = (connection: Connection, { from, to }: SpendAsked): readonly SpendRow[] => [
  ...connection.all(hours('charge_hours'), from, to).map(
    (row): SpendRow => ({
      ...scope(row),
      meter: parseMeter(text(row['meter'])),
      priced: number(row['priced']) === 1,
      quantity: parseQuantity(`${row['quantity']}`),
      amount: whole(row['units'], row['picos']),
    }),
  ),
  ...connection.all(hours('call_hours'), from, to).map(
    (row): SpendRow => ({
      ...scope(row),
      meter: null,
      calls: number(row['calls']),
      unpriced: number(row['unpriced']),
      resentTokens: number(row['resent_tokens']),
      resentAmount: whole(row['resent_units'], row['resent_picos']),
    }),
  ),
]

/** Reads the next ended calls in the order in which they ended; what was corrected is left out. */
export const readCalls = (
  connection: Connection,
  { from, to, after, limit }: CallsAsked,
): readonly CallRow[] =>
  connection.all(endedCalls, after, from, to, limit).flatMap((row) => {
    const entries = entriesOfCall(connection, text(row['call_id']))
    const reserved = entries.find((entry) => entry.kind === 'reserved')
    const ended = entries.find((entry) => entry.sequence === number(row['sequence']))
    if (reserved === undefined || ended === undefined || !isSettlement(ended)) return []
    const { call } = reserved
    return [{ call: { ...call, conversation: ended.conversation ?? call.conversation }, settlement: ended }]
  })

/** Reads the next entries of accruals whose stretch of time begins in a period. */
export const readAccrued = (
  connection: Connection,
  { from, to, after, limit }: CallsAsked,
): readonly AccruedRow[] =>
  selectedEntries(
    connection,
    `WHERE e.kind = 'accrued' AND e.sequence > ? AND e.from_at >= ? AND e.from_at < ? ORDER BY e.sequence LIMIT ?`,
    ...[after, from, to, limit],
  ).filter((entry) => entry.kind === 'accrued')

const isSettlement = (entry: StoredEntry): entry is CallRow['settlement'] =>
  entry.kind === 'settled' || entry.kind === 'adjusted'

const hours = (table: 'charge_hours' | 'call_hours'): string => `
  SELECT h.*, o.name AS owner_name, s.name AS service_name FROM ${table} h
  JOIN names o ON o.id = h.owner JOIN names s ON s.id = h.service
  WHERE h.hour >= ? AND h.hour < ?`

const endedCalls = `
  SELECT e.sequence, e.call_id FROM entries e
  JOIN entries r ON r.call_id = e.call_id AND r.kind = 'reserved'
  WHERE e.sequence > ? AND e.kind IN ('settled', 'adjusted') AND r.at >= ? AND r.at < ?
    AND NOT EXISTS (SELECT 1 FROM entries c WHERE c.corrects = e.sequence)
  ORDER BY e.sequence LIMIT ?`

const scope = (row: Row) => {
  const [organization = null, team = null, project = null, environment = null, key = null] = nameParts(
    row['owner_name'],
  ).map((part) => (part === null ? null : String(part)))
  const [provider, model = null, endpoint, currency] = nameParts(row['service_name'])
  const basis = text(row['basis']) as Basis
  const hour = number(row['hour'])
  return {
    ...{ hour, organization, team, project, environment, key, basis },
    provider: String(provider),
    model: model === null ? null : String(model),
    endpoint: String(endpoint),
    currency: String(currency),
  }
}
