import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { OctroiError } from '../errors.ts'

/** Who may ask the control plane: whoever is on this machine, or, where there is a token, whoever has it. */
export type Admin = {
  readonly host: string
  /** The operator's own, and one that is made anew at each start, for the commands that read the data folder. */
  readonly tokens: readonly string[]
}

/** Shorter ones could be guessed. */
const tokenLengthMin = 24

/** True for an address that only this machine reaches. */
export const isLoopback = (host: string): boolean => ['127.0.0.1', '::1', 'localhost'].includes(host)

/** Throws `bad_input` when the control plane would be open to others, or its token could be guessed. */
export const refuseOpenControl = (host: string, token: string | null): void => {
  if (token !== null && token.length < tokenLengthMin) {
    throw new OctroiError('bad_input', `The admin token needs at least ${tokenLengthMin} characters.`)
  }
  if (token === null && !isLoopback(host)) {
    throw new OctroiError(
      'bad_input',
      `The control plane may listen on ${host} only with an admin token. Put one into OCTROI_ADMIN_TOKEN.`,
    )
  }
}

/** A page on another site must not reach the control plane through the browser of someone on this machine: on
 * loopback the Host must be it, and a body must be JSON. Throws `not_allowed`, and `missing_key` or `wrong_key` for a token. */
export const permitAdmin = (context: Context, { host, tokens }: Admin): void => {
  const { hostname, pathname } = new URL(context.req.url)
  const named = !isLoopback(host) || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))
  const json =
    context.req.method === 'GET' || (context.req.header('content-type') ?? '').startsWith('application/json')
  if (!named || !json || context.req.header('origin') !== undefined) {
    throw new OctroiError('not_allowed', 'The control plane answers programs of its operator, in JSON, only.')
  }
  if (tokens.length === 0 || open.has(pathname)) return
  const given = /^Bearer (.+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
  if (given === undefined) {
    throw new OctroiError('missing_key', 'The control plane wants its admin token: Authorization: Bearer ...')
  }
  if (!isOneOf(given, tokens)) throw new OctroiError('wrong_key', 'This is not the admin token.')
}

/** What a probe may ask without a token: it tells nothing but life. */
const open = new Set(['/healthz', '/readyz'])

/** Takes as long for every token, right or wrong. */
const isOneOf = (given: string, tokens: readonly string[]): boolean =>
  tokens.map((token) => timingSafeEqual(digest(token), digest(given))).includes(true)

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
