import { errorCodes, type OctroiError } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'

/** The types of Anthropic's errors by status (@anthropic-ai/sdk 1.13.0, `ErrorType`); others are `api_error`. */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** An error as Anthropic shapes it, whole and inside a stream, where its clients want an event of that name. Only
 * an attempt that never reached the vendor invites a retry. */
export const anthropicErrors: Pick<Endpoint, 'refusal' | 'streamFault'> = {
  refusal: (error) => {
    const retry = error.code === 'overloaded' || error.code === 'upstream_unreachable'
    return {
      status: errorCodes[error.code].status,
      headers: { 'content-type': 'application/json', 'x-should-retry': retry ? 'true' : 'false' },
      body: JSON.stringify(shape(error)),
    }
  },
  streamFault: (error) => `event: error\ndata: ${JSON.stringify(shape(error))}\n\n`,
}

const shape = ({ code, message, details }: OctroiError): object => ({
  type: 'error',
  error: { type: types[errorCodes[code].status] ?? 'api_error', message, octroi: { code, ...details } },
  request_id: null,
})
