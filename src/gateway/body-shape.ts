import { OctroiError } from '../errors.ts'

/** Bounds on the shape of a JSON body, whatever its size: what takes long to parse is not its bytes. */
export type ShapeBounds = {
  /** Values in it: members, elements, objects and arrays. Those of 100,000 names, no two alike, take 45 ms. */
  readonly requestValuesMax: number
  /** Backslashes in its strings. Two million take 15 ms beside the text they stand in. */
  readonly requestEscapesMax: number
  /** Objects and arrays inside one another: a schema has two for each of its levels. */
  readonly requestDepthMax: number
}

/** Looks at a JSON body as its bytes arrive, so that one which would hold up everyone is refused before it is
 * parsed. `add` throws `body_too_large`. Bytes that are no JSON pass, or are refused for what they look like. */
export const createShape = (bounds: ShapeBounds): { add: (bytes: Buffer) => void } => {
  const { requestValuesMax, requestEscapesMax, requestDepthMax } = bounds
  let [values, escapes, depth] = [0, 0, 0]
  let place: Place = 'between'
  /** The next backslash of these bytes, wherever the string ends that is read: it is looked for once, not once a string. */
  let backslashAt = -1

  /** Where the string goes on after what was read of it, or past the end. */
  const readString = (bytes: Buffer, from: number): number => {
    let at = from
    let closing = -1
    while (at < bytes.length) {
      if (closing < at) closing = found(bytes, quote, at)
      if (backslashAt < at) backslashAt = found(bytes, backslash, at)
      if (closing < backslashAt) {
        place = 'between'
        return closing + 1
      }
      if (backslashAt === bytes.length) return backslashAt
      escapes += 1
      at = backslashAt + 2
    }
    if (at > bytes.length) place = 'escaped'
    return at
  }

  const readBetween = (bytes: Buffer, from: number): number => {
    for (let at = from; at < bytes.length; at++) {
      switch (bytes[at]) {
        case quote:
          place = 'string'
          return at + 1
        case comma:
          values += 1
          break
        case openBrace:
        case openBracket:
          values += 1
          depth += 1
          if (depth > requestDepthMax) throw tooDeep(requestDepthMax)
          break
        case closeBrace:
        case closeBracket:
          depth -= 1
      }
    }
    return bytes.length
  }

  return {
    add: (bytes) => {
      let at = 0
      backslashAt = -1
      if (place === 'escaped' && bytes.length > 0) {
        place = 'string'
        at = 1
      }
      while (at < bytes.length) at = place === 'string' ? readString(bytes, at) : readBetween(bytes, at)
      if (values > requestValuesMax) throw tooMany('values', requestValuesMax)
      if (escapes > requestEscapesMax) throw tooMany('escaped characters', requestEscapesMax)
    },
  }
}

/** Where the next byte is; `escaped` is the one after a backslash. */
type Place = 'between' | 'string' | 'escaped'

/** The first place of a byte, or the end. */
const found = (bytes: Buffer, byte: number, from: number): number => {
  const at = bytes.indexOf(byte, from)
  return at === -1 ? bytes.length : at
}

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

const tooMany = (what: string, most: number): OctroiError =>
  new OctroiError(
    'body_too_large',
    `The request body has more than ${most} ${what}, the cap of this gateway. Split it, or send less.`,
  )

const tooDeep = (most: number): OctroiError =>
  new OctroiError(
    'body_too_large',
    `The request body is nested more than ${most} levels deep, the cap of this gateway. Make it flatter.`,
  )
