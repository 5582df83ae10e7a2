import { errorCodes } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'

/** The names of Bedrock's errors by status (@aws-sdk/client-bedrock-runtime 3.1164.0); others are
 * `InternalServerException`. */
const names: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'AccessDeniedException',
  402: 'ServiceQuotaExceededException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  413: 'ValidationException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
}

/** An error as Bedrock shapes it: its name stands in a header. */
export const awsErrors: Pick<Endpoint, 'refusal' | 'streamFault'> = {
  refusal: ({ code, message, details }) => {
    const { status } = errorCodes[code]
    return {
      status,
      headers: {
        'content-type': 'application/json',
        'x-amzn-errortype': names[status] ?? 'InternalServerException',
      },
      body: JSON.stringify({ message, octroi: { code, ...details } }),
    }
  },
  streamFault: ({ message }) => `data: ${JSON.stringify({ message })}\n\n`,
}
