import { countClaudeText, countMessages } from '../tokens/calibrated.ts'
import type { Meter } from '../usage/meter.ts'
import type { UsageShape } from '../usage/read.ts'
import { awsErrors } from './aws-errors.ts'
import type { Bound } from './bound.ts'
import { mediaPart } from './content-parts.ts'
import { blocksOf, contentBytes, partOfBlock } from './converse-blocks.ts'
import { converseReplies } from './converse-replies.ts'
import { counted } from './counted.ts'
import type { Endpoint, ReplyWire, Route, Surroundings } from './endpoint.ts'
import { historySent } from './history-sent.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { openaiTags } from './openai-tags.ts'
import { findOutputLimit } from './output-limit.ts'
import { plainEndpoint } from './plain-wire.ts'
import { promptBounds } from './prompt-bound.ts'

/** Bedrock's Converse, whole and streamed; model and streaming stand in the path. */
export const converse = (counters: UsageShape): Endpoint => {
  const endpoint = plainEndpoint(
    { id: 'converse', path: '/model/:model/converse' },
    converseReplies(counters).reader,
    { read, bound, count, history, outputLimit },
  )
  const told = (stream: boolean) => (params: Readonly<Record<string, string>>) => ({
    model: params['model'] ?? '',
    stream,
  })
  return {
    ...endpoint,
    ...awsErrors,
    routes: endpoint.routes.flatMap((route): Route[] => [
      { ...route, told: told(false) },
      { ...route, path: '/model/:model/converse-stream', told: told(true) },
    ]),
  }
}

const read: ReplyWire['read'] = (request) => ({
  model: textOf(member(request, 'model')),
  stream: member(request, 'stream') === true,
  tier: textOf(member(member(request, 'serviceTier'), 'type')),
  endUser: null,
  tags: openaiTags({ metadata: member(request, 'requestMetadata') }),
})

/** Input: by bytes, images by the rule of Claude, where the model is one. Output: `maxTokens`. A model of another
 * vendor's has the same limits, but no rule for its images. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const { outputTokensMax, model } = surroundings
  const prompt = {
    parts: blocksOf(request).flatMap((block) => partOfBlock(block) ?? []),
    vendor: vendorOf(model),
    unseen: unseenOf(request),
    overhead: member(request, 'toolConfig') === undefined ? 0 : toolPromptTokensMax,
    meters: ['input_text_tokens', 'cached_input_tokens', ...cacheMeters(request)] as const,
  }
  const most = countOf(member(member(request, 'inferenceConfig'), 'maxTokens')) ?? outputTokensMax
  return [
    ...promptBounds(prompt, { ...surroundings, model: nameOf(model) }),
    {
      meters: ['output_text_tokens'],
      least: 0,
      most,
      ...(most === null && {
        reason: 'the request sets no maxTokens, and the output cap of the model is not known',
      }),
    },
  ]
}

/** The budget for thinking stands among the fields of the model, under Claude's name or Bedrock's own. */
const outputLimit: NonNullable<ReplyWire['outputLimit']> = (request, { outputTokensMax }) => {
  const config = member(request, 'inferenceConfig') ?? null
  if (config !== null && (typeof config !== 'object' || Array.isArray(config))) return null
  const own = member(request, 'additionalModelRequestFields')
  const budgets = ['thinking', 'reasoning_config'].map(
    (name) => countOf(member(member(own, name), 'budget_tokens')) ?? 0,
  )
  const field = ['inferenceConfig', 'maxTokens'] as const
  return findOutputLimit(request, {
    fields: [field],
    unsaid: { field, asked: outputTokensMax },
    thinking: Math.max(...budgets),
  })
}

const vendorOf = (model: string): string => (model.includes('claude') ? 'anthropic' : 'bedrock')

/** The model's name without the region and the vendor before it, by which the vendor's own rules know it. */
const nameOf = (model: string): string => model.replace(/^.*anthropic\./, '').replace(/-v\d+(?::\d+)?$/, '')

/** The most known of Claude's prompt for tools is 804 (Anthropic's page on tool use, copy of mid-2026); with room. */
const toolPromptTokensMax = 1_024

const unseenOf = (request: Json): string | null => {
  if (member(request, 'promptVariables') !== undefined) return 'a prompt that the vendor keeps'
  return member(request, 'additionalModelRequestFields') === undefined
    ? null
    : 'fields of the model alone, which may add to its prompt'
}

const cacheMeters = (request: Json): readonly Meter[] => {
  const points = [...blocksOf(request), ...listOf(member(member(request, 'toolConfig'), 'tools'))].flatMap(
    (place) => member(place, 'cachePoint') ?? [],
  )
  if (points.some((point) => member(point, 'ttl') === '1h'))
    return ['cache_write_5m_tokens', 'cache_write_1h_tokens']
  return points.length > 0 ? ['cache_write_5m_tokens'] : []
}

/** Counted as if the blocks were those of Messages, which differ in their frames alone. */
const count: ReplyWire['count'] = (request, produced, { counter, ...counting }) => {
  const model = textOf(member(request, 'model')) ?? ''
  const messages = listOf(member(request, 'messages')).map((message) => ({
    role: member(message, 'role'),
    content: listOf(member(message, 'content')).map(asMessageBlock),
  }))
  const system = listOf(member(request, 'system')).map(asMessageBlock)
  const shown = { ...counting, provider: vendorOf(model), model: nameOf(model) }
  const prompt = countMessages({ model, messages, system }, counter, {
    partTokens: (block) => mediaPart(member(block, 'part'), shown),
  })
  const output = produced.reduce((sum, text) => sum + countClaudeText(text, model, counter), 0)
  return counted(prompt, output)
}

const asMessageBlock = (block: Json): Json => {
  const part = partOfBlock(block)
  if (part !== null) return { type: 'part', part }
  return { type: 'text', text: textOf(member(block, 'text')) ?? JSON.stringify(block) }
}

const history: ReplyWire['history'] = (request) =>
  historySent(listOf(member(request, 'messages')), {
    isModels: (message) => member(message, 'role') === 'assistant',
    bytesOf: (message) => contentBytes(member(message, 'content')),
    instructions: contentBytes(member(request, 'system')),
  })
