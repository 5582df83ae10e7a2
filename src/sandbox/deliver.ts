import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Fault } from './faults.ts'
import { bent } from './usage-faults.ts'
import type { Answer, BytesAnswer } from './world.ts'

/** Events of a stream that are sent before a cut, unless the fault says how many. */
const chunksBeforeCut = 3

/** Sends an answer, bent as its fault says. With a `cut` fault it breaks off: the socket is destroyed in the middle. */
export const deliver = async (
  response: ServerResponse,
  meant: Answer,
  fault: Fault | null,
): Promise<void> => {
  const answer = bent(meant, fault)
  const cut = fault?.kind === 'cut' ? fault : null
  if ('json' in answer) {
    const bytes = Buffer.from(JSON.stringify(answer.json, null, 2))
    return sendWhole(response, { bytes, contentType: 'application/json' }, cut !== null)
  }
  if ('bytes' in answer) return sendWhole(response, answer, cut !== null)
  response.writeHead(200, {
    'content-type': answer.contentType ?? 'text/event-stream',
    'cache-control': 'no-cache, must-revalidate',
  })
  let left = cut === null ? Number.POSITIVE_INFINITY : (cut.chunks ?? chunksBeforeCut)
  for await (const event of answer.events) {
    if (response.destroyed) return
    if (left <= 0) {
      await cutOff(response, cut?.inside === true ? event.slice(0, event.length / 2) : '')
      return
    }
    left -= 1
    await written(response, event)
  }
  // A stream with fewer events than the fault lets pass is cut at its end.
  if (cut === null) response.end()
  else await cutOff(response, '')
}

const sendWhole = async (
  response: ServerResponse,
  { bytes, contentType, status = 200 }: BytesAnswer,
  cut: boolean,
): Promise<void> => {
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length })
  if (!cut) {
    response.end(bytes)
    return
  }
  await cutOff(response, bytes.subarray(0, bytes.length / 2))
}

/** Destroys the socket once all that was written has left this process: Node holds small writes back. */
const cutOff = async (response: ServerResponse, last: string | Uint8Array): Promise<void> => {
  const flushed = once(response, 'close')
  response.write(last.length === 0 ? ': cut\n' : last, () => response.destroy())
  await flushed
}

/** Waits for a slow reader; ends as well when it goes. */
const written = async (response: ServerResponse, data: string | Buffer): Promise<void> => {
  if (response.write(data)) return
  const done = new AbortController()
  await Promise.race([
    once(response, 'drain', { signal: done.signal }),
    once(response, 'close', { signal: done.signal }),
  ]).catch(() => undefined)
  done.abort()
}
