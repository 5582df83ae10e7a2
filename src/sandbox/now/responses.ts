import { countResponses } from '../../tokens/responses.ts'
import { flag, number } from '../arguments.ts'
import { randomFrom } from '../random.ts'
import { readStops } from '../stops.ts'
import { type Answer, type Exchange, type Fields, isFields, seconds, type WireRoute } from '../world.ts'
import { roomFor } from './chat-completions.ts'
import {
  forcedOf,
  missing,
  newestText,
  schemaOf,
  toolsOf,
  unplayed,
  userOf,
  wrongType,
} from './chat-request.ts'
import { historyOf, keptRoutes, remember, withIds } from './history.ts'
import { billVendor, type LiveWorld, lengthOfReply } from './live-world.ts'
import { openaiModel, servedTier, thinks } from './openai-models.ts'
import { type BilledPrompt, partCounter, piecesOf, textMeters, throughCache } from './openai-prompt.ts'
import { type OutputItem, type ResponseObject, streamedResponse } from './response-events.ts'
import { type Said, say } from './said.ts'

/** Responses, whole and streamed; their history, which is billed again at each turn; the counter of their input. */
export const responses = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/responses/input_tokens',
    family: 'responses',
    handle: ({ body }) => {
      const { tokens } = countInput(world, readRequest(world, body))
      return { json: { object: 'response.input_tokens', input_tokens: tokens } }
    },
  },
  {
    method: 'POST',
    path: '/v1/responses',
    family: 'responses',
    handle: (exchange) => respond(world, exchange),
  },
  ...keptRoutes(world),
]

const readRequest = (world: LiveWorld, body: Fields) => {
  const model = openaiModel(world, body, 'chat')
  for (const name of ['prompt', 'context_management']) {
    if (body[name] !== undefined && body[name] !== null) throw unplayed(name, 'leave it out')
  }
  if (flag(body, 'background')) throw unplayed('background', 'wait for the reply')
  const tools: readonly unknown[] = Array.isArray(body['tools']) ? body['tools'] : []
  const hosted = tools.filter((tool) => !isFields(tool) || tool['type'] !== 'function')
  const searches = hosted.filter((tool) => isFields(tool) && tool['type'] === 'web_search')
  if (hosted.length > searches.length) throw unplayed('tools', 'use functions and web_search')
  const history = historyOf(world, body)
  return { body, model, history, input: inputOf(world, body), canSearch: searches.length > 0 }
}

type Request = ReturnType<typeof readRequest>

const inputOf = (world: LiveWorld, body: Fields): readonly Fields[] => {
  const { input } = body
  if (input === undefined || input === null) {
    if (body['previous_response_id'] === undefined && body['conversation'] === undefined)
      throw missing('input')
    return []
  }
  if (typeof input === 'string') return withIds(world, [{ type: 'message', role: 'user', content: input }])
  if (!Array.isArray(input)) throw wrongType('input', input, 'a string or an array')
  return withIds(world, input)
}

const countInput = (world: LiveWorld, { body, model, history, input }: Request) => {
  const { previous_response_id: _, conversation: __, instructions, tools, tool_choice, text } = body
  const partTokens = partCounter(model)
  const count = (request: Fields): number =>
    countResponses({ ...request, model: model.id }, world.newCounter, { partTokens }).tokens
  const items = withoutIds([...history.items, ...input])
  const total = count({ instructions, tools, tool_choice, text, input: items })
  const pieces = piecesOf({
    total,
    before: { instructions, tools, text },
    messages: items,
    count: (some) => count({ input: some }),
  })
  return { tokens: total, pieces }
}

/** The same request reads and says the same, whatever its items are called. */
const withoutIds = (items: readonly unknown[]): readonly unknown[] =>
  items.map((item) => {
    if (!isFields(item)) return item
    const { id: _, ...rest } = item
    return rest
  })

/** The reply is produced, billed and kept before its first byte is sent. */
const respond = (world: LiveWorld, { body, requestId }: Exchange): Answer => {
  const request = readRequest(world, body)
  const { model, history, input } = request
  const tier = servedTier(body, model, { ultrafast: true })
  const effort = isFields(body['reasoning']) ? body['reasoning']['effort'] : null
  const counted = countInput(world, request)
  const read = JSON.stringify(withoutIds([...history.items, ...input]))
  const random = randomFrom(world.seed, 'response', model.id, read)
  const asked = number(body, 'max_output_tokens', { least: 16, most: Number.MAX_SAFE_INTEGER, whole: true })
  const searches = request.canSearch ? searchesOf(newestText(input)) : 0
  const fixed = world.catalogue.searchTokens(model.id, world.clock.now())
  const found = fixed === null ? searches * random.whole({ least: 200, most: 800 }) : 0
  const room = roomFor(model, { prompt: counted.tokens + found, asked })
  const { thought, hidden } = lengthOfReply(world, random, {
    room,
    thinks: thinks(model) && effort !== 'none',
  })
  const said = say(world, {
    question: {
      newest: newestText(input),
      tools: toolsOf(body),
      forced: forcedOf(body),
      ...schemaOf(isFields(body['text']) ? body['text']['format'] : undefined),
      stops: readStops(undefined),
      room: room - thought,
    },
    random,
    counter: world.newCounter,
  })
  const cache = throughCache(world, { model, pieces: counted.pieces, body })
  const prompt = { ...cache, tokens: counted.tokens + found + hidden.prompt }
  const output = { all: Math.min(room, thought + said.tokens + hidden.completion), thought }
  const reply: ResponseObject = {
    ...settings(body),
    id: world.newId('resp_', 48),
    object: 'response',
    created_at: seconds(world),
    status: said.finish === 'length' ? 'incomplete' : 'completed',
    incomplete_details: said.finish === 'length' ? { reason: 'max_output_tokens' } : null,
    model: model.servedAs,
    service_tier: tier.served,
    output: outputOf(world, said, searches),
    usage: reported(prompt, output),
    ...(request.canSearch && { tool_usage: { web_search: { num_requests: searches }, image_gen: noImages } }),
  }
  const kept = { id: reply.id, reply, items: [...history.items, ...input, ...reply.output] }
  remember(world, { kept, store: body['store'] !== false, history })
  billVendor(world, {
    ...{ provider: 'openai', wire: 'responses', id: reply.id, requestId, model: reply.model },
    usage: withSearches(textMeters(prompt, output), { searches, fixed: fixed ?? 0 }),
    ...{ tier: tier.priced, cacheLifetime: prompt.lifetime, promptTokens: prompt.tokens },
    user: userOf(body),
  })
  return flag(body, 'stream') ? { events: streamedResponse(reply, said.pieces) } : { json: reply }
}

const searchesMax = 16

/** `[search]` in the newest message searches the web once; several, several times. */
const searchesOf = (newest: string | null): number =>
  Math.min(searchesMax, [...(newest ?? '').matchAll(/\[search\]/g)].length)

/** For some models a search is so many tokens of input, which no usage shows. */
const withSearches = <U extends { readonly input_text_tokens: number }>(
  usage: U,
  { searches, fixed }: { readonly searches: number; readonly fixed: number },
) => ({
  ...usage,
  input_text_tokens: usage.input_text_tokens + searches * fixed,
  web_search_call: searches,
})

const noImages = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { image_tokens: 0, text_tokens: 0 },
  total_tokens: 0,
}

const outputOf = (world: LiveWorld, said: Said, searches: number): readonly OutputItem[] => [
  ...Array.from({ length: searches }, (_, index) => ({
    id: world.newId('ws_', 48),
    type: 'web_search_call' as const,
    status: 'completed' as const,
    action: { type: 'search' as const, query: `search ${index + 1}` },
  })),
  ...said.calls.map(({ name, input }) => ({
    id: world.newId('fc_', 48),
    type: 'function_call' as const,
    status: 'completed' as const,
    ...{ call_id: world.newId('call_'), name, arguments: JSON.stringify(input) },
  })),
  ...(said.calls.length > 0
    ? []
    : [
        {
          id: world.newId('msg_', 48),
          type: 'message' as const,
          status: said.finish === 'length' ? ('incomplete' as const) : ('completed' as const),
          role: 'assistant' as const,
          content: [
            { type: 'output_text' as const, text: said.pieces.join(''), annotations: [], logprobs: [] },
          ],
        },
      ]),
]

const reported = (prompt: BilledPrompt, output: { all: number; thought: number }) => ({
  input_tokens: prompt.tokens,
  input_tokens_details: {
    cached_tokens: prompt.cached,
    cache_write_tokens: prompt.written,
    ...(prompt.written > 0 && {
      cache_write_tokens_details: {
        ttl_30m_tokens: prompt.lifetime === '30m' ? prompt.written : 0,
        ttl_12h_tokens: prompt.lifetime === '12h' ? prompt.written : 0,
      },
    }),
  },
  output_tokens: output.all,
  output_tokens_details: { reasoning_tokens: output.thought },
  total_tokens: prompt.tokens + output.all,
})

/** What a response repeats of its request. */
const settings = (body: Fields) => ({
  background: false,
  error: null,
  instructions: body['instructions'] ?? null,
  max_output_tokens: body['max_output_tokens'] ?? null,
  metadata: body['metadata'] ?? {},
  parallel_tool_calls: body['parallel_tool_calls'] ?? true,
  previous_response_id: body['previous_response_id'] ?? null,
  reasoning: body['reasoning'] ?? { effort: null, summary: null },
  store: body['store'] !== false,
  temperature: body['temperature'] ?? 1,
  text: body['text'] ?? { format: { type: 'text' } },
  tool_choice: body['tool_choice'] ?? 'auto',
  tools: body['tools'] ?? [],
  top_p: body['top_p'] ?? 1,
  truncation: body['truncation'] ?? 'disabled',
  user: body['user'] ?? null,
})
