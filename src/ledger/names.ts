import type { Connection, SqlValue } from './database.ts'

/** What is stored once and then referred to: owners and services of calls, rows of the price book, books, limits. */
type NameKind = 'owner' | 'service' | 'price' | 'book' | 'limit'

export type NamePart = string | number | null

/** The id of a name, which is made when it is new. */
export const nameId = (connection: Connection, kind: NameKind, parts: readonly NamePart[]): SqlValue => {
  const name = JSON.stringify(parts)
  const known = connection.get('SELECT id FROM names WHERE kind = ? AND name = ?', kind, name)
  const row = known ?? connection.get('INSERT INTO names (kind, name) VALUES (?, ?) RETURNING id', kind, name)
  return row?.['id'] ?? null
}

/** Reads the parts of a name. */
export const nameParts = (column: SqlValue | undefined): readonly NamePart[] =>
  typeof column === 'string' ? JSON.parse(column) : []
