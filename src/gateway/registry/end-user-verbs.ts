import type { Connection, Verb } from '../../ledger/database.ts'
import { text } from './cells.ts'

/** The pseudonym that stands under a hash; `fresh` becomes it where none does. */
const nameEndUser = (connection: Connection, { hash, fresh }: { hash: string; fresh: string }): string => {
  const found = findEndUser(connection, hash)
  if (found !== null) return found
  connection.run('INSERT INTO registry_end_user (hash, pseudonym) VALUES (?, ?)', hash, fresh)
  return fresh
}

const findEndUser = (connection: Connection, hash: string): string | null => {
  const row = connection.get('SELECT pseudonym FROM registry_end_user WHERE hash = ?', hash)
  return row === undefined ? null : text(row, 'pseudonym')
}

/** Deletes what leads from a name to its pseudonym, and overwrites it in the file. True where there was something. */
const forgetEndUser = (connection: Connection, hash: string): boolean => {
  connection.all('PRAGMA secure_delete = ON')
  const { changes } = connection.run('DELETE FROM registry_end_user WHERE hash = ?', hash)
  connection.all('PRAGMA secure_delete = OFF')
  return changes > 0
}

/** The verbs of end users. */
export const endUserVerbs = { nameEndUser, findEndUser, forgetEndUser } satisfies Record<string, Verb>
