import { countImage } from '../../tokens/image.ts'
import { sizeOfImage } from '../../tokens/image-size.ts'
import { type Fields, isFields } from '../world.ts'
import type { LiveModel } from './catalogue.ts'
import { wrong } from './google-face.ts'
import type { LiveWorld } from './live-world.ts'
import { type PromptPiece, tokensUntil } from './prompt-cache.ts'

/** A prompt in pieces, and how much of it is images. */
export type GooglePrompt = {
  readonly pieces: readonly PromptPiece[]
  readonly tokens: number
  readonly imageTokens: number
}

/** The vendor's tokenizer is not in the package. The sandbox has a count of its own: that of o200k_base times
 * 1.08 (coder/ai-tokenizer at 9fa777a), rounded up for every content. */
export const geminiTokens = (world: LiveWorld, text: string): number =>
  Math.ceil((world.newCounter.count(text) * 108) / 100)

/** Reads the tools, the system instruction and the contents of a request. Throws the vendor's refusal. */
export const promptOf = (world: LiveWorld, model: LiveModel, body: Fields): GooglePrompt => {
  const contents = body['contents']
  if (!Array.isArray(contents) || contents.length === 0) {
    throw wrong('* GenerateContentRequest.contents: contents is not specified\n')
  }
  if (contents.length > contentsMax) throw wrong(`The sandbox reads at most ${contentsMax} contents.`)
  let imageTokens = 0
  const piece = (text: string, images = 0): PromptPiece => {
    imageTokens += images
    return { text: `${text}\n${images}`, tokens: geminiTokens(world, text) + images }
  }
  const tools = body['tools'] === undefined ? [] : [piece(JSON.stringify(body['tools']))]
  const system = body['systemInstruction'] ?? body['system_instruction']
  const pieces = [
    ...tools,
    ...(isFields(system) ? [piece(partsOf(system).map(textOf).join('\n'))] : []),
    ...contents.map((content: unknown) => {
      const parts = partsOf(content)
      const images = parts.reduce((sum, part) => sum + tokensOfImage(model, part), 0)
      return piece(parts.map(textOf).join('\n'), images)
    }),
  ]
  return { pieces, tokens: tokensUntil(pieces, pieces.length), imageTokens }
}

const contentsMax = 4096

const partsOf = (content: unknown): readonly Fields[] => {
  const parts: unknown = isFields(content) ? content['parts'] : undefined
  return Array.isArray(parts) ? parts.filter(isFields) : []
}

const textOf = (part: Fields): string => {
  const { text, functionCall: call, functionResponse: response } = part
  if (typeof text === 'string') return text
  if (call !== undefined) return JSON.stringify(call)
  if (response !== undefined) return JSON.stringify(response)
  if (part['inlineData'] !== undefined || part['inline_data'] !== undefined) return ''
  throw wrong(`The sandbox does not play parts with ${Object.keys(part).join(', ').slice(0, 100)} yet.`)
}

/** Only images that are in the request can be measured. */
const tokensOfImage = (model: LiveModel, part: Fields): number => {
  const data = part['inlineData'] ?? part['inline_data']
  if (!isFields(data)) return 0
  const type = String(data['mimeType'] ?? data['mime_type'])
  if (!type.startsWith('image/')) throw wrong(`The sandbox does not play ${type.slice(0, 60)} yet.`)
  const size = sizeOfImage(new Uint8Array(Buffer.from(String(data['data'] ?? ''), 'base64')))
  if ('code' in size) throw wrong('Unable to process input image. Please retry or report in the forum.')
  const { tokens, high } = countImage({ provider: 'google', model: model.id, ...size })
  return tokens ?? high ?? 0
}

/** How long a prefix is kept. The vendor's cache promises nothing; this time is the sandbox's. */
const keptMs = 300_000

/** Reads the implicit cache and writes to it: from 2,048 tokens on with Gemini 2.5, from 4,096 with 3 (guide to
 * context caching). Prefixes end with a content here. */
export const throughGeminiCache = (world: LiveWorld, model: LiveModel, { pieces }: GooglePrompt): number => {
  if (!model.readsCache) return 0
  const at = world.clock.now()
  const least = model.id.startsWith('gemini-2') ? 2048 : 4096
  const ends = pieces.map((_, index) => index + 1).filter((end) => tokensUntil(pieces, end) >= least)
  const prompt = { model: model.id, pieces }
  const cached = tokensUntil(pieces, world.cache.read(prompt, ends, at))
  world.cache.write(prompt, ends, { at, milliseconds: keptMs })
  return cached
}
