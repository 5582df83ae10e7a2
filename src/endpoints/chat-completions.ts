import { parseInstant } from '../time.ts'
import { countChat, type PromptCount } from '../tokens/chat.ts'
import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import { cacheLifetimes } from './cache-lifetimes.ts'
import { type MediaPart, mediaPart, mediaParts } from './content-parts.ts'
import { counted } from './counted.ts'
import type { CountPrompt, Endpoint, ReplyWire, Surroundings } from './endpoint.ts'
import { historySent, isInstruction } from './history-sent.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import { openaiTags } from './openai-tags.ts'
import { findOutputLimit } from './output-limit.ts'
import type { ReadWire, Reply, StreamMeter } from './reply.ts'
import { openaiPlaces, type ReplyShape, shapeReader } from './reply-shape.ts'
import { askUsage, cutUsage } from './stream-usage.ts'
import { chunkStream } from './streams.ts'

/** Chat Completions, as OpenAI and those who speak its wire serve it. `counters` says where this vendor reports
 * each meter, `places` what else it reports elsewhere than OpenAI; `unasked`: its streams report usage without being
 * asked, and may refuse the question; `isOpenai`: whether its models are OpenAI's. */
export const chatCompletions = (
  counters: UsageShape,
  places: Places = {},
  { unasked = false, isOpenai = false }: { readonly unasked?: boolean; readonly isOpenai?: boolean } = {},
): Endpoint => {
  const reader = chatReader(counters, places)
  const asking = bySecond(wire(reader, isOpenai), counters)
  const chat = unasked ? { ...asking, askUsage: () => null } : asking
  return {
    id: 'chat-completions',
    reader,
    routes: [{ method: 'POST', path: '/chat/completions', billing: 'reply', wire: chat }],
    refusal: openaiRefusal,
    streamFault: openaiStreamFault,
  }
}

/** A vendor that bills sounds by the second: how many a sound has is not known before. */
const bySecond = (chat: ReplyWire, counters: UsageShape): ReplyWire => {
  if (counters.at.audio_seconds === undefined) return chat
  const reason = 'the request has a sound, which is billed by the second, and its length is not known'
  const seconds: Bound = { meters: ['audio_seconds'], least: 0, most: null, reason }
  return {
    ...chat,
    bound: (request, surroundings) => {
      const parts = listOf(member(request, 'messages')).flatMap((each) => listOf(member(each, 'content')))
      const isHeard = parts.some((part) => member(part, 'type') === 'input_audio')
      return [...chat.bound(request, surroundings), ...(isHeard ? [seconds] : [])]
    },
  }
}

/** The replies of Chat Completions alone, as the lines of a batch hold them. */
export const chatReplies = (counters: UsageShape, places: Places = {}): ReadWire => ({
  id: 'chat-completions',
  reader: chatReader(counters, places),
})

type Places = Partial<Omit<ReplyShape, 'counters'>>

const chatReader = (counters: UsageShape, places: Places) => {
  const read = shapeReader({ ...openaiPlaces, ...places, counters })
  const readPriced = (reply: Json, request: Json): Reply =>
    withSearch(cacheLifetimes(read(reply), undefined, request), request)
  return {
    readReply: (reply: Json, request?: Json): Reply => ({
      ...readPriced(reply, request),
      produced: listOf(member(reply, 'choices')).map((choice) => producedText(member(choice, 'message'))),
    }),
    meterStream: (request?: Json): StreamMeter =>
      chunkStream(
        (chunk) => readPriced(chunk, request),
        (choice) => producedText(member(choice, 'delta')),
      ),
  }
}

/** A search model searches the web once a request that lets it; no reply counts it (openai 7.57.0,
 * `web_search_options`, whose default context is medium). */
const withSearch = (reply: Reply, request: Json): Reply => {
  const size = searchSize(request)
  if (size === null || reply.usage === null || !reply.model?.includes('-search-')) return reply
  return {
    ...reply,
    usage: { ...reply.usage, usage: { ...reply.usage.usage, web_search_call: 1 } },
    attributes: { ...reply.attributes, search_context_size: size },
  }
}

const wire = (reader: ReturnType<typeof chatReader>, isOpenai: boolean): ReplyWire => ({
  read: (request) => ({
    model: textOf(member(request, 'model')),
    stream: member(request, 'stream') === true,
    tier: textOf(member(request, 'service_tier')),
    endUser: textOf(member(request, 'safety_identifier')) ?? textOf(member(request, 'user')),
    tags: openaiTags(request),
  }),
  bound,
  countPrompt: countChatPrompt,
  tighten,
  ...reader,
  askUsage,
  cutUsage,
  count: (request, produced, counting) =>
    counted(
      countChatPrompt(request, counting),
      produced.reduce((sum, text) => sum + counting.counter.count(text), 0),
    ),
  history,
  outputLimit: (request, surroundings) => outputLimit(request, surroundings, isOpenai),
})

const limitFields = [['max_completion_tokens'], ['max_tokens']] as const

/** When OpenAI's models that think came, which take `max_completion_tokens` alone (OpenAI API changelog). */
const openaiLimitSince = parseInstant('2024-09-12')

/** Where a request says nothing, the model's own cap holds. The budget for thinking is OpenRouter's (its guide to
 * reasoning tokens: the limit must be above it). */
const outputLimit = (request: Json, { at, outputTokensMax }: Surroundings, isOpenai: boolean) => {
  const field = isOpenai && at >= openaiLimitSince ? limitFields[0] : limitFields[1]
  const thinking = countOf(member(member(request, 'reasoning'), 'max_tokens')) ?? 0
  return findOutputLimit(request, {
    fields: limitFields,
    unsaid: { field, asked: outputTokensMax },
    thinking,
  })
}

/** Counts the prompt of a chat request, what is no text in it by rules of its own. */
export const countChatPrompt: CountPrompt = (request, { counter, ...shown }) =>
  countChat(request, counter, { partTokens: (part) => mediaPart(part, shown) })

/** Tokens that a vendor may add for tool definitions beside their text: 103 were measured on gpt-5.1, 24 at
 * most on earlier models (ai-tokenizer, December 2025). */
const toolsOverheadTokensMax = 512

/** Input: no text has more tokens than bytes, and the JSON around a message is longer than the tokens it
 * stands for; images and sounds have rules of their own, and sounds a price of their own. Where one of them has
 * no bound, the model's window alone bounds the input. Output: the limit in the request, else the model's cap,
 * for each of `n` choices. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => [
  ...boundInput(request, surroundings),
  boundOutput(request, surroundings),
  ...boundSearch(request, surroundings),
]

const textMeters = ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens'] as const

const boundInput = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const { bodyBytes, contextWindow } = surroundings
  const media = mediaParts(request, surroundings)
  const sounds = media.filter(({ isSound }) => isSound)
  const others = media.filter(({ isSound }) => !isSound)
  const [soundMost, otherMost] = [mostOf(sounds), mostOf(others)]
  const lifetime = textOf(member(member(request, 'prompt_cache_options'), 'ttl'))
  const shared = lifetime === null ? {} : { attributes: { cache_ttl: lifetime } }
  if (soundMost === null || otherMost === null || searchSize(request) !== null) {
    const unbounded = media.find(({ high }) => high === null)?.what ?? 'what a search of the web finds'
    return [
      {
        meters: sounds.length > 0 ? [...textMeters, 'input_audio_tokens'] : textMeters,
        least: 1,
        most: contextWindow,
        ...shared,
        reason: `the request has ${unbounded}, and ${
          contextWindow === null
            ? 'the context window of the model is not known'
            : 'only the context window of the model bounds its input'
        }`,
      },
    ]
  }
  const defined = listOf(member(request, 'tools')).length + listOf(member(request, 'functions')).length
  const overhead = defined > 0 ? toolsOverheadTokensMax : 0
  const characters = media.reduce((sum, part) => sum + part.characters, 0)
  const within = (tokens: number): number => Math.min(tokens, contextWindow ?? tokens)
  const textMost = bodyBytes - characters + otherMost + overhead
  const text: Bound = { meters: textMeters, least: 1, most: within(textMost), ...shared }
  if (sounds.length === 0) return [text]
  const soundLeast = sounds.reduce((sum, { low }) => sum + low, 0)
  return [text, { meters: soundMeters, least: within(soundLeast), most: within(soundMost), ...shared }]
}

const soundMeters = ['input_audio_tokens', 'cached_input_tokens', 'cache_write_tokens'] as const

/** What parts have at most together; null as soon as one has no bound. */
const mostOf = (parts: readonly MediaPart[]): number | null =>
  parts.reduce<number | null>((sum, { high }) => (sum === null || high === null ? null : sum + high), 0)

/** The newer limit and the older one: a vendor that knows one of them alone obeys it. */
const boundOutput = (request: Json, { outputTokensMax }: Surroundings): Bound => {
  const limits = [member(request, 'max_completion_tokens'), member(request, 'max_tokens')].flatMap(
    (limit) => countOf(limit) ?? [],
  )
  const asked = limits.length === 0 ? outputTokensMax : Math.max(...limits)
  const choices = countOf(member(request, 'n')) ?? 1
  const isSpoken =
    (member(request, 'audio') ?? null) !== null || listOf(member(request, 'modalities')).includes('audio')
  return {
    meters: [
      'output_text_tokens',
      'output_reasoning_tokens',
      ...(isSpoken ? (['output_audio_tokens'] as const) : []),
    ],
    least: 0,
    most: asked === null ? null : asked * Math.max(1, choices),
    ...(asked === null && {
      reason: 'the request sets no max_completion_tokens, and the output cap of the model is not known',
    }),
  }
}

/** A search model searches the web once, if it does. */
const boundSearch = (request: Json, { model }: Surroundings): readonly Bound[] => {
  const size = searchSize(request)
  if (size === null || !model.includes('-search-')) return []
  return [{ meters: ['web_search_call'], least: 0, most: 1, attributes: { search_context_size: size } }]
}

/** How much a search of the web may bring, medium unless said; null where the request lets the model make none. */
const searchSize = (request: Json): string | null => {
  const options = member(request, 'web_search_options') ?? null
  return options === null ? null : (textOf(member(options, 'search_context_size')) ?? 'medium')
}

/** Tokens that a vendor may add to a prompt beside its published rule, and shows nobody; generous. */
const hiddenTokensMax = 128

/** A count by a published rule, or its bound, holds the input far closer than bytes do; sounds are a part of it,
 * and bounded apart. Hosted tools, parts without a rule and models without one are not counted but guessed, and
 * a guess is no bound. */
export const tighten = (bounds: readonly Bound[], count: PromptCount): readonly Bound[] | null => {
  if (count.high === null || !boundingClasses.has(count.class)) return null
  const [input, ...others] = bounds
  if (input === undefined || input.most === null) return null
  const sounds = others.find(isOfSound)
  const heard = sounds === undefined ? 0 : (count.soundMost ?? null)
  const text = {
    ...input,
    most: Math.min(input.most, count.high - (heard ?? sounds?.least ?? 0) + hiddenTokensMax),
  }
  return [text, ...others.map((bound) => (heard !== null && isOfSound(bound) ? capped(bound, heard) : bound))]
}

const isOfSound = ({ meters: [meter] }: Bound): boolean => meter === 'input_audio_tokens'

const capped = (bound: Bound, most: number): Bound => ({
  ...bound,
  most: Math.min(bound.most ?? most, Math.max(bound.least, most)),
})

const boundingClasses: ReadonlySet<PromptCount['class']> = new Set(['exact', 'formula', 'bound'])

const producedText = (message: Json): string => {
  const calls = listOf(member(message, 'tool_calls')).map((call) => {
    const called = member(call, 'function')
    return (textOf(member(called, 'name')) ?? '') + (textOf(member(called, 'arguments')) ?? '')
  })
  const parts = [member(message, 'content'), member(message, 'refusal'), member(message, 'reasoning_content')]
  return parts.map((part) => textOf(part) ?? '').join('') + calls.join('')
}

const history: ReplyWire['history'] = (request) =>
  historySent(listOf(member(request, 'messages')), {
    isModels: (message) => member(message, 'role') === 'assistant',
    isInstruction,
    bytesOf: (message) => contentBytes(member(message, 'content')),
  })

const contentBytes = (content: Json): number =>
  typeof content === 'string'
    ? tokensAtMost(content)
    : listOf(content).reduce<number>((sum, part) => sum + tokensAtMost(textOf(member(part, 'text')) ?? ''), 0)
