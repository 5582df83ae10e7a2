import type { IncomingMessage } from 'node:http'
import type { Json } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'

/** Reads a request whole, as bytes, up to `bytesMax`. Throws `body_too_large`. */
export const readBody = async (incoming: IncomingMessage, bytesMax: number): Promise<Buffer> => {
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > bytesMax) throw tooLarge(bytesMax)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)
}

const tooLarge = (bytesMax: number): OctroiError =>
  new OctroiError(
    'body_too_large',
    `The request body is larger than ${bytesMax} bytes, the cap of this gateway.`,
  )

/** Reads a body as a JSON object. Throws `bad_json`; an empty body is an empty object. */
export const parseBody = (body: Buffer): Json => {
  if (body.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new OctroiError('bad_json', `The request body is not JSON: ${positionOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OctroiError('bad_json', 'The request body must be a JSON object.')
  }
  return value
}

/** Where the text broke, without repeating the text: it may hold what nobody should log. */
const positionOf = (error: unknown): string => {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')
  return position === null ? 'it ends too early.' : `it breaks at byte ${position[1]}.`
}
