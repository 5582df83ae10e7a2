import { countClaudeText, countMessages } from '../tokens/calibrated.ts'
import type { Meter } from '../usage/meter.ts'
import type { UsageShape } from '../usage/read.ts'
import { anthropicErrors } from './anthropic-errors.ts'
import type { Bound } from './bound.ts'
import { mediaPart } from './content-parts.ts'
import { counted } from './counted.ts'
import type { Endpoint, ReplyWire, Surroundings } from './endpoint.ts'
import { historySent } from './history-sent.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { blocksOf, contentBytes, partOfBlock } from './message-blocks.ts'
import { messageReplies } from './message-replies.ts'
import { hostedTools } from './message-tools.ts'
import { findOutputLimit } from './output-limit.ts'
import { plainEndpoint } from './plain-wire.ts'
import { promptBounds } from './prompt-bound.ts'

/** Messages, Anthropic's wire, and its count of tokens, which is free. */
export const messages = (counters: UsageShape): Endpoint => {
  const endpoint = plainEndpoint({ id: 'messages', path: '/messages' }, messageReplies(counters).reader, {
    read,
    bound,
    count,
    history,
    outputLimit,
  })
  return {
    ...endpoint,
    ...anthropicErrors,
    routes: [...endpoint.routes, { method: 'POST', path: '/messages/count_tokens', billing: 'free' }],
  }
}

/** Whose rules hold for images of Claude, whoever serves it. */
const vendor = 'anthropic'

/** `speed` is what the price list calls a tier; `auto` is served as the account has it, which only the reply says.
 * The `user_id` in `metadata` is a person's, and no tag. */
const read: ReplyWire['read'] = (request) => ({
  model: textOf(member(request, 'model')),
  stream: member(request, 'stream') === true,
  tier: member(request, 'speed') === 'fast' ? 'fast' : null,
  endUser: textOf(member(member(request, 'metadata'), 'user_id')),
  tags: {},
})

/** The prompt by which a model learns of its tools has at most 804 tokens (Anthropic's page on tool use, copy of
 * mid-2026); with room. */
const toolPromptTokensMax = 1_024

/** Input: by bytes and by the rule of images, once for each pass that a tool of the vendor's makes the model take,
 * and where something may be written to the cache at the dearest of its lifetimes. Output: `max_tokens`, thinking
 * included, in each pass. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const tools = hostedTools(request)
  const attributes = geographyOf(request)
  const meters = [...inputMeters, ...cacheMeters(request, tools.passes !== 1)] as const
  const shared = attributes === null ? {} : { attributes }
  if (tools.passes !== 1) {
    const { passes, reason } = tools
    const { contextWindow } = surroundings
    const most = passes === null || contextWindow === null ? null : contextWindow * passes
    return [
      { meters, least: 1, most, ...shared, reason },
      boundOutput(request, surroundings, passes, shared),
      ...tools.fees.map((fee): Bound => ({ meters: [fee.meter], least: 0, most: fee.most })),
    ]
  }
  const prompt = {
    parts: blocksOf(request).flatMap((block) => partOfBlock(block) ?? []),
    vendor,
    unseen: tools.unseen,
    overhead: listOf(member(request, 'tools')).length > 0 ? toolPromptTokensMax : 0,
    meters,
    ...shared,
  }
  return [...promptBounds(prompt, surroundings), boundOutput(request, surroundings, 1, shared)]
}

const inputMeters = ['input_text_tokens', 'cached_input_tokens'] as const

/** What may be written to the cache, and for how long: what a marker says, five minutes unless it says an hour. Tools
 * of the vendor's write on their own, for as long as what was written before them. */
const cacheMeters = (request: Json, isHosted: boolean): readonly Meter[] => {
  const marked = [request, ...blocksOf(request), ...listOf(member(request, 'tools'))].flatMap(
    (place) => member(place, 'cache_control') ?? [],
  )
  const lifetimes = marked.map((marker) => textOf(member(marker, 'ttl')))
  if (lifetimes.includes('1h')) return ['cache_write_5m_tokens', 'cache_write_1h_tokens']
  return lifetimes.length > 0 || isHosted ? ['cache_write_5m_tokens'] : []
}

const geographyOf = (request: Json): Readonly<Record<string, string>> | null => {
  const geography = textOf(member(request, 'inference_geo'))
  return geography === null ? null : { inference_geo: geography }
}

const boundOutput = (
  request: Json,
  { outputTokensMax }: Surroundings,
  passes: number | null,
  shared: Pick<Bound, 'attributes'>,
): Bound => {
  const each = countOf(member(request, 'max_tokens')) ?? outputTokensMax
  return {
    meters: ['output_text_tokens', 'output_reasoning_tokens'],
    least: 0,
    most: each === null || passes === null ? null : each * passes,
    ...shared,
    ...(each === null && {
      reason: 'the request sets no max_tokens, and the output cap of the model is not known',
    }),
  }
}

/** The budget for thinking is below `max_tokens` (@anthropic-ai/sdk 1.13.0, `ThinkingConfigEnabled`). */
const outputLimit: NonNullable<ReplyWire['outputLimit']> = (request, { outputTokensMax }) =>
  findOutputLimit(request, {
    fields: [['max_tokens']],
    unsaid: { field: ['max_tokens'], asked: outputTokensMax },
    thinking: countOf(member(member(request, 'thinking'), 'budget_tokens')) ?? 0,
  })

const count: ReplyWire['count'] = (request, produced, { counter, ...shown }) => {
  const model = textOf(member(request, 'model')) ?? ''
  const prompt = countMessages(request, counter, {
    partTokens: (block) => {
      const part = partOfBlock(block)
      return part === null ? null : mediaPart(part, { ...shown, provider: vendor, model })
    },
  })
  const output = produced.reduce((sum, text) => sum + countClaudeText(text, model, counter), 0)
  return counted(prompt, output)
}

const history: ReplyWire['history'] = (request) =>
  historySent(listOf(member(request, 'messages')), {
    isModels: (message) => member(message, 'role') === 'assistant',
    bytesOf: (message) => contentBytes(member(message, 'content')),
    instructions: contentBytes(member(request, 'system')),
  })
