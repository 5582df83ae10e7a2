import { randomFrom } from '../random.ts'
import { Refusal } from '../refusal.ts'
import { type Answer, type Exchange, type Fields, isFields, type WireRoute } from '../world.ts'
import { invalid } from './anthropic-face.ts'
import { blocksOf, claudeTokens, throughClaudeCache } from './anthropic-prompt.ts'
import type { LiveModel } from './catalogue.ts'
import { billVendor, type LiveWorld, lengthOfReply } from './live-world.ts'
import { type ContentBlock, type MessageReply, streamedMessage } from './message-events.ts'
import { tokensUntil } from './prompt-cache.ts'
import { say } from './said.ts'

/** Anthropic's Messages, whole and streamed, the counter of their tokens, and the list of models. */
export const messages = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/anthropic/v1/messages/count_tokens',
    family: 'count-tokens',
    handle: ({ body }) => {
      const blocks = blocksOf(world, modelOf(world, body['model']), checked(body))
      return { json: { input_tokens: tokensUntil(blocks, blocks.length) } }
    },
  },
  {
    method: 'POST',
    path: '/anthropic/v1/messages',
    family: 'messages',
    handle: (exchange) => answer(world, exchange),
  },
  {
    method: 'GET',
    path: '/anthropic/v1/models',
    family: 'models',
    handle: () => {
      const data = world.catalogue.list('anthropic', world.clock.now()).map(listed)
      return {
        json: { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null },
      }
    },
  },
  {
    method: 'GET',
    path: '/anthropic/v1/models/:model',
    family: 'models',
    handle: ({ params }) => ({ json: listed(modelOf(world, params['model'])) }),
  },
]

const listed = ({ id, created }: LiveModel) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(created * 1000).toISOString(),
})

/** vicharanashala/vibe issue 1259, 2026-08-14: a retired model and one that never was are told the same. */
const modelOf = (world: LiveWorld, name: unknown): LiveModel => {
  if (typeof name !== 'string') throw invalid('model: Field required')
  const found = world.catalogue.find({ vendor: 'anthropic', name }, world.clock.now())
  if (typeof found === 'string') throw new Refusal(404, `model: ${name.slice(0, 100)}`)
  return found
}

const messagesMax = 4096

const checked = (body: Fields): Fields => {
  const list = body['messages']
  if (list === undefined) throw invalid('messages: Field required')
  if (!Array.isArray(list)) throw invalid('messages: Input should be a valid list')
  if (list.length === 0) throw invalid('messages: at least one message is required')
  if (list.length > messagesMax) throw invalid(`The sandbox reads at most ${messagesMax} messages.`)
  list.forEach((message: unknown, index) => {
    const role = isFields(message) ? message['role'] : undefined
    if (role !== 'user' && role !== 'assistant') {
      throw invalid(`messages.${index}.role: Input should be 'user' or 'assistant'`)
    }
  })
  return body
}

/** The reply is produced, and billed, before its first byte is sent. */
const answer = (world: LiveWorld, { body, requestId }: Exchange): Answer => {
  const model = modelOf(world, body['model'])
  const room = roomFor(model, body['max_tokens'])
  const speed = speedOf(model, body['speed'])
  const blocks = blocksOf(world, model, checked(body))
  const total = tokensUntil(blocks, blocks.length)
  if (total > (model.contextTokensMax ?? 200_000)) {
    throw invalid(`prompt is too long: ${total} tokens > ${model.contextTokensMax ?? 200_000} maximum`)
  }
  const random = randomFrom(world.seed, 'message', model.id, JSON.stringify(body['messages']))
  const { thought, hidden } = lengthOfReply(world, random, { room, thinks: thinksIn(body) })
  const counter = { ...world.counter, count: (text: string) => claudeTokens(world, model, text) }
  const said = say(world, {
    question: { ...questionOf(body), room: room - thought },
    random,
    counter,
  })
  const prompt = throughClaudeCache(world, { model, blocks, body })
  const input = prompt.input + hidden.prompt
  const output = Math.min(room, thought + said.tokens + hidden.completion)
  const written = prompt.written5m + prompt.written1h
  const reply: MessageReply = {
    id: `msg_01${world.newId('', 22)}`,
    type: 'message',
    role: 'assistant',
    model: model.servedAs,
    content: contentOf(world, said, thought),
    stop_reason: reasons[said.finish],
    stop_sequence: null,
    usage: {
      input_tokens: input,
      cache_creation_input_tokens: written,
      cache_read_input_tokens: prompt.read,
      cache_creation: {
        ephemeral_5m_input_tokens: prompt.written5m,
        ephemeral_1h_input_tokens: prompt.written1h,
      },
      output_tokens: output,
      output_tokens_details: { thinking_tokens: thought },
      server_tool_use: null,
      service_tier: 'standard',
      speed,
      inference_geo: 'not_available',
    },
  }
  billVendor(world, {
    ...{ provider: 'anthropic', wire: 'messages', id: reply.id, requestId, model: reply.model },
    usage: {
      input_text_tokens: input,
      cached_input_tokens: prompt.read,
      cache_write_5m_tokens: prompt.written5m,
      cache_write_1h_tokens: prompt.written1h,
      output_text_tokens: output - thought,
      output_reasoning_tokens: thought,
    },
    ...{ tier: speed, promptTokens: input + prompt.read + written },
    user: userOf(body),
  })
  return body['stream'] === true ? { events: streamedMessage(reply, said.pieces) } : { json: reply }
}

const userOf = (body: Fields): string | null => {
  const user = isFields(body['metadata']) ? body['metadata']['user_id'] : null
  return typeof user === 'string' ? user.slice(0, 256) : null
}

const roomFor = ({ id, outputTokensMax }: LiveModel, asked: unknown): number => {
  if (asked === undefined) throw invalid('max_tokens: Field required')
  if (typeof asked !== 'number' || !Number.isSafeInteger(asked) || asked < 1) {
    throw invalid('max_tokens: Input should be greater than or equal to 1')
  }
  const cap = outputTokensMax ?? 128_000
  if (asked <= cap) return asked
  throw invalid(
    `max_tokens: ${asked} > ${cap}, which is the maximum allowed number of output tokens for ${id}`,
  )
}

/** Fast mode has a price of its own, of the models that have it. */
const speedOf = ({ id, tiers }: LiveModel, asked: unknown): 'standard' | 'fast' => {
  if (asked === undefined || asked === null || asked === 'standard') return 'standard'
  if (asked === 'fast' && tiers.has('fast')) return 'fast'
  throw invalid(`speed: ${String(asked).slice(0, 40)} is not supported by ${id}`)
}

const thinksIn = (body: Fields): boolean => {
  const thinking = isFields(body['thinking']) ? body['thinking']['type'] : null
  return thinking === 'enabled' || thinking === 'adaptive'
}

const questionOf = (body: Fields) => {
  const tools: readonly unknown[] = Array.isArray(body['tools']) ? body['tools'] : []
  const choice = isFields(body['tool_choice']) ? body['tool_choice'] : {}
  const known = tools.filter(isFields).map((tool) => {
    if (tool['type'] !== undefined && tool['type'] !== 'custom') {
      throw invalid(`The sandbox does not play tools of type '${String(tool['type']).slice(0, 60)}' yet.`)
    }
    return { name: String(tool['name']), schema: tool['input_schema'] }
  })
  const first = known[0]?.name ?? null
  return {
    newest: newestOf(body['messages']),
    tools: choice['type'] === 'none' ? [] : known,
    forced: choice['type'] === 'tool' ? String(choice['name']) : choice['type'] === 'any' ? first : null,
    ...schemaOf(body['output_config'] ?? body),
    stops: Array.isArray(body['stop_sequences']) ? body['stop_sequences'].map(String) : [],
  }
}

/** `output_config.format`, or `output_format` as the beta had it: a JSON schema. */
const schemaOf = (holder: unknown): { readonly schema?: unknown } => {
  const format = isFields(holder) ? (holder['format'] ?? holder['output_format']) : null
  return isFields(format) && format['type'] === 'json_schema' ? { schema: format['schema'] } : {}
}

/** The text of the newest message, unless it brings the results of tools. */
const newestOf = (list: unknown): string | null => {
  const newest: unknown = Array.isArray(list) ? list.at(-1) : null
  if (!isFields(newest) || newest['role'] !== 'user') return null
  const { content } = newest
  if (typeof content === 'string') return content
  const parts = Array.isArray(content) ? content.filter(isFields) : []
  if (parts.some(({ type }) => type === 'tool_result')) return null
  return parts.map(({ text }) => (typeof text === 'string' ? text : '')).join('\n')
}

const reasons = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use' } as const

const contentOf = (
  world: LiveWorld,
  said: ReturnType<typeof say>,
  thought: number,
): readonly ContentBlock[] => [
  ...(thought > 0 ? [{ type: 'thinking' as const, thinking: '', signature: world.newId('sig_', 40) }] : []),
  ...said.calls.map(({ name, input }) => ({
    type: 'tool_use' as const,
    id: `toolu_01${world.newId('', 22)}`,
    ...{ name, input },
  })),
  ...(said.calls.length > 0 ? [] : [{ type: 'text' as const, text: said.pieces.join('') }]),
]
