import { countImage } from '../../tokens/image.ts'
import type { PartCount } from '../../tokens/prompt-count.ts'
import { Refusal } from '../refusal.ts'
import { sizeOf } from '../vision.ts'
import { type Fields, isFields } from '../world.ts'
import type { LiveModel } from './catalogue.ts'
import type { LiveWorld } from './live-world.ts'
import { type PromptPiece, tokensUntil } from './prompt-cache.ts'

/** What a prompt is billed as: `cached` and `written` are inside `tokens`; `lifetime` is that of what was written. */
export type BilledPrompt = {
  readonly tokens: number
  readonly cached: number
  readonly written: number
  readonly lifetime: Lifetime
}

type Lifetime = '30m' | '12h'

/** Counts the images of a prompt by the vendor's tiles and patches. What else is no text is refused, so that no
 * bill is ever a guess. */
export const partCounter =
  (model: LiveModel) =>
  (part: unknown): PartCount => {
    const { type } = isFields(part) ? part : {}
    const image = imageOf(part)
    if (image === null) {
      throw new Refusal(400, `The sandbox does not play parts of type '${String(type).slice(0, 60)}' yet.`)
    }
    const { tokens } = countImage({
      ...{ provider: 'openai', model: model.id, ...sizeOf(image.url) },
      ...(image.detail !== null && { detail: image.detail }),
    })
    if (tokens === null) throw new Refusal(400, `The sandbox knows no rule for images of ${model.id}.`)
    return { low: tokens, tokens, high: tokens }
  }

/** An image of either wire: `{image_url: {url, detail}}`, or `{image_url, detail}`. */
const imageOf = (part: unknown): { readonly url: string; readonly detail: string | null } | null => {
  if (!isFields(part)) return null
  const { image_url: given } = part
  const { url, detail } = isFields(given) ? given : { url: given, detail: part['detail'] }
  return typeof url === 'string' ? { url, detail: typeof detail === 'string' ? detail : null } : null
}

/** The pieces of a prompt whose messages are counted one by one: what stands before them, tools and formats,
 * is what is left of the whole. */
export const piecesOf = ({
  total,
  before,
  messages,
  count,
}: {
  readonly total: number
  readonly before: unknown
  readonly messages: readonly unknown[]
  readonly count: (messages: readonly unknown[]) => number
}): readonly PromptPiece[] => {
  const overhead = count([])
  const pieces = messages.map((message) => ({
    text: JSON.stringify(message),
    tokens: count([message]) - overhead,
  }))
  const rest = total - overhead - tokensUntil(pieces, pieces.length)
  return [{ text: JSON.stringify(before), tokens: Math.max(0, rest) }, ...pieces]
}

const minutes = 60_000
const lifetimes: Readonly<Record<Lifetime, number>> = { '30m': 30 * minutes, '12h': 720 * minutes }

/** Reads the cache and writes to it. The vendor's guide to prompt caching, states of 2024 to 2026: prefixes are
 * read from 1,024 tokens on (2,048 with GPT-5.5). Models without a price for writing report multiples of 128,
 * and keep what they read for a day, or ten minutes `in_memory`. Models that have one write the whole prompt,
 * exactly, for 30 minutes or 12 hours. Prefixes end with a message here; the vendor's may end within one. */
export const throughCache = (
  world: LiveWorld,
  { model, pieces, body }: { model: LiveModel; pieces: readonly PromptPiece[]; body: Fields },
): Omit<BilledPrompt, 'tokens'> => {
  const lifetime = lifetimeOf(body, model)
  const nothing = { cached: 0, written: 0, lifetime: lifetime ?? '30m' }
  const options = isFields(body['prompt_cache_options']) ? body['prompt_cache_options'] : {}
  if (!model.readsCache || options['mode'] === 'explicit') return nothing
  const at = world.clock.now()
  const prompt = { model: model.id, pieces }
  const ends = pieces.map((_, index) => index + 1)
  const least = model.id.startsWith('gpt-5.5') ? 2048 : 1024
  const long = ends.filter((end) => tokensUntil(pieces, end) >= least)
  const read = tokensUntil(pieces, world.cache.read(prompt, long, at))
  if (lifetime === null) {
    const isShort = body['prompt_cache_retention'] === 'in_memory' && least === 1024
    world.cache.write(prompt, long, { at, milliseconds: isShort ? 10 * minutes : 1440 * minutes })
    return { ...nothing, cached: read - (read % 128) }
  }
  const whole = tokensUntil(pieces, pieces.length)
  if (long.length === 0) return nothing
  world.cache.write(prompt, [pieces.length], { at, milliseconds: lifetimes[lifetime] })
  return { cached: read, written: whole - read, lifetime }
}

/** How long the model keeps what it writes; null where it bills no writing. */
const lifetimeOf = (body: Fields, { cacheLifetimes, id }: LiveModel): Lifetime | null => {
  const options = isFields(body['prompt_cache_options']) ? body['prompt_cache_options'] : {}
  const { ttl = '30m' } = options
  if (hasBreakpoint(body)) throw new Refusal(400, 'The sandbox does not play explicit cache breakpoints yet.')
  if (cacheLifetimes.length === 0) return null
  if ((ttl === '30m' || ttl === '12h') && cacheLifetimes.includes(ttl)) return ttl
  throw new Refusal(400, `The cache of ${id} has no lifetime of ${String(ttl).slice(0, 20)}.`, {
    param: 'prompt_cache_options.ttl',
  })
}

const hasBreakpoint = (body: Fields): boolean => {
  const messages = [body['messages'], body['input']].filter(Array.isArray).flat().filter(isFields)
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []))
  return [...messages, ...parts].some(
    (each) => isFields(each) && each['prompt_cache_breakpoint'] !== undefined,
  )
}

/** The meters of a call: disjoint. `output` is all of it, thoughts included. */
export const textMeters = (
  prompt: BilledPrompt,
  output: { readonly all: number; readonly thought: number },
) => ({
  input_text_tokens: prompt.tokens - prompt.cached - prompt.written,
  cached_input_tokens: prompt.cached,
  cache_write_tokens: prompt.written,
  output_text_tokens: output.all - output.thought,
  output_reasoning_tokens: output.thought,
})
