import type { IncomingMessage } from 'node:http'
import type { Json } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { createShape, type ShapeBounds } from './body-shape.ts'
import { joined, readChunks } from './held.ts'
import { isMultipart } from './multipart.ts'
import { turn } from './turn.ts'

/** Bounds on the body of a request. */
export type BodyBounds = ShapeBounds & { readonly requestBytesMax: number }

/** Reads a request whole, as bytes, within its bounds. Throws `body_too_large`. */
export const readBody = async (incoming: IncomingMessage, bounds: BodyBounds): Promise<Buffer> => {
  const { requestBytesMax: bytesMax } = bounds
  const shape = isMultipart(incoming.headers['content-type']) ? null : createShape(bounds)
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > bytesMax) throw tooLarge(bytesMax)
  const chunks: Buffer[] = []
  let bytes = 0
  // Who is refused in the middle of a body shall still hear it: it is paused, and no connection closed.
  await readChunks(incoming, (chunk) => {
    bytes += chunk.length
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    shape?.add(chunk)
    chunks.push(chunk)
    return true
  })
  await turn(bytes)
  return joined(chunks, bytes)
}

const tooLarge = (bytesMax: number): OctroiError =>
  new OctroiError(
    'body_too_large',
    `The request body is larger than ${bytesMax} bytes, the cap of this gateway.`,
  )

/** Reads a body as a JSON object. Throws `bad_json`; an empty body is an empty object. */
export const parseBody = async (body: Buffer): Promise<Json> => {
  if (body.length === 0) return {}
  let value: unknown
  try {
    value = await parseLarge(body)
  } catch (error) {
    throw new OctroiError('bad_json', `The request body is not JSON: ${positionOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OctroiError('bad_json', 'The request body must be a JSON object.')
  }
  return value
}

/** Parses JSON; what is large in steps, between which others have their turn. Throws what `JSON.parse` throws. */
export const parseLarge = async (bytes: Buffer): Promise<Json> => {
  const large = bytes.length > oneStepBytesMax
  await turn(bytes.length)
  const text = bytes.toString('utf8')
  if (large) await turn(bytes.length)
  const value: Json = JSON.parse(text)
  if (large) await turn(bytes.length)
  return value
}

/** Decoding and parsing take a millisecond a megabyte each, of plain text, and each leaves a megabyte to clear away. */
const oneStepBytesMax = 200_000

/** Where the text broke, without repeating the text: it may hold what nobody should log. */
const positionOf = (error: unknown): string => {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')
  return position === null ? 'it ends too early.' : `it breaks at byte ${position[1]}.`
}
