import type { ServerResponse } from 'node:http'
import type { Endpoint, Refusal } from '../endpoints/endpoint.ts'
import { openaiRefusal } from '../endpoints/openai-errors.ts'
import { OctroiError } from '../errors.ts'

/** Writes, and waits while the client reads slower than the provider sends. Resolves at once when the client
 * has gone. */
export const write = async (outgoing: ServerResponse, bytes: Buffer | string): Promise<void> => {
  if (outgoing.destroyed || bytes.length === 0 || outgoing.write(bytes)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}

/** Tells a streaming client what happened and destroys the connection, so that nobody takes the stream for
 * whole. Node holds small writes back: the connection lives until this one has left. */
export const breakOff = (outgoing: ServerResponse, last: Buffer | string): void => {
  if (!outgoing.destroyed) outgoing.write(last, () => outgoing.destroy())
}

/** Answers with an error in the shape of the wire. What is not an OctroiError is a fault of Octroi, and its
 * message stays inside. */
export const refuse = (
  outgoing: ServerResponse,
  endpoint: Pick<Endpoint, 'refusal'> | null,
  error: OctroiError,
  headers: Readonly<Record<string, string>> = {},
): void => {
  if (outgoing.destroyed) return
  if (outgoing.headersSent) {
    outgoing.destroy()
    return
  }
  const refusal: Refusal = (endpoint?.refusal ?? openaiRefusal)(error)
  outgoing.writeHead(refusal.status, {
    ...refusal.headers,
    ...rateHeaders(error),
    ...headers,
    'content-length': Buffer.byteLength(refusal.body),
  })
  outgoing.end(refusal.body)
}

/** When to try again, and for requests and tokens how much there is, as OpenAI's headers say it. */
const rateHeaders = ({ code, details }: OctroiError): Readonly<Record<string, string>> => {
  if (code !== 'rate_limited') return {}
  const { measure, cap, free, retryAfterMs } = details
  const kind = measure === 'requests' ? 'requests' : measure === 'tokens' ? 'tokens' : null
  return {
    ...(typeof retryAfterMs === 'number' && {
      'retry-after-ms': String(retryAfterMs),
      'retry-after': String(Math.ceil(retryAfterMs / 1_000)),
    }),
    ...(kind !== null && {
      [`x-ratelimit-limit-${kind}`]: String(cap),
      [`x-ratelimit-remaining-${kind}`]: String(free),
    }),
  }
}

/** Any thrown value as an error with a code. */
export const asOctroiError = (error: unknown): OctroiError =>
  error instanceof OctroiError
    ? error
    : new OctroiError('internal', 'Octroi failed to handle this call. Its log says more.')
