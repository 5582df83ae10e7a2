import { parseInstant } from '../time.ts'
import { countChat, type PromptCount } from '../tokens/chat.ts'
import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import { cacheLifetimes } from './cache-lifetimes.ts'
import type { Endpoint, ReadWire, Reply, ReplyWire, StreamMeter, Surroundings } from './endpoint.ts'
import { readEvent } from './events.ts'
import { imageParts } from './image-parts.ts'
import { countOf, type Json, listOf, member, parseJson, textOf } from './json.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import { openaiTags } from './openai-tags.ts'
import { openaiPlaces, type ReplyShape, shapeReader } from './reply-shape.ts'
import { chunkStream } from './streams.ts'

/** Chat Completions, as OpenAI and those who speak its wire serve it. `counters` says where this vendor reports
 * each meter, `places` what else it reports elsewhere than OpenAI. */
export const chatCompletions = (counters: UsageShape, places: Places = {}): Endpoint => {
  const reader = chatReader(counters, places)
  return {
    id: 'chat-completions',
    reader,
    routes: [{ method: 'POST', path: '/chat/completions', billing: 'reply', wire: wire(reader) }],
    refusal: openaiRefusal,
    streamFault: openaiStreamFault,
  }
}

/** The replies of Chat Completions of a vendor whose requests are not bounded yet. */
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
  const options = member(request, 'web_search_options') ?? null
  if (options === null || reply.usage === null || !reply.model?.includes('-search-')) return reply
  const size = textOf(member(options, 'search_context_size')) ?? 'medium'
  return {
    ...reply,
    usage: { ...reply.usage, usage: { ...reply.usage.usage, web_search_call: 1 } },
    attributes: { ...reply.attributes, search_context_size: size },
  }
}

const wire = (reader: ReturnType<typeof chatReader>): ReplyWire => ({
  read: (request) => ({
    model: textOf(member(request, 'model')),
    stream: member(request, 'stream') === true,
    tier: textOf(member(request, 'service_tier')),
    endUser: textOf(member(request, 'safety_identifier')) ?? textOf(member(request, 'user')),
    tags: openaiTags(request),
  }),
  bound,
  tighten,
  ...reader,
  askUsage,
  cutUsage,
  count: (request, produced, counter) => {
    const prompt = countChat(request, counter)
    const output = produced.reduce((sum, text) => sum + counter.count(text), 0)
    return {
      usage: { input_text_tokens: prompt.tokens, output_text_tokens: output },
      history: prompt.history,
      rule: prompt.rule,
    }
  },
  history,
})

/** Tokens that a vendor may add for tool definitions beside their text: 103 were measured on gpt-5.1, 24 at
 * most on earlier models (ai-tokenizer, December 2025). */
const toolsOverheadTokensMax = 512

/** Input: no text has more tokens than bytes, and the JSON around a message is longer than the tokens it
 * stands for; an image has its own rule; whatever else
 * is not text is bounded by the model's window alone. Output: the limit in the request,
 * else the model's cap, for each of `n` choices. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const { bodyBytes, contextWindow, outputTokensMax } = surroundings
  const overhead = listOf(member(request, 'tools')).length > 0 ? toolsOverheadTokensMax : 0
  const images = member(request, 'audio') === undefined ? imageParts(request, surroundings) : null
  const parts = images === null ? null : bodyBytes - images.bytes + images.tokens + overhead
  const inputMost = parts === null ? contextWindow : Math.min(parts, contextWindow ?? parts)
  const asked =
    countOf(member(request, 'max_completion_tokens')) ??
    countOf(member(request, 'max_tokens')) ??
    outputTokensMax
  const choices = countOf(member(request, 'n')) ?? 1
  const outputMost = asked === null ? null : asked * Math.max(1, choices)
  return [
    {
      meters: ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens', 'input_audio_tokens'],
      least: 1,
      most: inputMost,
      ...(inputMost === null && {
        reason: 'the request has parts that are not text, and the context window of the model is not known',
      }),
    },
    {
      meters: ['output_text_tokens', 'output_audio_tokens'],
      least: 0,
      most: outputMost,
      ...(outputMost === null && {
        reason: 'the request sets no max_completion_tokens, and the output cap of the model is not known',
      }),
    },
  ]
}

/** Tokens that a vendor may add to a prompt beside its published rule, and shows nobody; generous. */
const hiddenTokensMax = 128

/** A count by a published rule, or its bound, holds the input far closer than bytes do. Images, hosted tools and
 * models without a rule are not counted but guessed, and a guess is no bound. */
const tighten = (bounds: readonly Bound[], count: PromptCount): readonly Bound[] | null => {
  if (count.high === null || !boundingClasses.has(count.class)) return null
  const [input, ...others] = bounds
  if (input === undefined || input.most === null) return null
  return [{ ...input, most: Math.min(input.most, count.high + hiddenTokensMax) }, ...others]
}

const boundingClasses: ReadonlySet<PromptCount['class']> = new Set(['exact', 'formula', 'bound'])

/** `stream_options.include_usage` was announced on 2024-05-06 (OpenAI API changelog); before that the vendor
 * refused the argument. */
const usageInStreamsSince = parseInstant('2024-05-06')

const askUsage: ReplyWire['askUsage'] = (request, at) => {
  if (at < usageInStreamsSince || member(request, 'stream') !== true) return null
  const options = member(request, 'stream_options')
  if (member(options, 'include_usage') === true) return null
  return JSON.stringify({ include_usage: true })
}

const usageNull = /,\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,/

const cutUsage: ReplyWire['cutUsage'] = (event) => {
  const data = readEvent(event)?.data
  if (!data?.includes('"usage"')) return event
  const chunk = parseJson(data)
  const choices = member(chunk, 'choices')
  const usage = member(chunk, 'usage')
  if (usage === null) return event.replace(usageNull, '')
  return usage !== undefined && Array.isArray(choices) && choices.length === 0 ? null : event
}

const producedText = (message: Json): string => {
  const calls = listOf(member(message, 'tool_calls')).map((call) => {
    const called = member(call, 'function')
    return (textOf(member(called, 'name')) ?? '') + (textOf(member(called, 'arguments')) ?? '')
  })
  const parts = [member(message, 'content'), member(message, 'refusal'), member(message, 'reasoning_content')]
  return parts.map((part) => textOf(part) ?? '').join('') + calls.join('')
}

/** History: what stands before the messages after the last assistant's; instructions are not history. */
const history: ReplyWire['history'] = (request) => {
  const messages = listOf(member(request, 'messages'))
  const roles = messages.map((message) => textOf(member(message, 'role')) ?? '')
  const last = roles.lastIndexOf('assistant')
  let [resent, total] = [0, 0]
  messages.forEach((message, index) => {
    const bytes = contentBytes(member(message, 'content'))
    total += bytes
    const instruction = roles[index] === 'system' || roles[index] === 'developer'
    if (index <= last && !instruction) resent += bytes
  })
  return { resent, total }
}

const contentBytes = (content: Json): number =>
  typeof content === 'string'
    ? tokensAtMost(content)
    : listOf(content).reduce<number>((sum, part) => sum + tokensAtMost(textOf(member(part, 'text')) ?? ''), 0)
