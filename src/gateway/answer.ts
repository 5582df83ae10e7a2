import type { Json } from '../endpoints/json.ts'
import { parseLarge } from './body.ts'
import { measureSound } from './form.ts'

/** A whole reply as its wire reads it: JSON as it is; text as a text; sound as `{sound: {bytes, seconds}}`,
 * measured where `isHeard`. Undefined where it is nothing of these. */
export const readAnswer = async (
  bytes: Buffer,
  { contentType, isHeard }: { contentType: string; isHeard: boolean },
): Promise<Json> => {
  if (/^audio\//i.test(contentType)) {
    const seconds = isHeard ? (await measureSound(bytes)).seconds : null
    return { sound: { bytes: bytes.length, seconds } }
  }
  const value = await parseLarge(bytes).catch(() => undefined)
  const isObject = typeof value === 'object' && value !== null
  return !isObject && /^text\//i.test(contentType) ? bytes.toString('utf8') : value
}
