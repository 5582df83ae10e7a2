import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import type { Instant } from '../../time.ts'
import type { Upstream } from '../upstream.ts'
import { masterKeyVariable, type SealedKey, seal, unseal } from './sealed-key.ts'

/** A stored key as it is shown: never more of it than its end. */
export type ShownCredential = { readonly upstream: string; readonly ends: string; readonly setAt: Instant }

/** The vendors' keys that are stored, open in memory. */
export type Credentials = {
  /** The stored key of an upstream; null where there is none. */
  readonly of: (upstream: string) => string | null
  readonly list: () => readonly ShownCredential[]
  /** Takes effect with the next call. Throws `bad_input` without a master key, or where it is no key. */
  readonly set: (upstream: string, key: string, at: Instant) => Promise<void>
  /** Throws `unknown_object` where none is stored. */
  readonly remove: (upstream: string) => Promise<void>
  /** Seals all of them with another master key, in one step. */
  readonly rekey: (master: Uint8Array) => Promise<number>
  /** Reads all of them anew, when another process has changed one. */
  readonly refresh: () => Promise<void>
}

/** Opens the stored keys. Throws `bad_input` where there are some and no master key, or another. */
export const openCredentials = async (
  database: Database,
  master: Uint8Array | null,
): Promise<Credentials> => {
  const read = async () => {
    const stored = await database.call<readonly SealedKey[]>('registry', 'listProviderKeys', null)
    return new Map(
      stored.map((sealed) => [sealed.upstream, { key: unseal(needed(master), sealed), setAt: sealed.setAt }]),
    )
  }
  let keys = await read()
  const put = (sealed: readonly SealedKey[]): Promise<void> =>
    database.call('registry', 'putProviderKeys', sealed)
  return {
    of: (upstream) => keys.get(upstream)?.key ?? null,
    list: () =>
      [...keys].map(([upstream, { key, setAt }]) => ({ upstream, ends: key.slice(-endsShown(key)), setAt })),
    set: async (upstream, written, setAt) => {
      const key = written.trim()
      if (!/^[\x21-\x7e]{8,4096}$/.test(key)) {
        throw new OctroiError(
          'bad_input',
          'A vendor’s key is 8 to 4,096 printable characters without spaces.',
        )
      }
      if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(upstream)) {
        throw new OctroiError('bad_input', `"${upstream.slice(0, 60)}" is no name of a provider.`)
      }
      await put([seal(needed(master), { upstream, key, setAt })])
      keys.set(upstream, { key, setAt })
    },
    remove: async (upstream) => {
      if (!keys.has(upstream)) {
        throw new OctroiError('unknown_object', `No key of "${upstream.slice(0, 60)}" is stored.`)
      }
      await database.call('registry', 'dropProviderKey', upstream)
      keys.delete(upstream)
    },
    rekey: async (next) => {
      await put([...keys].map(([upstream, { key, setAt }]) => seal(next, { upstream, key, setAt })))
      return keys.size
    },
    refresh: async () => {
      keys = await read()
    },
  }
}

/** The same upstreams: where the environment has no key for one, the stored one is taken. */
export const withStored = (upstreams: readonly Upstream[], credentials: Credentials): readonly Upstream[] =>
  upstreams.map((upstream) => ({
    ...upstream,
    credential: () => upstream.credential() ?? credentials.of(upstream.name),
  }))

/** Four characters of a long key say which it is, and nothing of what it is. */
const endsShown = (key: string): number => (key.length >= 20 ? 4 : 1)

const needed = (master: Uint8Array | null): Uint8Array => {
  if (master !== null) return master
  throw new OctroiError(
    'bad_input',
    `Vendors' keys are sealed with the master key in ${masterKeyVariable}, which is not set. Make one with: openssl rand -base64 32`,
  )
}
