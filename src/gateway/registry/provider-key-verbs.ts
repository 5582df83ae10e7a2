import type { Connection, Verb } from '../../ledger/database.ts'
import type { SealedKey } from '../credentials/sealed-key.ts'
import { text, whole } from './cells.ts'

const putProviderKeys = (connection: Connection, keys: readonly SealedKey[]): void => {
  for (const { upstream, nonce, sealed, setAt } of keys) {
    connection.run(
      `INSERT INTO registry_provider_key VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed, set_at = excluded.set_at`,
      ...[upstream, nonce, sealed, setAt],
    )
  }
}

const dropProviderKey = (connection: Connection, upstream: string): void => {
  connection.run('DELETE FROM registry_provider_key WHERE upstream = ?', upstream)
}

const listProviderKeys = (connection: Connection): readonly SealedKey[] =>
  connection.all('SELECT * FROM registry_provider_key ORDER BY upstream').map((row) => ({
    upstream: text(row, 'upstream') ?? '',
    nonce: bytes(row['nonce']),
    sealed: bytes(row['sealed']),
    setAt: whole(row, 'set_at') ?? 0,
  }))

const bytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array())

/** The verbs of vendors' keys. */
export const providerKeyVerbs = {
  putProviderKeys,
  dropProviderKey,
  listProviderKeys,
} satisfies Record<string, Verb>
