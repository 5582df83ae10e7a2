import { crc32 } from 'node:zlib'
import { readEvent } from '../../endpoints/events.ts'
import { OctroiError } from '../../errors.ts'
import { pieceBytesMax } from '../events.ts'
import type { Piece } from './framing.ts'

/** Cuts a stream of AWS's binary frames (`application/vnd.amazon.eventstream`): a prelude of two lengths with its
 * checksum, headers, a payload, and the checksum of all (AWS, "Event stream encoding", Amazon Lex V2 guide, read
 * 2026-11-25). Nothing is kept for a length before its checksum holds. */
export const createFrameCutter = () => {
  let pending: Buffer[] = []
  let pendingBytes = 0
  /** The bytes of the frame that has begun; null while its prelude is not all there. */
  let frameBytes: number | null = null

  const joinPending = (): Buffer => {
    const all = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending)
    pending = [all]
    return all
  }

  return {
    cut: function* (chunk: Buffer): Generator<Piece> {
      pending.push(chunk)
      pendingBytes += chunk.length
      for (;;) {
        if (frameBytes === null) {
          if (pendingBytes < preludeBytes) break
          frameBytes = readLength(joinPending())
        }
        if (pendingBytes < frameBytes) break
        const all = joinPending()
        const frame = all.subarray(0, frameBytes)
        pending = [all.subarray(frameBytes)]
        pendingBytes -= frameBytes
        frameBytes = null
        yield readFrame(frame)
      }
    },
    rest: (): readonly Piece[] => {
      if (pendingBytes === 0) return []
      throw broken('ended its stream in the middle of a frame')
    },
  }
}

/** The data of an event as the frame of an exception, which clients throw. */
export const faultFrame = (event: string): Buffer =>
  writeFrame(
    {
      ':exception-type': 'internalServerException',
      ':content-type': 'application/json',
      ':message-type': 'exception',
    },
    readEvent(event)?.data ?? '{}',
  )

/** One frame. Its headers are texts. */
export const writeFrame = (headers: Readonly<Record<string, string>>, payload: string): Buffer => {
  const written = Object.entries(headers).flatMap(([name, value]) => {
    const [key, text] = [Buffer.from(name), Buffer.from(value)]
    return [Buffer.of(key.length), key, Buffer.of(textType, text.length >> 8, text.length & 0xff), text]
  })
  const [head, body] = [Buffer.concat(written), Buffer.from(payload)]
  const prelude = Buffer.alloc(8)
  prelude.writeUInt32BE(preludeBytes + head.length + body.length + checksumBytes, 0)
  prelude.writeUInt32BE(head.length, 4)
  const all = Buffer.concat([prelude, checksum(prelude), head, body])
  return Buffer.concat([all, checksum(all)])
}

const checksumBytes = 4
/** Two lengths and their checksum. */
const preludeBytes = 8 + checksumBytes

const checksum = (bytes: Buffer): Buffer => {
  const written = Buffer.alloc(checksumBytes)
  written.writeUInt32BE(crc32(bytes), 0)
  return written
}

const readLength = (bytes: Buffer): number => {
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) throw noChecksum()
  const [length, headerBytes] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)]
  if (length > pieceBytesMax) throw broken('sent a frame that is too long to be metered')
  if (length < preludeBytes + headerBytes + checksumBytes)
    throw broken('sent a frame whose lengths are wrong')
  return length
}

const readFrame = (bytes: Buffer): Piece => {
  const end = bytes.length - checksumBytes
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) throw noChecksum()
  const headersEnd = preludeBytes + bytes.readUInt32BE(4)
  const type = eventType(bytes.subarray(preludeBytes, headersEnd))
  const data = oneLine(bytes.toString('utf8', headersEnd, end))
  return { bytes, event: `event: ${oneLine(type ?? '')}\ndata: ${data}\n\n` }
}

/** The types of headers' values, by their number: how many bytes each has; null where two bytes say it (AWS SDK for C++
 * 1.11.644, `EventHeaderType`). */
const valueBytes: readonly (number | null)[] = [0, 0, 1, 2, 4, 8, null, null, 8, 16]
const textType = 7

/** What a frame is: an event of some type. Null for an exception, and where no header says it. */
const eventType = (headers: Buffer): string | null => {
  let at = 0
  const step = (bytes: number): number => {
    const begin = at
    at += bytes
    if (at > headers.length) throw broken('sent a frame whose headers are cut')
    return begin
  }
  while (at < headers.length) {
    const nameBytes = headers.readUInt8(step(1))
    const name = headers.toString('utf8', step(nameBytes), at)
    const kind = headers.readUInt8(step(1))
    const fixed = valueBytes[kind]
    if (fixed === undefined) throw broken('sent a frame with a header of an unknown type')
    const value = step(fixed ?? headers.readUInt16BE(step(2)))
    if (name === ':event-type' && kind === textType) return headers.toString('utf8', value, at)
  }
  return null
}

const oneLine = (text: string): string => text.replace(/[\r\n]/g, ' ')

const noChecksum = (): OctroiError => broken('sent a frame whose checksum does not hold')

const broken = (what: string): OctroiError =>
  new OctroiError('upstream_broken', `The provider ${what}. It may have been billed.`)
