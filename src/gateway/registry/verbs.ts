import type { Connection, Verb } from '../../ledger/database.ts'
import { alertVerbs } from './alert-verbs.ts'
import { text, whole } from './cells.ts'
import { endUserVerbs } from './end-user-verbs.ts'
import { keptVerbs } from './kept-verbs.ts'
import { keyVerbs } from './key-verbs.ts'
import { providerKeyVerbs } from './provider-key-verbs.ts'
import type { NamedObject, OwnedObject } from './registry.ts'
import { storeVerbs } from './store-verbs.ts'
import { watchVerbs } from './watch-verbs.ts'

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
      bytes: whole(row, 'bytes'),
      tokensAgain: whole(row, 'tokens_again'),
    },
  }
}

/** The objects of an upstream among some ids, of whatever kind, and whose they are. */
const among = (
  connection: Connection,
  { upstream, ids }: { upstream: string; ids: readonly string[] },
): readonly NamedObject[] => {
  const kinds = connection.all('SELECT DISTINCT kind FROM registry_object WHERE upstream = ?', upstream)
  return ids.flatMap((id) =>
    kinds.flatMap(({ kind }) =>
      connection
        .all(
          'SELECT kind, owner FROM registry_object WHERE upstream = ? AND kind = ? AND id = ?',
          upstream,
          String(kind),
          id,
        )
        .map((row) => ({
          upstream,
          kind: String(kind) as NamedObject['kind'],
          id,
          owner: text(row, 'owner'),
        })),
    ),
  )
}

/** The first owner of an object stays its owner; later writes only refresh what is known of it. */
const remember = (connection: Connection, objects: readonly OwnedObject[]): void => {
  for (const { upstream, owner, callId, facts } of objects) {
    connection.run(
      `INSERT INTO registry_object (upstream, kind, id, owner, parent, model, tokens_most, tools, call_id, bytes,
         tokens_again)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET model = excluded.model, tokens_most = excluded.tokens_most,
         tools = excluded.tools, call_id = coalesce(call_id, excluded.call_id),
         bytes = coalesce(excluded.bytes, bytes), tokens_again = excluded.tokens_again`,
      upstream,
      facts.kind,
      facts.id,
      owner,
      facts.parent,
      facts.model,
      facts.tokensMost,
      facts.tools ? 1 : 0,
      callId,
      facts.bytes ?? null,
      facts.tokensAgain ?? null,
    )
  }
}

/** Adds to what is known of an object's size. What is not known stays so; "by" null makes it unknown. */
const grow = (
  connection: Connection,
  { upstream, kind, id, by, model }: ObjectName & { by: number | null; model: string | null },
): void => {
  connection.run(
    `UPDATE registry_object SET tokens_most = tokens_most + ?, model = coalesce(?, model)
     WHERE upstream = ? AND kind = ? AND id = ?`,
    by,
    model,
    upstream,
    kind,
    id,
  )
}

/** The verbs of the registry's store. */
export const verbs = {
  ...keyVerbs,
  ...endUserVerbs,
  object,
  among,
  remember,
  grow,
  ...watchVerbs,
  ...keptVerbs,
  ...storeVerbs,
  ...alertVerbs,
  ...providerKeyVerbs,
} satisfies Record<string, Verb>
