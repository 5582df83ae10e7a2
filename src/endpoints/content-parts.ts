import { countAudio } from '../tokens/audio.ts'
import { secondsHeld } from '../tokens/audio-held.ts'
import { countImage, imageAtMost, type ShownImage } from '../tokens/image.ts'
import { sizeOfImage } from '../tokens/image-size.ts'
import { type PartCount, textOfPart } from '../tokens/prompt-count.ts'
import { type Json, listOf, member, textOf } from './json.ts'

/** Whose model is shown the parts, and when. `lengths`: the seconds of sounds, by their base64, where they were
 * measured. `bytesEach`: how much of an image is looked at, and a quarter of it of a sound. */
type Shown = Omit<ShownImage, 'detail'> & {
  readonly lengths?: ReadonlyMap<string, number>
  readonly bytesEach?: number
}

/** A part of a message that is not text: the tokens it has, of sound or of what is billed as text, and the
 * characters of the request that stand for it and are no text. */
export type MediaPart = PartCount & { readonly isSound: boolean; readonly characters: number }

/** The parts of chat messages that are not text. An image is bounded by its size where it comes as a data URL,
 * else by the most that the model makes of any image, for an address is never fetched; a sound by the time its
 * bytes can last. `high` is null where no rule bounds a part: a document, a file or a sound the vendor keeps.
 * Others wait meanwhile, so that no more is looked at than takes a few milliseconds. */
export const mediaParts = (request: Json, shown: Shown): readonly MediaPart[] => {
  const parts: Json[] = []
  const found: MediaPart[] = []
  for (const message of listOf(member(request, 'messages'))) {
    const content = member(message, 'content')
    for (const part of listOf(content)) if (textOfPart(part) === null) parts.push(part)
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) found.push(unknownPart)
    if ((member(message, 'audio') ?? null) !== null) found.push(keptSound)
  }
  if (parts.length > partsMax) return [tooMany]
  const bytesEach = Math.min(mebibyte, Math.floor((lookedMebibytes * mebibyte) / parts.length))
  for (const part of parts) found.push(mediaPart(part, { bytesEach, ...shown }) ?? unknownPart)
  return found
}

/** How many are looked at, and how much of all of them together. */
const partsMax = 4096
const mebibyte = 1024 * 1024
const lookedMebibytes = 4

/** The sounds among the parts of chat messages, in base64, for whoever measures their lengths. */
export const soundsOf = (request: Json): readonly string[] =>
  listOf(member(request, 'messages'))
    .flatMap((message) => listOf(member(message, 'content')))
    .flatMap((part) => soundOf(part) ?? [])

/** One part; null where it is text. */
export const mediaPart = (part: Json, shown: Shown): MediaPart | null => {
  if (textOfPart(part) !== null) return null
  const type = textOf(member(part, 'type'))
  if (type === 'image_url') return imagePart(member(part, 'image_url'), shown)
  if (type === 'input_audio') return soundPart(soundOf(part), shown)
  return type === 'file' ? documentPart : unknownPart
}

const unbounded = { low: 0, tokens: 0, high: null, isSound: false, characters: 0 }
const unknownPart: MediaPart = { ...unbounded, what: 'a part that is not text' }
const documentPart: MediaPart = { ...unbounded, what: 'a document, whose text has no bound' }
const unruledImage: MediaPart = { ...unbounded, what: 'an image of a model without a rule for images' }
const unreadSound: MediaPart = { ...unbounded, isSound: true, what: 'a sound of unknown length' }
const unruledSound: MediaPart = { ...unreadSound, what: 'a sound of a model without a rule for sounds' }
const tooMany: MediaPart = { ...unreadSound, what: 'more parts that are not text than are looked at' }
const keptSound: MediaPart = { ...unreadSound, what: 'a sound kept by the vendor' }

const imagePart = (image: Json, shown: Shown): MediaPart => {
  const url = textOf(member(image, 'url'))
  if (url === null) return unknownPart
  const detail = textOf(member(image, 'detail'))
  const count = imageCount(url, detail === null ? shown : { ...shown, detail })
  return count === null ? unruledImage : { ...count, isSound: false, characters: url.length }
}

/** An image whose size cannot be read, or that the vendor would refuse, is counted like one that is not seen. */
const imageCount = (url: string, shown: Shown & ShownImage): PartCount | null => {
  const size = url.startsWith('data:') ? sizeOfImage(url, shown.bytesEach) : null
  if (size !== null && 'width' in size) {
    const { tokens, low, high, refused } = countImage({ ...shown, ...size })
    if (high === null) return null
    if (refused === undefined) return { low, tokens: tokens ?? high, high }
  }
  const most = imageAtMost(shown)
  const what =
    size === null ? 'an unseen image at its dearest' : 'an image that cannot be read, at its dearest'
  return most === null ? null : { low: 0, tokens: most, high: most, what }
}

/** Every byte of a sound is decoded, where an image is mostly passed over. */
const soundShare = 4

const soundOf = (part: Json): string | null => textOf(member(member(part, 'input_audio'), 'data'))

/** What a sound has at most follows from its bytes; a length that was measured only says what to expect, for
 * whoever made the sound wrote it. */
const soundPart = (data: string | null, { provider, model, lengths, bytesEach }: Shown): MediaPart => {
  if (data === null) return unreadSound
  const tokensOf = (seconds: number) => countAudio({ provider, model, direction: 'input', seconds })
  if (tokensOf(0).high === null) return unruledSound
  const held = secondsHeld(data, bytesEach === undefined ? undefined : Math.floor(bytesEach / soundShare))
  const measured = lengths?.get(data)
  const expected = tokensOf(measured ?? held?.most ?? 0).tokens ?? 0
  if (held === null) return { ...unreadSound, tokens: expected }
  const [{ low }, high] = [tokensOf(held.least), tokensOf(held.most).high ?? 0]
  const isKnown = held.least > 0 || measured !== undefined
  const what = isKnown ? 'sounds by their length' : 'a sound of unknown length at its longest'
  const tokens = Math.min(Math.max(expected, low), high)
  return { low, tokens, high, isSound: true, characters: data.length, what }
}
