import { text } from './columns.ts'
import type { Connection } from './database.ts'
import type { StoredEntry } from './entry.ts'
import { entriesOfCall, selectedEntries } from './entry-rows.ts'
import { type CallLife, type CallsAsked, isOfCall, type LifeEntry } from './reading.ts'

/** All that the ledger has of one call; null where it has nothing. */
export const readLife = (connection: Connection, callId: string): CallLife | null =>
  lifeOf(entriesOfCall(connection, callId))

/** Reads the next calls in the order in which they were reserved, each with its ends, all entries of a page at once. */
export const readLives = (
  connection: Connection,
  { from, to, after, limit }: Omit<CallsAsked, 'promoted'>,
): readonly CallLife[] => {
  const ids = connection
    .all(
      `SELECT sequence, call_id FROM entries
       WHERE kind = 'reserved' AND sequence > ? AND at >= ? AND at < ? ORDER BY sequence LIMIT ?`,
      ...[after, from, to, limit],
    )
    .map((row) => text(row['call_id']))
  const entriesOf = new Map(ids.map((id) => [id, [] as LifeEntry[]]))
  const entries = selectedEntries(
    connection,
    'WHERE e.call_id IN (SELECT value FROM json_each(?)) ORDER BY e.sequence',
    JSON.stringify(ids),
  )
  for (const entry of entries) {
    if (!isOfCall(entry)) continue
    entriesOf.get(entry.kind === 'reserved' ? entry.call.id : entry.callId)?.push(entry)
  }
  return [...entriesOf.values()].flatMap((of) => lifeOf(of) ?? [])
}

const lifeOf = (entries: readonly StoredEntry[]): CallLife | null => {
  const reserved = entries.find((entry) => entry.kind === 'reserved')
  if (reserved === undefined) return null
  const ends = entries.filter(isOfCall).filter((entry) => entry.kind !== 'reserved')
  return { reserved, ends }
}
