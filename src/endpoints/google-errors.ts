import { errorCodes, type OctroiError } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'

/** Google's names of statuses (google.rpc.Code, as its APIs map them to HTTP); others are `INTERNAL`. 402 has no
 * name of its own: it is what an exhausted quota is called. */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** An error as Google's APIs shape it, whole and inside a stream, where its clients look for it in each chunk. */
export const googleErrors: Pick<Endpoint, 'refusal' | 'streamFault'> = {
  refusal: (error) => ({
    status: errorCodes[error.code].status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(shape(error)),
  }),
  streamFault: (error) => `data: ${JSON.stringify(shape(error))}\n\n`,
}

const shape = ({ code, message, details }: OctroiError): object => {
  const { status } = errorCodes[code]
  return {
    error: { code: status, message, status: statuses[status] ?? 'INTERNAL', octroi: { code, ...details } },
  }
}
