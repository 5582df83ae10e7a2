import type { IncomingHttpHeaders } from 'node:http'
import { OctroiError } from '../errors.ts'
import type { Authorization } from '../providers/provider.ts'
import type { Instant } from '../time.ts'
import { isOctroiKey, type Key, type Keys } from './registry/keys.ts'

/** Who calls, and the credential that the vendor shall see. */
export type Caller = {
  /** Null for a call without an Octroi key. */
  readonly key: Key | null
  /** The client's own credential, passed through in the headers it came in; null where Octroi puts the vendor's key. */
  readonly ownCredential: Readonly<Record<string, string>> | null
  readonly tags: Readonly<Record<string, string>>
}

/** The headers a key may stand in, in the order they are read. */
const credentialHeaders = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const

/** What of a request may hold a key. `authorize`: how the vendor it goes to takes one; null where it goes nowhere. */
type Asked = {
  readonly headers: IncomingHttpHeaders
  readonly url: string
  readonly authorize: Authorization | null
}

/** The one place that reads keys. `octroi-key` leaves the client's own credential alone; an Octroi key in a
 * vendor's header or its query is replaced by the vendor's; without one, the call passes only where `anonymous`
 * allows. No Octroi key is ever a credential that the vendor sees. Throws `missing_key`, `wrong_key`, `revoked_key`,
 * `expired_key`. */
export const identify = (
  asked: Asked,
  { registry, anonymous, at }: { registry: Pick<Keys, 'findKey'>; anonymous: boolean; at: Instant },
): Caller => {
  const { headers } = asked
  const tags = parseTags(headers['octroi-tags'])
  const found = credentials(asked)
  const octroi = found.find(({ secret }) => isOctroiKey(secret))
  const kept = found.filter(({ secret }) => !isOctroiKey(secret)).map(({ header, value }) => [header, value])
  const own = kept.length === 0 ? null : Object.fromEntries(kept)
  const apart = headers['octroi-key']
  if (typeof apart === 'string')
    return { key: keyOf(apart.trim(), { registry, at }), ownCredential: own, tags }
  if (octroi !== undefined) return { key: keyOf(octroi.secret, { registry, at }), ownCredential: null, tags }
  if (anonymous) return { key: null, ownCredential: own, tags }
  throw new OctroiError(
    own === null ? 'missing_key' : 'wrong_key',
    'This gateway takes calls with an Octroi key only. Put it where the vendor key would stand, or into the ' +
      'header octroi-key; create one with: octroi keys create',
  )
}

/** A path without the keys in its query: those that are read there, and an Octroi key under whatever name. All
 * other bytes stay as they came. */
export const withoutKeys = (path: string, authorize: Authorization | null): string => {
  const [pathname = '', ...rest] = path.split('?')
  if (rest.length === 0) return path
  const kept = rest
    .join('?')
    .split('&')
    .filter((pair) => {
      const { name, value } = queryPair(pair)
      return !isOctroiKey(value) && !(name === keyQuery && takesKeyInQuery(authorize))
    })
  return kept.length === 0 ? pathname : `${pathname}?${kept.join('&')}`
}

type Credential = { readonly header: string; readonly value: string; readonly secret: string }

const credentials = ({ headers, url, authorize }: Asked): readonly Credential[] => {
  const inHeaders = credentialHeaders.flatMap((header) => {
    const value = headers[header]
    return typeof value === 'string' && value !== ''
      ? [{ header, value, secret: value.replace(/^Bearer\s+/i, '') }]
      : []
  })
  if (authorize === null || !takesKeyInQuery(authorize)) return inHeaders
  const inQuery = (url.split('?')[1] ?? '')
    .split('&')
    .map(queryPair)
    .filter(({ name, value }) => name === keyQuery && value !== '')
  return [
    ...inHeaders,
    ...inQuery.map(({ value }) => ({
      header: authorize.header,
      value: authorize.prefix + value,
      secret: value,
    })),
  ]
}

/** Google takes a key in the query as well (its API reference). It is passed on in the header instead, where no
 * log of addresses has it. */
const keyQuery = 'key'
const takesKeyInQuery = (authorize: Authorization | null): boolean => authorize?.header === 'x-goog-api-key'

const queryPair = (pair: string): { readonly name: string; readonly value: string } => {
  const [[name, value] = ['', '']] = new URLSearchParams(pair)
  return { name, value }
}

const keyOf = (secret: string, { registry, at }: { registry: Pick<Keys, 'findKey'>; at: Instant }): Key => {
  const key = registry.findKey(secret, at)
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
  if (key.expiresAt !== null && at >= key.expiresAt) {
    throw new OctroiError('expired_key', `The Octroi key ${key.id} has expired. Ask for a new one.`, {
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
