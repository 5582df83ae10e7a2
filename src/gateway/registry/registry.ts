import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { ObjectFacts, ObjectKind } from '../../endpoints/endpoint.ts'
import { OctroiError } from '../../errors.ts'
import type { Database, Store } from '../../ledger/database.ts'
import { moduleUrl } from '../../ledger/module-url.ts'
import type { Instant } from '../../time.ts'

/** An Octroi key without its secret: whom its calls belong to. */
export type Key = {
  readonly id: string
  readonly name: string | null
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  readonly createdAt: Instant
  readonly revokedAt: Instant | null
}

export type KeyOwner = Pick<Key, 'name' | 'organization' | 'team' | 'project' | 'environment'>

/** An object at the vendor and who owns it: a key's id, or null for calls without a key. */
export type OwnedObject = {
  readonly upstream: string
  readonly owner: string | null
  /** The call that a run is billed to. */
  readonly callId: string | null
  readonly facts: ObjectFacts
}

export type ObjectName = { readonly upstream: string; readonly kind: ObjectKind; readonly id: string }

/** Keys and owned objects: durable, and held in memory as far as calls need them. */
export type Registry = {
  /** The secret is in the answer and nowhere else. */
  readonly createKey: (owner: KeyOwner, at: Instant) => Promise<{ secret: string; key: Key }>
  readonly listKeys: () => readonly Key[]
  /** Throws `unknown_object` when there is no such key. */
  readonly revokeKey: (id: string, at: Instant) => Promise<Key>
  /** The key of a secret, revoked or not; null when it is not known here. */
  readonly findKey: (secret: string) => Key | null
  readonly object: (name: ObjectName) => Promise<OwnedObject | null>
  readonly remember: (objects: readonly OwnedObject[]) => Promise<void>
  /** Adds to the bound of an object's size, also when several do so at once; null makes it unknown. */
  readonly grow: (name: ObjectName, by: number | null) => Promise<void>
  /** A keyed pseudonym: the same for the same text, and not to be turned back without the pepper. */
  readonly pseudonym: (text: string) => string
}

export const registryStore: Store = {
  name: 'registry',
  migrations: new URL('./migrations/', import.meta.url),
  module: moduleUrl('./verbs.ts', import.meta.url),
}

const keyPrefix = 'oct_'

/** True for what looks like an Octroi key. */
export const isOctroiKey = (secret: string): boolean => secret.startsWith(keyPrefix)

/** Objects kept in memory; older ones are read again from the disk. */
const cachedObjectsMax = 50_000

/** Opens the registry. `pepper` keys the hashes: without it a stolen file names no key and no end user. */
export const openRegistry = async (database: Database, pepper: Uint8Array): Promise<Registry> => {
  const pepperKey = createSecretKey(pepper)
  const keyed = (text: string): string => createHmac('sha256', pepperKey).update(text).digest('hex')
  const listed = await database.call<readonly (Key & { hash: string })[]>('registry', 'listKeys', null)
  const keys = new Map<string, Key>(listed.map(({ hash, ...key }) => [hash, key]))
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
    createKey: async (owner, at) => {
      const secret = keyPrefix + randomBytes(32).toString('base64url')
      const key: Key = {
        ...owner,
        id: `key_${randomBytes(8).toString('hex')}`,
        createdAt: at,
        revokedAt: null,
      }
      await database.call('registry', 'createKey', { ...key, hash: keyed(secret) })
      keys.set(keyed(secret), key)
      return { secret, key }
    },
    listKeys: () => [...keys.values()],
    revokeKey: async (id, at) => {
      const found = [...keys].find(([, key]) => key.id === id)
      if (found === undefined) {
        throw new OctroiError(
          'unknown_object',
          `There is no key "${id.slice(0, 40)}". List them with: octroi keys list`,
        )
      }
      const [hash, key] = found
      const revoked = { ...key, revokedAt: key.revokedAt ?? at }
      keys.set(hash, revoked)
      await database.call('registry', 'revokeKey', { id, at })
      return revoked
    },
    findKey: (secret) => keys.get(keyed(secret)) ?? null,
    object: find,
    grow: async (name, by) => {
      const found = await find(name)
      if (found === null || found.facts.tokensMost === null) return
      const tokensMost = by === null ? null : found.facts.tokensMost + by
      cache({ ...found, facts: { ...found.facts, tokensMost } })
      await database.call('registry', 'grow', { ...name, by })
    },
    remember: async (remembered) => {
      for (const object of remembered) cache(object)
      await database.call('registry', 'remember', remembered)
    },
    pseudonym: (text) => keyed(`end user ${text}`).slice(0, 24),
  }
}

const nameOf = (upstream: string, kind: ObjectKind, id: string): string => `${upstream}\n${kind}\n${id}`
