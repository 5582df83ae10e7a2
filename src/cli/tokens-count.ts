import { countChatPrompt } from '../endpoints/chat-completions.ts'
import { type MediaPart, mediaParts } from '../endpoints/content-parts.ts'
import { OctroiError } from '../errors.ts'
import type { Instant } from '../time.ts'
import { countAudio } from '../tokens/audio.ts'
import { countImage } from '../tokens/image.ts'
import { encodingOf, loadEncoding, tokensAtMost } from '../tokens/text.ts'
import { parseJsonText } from './json-text.ts'
import { soundLength, soundLengths } from './sound-lengths.ts'

/** A count of tokens for people and machines: as expected, how sure it is, and between which numbers it lies; null
 * where nothing is known. */
export type TokenCount = {
  readonly tokens: number | null
  readonly class: string
  readonly rule: string
  readonly low: number
  readonly high: number | null
}

/** Counts a text with the encoding of a model. A model of unknown encoding bounds it by its bytes. */
export const countText = async (text: string, model: string): Promise<TokenCount> => {
  const encoding = encodingOf(model)
  if (encoding === null) {
    const high = tokensAtMost(text)
    const rule = `no encoding is known for ${model}: at most one token a byte`
    return { tokens: null, class: 'bound', rule, low: high === 0 ? 0 : 1, high }
  }
  const { tokens, exact } = (await loadEncoding(encoding)).measure(text)
  const low = exact ? tokens : 0
  return { tokens, class: exact ? 'exact' : 'bound', rule: encoding, low, high: tokens }
}

/** Counts the prompt of a request body of Chat Completions, its images and sounds by the rules of that day. Throws
 * `bad_json`, and `bad_input` where it is no object. */
export const countRequest = async (
  text: string,
  call: { readonly provider: string; readonly model: string; readonly at: Instant },
): Promise<TokenCount> => {
  const { model } = call
  const body = parseJsonText(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new OctroiError('bad_input', 'A request body must be a JSON object with messages.')
  }
  const encoding = encodingOf(model)
  if (encoding === null) {
    const rule = `no encoding is known for ${model}: at most one token a byte`
    return { tokens: null, class: 'unknown', rule, low: 1, high: tokensHeld(text, mediaParts(body, call)) }
  }
  const request = { ...body, model }
  const [counter, lengths] = await Promise.all([loadEncoding(encoding), soundLengths(request)])
  const count = countChatPrompt(request, { ...call, counter, lengths })
  return { tokens: count.tokens, class: count.class, rule: count.rule, low: count.low, high: count.high }
}

/** What is no text counts by its own rule, and not by its bytes. */
const tokensHeld = (text: string, media: readonly MediaPart[]): number | null =>
  media.reduce<number | null>(
    (sum, { high, characters }) => (sum === null || high === null ? null : sum - characters + high),
    tokensAtMost(text),
  )

/** Counts an image written as `1000x1000` or `1000x1000:high`. Throws `bad_input`. */
export const countPicture = (
  size: string,
  { provider, model, at }: { readonly provider: string; readonly model: string; readonly at: Instant },
): TokenCount => {
  const [, width, height, detail] = /^(\d{1,9})x(\d{1,9})(?::([a-z_]{1,40}))?$/i.exec(size) ?? []
  if (width === undefined || height === undefined) {
    throw new OctroiError(
      'bad_input',
      `--image is "${size.slice(0, 60)}". Write its pixels, and how closely it is looked at: 1000x1000:high.`,
    )
  }
  const image = { provider, model, at, ...(detail !== undefined && { detail }) }
  const count = countImage({ ...image, width: Number(width), height: Number(height) })
  const rule = count.refused === undefined ? count.rule : `${count.rule}: refused, ${count.refused}`
  return { tokens: count.tokens, class: count.class, rule, low: count.low, high: count.high }
}

/** Counts a sound by its length, which its bytes tell. Throws `bad_input` where they do not. */
export const countSound = async (
  bytes: Uint8Array,
  call: { readonly provider: string; readonly model: string },
): Promise<TokenCount> => {
  const length = await soundLength(bytes)
  if ('code' in length) throw new OctroiError('bad_input', `${length.message} Give a whole recording.`)
  const count = countAudio({ ...call, direction: 'input', seconds: length.seconds })
  return { tokens: count.tokens, class: count.class, rule: count.rule, low: count.low, high: count.high }
}
