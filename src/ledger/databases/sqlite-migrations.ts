import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { OctroiError } from '../../errors.ts'
import type { SqliteConnection } from './sqlite-connection.ts'

/** Applies the migrations of a store that the file does not have yet, in order, each whole or not at all.
 * Throws `ledger_unavailable` when the file was written by a newer version, by a changed migration, or, for a
 * reader, by an older version. */
export const migrate = (
  connection: SqliteConnection,
  store: { readonly name: string; readonly migrations: string },
  { file, readOnly }: { readonly file: string; readonly readOnly: boolean },
): void => {
  const folder = new URL(store.migrations)
  const ours = readdirSync(folder)
    .filter((name) => /^\d{3}-[a-z0-9-]+\.sql$/.test(name))
    .sort()
  const applied = new Map(readApplied(connection, store.name))
  const stranger = [...applied.keys()].find((name) => !ours.includes(name))
  if (stranger !== undefined) {
    throw refuse(file, `has the migration "${store.name}/${stranger}" of a newer version`, 'Update Octroi.')
  }
  for (const name of ours) {
    const sql = readFileSync(new URL(name, folder), 'utf8').replaceAll('\r\n', '\n')
    const hash = createHash('sha256').update(sql).digest('hex')
    const before = applied.get(name)
    if (before === hash) continue
    if (before !== undefined) {
      throw refuse(
        file,
        `was made by another text of the migration "${store.name}/${name}"`,
        'Restore that text.',
      )
    }
    if (readOnly) {
      throw refuse(file, `lacks the migration "${store.name}/${name}"`, 'Open it once with octroi serve.')
    }
    apply(connection, { store: store.name, name, hash, sql })
  }
}

const readApplied = (connection: SqliteConnection, store: string): readonly [string, string][] => {
  const table = connection.get(`SELECT 1 FROM sqlite_schema WHERE name = 'octroi_migrations'`)
  if (table === undefined) return []
  return connection
    .all('SELECT name, hash FROM octroi_migrations WHERE store = ?', store)
    .map(({ name, hash }) => [String(name), String(hash)])
}

const apply = (
  connection: SqliteConnection,
  { store, name, hash, sql }: Readonly<Record<'store' | 'name' | 'hash' | 'sql', string>>,
): void => {
  connection.begin()
  try {
    connection.execute(
      `CREATE TABLE IF NOT EXISTS octroi_migrations (
        store TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (store, name)
      ) STRICT`,
    )
    connection.execute(sql)
    connection.run('INSERT INTO octroi_migrations VALUES (?, ?, ?)', store, name, hash)
    connection.commit()
  } catch (error) {
    connection.rollback()
    throw error
  }
}

const refuse = (file: string, what: string, remedy: string): OctroiError =>
  new OctroiError('ledger_unavailable', `The ledger "${file}" ${what}. ${remedy}`, { cause: 'MIGRATION' })
