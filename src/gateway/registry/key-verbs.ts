import type { Connection, Row, Verb } from '../../ledger/database.ts'
import { text, whole } from './cells.ts'
import type { Key, StoredKey } from './keys.ts'

const listKeys = (connection: Connection): readonly StoredKey[] => {
  const former = Map.groupBy(connection.all('SELECT * FROM registry_key_former'), (row) => text(row, 'key'))
  return connection
    .all('SELECT * FROM registry_key ORDER BY created_at, id')
    .map((row) => storedOf(row, former.get(text(row, 'id')) ?? []))
}

/** One of them; null where there is no such key. */
const storedKey = (connection: Connection, id: string): StoredKey | null => {
  const row = connection.get('SELECT * FROM registry_key WHERE id = ?', id)
  const former = connection.all('SELECT * FROM registry_key_former WHERE key = ?', id)
  return row === undefined ? null : storedOf(row, former)
}

const storedOf = (row: Row, former: readonly Row[]): StoredKey => ({
  key: keyOf(row),
  hash: text(row, 'hash') ?? '',
  former: former.map((one) => ({
    hash: text(one, 'hash') ?? '',
    validUntil: whole(one, 'valid_until') ?? 0,
  })),
})

const keyOf = (row: Row): Key => ({
  id: text(row, 'id') ?? '',
  name: text(row, 'name'),
  organization: text(row, 'organization'),
  team: text(row, 'team'),
  project: text(row, 'project'),
  environment: text(row, 'environment'),
  models: patterns(text(row, 'models')),
  endpoints: patterns(text(row, 'endpoints')),
  expiresAt: whole(row, 'expires_at'),
  tags: JSON.parse(text(row, 'tags') ?? '{}') as Key['tags'],
  allowUnmetered: whole(row, 'allow_unmetered') === 1,
  onLedgerFailure: onLedgerFailure(text(row, 'spool')),
  createdAt: whole(row, 'created_at') ?? 0,
  revokedAt: whole(row, 'revoked_at'),
})

const onLedgerFailure = (spool: string | null): Key['onLedgerFailure'] =>
  spool === null ? 'refuse' : { spool }

const patterns = (json: string | null): readonly string[] | null =>
  json === null ? null : (JSON.parse(json) as readonly string[])

const createKey = (connection: Connection, { key, hash }: Pick<StoredKey, 'key' | 'hash'>): void => {
  connection.run(
    'INSERT INTO registry_key (id, hash, created_at) VALUES (?, ?, ?)',
    key.id,
    hash,
    key.createdAt,
  )
  updateKey(connection, key)
}

const updateKey = (connection: Connection, key: Key): void => {
  connection.run(
    `UPDATE registry_key SET name = ?, organization = ?, team = ?, project = ?, environment = ?, models = ?,
       endpoints = ?, expires_at = ?, tags = ?, allow_unmetered = ?, spool = ? WHERE id = ?`,
    key.name,
    key.organization,
    key.team,
    key.project,
    key.environment,
    key.models === null ? null : JSON.stringify(key.models),
    key.endpoints === null ? null : JSON.stringify(key.endpoints),
    key.expiresAt,
    JSON.stringify(key.tags),
    key.allowUnmetered ? 1 : 0,
    key.onLedgerFailure === 'refuse' ? null : key.onLedgerFailure.spool,
    key.id,
  )
}

const revokeKey = (connection: Connection, { id, at }: { id: string; at: number }): void => {
  connection.run('UPDATE registry_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL', at, id)
}

/** No secret of a key opens longer than until `until`, but for the new one. */
const rotateKey = (
  connection: Connection,
  { id, hash, until }: { id: string; hash: string; until: number },
): void => {
  connection.run('UPDATE registry_key_former SET valid_until = min(valid_until, ?) WHERE key = ?', until, id)
  connection.run(
    'INSERT INTO registry_key_former (hash, key, valid_until) SELECT hash, id, ? FROM registry_key WHERE id = ?',
    until,
    id,
  )
  connection.run('UPDATE registry_key SET hash = ? WHERE id = ?', hash, id)
}

/** The verbs of keys. */
export const keyVerbs = { listKeys, storedKey, createKey, updateKey, revokeKey, rotateKey } satisfies Record<
  string,
  Verb
>
