import type { Connection, SqlValue } from './database.ts'

/** What is stored once and then referred to: owners and services of calls, rows of the price book, books, limits,
 * sources of imported lines. */
type NameKind = 'owner' | 'service' | 'price' | 'book' | 'limit' | 'source'

export type NamePart = string | number | null

/** The id of a name, which is made when it is new. */
export const nameId = (connection: Connection, kind: NameKind, parts: readonly NamePart[]): SqlValue => {
  const name = JSON.stringify(parts)
  const known = knownNames(connection)
  const key = kind + name
  const before = known.get(key)
  if (before !== undefined) return before
  const row =
    connection.get('SELECT id FROM names WHERE kind = ? AND name = ?', kind, name) ??
    connection.get('INSERT INTO names (kind, name) VALUES (?, ?) RETURNING id', kind, name)
  const id = row?.['id'] ?? null
  if (known.size >= namesRemembered) known.clear()
  known.set(key, id)
  return id
}

/** Bounds the names that are kept in memory; then the memory begins anew. */
const namesRemembered = 10_000

const remembered = new WeakMap<object, Map<string, SqlValue>>()

const knownNames = (connection: Connection): Map<string, SqlValue> => {
  const memory = connection.memory()
  const known = remembered.get(memory)
  if (known !== undefined) return known
  const names = new Map<string, SqlValue>()
  remembered.set(memory, names)
  return names
}

/** Reads the parts of a name. */
export const nameParts = (column: SqlValue | undefined): readonly NamePart[] =>
  typeof column === 'string' ? JSON.parse(column) : []
