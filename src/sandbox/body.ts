import type { IncomingMessage } from 'node:http'
import type { Refusals } from './profiles/profile.ts'
import { Refusal } from './refusal.ts'
import { type Exchange, type Fields, isFields, type Upload } from './world.ts'

/** The largest request body that is read, in bytes. */
export const bodyBytesMax = 32 * 2 ** 20

/** Reads a whole body. Null when it is larger than `bodyBytesMax`: what comes beyond that is thrown away, so
 * that a client that is still sending hears the answer, up to as much again; then the connection is cut. */
export const readBody = async (request: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
    else chunks.length = 0
    if (bytes > 2 * bodyBytesMax) {
      request.destroy()
      return null
    }
  }
  return bytes <= bodyBytesMax ? Buffer.concat(chunks, bytes) : null
}

/** Reads a body: JSON, or a form where the route takes one. No body is an empty one. Throws the vendor's
 * refusal of what cannot be read. */
export const parseBody = async (
  body: Buffer<ArrayBuffer>,
  { contentType, form, refusals }: { contentType: string; form: boolean; refusals: Refusals },
): Promise<Pick<Exchange, 'body' | 'uploads'>> => {
  if (form && /^multipart\/form-data\b/i.test(contentType)) return parseForm(body, contentType)
  const uploads = new Map<string, Upload>()
  if (body.length === 0) return { body: {}, uploads }
  const value = parseJson(body)
  if (!isFields(value)) throw refusals.brokenJson()
  return { body: value, uploads }
}

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** More parts than any wire has fields; a form of a million would hold the thread. */
const partsMax = 64

/** Reads a form. Of a field that is there twice, the last counts, as in the vendor's JSON. */
const parseForm = async (
  bytes: Buffer<ArrayBuffer>,
  contentType: string,
): Promise<Pick<Exchange, 'body' | 'uploads'>> => {
  const [, quoted, plain] = /boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined || boundariesIn(bytes, `--${boundary}`) > partsMax + 1) throw brokenForm()
  const form = await new Response(bytes, { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => {
      throw brokenForm()
    })
  const body: [string, unknown][] = []
  const uploads = new Map<string, Upload>()
  for (const [name, value] of form) {
    if (typeof value === 'string') body.push([name, value])
    else
      uploads.set(name, {
        filename: value.name.slice(0, 256),
        bytes: new Uint8Array(await value.arrayBuffer()),
      })
  }
  return { body: Object.fromEntries(body) satisfies Fields, uploads }
}

/** Counted no further than the bound. */
const boundariesIn = (bytes: Buffer, boundary: string): number => {
  let count = 0
  for (let at = bytes.indexOf(boundary); at >= 0 && count <= partsMax + 1; count++) {
    at = bytes.indexOf(boundary, at + boundary.length)
  }
  return count
}

/** In the manner of its neighbours: no published copy was found. */
const brokenForm = (): Refusal =>
  new Refusal(400, `Could not parse multipart form. A form has a boundary and at most ${partsMax} parts.`)
