import { countImage } from '../../tokens/image.ts'
import { sizeOfImage } from '../../tokens/image-size.ts'
import { type Fields, isFields } from '../world.ts'
import { invalid } from './anthropic-face.ts'
import type { LiveModel } from './catalogue.ts'
import type { LiveWorld } from './live-world.ts'
import { type PromptPiece, tokensUntil } from './prompt-cache.ts'

/** What a prompt of Messages is billed as. All of it apart: `input` is neither read from the cache nor written. */
export type BilledMessages = {
  readonly input: number
  readonly read: number
  readonly written5m: number
  readonly written1h: number
}

/** A piece of a prompt, and where the client put an end to what is cached. */
type Block = PromptPiece & { readonly ends: '5m' | '1h' | null }

/** The vendor publishes no tokenizer since Claude 3. The sandbox has a count of its own: that of cl100k_base by a
 * ratio, rounded up for every block. Opus 4.7 and what came after it have another vocabulary, which measurements
 * put at 1.325 times the older one on average (claudecodecamp, count_tokens). */
const ratioOf = ({ id }: LiveModel): { readonly numerator: number; readonly denominator: number } =>
  /^claude-(opus-4-7|opus-4-8|[a-z]+-[5-9])/.test(id)
    ? { numerator: 146, denominator: 100 }
    : { numerator: 110, denominator: 100 }

/** The tokens of a text in this count. */
export const claudeTokens = (world: LiveWorld, model: LiveModel, text: string): number => {
  const { numerator, denominator } = ratioOf(model)
  return Math.ceil((world.counter.count(text) * numerator) / denominator)
}

/** What a request has around its messages, what each message has, and what the description of how to use tools
 * takes: the vendor's page on tool use says 290 to 804 by model and choice. Here they are the same for all. */
const overhead = { request: 3, message: 4, tools: 346 }

/** A prompt in pieces, in the order in which the vendor caches it: tools, system, messages. Throws the vendor's
 * refusal of what cannot be read. */
export const blocksOf = (world: LiveWorld, model: LiveModel, body: Fields): readonly Block[] => {
  const tokens = (text: string): number => claudeTokens(world, model, text)
  const block = (part: Fields, text: string, more = 0): Block => ({
    text: `${text}\n${more}`,
    tokens: tokens(text) + more,
    ends: lifetimeOf(part['cache_control']),
  })
  const tools = listOf(body['tools']).map((tool) => block(tool, toolText(tool)))
  const system = partsOf(body['system']).map((part) => block(part, textOf(part)))
  const messages = listOf(body['messages']).flatMap((message) =>
    partsOf(message['content']).map((part, index) =>
      block(
        part,
        `${index === 0 ? String(message['role']) : ''}\n${textOf(part)}`,
        (index === 0 ? overhead.message : 0) + imageTokens(model, part),
      ),
    ),
  )
  const [first, ...rest] = tools
  return [
    { text: 'request', tokens: overhead.request, ends: null },
    ...(first === undefined ? [] : [{ ...first, tokens: first.tokens + overhead.tools }, ...rest]),
    ...system,
    ...messages,
  ]
}

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])

/** Content as parts: a text is one. */
const partsOf = (content: unknown): readonly Fields[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content)

const toolText = ({ cache_control: _, ...tool }: Fields): string => JSON.stringify(tool)

const textOf = (part: Fields): string => {
  switch (part['type']) {
    case 'text':
      return String(part['text'] ?? '')
    case 'tool_use':
      return `${String(part['name'])}${JSON.stringify(part['input'] ?? {})}`
    case 'tool_result':
      return partsOf(part['content']).map(textOf).join('\n')
    case 'image':
    case 'thinking':
    case 'redacted_thinking':
      return ''
    default:
      throw invalid(`The sandbox does not play content of type '${String(part['type']).slice(0, 60)}' yet.`)
  }
}

/** Images are counted by the vendor's published area rule; only those in the request can be measured. */
const imageTokens = (model: LiveModel, part: Fields): number => {
  if (part['type'] !== 'image') return 0
  const source = isFields(part['source']) ? part['source'] : {}
  if (source['type'] !== 'base64') throw invalid('The sandbox plays images in base64 only.')
  const size = sizeOfImage(new Uint8Array(Buffer.from(String(source['data'] ?? ''), 'base64')))
  if ('code' in size) throw invalid('Could not process image')
  const { tokens, high } = countImage({ provider: 'anthropic', model: model.id, ...size })
  return tokens ?? high ?? 0
}

const lifetimeOf = (control: unknown): '5m' | '1h' | null => {
  if (control === undefined || control === null) return null
  const { type, ttl = '5m' } = isFields(control) ? control : {}
  if (type === 'ephemeral' && (ttl === '5m' || ttl === '1h')) return ttl
  throw invalid("cache_control: Input should be {'type': 'ephemeral'} with a ttl of '5m' or '1h'")
}

const breakpointsMax = 4

/** How far before a breakpoint an earlier prefix is looked for, in blocks (guide to prompt caching). */
const lookback = 20
const minute = 60_000
const lifetimes = { '5m': 5 * minute, '1h': 60 * minute } as const

/** The shortest prefix that is cached: dev.to/creeta, "Claude's prompt cache fails silently below 1,024 tokens",
 * 2026, of the guide to prompt caching. What it does not name has 1,024. */
const leastOf = ({ id }: LiveModel): number => {
  if (/^claude-(opus|fable|mythos)-5/.test(id)) return 512
  if (id.startsWith('claude-opus-4-7')) return 2048
  return /^claude-(opus-4-[56]|haiku-4-5)/.test(id) ? 4096 : 1024
}

/** Reads the cache and writes to it. What lies between the longest prefix that was seen and the last breakpoint
 * is written, each part for the lifetime of the breakpoint that ends it. */
export const throughClaudeCache = (
  world: LiveWorld,
  { model, blocks, body }: { model: LiveModel; blocks: readonly Block[]; body: Fields },
): BilledMessages => {
  const automatic = lifetimeOf(body['cache_control'])
  const marked = blocks.flatMap(({ ends }, index) => (ends === null ? [] : [{ end: index + 1, ttl: ends }]))
  if (automatic !== null) marked.push({ end: blocks.length, ttl: automatic })
  if (marked.length > breakpointsMax) {
    throw invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${marked.length}.`)
  }
  const total = tokensUntil(blocks, blocks.length)
  const breakpoints = marked.filter(({ end }) => tokensUntil(blocks, end) >= leastOf(model))
  const prompt = { model: model.id, pieces: blocks }
  const ends = new Set(
    breakpoints.flatMap(({ end }) =>
      Array.from({ length: Math.min(lookback, end) }, (_, back) => end - back),
    ),
  )
  const at = world.clock.now()
  const readEnd = world.cache.read(prompt, [...ends], at)
  const read = tokensUntil(blocks, readEnd)
  const written = { '5m': 0, '1h': 0 }
  let before = read
  for (const { end, ttl } of breakpoints) {
    const until = tokensUntil(blocks, end)
    written[ttl] += Math.max(0, until - before)
    before = Math.max(before, until)
    if (end > readEnd) world.cache.write(prompt, [end], { at, milliseconds: lifetimes[ttl] })
  }
  return { input: total - before, read, written5m: written['5m'], written1h: written['1h'] }
}
