import { hash as digestOf, randomBytes } from 'node:crypto'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import type { Instant } from '../../time.ts'

/** Whom the calls of a key belong to. */
export type KeyOwner = {
  readonly name: string | null
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
}

/** What a key may do. Patterns are names, or beginnings of names with a `*` at their end; null is everything. */
export type KeyRights = {
  readonly models: readonly string[] | null
  readonly endpoints: readonly string[] | null
  /** The first instant at which it opens nothing. */
  readonly expiresAt: Instant | null
  /** Stand on each of its calls; the client's tags of the same names do not. */
  readonly tags: Readonly<Record<string, string>>
  /** It may use paths that no wire has: what they cost nobody here can say. */
  readonly allowUnmetered: boolean
  /** What becomes of its calls while the ledger cannot be written: they are refused, or wait in the spool up to an
   * amount of USD, as a decimal. */
  readonly onLedgerFailure: 'refuse' | { readonly spool: string }
}

/** An Octroi key without its secret: whom its calls belong to, and what it may do. */
export type Key = KeyOwner &
  KeyRights & {
    readonly id: string
    readonly createdAt: Instant
    readonly revokedAt: Instant | null
  }

/** A key as it is stored, and the hashes of the secrets that open it. */
export type StoredKey = {
  readonly key: Key
  readonly hash: string
  readonly former: readonly { readonly hash: string; readonly validUntil: Instant }[]
}

/** Keys: durable, and held in memory. Each verb on an id throws `unknown_object` when there is no such key. */
export type Keys = {
  /** The secret is in the answer and nowhere else. A key without rights of its own may do everything
   * that is metered. */
  readonly createKey: (
    owner: KeyOwner & Partial<KeyRights>,
    at: Instant,
  ) => Promise<{ secret: string; key: Key }>
  readonly listKeys: () => readonly Key[]
  readonly revokeKey: (id: string, at: Instant) => Promise<Key>
  /** Changes what is named, and leaves the rest. */
  readonly updateKey: (id: string, changes: Partial<KeyOwner & KeyRights>) => Promise<Key>
  /** Gives a key another secret; those it had open for `graceMs` more, and not longer. */
  readonly rotateKey: (
    id: string,
    rotation: { readonly at: Instant; readonly graceMs: number },
  ) => Promise<{ secret: string; key: Key }>
  /** The key of a secret, revoked and expired ones too; null when it opens none at this instant. */
  readonly findKey: (secret: string, at: Instant) => Key | null
  /** Reads a key anew that another process has made or changed. */
  readonly refreshKey: (id: string) => Promise<void>
}

const keyPrefix = 'oct_'

/** Bounds the secrets whose keyed hash is remembered. */
const digestsMax = 10_000

/** True for what looks like an Octroi key. */
export const isOctroiKey = (secret: string): boolean => secret.startsWith(keyPrefix)

/** True when one of the patterns fits a name, or there are none. */
export const isAllowed = (patterns: readonly string[] | null, name: string): boolean =>
  patterns === null ||
  patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )

/** Opens the keys of a registry; `keyed` hashes a secret. */
export const openKeys = async (database: Database, keyed: (text: string) => string): Promise<Keys> => {
  const call = <Result>(verb: string, argument: unknown): Promise<Result> =>
    database.call('registry', verb, argument)
  const stored = await call<readonly StoredKey[]>('listKeys', null)
  const keys = new Map<string, Key>(stored.map(({ key }) => [key.id, key]))
  const secrets = new Map<string, { readonly id: string; readonly until: Instant | null }>()
  const putSecrets = ({ key, hash, former }: StoredKey): void => {
    secrets.set(hash, { id: key.id, until: null })
    for (const { hash, validUntil } of former) secrets.set(hash, { id: key.id, until: validUntil })
  }
  for (const each of stored) putSecrets(each)

  // A keyed hash costs five times a plain one: that of a secret that opened a key is looked up by its digest.
  const digests = new Map<string, string>()

  const get = (id: string): Key => {
    const key = keys.get(id)
    if (key !== undefined) return key
    throw new OctroiError(
      'unknown_object',
      `There is no key "${id.slice(0, 40)}". List them with: octroi keys list`,
    )
  }

  return {
    createKey: async (owner, at) => {
      const secret = newSecret()
      const key: Key = {
        ...unbounded,
        ...owner,
        id: `key_${randomBytes(8).toString('hex')}`,
        createdAt: at,
        revokedAt: null,
      }
      await call('createKey', { key, hash: keyed(secret) })
      keys.set(key.id, key)
      secrets.set(keyed(secret), { id: key.id, until: null })
      return { secret, key }
    },
    listKeys: () => [...keys.values()],
    revokeKey: async (id, at) => {
      const key = get(id)
      const revoked = { ...key, revokedAt: key.revokedAt ?? at }
      keys.set(id, revoked)
      await call('revokeKey', { id, at })
      return revoked
    },
    updateKey: async (id, changes) => {
      const changed = { ...get(id), ...changes }
      await call('updateKey', changed)
      const now = { ...get(id), ...changes }
      keys.set(id, now)
      return now
    },
    rotateKey: async (id, { at, graceMs }) => {
      get(id)
      const secret = newSecret()
      const until = at + graceMs
      await call('rotateKey', { id, hash: keyed(secret), until })
      for (const [hash, known] of secrets) {
        if (known.id === id) secrets.set(hash, { id, until: Math.min(known.until ?? until, until) })
      }
      secrets.set(keyed(secret), { id, until: null })
      return { secret, key: get(id) }
    },
    findKey: (secret, at) => {
      const digest = digestOf('sha256', secret, 'base64')
      const stored = digests.get(digest) ?? keyed(secret)
      const found = secrets.get(stored)
      if (found !== undefined && digests.size < digestsMax) digests.set(digest, stored)
      if (found === undefined || (found.until !== null && at >= found.until)) return null
      return keys.get(found.id) ?? null
    },
    refreshKey: async (id) => {
      const found = await call<StoredKey | null>('storedKey', id)
      if (found === null) return
      keys.set(id, found.key)
      putSecrets(found)
    },
  }
}

const unbounded: KeyRights = {
  models: null,
  endpoints: null,
  expiresAt: null,
  tags: {},
  allowUnmetered: false,
  onLedgerFailure: 'refuse',
}

const newSecret = (): string => keyPrefix + randomBytes(32).toString('base64url')
