import { readEvent } from '../../endpoints/events.ts'
import { OctroiError } from '../../errors.ts'
import { pieceBytesMax } from '../events.ts'
import type { Piece } from './framing.ts'

/** Cuts a stream that is one JSON array into its elements, each with what stands before it. Every byte is looked at
 * once, and what they mean is not: brackets and strings are all that is followed. One object alone is one element. An
 * element that is too long is passed on unread. */
export const createArrayCutter = () => {
  let pending: Buffer[] = []
  let pendingBytes = 0
  /** How many brackets are open; whether the outermost is that of the array. */
  let [depth, isArray] = [0, false]
  let [inString, isEscaped] = [false, false]
  let [isWhole, hasBegun] = [false, false]
  /** Where in what is pending the element begins that is open; null outside of one, and where its beginning has gone. */
  let start: number | null = null

  const take = (last: Buffer): Buffer => {
    const taken = pending.length === 0 ? last : Buffer.concat([...pending, last], pendingBytes + last.length)
    pending = []
    pendingBytes = 0
    return taken
  }

  const element = (last: Buffer): Piece => {
    const bytes = take(last)
    const event = start === null ? '' : eventOf(bytes.subarray(start).toString('utf8'))
    start = null
    hasBegun = true
    return { bytes, event }
  }

  const cut = function* (chunk: Buffer): Generator<Piece> {
    let from = 0
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]
      if (inString) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) inString = false
        continue
      }
      if (byte === quote) inString = true
      else if (byte === openBrace || byte === openBracket) {
        if (isWhole) throw noArray()
        if (depth === 0) isArray = byte === openBracket
        if (depth === (isArray ? 1 : 0) && !(isArray && depth === 0)) start = pendingBytes + at - from
        depth += 1
      } else if (byte === closeBrace || byte === closeBracket) {
        if (depth === 0) throw noArray()
        depth -= 1
        const until = chunk.subarray(from, at + 1)
        if (depth === 0) isWhole = true
        if (depth === 0 && isArray) yield { bytes: take(until), event: '', closes: true }
        else if (depth === (isArray ? 1 : 0)) yield element(until)
        else continue
        from = at + 1
      }
    }
    const rest = chunk.subarray(from)
    if (rest.length > 0) {
      pending.push(rest)
      pendingBytes += rest.length
    }
    if (pendingBytes > pieceBytesMax) {
      start = null
      hasBegun = true
      yield { bytes: take(Buffer.alloc(0)), event: '' }
    }
  }

  return {
    cut,
    /** Nothing but white space may follow the array. */
    rest: (): readonly Piece[] => {
      if (!isWhole || inString) {
        throw new OctroiError(
          'upstream_broken',
          'The provider ended its stream in the middle of an array. It may have been billed.',
        )
      }
      return pendingBytes === 0 ? [] : [{ bytes: take(Buffer.alloc(0)), event: '', closes: true }]
    },
    /** Whether an element has been cut already. */
    hasBegun: (): boolean => hasBegun,
  }
}

/** The data of an event as one more element of an array that is then broken off. */
export const faultElement = (event: string, hasBegun: boolean): string =>
  `${hasBegun ? ',' : '['}${readEvent(event)?.data ?? 'null'}`

const [quote, backslash] = [0x22, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Line ends inside of JSON are white space: none can stand in a string. */
const eventOf = (json: string): string => `data: ${json.replace(/[\r\n]/g, ' ')}\n\n`

const noArray = (): OctroiError =>
  new OctroiError(
    'upstream_broken',
    'The provider sent something else than one array. It may have been billed.',
  )
