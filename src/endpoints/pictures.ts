import { wholeOf } from './form-values.ts'
import { type Json, listOf, member, textOf } from './json.ts'

/** What fixes the price of a picture that is billed by the piece. */
export type Picture = { readonly size: string; readonly quality: string | null }

/** The pictures of the models that are billed by the piece, cheapest first; the first quality, and for both
 * models 1024x1024, hold where the request says nothing or `auto` (API reference of November 2023). */
const byThePiece: Readonly<Record<string, { sizes: readonly string[]; qualities: readonly string[] }>> = {
  'dall-e-2': { sizes: ['256x256', '512x512', '1024x1024'], qualities: ['standard'] },
  'dall-e-3': { sizes: ['1024x1024', '1024x1792', '1792x1024'], qualities: ['standard', 'hd'] },
}

/** True for a model of which each picture has a price. */
export const isByThePiece = (model: string): boolean => Object.hasOwn(byThePiece, model)

/** What a request asks for, as it is priced before it is sent: a size or quality that the model does not have
 * counts as its dearest. */
export const pictureAsked = (request: Json, model: string, defaults: Picture): Picture => {
  const { size, quality } = pictureOf(request, defaults)
  const known = byThePiece[model]
  if (known === undefined) return { size, quality }
  return {
    size: known.sizes.includes(size) ? size : (known.sizes.at(-1) ?? size),
    quality:
      quality === null || known.qualities.includes(quality) ? quality : (known.qualities.at(-1) ?? quality),
  }
}

/** What a request asks for, in its own words. */
export const pictureOf = (request: Json, defaults: Picture): Picture => ({
  size: chosen(member(request, 'size')) ?? defaults.size,
  quality: chosen(member(request, 'quality')) ?? defaults.quality,
})

const chosen = (value: Json): string | null => {
  const text = textOf(value)
  return text === 'auto' ? null : text
}

/** How many pictures a request asks for, one unless said; null where that is no whole number. */
export const picturesAsked = (request: Json): number | null => {
  const asked = member(request, 'n') ?? 1
  return wholeOf(asked)
}

/** How many pictures a request brings along, a mask among them. */
export const picturesBrought = (request: Json): number =>
  ['image', 'images', 'mask']
    .map((name) => member(request, name) ?? [])
    .reduce<number>((sum, value) => sum + (Array.isArray(value) ? listOf(value).length : 1), 0)

/** Output tokens of a picture of gpt-image-1, low, medium and high (OpenAI, guide to image generation, table of
 * gpt-image-1; state of August 2026). Newer models have no published table. */
const outputTokens: Readonly<Record<string, readonly [low: number, medium: number, high: number]>> = {
  '1024x1024': [272, 1056, 4160],
  '1024x1536': [408, 1584, 6240],
  '1536x1024': [400, 1568, 6208],
}

const qualities = ['low', 'medium', 'high']

/** The output tokens of a picture, at most: of the dearest that the request leaves open. Null where nothing is
 * published: other models, partial pictures, drawings. */
export const pictureTokensMost = (request: Json, model: string): number | null => {
  const partial = wholeOf(member(request, 'partial_images') ?? 0)
  if (model !== 'gpt-image-1' || partial !== 0 || member(request, 'output_format') === 'svg') return null
  const size = outputTokens[textOf(member(request, 'size')) ?? '']
  const sizes = size === undefined ? Object.values(outputTokens) : [size]
  const quality = qualities.indexOf(textOf(member(request, 'quality')) ?? '')
  return Math.max(...sizes.map((row) => row[quality] ?? row[2]))
}
