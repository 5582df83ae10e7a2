import type { IncomingMessage } from 'node:http'
import type { Face } from '../face.ts'
import { Refusal } from '../refusal.ts'

/** Google on its part of the paths: its key in a header or the query, its errors. */
export const googleFace = ({ keys }: { readonly keys: ReadonlySet<string> | null }): Face => ({
  prefix: '/google/',
  headers: () => ({ 'server-timing': 'gfet4t7; dur=0' }),
  checkKey: (request, { query }) => checkKey(request, query, keys),
  unknownUrl: () => new Refusal(404, 'Requested entity was not found.'),
  brokenJson: () => wrong('Invalid JSON payload received. Unexpected token.'),
  ofStatus: (status) => new Refusal(status, messages[status] ?? 'The sandbox was told to answer so.'),
  body: ({ status, message }) => ({
    error: { code: status, message, status: statuses[status] ?? 'UNKNOWN' },
  }),
})

/** A refusal of what cannot be used: 400, `INVALID_ARGUMENT`. */
export const wrong = (message: string): Refusal => new Refusal(400, message)

/** The texts of a missing and of a wrong key, as clients' issues repeat them. */
const checkKey = (
  request: IncomingMessage,
  query: URLSearchParams,
  keys: ReadonlySet<string> | null,
): void => {
  const key = request.headers['x-goog-api-key'] ?? query.get('key')
  if (typeof key !== 'string' || key === '') {
    throw new Refusal(
      403,
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    )
  }
  if (keys !== null && !keys.has(key)) throw wrong('API key not valid. Please pass a valid API key.')
}

const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const messages: Readonly<Record<number, string>> = {
  429: 'You exceeded your current quota, please check your plan and billing details.',
  500: 'An internal error has occurred. Please retry.',
  503: 'The model is overloaded. Please try again later.',
}
