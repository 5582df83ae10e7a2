import { type ErrorCode, errorCodes, type OctroiError } from '../errors.ts'
import type { Refusal } from './endpoint.ts'

/** The `type` and `code` OpenAI's clients know for what happened; else the code is Octroi's own. */
const vendorTerms: Partial<Record<ErrorCode, { type: string; code: string }>> = {
  budget_exceeded: { type: 'insufficient_quota', code: 'insufficient_quota' },
  rate_limited: { type: 'requests', code: 'rate_limit_exceeded' },
  missing_key: { type: 'invalid_request_error', code: 'invalid_api_key' },
  wrong_key: { type: 'invalid_request_error', code: 'invalid_api_key' },
  revoked_key: { type: 'invalid_request_error', code: 'invalid_api_key' },
  expired_key: { type: 'invalid_request_error', code: 'invalid_api_key' },
}

const shape = (error: OctroiError): { readonly error: object } => {
  const status = errorCodes[error.code].status
  const terms = vendorTerms[error.code] ?? {
    type: status >= 500 ? 'server_error' : 'invalid_request_error',
    code: error.code,
  }
  return {
    error: {
      message: error.message,
      type: terms.type,
      param: null,
      code: terms.code,
      octroi: { code: error.code, ...error.details },
    },
  }
}

/** A rate limit that time alone makes room in. */
const isRetryable = ({ code, details }: OctroiError): boolean =>
  code === 'rate_limited' && typeof details['retryAfterMs'] === 'number'

/** An error as OpenAI's wires shape it. Only an attempt that never reached the vendor invites a retry. */
export const openaiRefusal = (error: OctroiError): Refusal => {
  const { status } = errorCodes[error.code]
  const retry = error.code === 'overloaded' || error.code === 'upstream_unreachable' || isRetryable(error)
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-should-retry': retry ? 'true' : 'false' },
    body: JSON.stringify(shape(error)),
  }
}

/** An error inside a stream of data-only events; official clients raise it. */
export const openaiStreamFault = (error: OctroiError): string => `data: ${JSON.stringify(shape(error))}\n\n`

/** An error inside a stream of Responses, in both manners that clients know: its members at the top of the event
 * (openai 7.57.0, `ResponseErrorEvent`), and as one object. */
export const responseStreamFault = (error: OctroiError): string => {
  const shown = shape(error)
  return `event: error\ndata: ${JSON.stringify({ ...shown.error, type: 'error', sequence_number: 0, ...shown })}\n\n`
}
