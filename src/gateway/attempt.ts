import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Attempt } from '../ledger/entry.ts'

/** Times an attempt at a vendor from now on, in monotonic time. `heard` is told of each part of the reply's body as it is
 * read; the first counts. The attempt has lasted until its reply ended, or until now where that goes on. */
export type AttemptTimer = {
  readonly reads: (body: Readable) => void
  readonly heard: () => void
  readonly attempt: () => Attempt
}

export const timeAttempt = (headers: IncomingHttpHeaders): AttemptTimer => {
  const begun = performance.now()
  const since = (): number => Math.round(performance.now() - begun)
  let firstByteMs: number | null = null
  let endedMs: number | null = null
  const ended = (): void => {
    endedMs ??= since()
  }
  return {
    reads: (body) => {
      body.once('end', ended).once('close', ended)
    },
    heard: () => {
      firstByteMs ??= since()
    },
    attempt: () => ({ durationMs: endedMs ?? since(), firstByteMs, retry: retryOf(headers) }),
  }
}

/** How many times the client tried the same before: the clients of OpenAI (openai 7.57.0, `client.js`) and Anthropic
 * (@anthropic-ai/sdk 1.13.0, `client.ts`) say so, read 2026-11-25. Others do not, and nobody is believed beyond 1,000. */
const retryOf = (headers: IncomingHttpHeaders): number => {
  const said = String(headers['x-stainless-retry-count'] ?? '')
  return /^\d{1,9}$/.test(said) ? Math.min(Number(said), retriesMax) : 0
}

const retriesMax = 1_000
