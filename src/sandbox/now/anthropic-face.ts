import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../time.ts'
import type { Face } from '../face.ts'
import { Refusal } from '../refusal.ts'

/** Anthropic on its part of the paths: its key and version headers, its errors, the header of its rate limits. */
export const anthropicFace = ({
  clock,
  keys,
  adminKeys,
}: {
  readonly clock: Clock
  readonly keys: ReadonlySet<string> | null
  readonly adminKeys: ReadonlySet<string> | null
}): Face => ({
  prefix: '/anthropic/',
  headers: (requestId) => ({ 'request-id': idOf(requestId), ...limitHeaders(clock) }),
  checkKey: (request, { admin }) =>
    checkKey(request, (key) =>
      admin ? (adminKeys?.has(key) ?? key.startsWith('sk-ant-admin')) : keys === null || keys.has(key),
    ),
  unknownUrl: () => new Refusal(404, 'Not found', { type: 'not_found_error' }),
  brokenJson: () =>
    invalid('The request body is not valid JSON: unexpected character: line 1 column 1 (char 0)'),
  ofStatus: (status, { code }) =>
    code === 'insufficient_quota'
      ? invalid(
          'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
        )
      : new Refusal(status, messages[status] ?? 'The sandbox was told to answer so.'),
  body: (refusal, requestId) => ({
    type: 'error',
    error: { type: typeOf(refusal), message: refusal.message },
    request_id: idOf(requestId),
  }),
})

/** A refusal of what cannot be used: 400, `invalid_request_error`. */
export const invalid = (message: string): Refusal => new Refusal(400, message)

/** weval-org/app issue, 2026-06-11, has an id of today. */
const idOf = (requestId: string): string => `req_011C${requestId.slice(0, 20)}`

/** The headers and their texts: the vendor's page on errors, and the SDK's tests. */
const checkKey = (request: IncomingMessage, accepts: (key: string) => boolean): void => {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  const key = request.headers['x-api-key'] ?? bearer
  if (typeof key !== 'string' || key === '') throw new Refusal(401, 'x-api-key header is required')
  if (!accepts(key)) throw new Refusal(401, 'invalid x-api-key')
  if (request.headers['anthropic-version'] === undefined) {
    throw invalid('anthropic-version: header is required')
  }
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const typeOf = ({ status }: Refusal): string =>
  types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')

const messages: Readonly<Record<number, string>> = {
  429: "This request would exceed your organization's rate limit. Please try again later.",
  500: 'Internal server error',
  529: 'Overloaded',
}

/** No limit is played: what is told is a wide one that nothing draws on. */
const limitHeaders = (clock: Clock): Readonly<Record<string, string>> => {
  const reset = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  const limits = { requests: 4000, tokens: 4_800_000, 'input-tokens': 4_000_000, 'output-tokens': 800_000 }
  return Object.fromEntries(
    Object.entries(limits).flatMap(([name, limit]) => [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(limit)],
      [`anthropic-ratelimit-${name}-reset`, reset],
    ]),
  )
}
