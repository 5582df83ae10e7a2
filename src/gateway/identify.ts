import type { IncomingHttpHeaders } from 'node:http'
import { OctroiError } from '../errors.ts'
import { isOctroiKey, type Key, type Registry } from './registry/registry.ts'

/** Who calls, and the credential that the vendor shall see. */
export type Caller = {
  /** Null for a call without an Octroi key. */
  readonly key: Key | null
  /** The client's own credential header, passed through; null where Octroi puts the vendor's key. */
  readonly ownCredential: { readonly header: string; readonly value: string } | null
  readonly tags: Readonly<Record<string, string>>
}

/** The headers a key may stand in, in the order they are read. */
const credentialHeaders = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const

/** The one place that reads keys. `octroi-key` leaves the client's own credential alone; an Octroi key in a
 * vendor's header is replaced by the vendor's; without one, the call passes only where `anonymous` allows.
 * Throws `missing_key`, `wrong_key`, `revoked_key`. */
export const identify = (
  headers: IncomingHttpHeaders,
  { registry, anonymous }: { registry: Registry; anonymous: boolean },
): Caller => {
  const tags = parseTags(headers['octroi-tags'])
  const own = ownCredential(headers)
  const apart = headers['octroi-key']
  if (typeof apart === 'string') return { key: keyOf(apart.trim(), registry), ownCredential: own, tags }
  if (own !== null && isOctroiKey(own.secret)) {
    return { key: keyOf(own.secret, registry), ownCredential: null, tags }
  }
  if (anonymous) return { key: null, ownCredential: own, tags }
  throw new OctroiError(
    own === null ? 'missing_key' : 'wrong_key',
    'This gateway takes calls with an Octroi key only. Put it where the vendor key would stand, or into the ' +
      'header octroi-key; create one with: octroi keys create',
  )
}

const ownCredential = (
  headers: IncomingHttpHeaders,
): { header: string; value: string; secret: string } | null => {
  for (const header of credentialHeaders) {
    const value = headers[header]
    if (typeof value === 'string' && value !== '') {
      return { header, value, secret: value.replace(/^Bearer\s+/i, '') }
    }
  }
  return null
}

const keyOf = (secret: string, registry: Registry): Key => {
  const key = registry.findKey(secret)
  if (key === null) {
    throw new OctroiError(
      'wrong_key',
      'This Octroi key is not known here. List the keys with: octroi keys list',
    )
  }
  if (key.revokedAt !== null) {
    throw new OctroiError('revoked_key', `The Octroi key ${key.id} was revoked. Ask for a new one.`, {
      key: key.id,
    })
  }
  return key
}

const tagsMax = 16
const tagPattern = /^\s*([A-Za-z0-9_.-]{1,64})\s*=\s*([^,]{1,128}?)\s*$/

/** Reads `team=search,feature=rerank`. Throws `bad_input` on what is not of that form. */
const parseTags = (header: string | readonly string[] | undefined): Readonly<Record<string, string>> => {
  if (header === undefined || header === '') return {}
  const pairs = String(header).split(',')
  if (pairs.length > tagsMax) {
    throw new OctroiError('bad_input', `octroi-tags has ${pairs.length} tags; at most ${tagsMax} are kept.`)
  }
  return Object.fromEntries(
    pairs.map((pair) => {
      const parts = tagPattern.exec(pair)
      if (parts === null) {
        throw new OctroiError(
          'bad_input',
          `octroi-tags: "${pair.slice(0, 80)}" is not of the form name=value (name: letters, digits, _ . -).`,
        )
      }
      return [parts[1] ?? '', parts[2] ?? '']
    }),
  )
}
