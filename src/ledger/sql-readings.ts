import { parseMeter } from '../usage/meter.ts'
import { hasListPrice } from './charge-rows.ts'
import { number, parseQuantity, text, whole } from './columns.ts'
import type { Connection, Row } from './database.ts'
import type { Basis, StoredEntry } from './entry.ts'
import { selectedEntries } from './entry-rows.ts'
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

/** Reads the next ended calls in the order in which they ended, all entries of a page at once; what was corrected is
 * left out. */
export const readCalls = (
  connection: Connection,
  { from, to, after, limit, promoted = false, conversations }: CallsAsked,
): readonly CallRow[] => {
  const prices = promoted ? promotedPrices(connection) : []
  if (promoted && prices.length === 0) return []
  const only = [
    ...(promoted ? [{ sql: hasPromotedCharge, values: prices }] : []),
    ...(conversations === undefined ? [] : [{ sql: isOfConversations, values: conversations }]),
  ]
  const lists = only.map(({ values }) => JSON.stringify(values))
  const pairs = connection
    .all(endedCalls(only.map(({ sql }) => sql)), after, from, to, ...lists, limit)
    .map((row) => ({ ended: number(row['sequence']), reserved: number(row['reserved']) }))
  const sequences = JSON.stringify(pairs.flatMap(({ ended, reserved }) => [reserved, ended]))
  const entries = selectedEntries(
    connection,
    'WHERE e.sequence IN (SELECT value FROM json_each(?))',
    sequences,
  )
  const entryOf = new Map(entries.map((entry) => [entry.sequence, entry]))
  return pairs.flatMap(({ ended, reserved }) => {
    const settlement = entryOf.get(ended)
    const reservation = entryOf.get(reserved)
    if (settlement === undefined || !isSettlement(settlement) || reservation?.kind !== 'reserved') return []
    const { call } = reservation
    return [{ call: { ...call, conversation: settlement.conversation ?? call.conversation }, settlement }]
  })
}

/** Reads the next entries of accruals whose stretch of time begins in a period. */
export const readAccrued = (
  connection: Connection,
  { from, to, after, limit, promoted = false }: CallsAsked,
): readonly AccruedRow[] => {
  if (promoted && promotedPrices(connection).length === 0) return []
  return selectedEntries(
    connection,
    `WHERE e.kind = 'accrued' AND e.sequence > ? AND e.from_at >= ? AND e.from_at < ? ORDER BY e.sequence LIMIT ?`,
    ...[after, from, to, limit],
  ).filter((entry) => entry.kind === 'accrued')
}

/** Whether a price names a list price above it. */
export const hasPromotions = (connection: Connection): boolean => promotedPrices(connection).length > 0

/** The ids of prices that name a list price above them. */
const promotedPrices = (connection: Connection): readonly number[] =>
  connection
    .all(`SELECT id, name FROM names WHERE kind = 'price' AND name LIKE '%list%'`)
    .filter((row) => hasListPrice(row['name']))
    .map((row) => number(row['id']))

const isSettlement = (entry: StoredEntry): entry is CallRow['settlement'] =>
  entry.kind === 'settled' || entry.kind === 'adjusted'

const hours = (table: 'charge_hours' | 'call_hours'): string => `
  SELECT h.*, o.name AS owner_name, s.name AS service_name FROM ${table} h
  JOIN names o ON o.id = h.owner JOIN names s ON s.id = h.service
  WHERE h.hour >= ? AND h.hour < ?`

const endedCalls = (only: readonly string[]): string => `
  SELECT e.sequence, r.sequence AS reserved FROM entries e
  JOIN entries r ON r.call_id = e.call_id AND r.kind = 'reserved'
  WHERE e.sequence > ? AND e.kind IN ('settled', 'adjusted') AND r.at >= ? AND r.at < ?
    AND NOT EXISTS (SELECT 1 FROM entries c WHERE c.corrects = e.sequence)
    ${only.map((condition) => `AND ${condition}`).join(' ')}
  ORDER BY e.sequence LIMIT ?`

const hasPromotedCharge = `EXISTS (
  SELECT 1 FROM charges p WHERE p.entry = e.sequence AND p.price IN (SELECT value FROM json_each(?)))`
const isOfConversations = 'coalesce(e.conversation, r.conversation) IN (SELECT value FROM json_each(?))'

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
