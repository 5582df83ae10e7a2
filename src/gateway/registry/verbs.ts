import type { Connection, Row, Verb } from '../../ledger/database.ts'
import type { Key, OwnedObject } from './registry.ts'

const text = (row: Row, name: string): string | null => {
  const value = row[name]
  return value === null || value === undefined ? null : String(value)
}

const whole = (row: Row, name: string): number | null => {
  const value = row[name]
  return value === null || value === undefined ? null : Number(value)
}

const listKeys = (connection: Connection): readonly (Key & { hash: string })[] =>
  connection.all('SELECT * FROM registry_key ORDER BY created_at, id').map((row) => ({
    id: text(row, 'id') ?? '',
    hash: text(row, 'hash') ?? '',
    name: text(row, 'name'),
    organization: text(row, 'organization'),
    team: text(row, 'team'),
    project: text(row, 'project'),
    environment: text(row, 'environment'),
    createdAt: whole(row, 'created_at') ?? 0,
    revokedAt: whole(row, 'revoked_at'),
  }))

const createKey = (connection: Connection, { hash, ...key }: Key & { hash: string }): void => {
  connection.run(
    'INSERT INTO registry_key (id, hash, name, organization, team, project, environment, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    key.id,
    hash,
    key.name,
    key.organization,
    key.team,
    key.project,
    key.environment,
    key.createdAt,
  )
}

const revokeKey = (connection: Connection, { id, at }: { id: string; at: number }): void => {
  connection.run('UPDATE registry_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL', at, id)
}

type ObjectName = { upstream: string; kind: string; id: string }

const object = (connection: Connection, { upstream, kind, id }: ObjectName): OwnedObject | null => {
  const row = connection.get(
    'SELECT * FROM registry_object WHERE upstream = ? AND kind = ? AND id = ?',
    upstream,
    kind,
    id,
  )
  if (row === undefined) return null
  return {
    upstream,
    owner: text(row, 'owner'),
    callId: text(row, 'call_id'),
    facts: {
      kind: kind as OwnedObject['facts']['kind'],
      id,
      parent: text(row, 'parent'),
      model: text(row, 'model'),
      tokensMost: whole(row, 'tokens_most'),
      tools: whole(row, 'tools') === 1,
    },
  }
}

/** The first owner of an object stays its owner; later writes only refresh what is known of it. */
const remember = (connection: Connection, objects: readonly OwnedObject[]): void => {
  for (const { upstream, owner, callId, facts } of objects) {
    connection.run(
      `INSERT INTO registry_object (upstream, kind, id, owner, parent, model, tokens_most, tools, call_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET model = excluded.model, tokens_most = excluded.tokens_most,
         tools = excluded.tools, call_id = coalesce(call_id, excluded.call_id)`,
      upstream,
      facts.kind,
      facts.id,
      owner,
      facts.parent,
      facts.model,
      facts.tokensMost,
      facts.tools ? 1 : 0,
      callId,
    )
  }
}

/** Adds to what is known of an object's size. What is not known stays so; "by" null makes it unknown. */
const grow = (
  connection: Connection,
  { upstream, kind, id, by }: ObjectName & { by: number | null },
): void => {
  connection.run(
    'UPDATE registry_object SET tokens_most = tokens_most + ? WHERE upstream = ? AND kind = ? AND id = ?',
    by,
    upstream,
    kind,
    id,
  )
}

/** The verbs of the registry's store. */
export const verbs = { listKeys, createKey, revokeKey, object, remember, grow } satisfies Record<string, Verb>
