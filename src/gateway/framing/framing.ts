import type { ReplyWire } from '../../endpoints/endpoint.ts'
import { createEventCutter } from '../events.ts'
import type { UpstreamReply } from '../forward.ts'
import { createFrameCutter, faultFrame } from './aws-frames.ts'
import { createArrayCutter, faultElement } from './json-array.ts'

/** A part of a stream: its bytes as they came, and what they say, written as the server-sent event that wires read.
 * `closes`: with it the stream is whole; a client must not get it where the reply has not come to its end. */
export type Piece = { readonly bytes: Buffer; readonly event: string; readonly closes?: true }

/** How a stream is cut into what its wire calls events. Every byte is in one piece, and only once. */
export type Framing = {
  /** Throws `upstream_broken` for what cannot be cut, after all pieces before it. */
  readonly cut: (chunk: Buffer) => Iterable<Piece>
  /** What stands behind the last piece when the connection ends. Throws `upstream_broken` in the middle of one. */
  readonly rest: () => readonly Piece[]
  /** An event that tells of a fault, in the manner of the stream, to follow what was cut so far. */
  readonly fault: (event: string) => Buffer | string
}

/** The framing of a streamed reply; null where it is no stream. */
export const framingOf = (
  { headers }: Pick<UpstreamReply, 'headers'>,
  wire: Pick<ReplyWire, 'streamsArrays'>,
): Framing | null => {
  const type = String(headers['content-type'] ?? '')
  if (type.startsWith('text/event-stream')) return eventFraming()
  if (type.startsWith('application/vnd.amazon.eventstream'))
    return { ...createFrameCutter(), fault: faultFrame }
  if (wire.streamsArrays !== true || !type.startsWith('application/json')) return null
  const cutter = createArrayCutter()
  return { ...cutter, fault: (event) => faultElement(event, cutter.hasBegun()) }
}

/** Some servers leave out the blank line behind the last event. */
const eventFraming = (): Framing => {
  const cutter = createEventCutter()
  const piece = (bytes: Buffer): Piece => ({ bytes, event: bytes.toString('utf8') })
  return {
    cut: (chunk) => cutter.cut(chunk).map(piece),
    rest: () => {
      const rest = cutter.rest()
      return rest.length === 0 ? [] : [piece(rest)]
    },
    fault: (event) => event,
  }
}
