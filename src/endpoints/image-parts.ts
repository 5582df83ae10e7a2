import { countImage, imageAtMost, type ShownImage } from '../tokens/image.ts'
import { sizeOfImage } from '../tokens/image-size.ts'
import { type Json, listOf, member, textOf } from './json.ts'

/** What the images of a request can add to its input: `tokens` at most, and the `bytes` of their addresses,
 * which are no text. */
export type ImageParts = { readonly tokens: number; readonly bytes: number }

/** Bounds the images among the parts of chat messages: by their size where they come as a data URL, else by the
 * most that the model makes of any image, for an address is never fetched. Null where a part is neither text
 * nor an image, or no rule bounds one. */
export const imageParts = (request: Json, shown: Omit<ShownImage, 'detail'>): ImageParts | null => {
  let [tokens, bytes] = [0, 0]
  for (const message of listOf(member(request, 'messages'))) {
    for (const part of listOf(member(message, 'content'))) {
      if (textOf(member(part, 'text')) !== null) continue
      const image = member(part, 'image_url')
      const url = textOf(member(image, 'url'))
      if (member(part, 'type') !== 'image_url' || url === null) return null
      const most = tokensAtMost(url, { ...shown, ...detailOf(image) })
      if (most === null) return null
      tokens += most
      bytes += url.length
    }
  }
  return { tokens, bytes }
}

const detailOf = (image: Json): Pick<ShownImage, 'detail'> => {
  const detail = textOf(member(image, 'detail'))
  return detail === null ? {} : { detail }
}

/** An image whose size cannot be read, or that the vendor would refuse, is bounded like one that is not seen. */
const tokensAtMost = (url: string, shown: ShownImage): number | null => {
  const size = url.startsWith('data:') ? sizeOfImage(url) : null
  if (size === null || 'code' in size) return imageAtMost(shown)
  const { high, refused } = countImage({ ...shown, ...size })
  return refused === undefined ? high : imageAtMost(shown)
}
