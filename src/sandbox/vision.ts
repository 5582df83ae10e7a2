import { bytesOfDataUrl } from '../tokens/data-url.ts'
import { sizeOfImage } from '../tokens/image-size.ts'
import { randomFrom } from './random.ts'
import { Refusal } from './refusal.ts'
import { type Fields, isFields } from './world.ts'

/** Whether a part of a message is an image as GPT-4 Vision read it: `{type: 'image_url', image_url}`, where the
 * latter is a URL or `{url, detail}`. */
export const isImagePart = (part: Fields): boolean => {
  const known = Object.keys(part).every((name) => name === 'type' || name === 'image_url')
  return known && part['type'] === 'image_url' && imageOf(part) !== null
}

/** The tokens of every image in messages that were checked, by the tiles of November 2023: 85, and in high detail
 * 170 for each tile of 512 pixels, after fitting into a square of 2,048 and shrinking the short side to 768,
 * rounded down; never enlarged. `auto` is high. Throws the vendor's refusal of what is no image. */
export const imageTokens = (messages: readonly Fields[]): number =>
  partsOf(messages)
    .map(imageOf)
    .filter((image) => image !== null)
    .reduce((sum, image) => sum + tokensOf(image), 0)

/** The messages with their texts alone. */
export const withoutImages = (messages: readonly Fields[]): readonly Fields[] =>
  messages.map((message) => {
    const content = message['content']
    if (!Array.isArray(content)) return message
    return { ...message, content: content.filter((part) => !isFields(part) || imageOf(part) === null) }
  })

type Image = { readonly url: string; readonly detail: 'low' | 'high' | 'auto' }

const partsOf = (messages: readonly Fields[]): readonly Fields[] =>
  messages
    .flatMap(({ content }): readonly unknown[] => (Array.isArray(content) ? content : []))
    .filter(isFields)

const imageOf = (part: Fields): Image | null => {
  const given = part['image_url']
  const image = isFields(given) ? given : { url: given }
  const { url, detail = 'auto' } = image
  if (typeof url !== 'string' || (detail !== 'low' && detail !== 'high' && detail !== 'auto')) return null
  return { url, detail }
}

const tokensOf = ({ url, detail }: Image): number => {
  const size = sizeOf(url)
  return detail === 'low' ? 85 : 85 + 170 * tilesOf(size)
}

const tilesOf = (size: { width: number; height: number }): number => {
  let [long, short] = [Math.max(size.width, size.height), Math.min(size.width, size.height)]
  if (long > 2048) [long, short] = [2048, Math.floor((short * 2048) / long)]
  if (short > 768) [long, short] = [Math.floor((long * 768) / short), 768]
  return Math.ceil(long / 512) * Math.max(1, Math.ceil(short / 512))
}

/** The largest image: "We restrict image uploads to 20MB per image" (vision guide, copies of that winter). */
const imageBytesMax = 20 * 2 ** 20

const formats = /^data:image\/(png|jpe?g|gif|webp)[;,]/i

/** What is in the request is measured. What is behind a link is not fetched: its size comes from the link itself, so
 * that the same link has the same size, a multiple of 64 pixels from 256 to 2,048.
 * The refusal: GPTDiscord issue 443, 2023-12-07. */
export const sizeOf = (url: string): { width: number; height: number } => {
  if (/^https?:\/\/./i.test(url)) {
    const random = randomFrom('linked image', url)
    const side = (): number => 64 * random.whole({ least: 4, most: 32 })
    return { width: side(), height: side() }
  }
  const data = formats.test(url) ? bytesOfDataUrl(url, imageBytesMax) : 'not_a_data_url'
  const size = typeof data !== 'string' && data.whole ? sizeOfImage(data.bytes) : null
  if (size === null || 'code' in size) throw new Refusal(400, 'Invalid image.')
  return size
}
