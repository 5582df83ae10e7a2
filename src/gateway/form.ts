import { parseWebStream } from 'music-metadata'
import type { FormFile, Route } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { durationOf } from '../tokens/audio-duration.ts'
import { parseBody } from './body.ts'
import { type FormPart, isMultipart, readParts } from './multipart.ts'

/** Reads the body of a request as the wire of its route reads it, by its content type: JSON, or a form where
 * the route takes one. Throws `bad_json`, `bad_input`. */
export const parseRequest = async (
  body: Buffer,
  contentType: string | undefined,
  route: Route,
): Promise<Json> => {
  if (!isMultipart(contentType)) return parseBody(body)
  if (route.form !== undefined) return parseForm(body, { contentType, form: route.form })
  throw new OctroiError(
    'bad_input',
    `${route.method} ${route.path} takes JSON, not ${contentType.slice(0, 40)}.`,
  )
}

const fieldBytesMax = 1_000_000

/** Reads a form as the JSON that the wire of its route reads: fields as texts, files as what is known of them;
 * names that end in `[]` are lists. The sounds that are billed by their length are measured. Throws
 * `bad_input`, also where a field is there twice: nobody knows which one the vendor takes. */
const parseForm = async (
  body: Buffer,
  { contentType, form }: { contentType: string; form: NonNullable<Route['form']> },
): Promise<Json> => {
  const values = new Map<string, Json>()
  for (const part of await readParts(body, contentType)) {
    const isListed = part.name.endsWith('[]')
    const name = isListed ? part.name.slice(0, -2) : part.name
    const known = values.get(name)
    if (known !== undefined && !(isListed && Array.isArray(known))) {
      throw new OctroiError('bad_input', `The form has the field "${name.slice(0, 100)}" twice.`)
    }
    const value = await readPart(part, form.sounds.includes(name))
    values.set(name, isListed ? [...((known as Json[] | undefined) ?? []), value] : value)
  }
  return Object.fromEntries(values)
}

const readPart = async ({ name, filename, type, bytes }: FormPart, isSound: boolean): Promise<Json> => {
  if (filename !== null) {
    const length = isSound ? await measureSound(bytes) : unknownLength
    return { filename, type, bytes: bytes.length, ...length } satisfies FormFile
  }
  if (bytes.length > fieldBytesMax) {
    throw new OctroiError(
      'bad_input',
      `The field "${name.slice(0, 100)}" of the form has ${bytes.length} bytes; at most ${fieldBytesMax} are taken.`,
    )
  }
  return bytes.toString('utf8')
}

type Length = Pick<FormFile, 'seconds' | 'secondsAtMost'>

const unknownLength: Length = { seconds: null, secondsAtMost: null }

/** The lowest bitrate of Opus, the thriftiest coding in use (RFC 6716, 2.1.1). */
const leastBitsASecond = 6_000

const measureMsMax = 2_000

/** The length of a sound, read in small pieces between which others run. A recording that does not say its
 * length, as browsers make them, is as long as its bytes plausibly can be. */
export const measureSound = async (sound: Uint8Array): Promise<Length> => {
  const deadline = performance.now() + measureMsMax
  const pace = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (performance.now() > deadline) throw new Error('the sound takes too long to read')
  }
  const found = await durationOf(sound, { parse: parseWebStream, pace })
  if (!('code' in found)) return found
  if (found.code === 'unreadable') return unknownLength
  return { seconds: null, secondsAtMost: (sound.length * 8) / leastBitsASecond }
}
