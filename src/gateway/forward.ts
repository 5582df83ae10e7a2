import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { errors, Pool } from 'undici'
import { OctroiError } from '../errors.ts'
import type { Attempt } from '../ledger/entry.ts'
import { type AttemptTimer, timeAttempt } from './attempt.ts'
import type { Caller } from './identify.ts'
import { turn } from './turn.ts'
import type { Upstream } from './upstream.ts'

/** A reply as it begins: the body is still to come. */
export type UpstreamReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Readable
  /** To be told when the first part of the body is read. */
  readonly heard: () => void
  /** How the attempt went until the reply ended, or until now where it goes on. */
  readonly attempt: () => Attempt
}

export type ForwardRequest = {
  readonly upstream: Upstream
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller
  readonly body: Buffer | null
}

/** Sends requests to the configured hosts and nowhere else, over kept connections. Redirects are not
 * followed. Throws `upstream_unreachable` (nothing was sent), `upstream_timeout`, `upstream_broken`. */
export type Forward = {
  readonly send: (request: ForwardRequest) => Promise<UpstreamReply>
  readonly close: () => Promise<void>
}

export type ForwardTimeouts = {
  readonly connectMs: number
  readonly headersMs: number
  readonly bodyMs: number
}

/** As long as the official clients wait: 600 s for a reply to begin, 300 s between its parts. */
export const defaultTimeouts: ForwardTimeouts = { connectMs: 10_000, headersMs: 600_000, bodyMs: 300_000 }

/** Connections to one vendor: as many as calls may be in flight. A call beyond them would wait, held and unseen, for a
 * stream of someone else to end. */
const connectionsMax = 10_000

export const createForward = (timeouts: ForwardTimeouts): Forward => {
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin)
    if (known !== undefined) return known
    const pool = new Pool(origin, {
      connections: connectionsMax,
      connect: { timeout: timeouts.connectMs },
      headersTimeout: timeouts.headersMs,
      bodyTimeout: timeouts.bodyMs,
    })
    pools.set(origin, pool)
    return pool
  }
  const places = new WeakMap<URL, { readonly pool: Pool; readonly base: string }>()
  const placeOf = (url: URL) => {
    const known = places.get(url)
    if (known !== undefined) return known
    const place = { pool: poolOf(url.origin), base: url.pathname.replace(/\/$/, '') }
    places.set(url, place)
    return place
  }
  return {
    send: async (request) => {
      const { upstream, method, path, body } = request
      await turn(body?.length ?? 0)
      const timer = timeAttempt(request.headers)
      try {
        const { pool, base } = placeOf(upstream.baseUrl)
        const reply = await pool.request({
          method: method as 'GET',
          path: base + path,
          headers: requestHeaders(request),
          body,
        })
        if (reply.statusCode >= 300 && reply.statusCode < 400) {
          await reply.body.dump()
          throw new OctroiError(
            'upstream_broken',
            `${upstream.name} redirects, and redirects are not followed.`,
          )
        }
        return replyOf(reply.statusCode, decoded(reply.headers, reply.body), timer)
      } catch (error) {
        throw asOctroiError(error, upstream.name)
      }
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}

/** Headers that belong to one connection, or to Octroi, and are not passed on (RFC 9110, 7.6.1). */
const notForwarded = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'accept-encoding',
  'expect',
  'forwarded',
  'cookie',
  'octroi-key',
  'octroi-tags',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
])

const requestHeaders = ({
  upstream,
  headers,
  caller,
  body,
}: ForwardRequest): Record<string, string | string[]> => {
  const named = namedBy(headers.connection)
  const sent: Record<string, string | string[]> = {}
  for (const name in headers) {
    const value = headers[name]
    if (
      value === undefined ||
      notForwarded.has(name) ||
      named.includes(name) ||
      name.startsWith('x-forwarded-')
    )
      continue
    sent[name] = value
  }
  sent['accept-encoding'] = 'identity'
  if (body !== null && body.length > 0) sent['content-length'] = String(body.length)
  const credential = caller.ownCredential === null ? upstream.credential() : null
  if (caller.ownCredential !== null) Object.assign(sent, caller.ownCredential)
  else if (credential !== null) {
    const { header, prefix } = upstream.provider.authorize
    sent[header] = prefix + credential
  }
  return sent
}

/** The headers that the client names as its connection's own. */
const namedBy = (connection: string | undefined): readonly string[] =>
  connection === undefined || connection === 'keep-alive' ? [] : connection.toLowerCase().split(/\s*,\s*/)

const notReturned = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'trailer',
  'upgrade',
  'proxy-authenticate',
])

/** A reply that is encoded although nobody asked for it is decoded, so that it can be metered. */
const decoded = (raw: IncomingHttpHeaders, body: Readable): Pick<UpstreamReply, 'headers' | 'body'> => {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined && !notReturned.has(name)) headers[name] = value
  }
  const decoder = decoderOf(String(raw['content-encoding'] ?? 'identity'))
  if (decoder === null) return { headers, body }
  delete headers['content-encoding']
  delete headers['content-length']
  body.on('error', (error) => decoder.destroy(error))
  decoder.on('close', () => body.destroy())
  return { headers, body: body.pipe(decoder) }
}

const replyOf = (
  status: number,
  { headers, body }: Pick<UpstreamReply, 'headers' | 'body'>,
  { reads, heard, attempt }: AttemptTimer,
): UpstreamReply => {
  reads(body)
  return { status, headers, body, heard, attempt }
}

const decoderOf = (encoding: string) => {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip()
  if (encoding === 'deflate') return createInflate()
  if (encoding === 'br') return createBrotliDecompress()
  return null
}

/** True when it is certain that a request did not reach the provider: what it would have changed has not changed. */
export const wasNotSent = (error: unknown): boolean =>
  error instanceof OctroiError && (error.code === 'upstream_unreachable' || error.code === 'client_gone')

/** Errors of which it is sure that no byte of the request was sent. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

const asOctroiError = (error: unknown, name: string): OctroiError => {
  if (error instanceof OctroiError) return error
  const code = codeOf(error)
  if (neverSent.has(code)) {
    return new OctroiError('upstream_unreachable', `${name} cannot be reached (${code}). Nothing was sent.`)
  }
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return new OctroiError(
      'upstream_timeout',
      `${name} did not answer in time. The call may have been billed.`,
    )
  }
  return new OctroiError(
    'upstream_broken',
    `${name} broke off before it answered (${code}). The call may have been billed.`,
  )
}

const codeOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code ?? 'unknown'
}
