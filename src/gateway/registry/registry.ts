import { createHmac, createSecretKey } from 'node:crypto'
import type { ObjectFacts, ObjectKind } from '../../endpoints/objects.ts'
import type { Database, Store } from '../../ledger/database.ts'
import { moduleUrl } from '../../ledger/module-url.ts'
import { type EndUsers, openEndUsers } from './end-users.ts'
import type { KeptObject, KeptPlace } from './kept.ts'
import { type Keys, openKeys } from './keys.ts'
import type { KeptStore } from './store-verbs.ts'

/** An object at the vendor and who owns it: a key's id, or null for calls without a key. */
export type OwnedObject = {
  readonly upstream: string
  readonly owner: string | null
  /** The call that a run or a job is billed to. */
  readonly callId: string | null
  readonly facts: ObjectFacts
}

export type ObjectName = { readonly upstream: string; readonly kind: ObjectKind; readonly id: string }

/** An object that is known, and its owner. */
export type NamedObject = ObjectName & { readonly owner: string | null }

/** Keys and owned objects: durable, and held in memory as far as calls need them. */
export type Registry = Keys &
  EndUsers & {
    readonly object: (name: ObjectName) => Promise<OwnedObject | null>
    /** The objects among some ids, of whatever kind, and whose they are. */
    readonly among: (upstream: string, ids: readonly string[]) => Promise<readonly NamedObject[]>
    readonly remember: (objects: readonly OwnedObject[]) => Promise<void>
    /** Adds to the bound of an object's size, also when several do so at once; null makes it unknown. `model`: by whose
     * encoding it was counted, where it was. */
    readonly grow: (name: ObjectName, by: number | null, model?: string) => Promise<void>
    /** Keeps a run or a job among those to ask after, until it is let go. Both are idempotent. */
    readonly watch: (later: WatchedLater) => Promise<void>
    readonly unwatch: (later: Pick<WatchedLater, 'upstream' | 'path'>) => Promise<void>
    readonly watched: () => Promise<readonly WatchedLater[]>
    /** Notes that an object is kept. Idempotent. */
    readonly keep: (kept: KeptObject) => Promise<void>
    readonly kept: (place: KeptPlace) => Promise<readonly KeptObject[]>
    /** Those of a place that nothing else keeps: what ends when the place is released. */
    readonly onlyKept: (place: KeptPlace) => Promise<readonly Omit<KeptObject, 'source'>[]>
    readonly release: (place: KeptPlace) => Promise<void>
    /** Notes a vector store, or what has become of it. Its first owner stays its owner. */
    readonly putStore: (store: KeptStore) => Promise<void>
    readonly dropStore: (store: Pick<KeptStore, 'upstream' | 'id'>) => Promise<void>
    /** Vector stores, in the order in which they were first noted. */
    readonly stores: () => Promise<readonly KeptStore[]>
  }

/** A run or a job that goes on at the vendor, where it is asked after, and the call it is billed to. `beta`: the
 * header its calls carry. `answerMost`: the room that the thread of a run keeps for its answer, in tokens. */
export type WatchedLater = {
  readonly upstream: string
  readonly path: string
  readonly thread: string | null
  readonly callId: string
  readonly beta: string | null
  readonly answerMost: number | null
}

export const registryStore: Store = {
  name: 'registry',
  migrations: new URL('./migrations/', import.meta.url),
  module: moduleUrl('./verbs.ts', import.meta.url),
}

/** Objects kept in memory; older ones are read again from the disk. */
const cachedObjectsMax = 50_000

/** Hashes under a pepper. */
export const keyedBy = (pepper: Uint8Array): ((text: string) => string) => {
  const pepperKey = createSecretKey(pepper)
  return (text) => createHmac('sha256', pepperKey).update(text).digest('hex')
}

/** Opens the registry. `pepper` keys the hashes: without it a stolen file names no key and no end user. */
export const openRegistry = async (database: Database, pepper: Uint8Array): Promise<Registry> => {
  const keyed = keyedBy(pepper)
  const keys = await openKeys(database, keyed)
  const objects = new Map<string, OwnedObject>()

  const cache = (object: OwnedObject): void => {
    const name = nameOf(object.upstream, object.facts.kind, object.facts.id)
    objects.delete(name)
    objects.set(name, object)
    const oldest = objects.size > cachedObjectsMax ? objects.keys().next().value : undefined
    if (oldest !== undefined) objects.delete(oldest)
  }

  const find = async ({ upstream, kind, id }: ObjectName): Promise<OwnedObject | null> => {
    const known = objects.get(nameOf(upstream, kind, id))
    if (known !== undefined) return known
    const read = await database.call<OwnedObject | null>('registry', 'object', { upstream, kind, id })
    const meanwhile = objects.get(nameOf(upstream, kind, id))
    if (meanwhile === undefined && read !== null) cache(read)
    return meanwhile ?? read
  }

  return {
    ...keys,
    ...openEndUsers(database, keyed),
    object: find,
    among: async (upstream, ids) =>
      ids.length === 0 ? [] : database.call('registry', 'among', { upstream, ids }),
    grow: async (name, by, model) => {
      const found = await find(name)
      if (found === null || found.facts.tokensMost === null) return
      const tokensMost = by === null ? null : found.facts.tokensMost + by
      cache({ ...found, facts: { ...found.facts, tokensMost, model: model ?? found.facts.model } })
      await database.call('registry', 'grow', { ...name, by, model: model ?? null })
    },
    watch: (later) => database.call('registry', 'watch', later),
    unwatch: (later) => database.call('registry', 'unwatch', later),
    watched: () => database.call('registry', 'watched', null),
    keep: (kept) => database.call('registry', 'keep', kept),
    kept: (place) => database.call('registry', 'kept', place),
    onlyKept: (place) => database.call('registry', 'onlyKept', place),
    release: (place) => database.call('registry', 'release', place),
    putStore: (store) => database.call('registry', 'putStore', store),
    dropStore: (store) => database.call('registry', 'dropStore', store),
    stores: () => database.call('registry', 'stores', null),
    remember: async (remembered) => {
      for (const object of remembered) cache(object)
      await database.call('registry', 'remember', remembered)
    },
  }
}

const nameOf = (upstream: string, kind: ObjectKind, id: string): string => `${upstream}\n${kind}\n${id}`
