import { randomFrom } from '../random.ts'
import { Refusal } from '../refusal.ts'
import { type Exchange, type Fields, isFields, type WireRoute } from '../world.ts'
import type { LiveModel } from './catalogue.ts'
import { wrong } from './google-face.ts'
import { geminiTokens, promptOf, throughGeminiCache } from './google-prompt.ts'
import { billVendor, type LiveWorld, lengthOfReply } from './live-world.ts'
import { type Said, say } from './said.ts'

/** Google's generateContent, streamGenerateContent (events, or an array that grows) and countTokens, of either
 * version of its paths. */
export const generateContent = (world: LiveWorld): readonly WireRoute[] =>
  versions.flatMap((version) => routesOf(world, version))

const versions = ['v1', 'v1beta'] as const
type Version = (typeof versions)[number]

const routesOf = (world: LiveWorld, version: Version): readonly WireRoute[] => [
  {
    method: 'POST',
    path: `/google/${version}/models/:call`,
    family: 'generate-content',
    handle: (exchange) => {
      const [name = '', verb = ''] = (exchange.params['call'] ?? '').split(':')
      const model = modelOf(world, name, { verb, version })
      if (verb === 'countTokens') return { json: counted(world, model, exchange.body) }
      const { chunks, reply } = answer(world, model, exchange)
      if (verb === 'generateContent') return { json: reply }
      return exchange.query.get('alt') === 'sse'
        ? { events: chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`) }
        : { events: asArray(chunks), contentType: 'application/json; charset=UTF-8' }
    },
  },
  {
    method: 'GET',
    path: `/google/${version}/models`,
    family: 'models',
    handle: () => ({ json: { models: world.catalogue.list('google', world.clock.now()).map(listed) } }),
  },
  {
    method: 'GET',
    path: `/google/${version}/models/:call`,
    family: 'models',
    handle: ({ params }) => ({
      json: listed(modelOf(world, params['call'] ?? '', { verb: 'get', version })),
    }),
  },
]

const verbs = ['generateContent', 'streamGenerateContent', 'countTokens']

const listed = ({ id, contextTokensMax, outputTokensMax, kinds }: LiveModel) => ({
  name: `models/${id}`,
  displayName: id,
  inputTokenLimit: contextTokensMax,
  outputTokenLimit: outputTokensMax,
  supportedGenerationMethods: kinds.has('chat') ? ['generateContent', 'countTokens'] : [],
})

/** google/adk-python issue 200, 2025-04-15; openclaw issue 14036, 2026-02-11, of a model that was retired. */
const modelOf = (
  world: LiveWorld,
  name: string,
  { verb, version }: { readonly verb: string; readonly version: Version },
): LiveModel => {
  const found = world.catalogue.find({ vendor: 'google', name }, world.clock.now())
  if (typeof found !== 'string' && (verb === 'get' || (found.kinds.has('chat') && verbs.includes(verb)))) {
    return found
  }
  throw new Refusal(
    404,
    `models/${name.slice(0, 100)} is not found for API version ${version}, or is not supported for ${verb.slice(0, 60)}. ` +
      'Call ListModels to see the list of available models and their supported methods.',
  )
}

const counted = (world: LiveWorld, model: LiveModel, body: Fields) => {
  const inner = body['generateContentRequest']
  const prompt = promptOf(world, model, isFields(inner) ? inner : body)
  return { totalTokens: prompt.tokens, promptTokensDetails: byModality(prompt.tokens, prompt.imageTokens) }
}

const byModality = (tokens: number, images: number) => [
  { modality: 'TEXT', tokenCount: tokens - images },
  ...(images > 0 ? [{ modality: 'IMAGE', tokenCount: images }] : []),
]

/** The reply is produced, and billed, before its first byte is sent. */
const answer = (world: LiveWorld, model: LiveModel, { body, requestId }: Exchange) => {
  if (body['cachedContent'] !== undefined) throw wrong('The sandbox does not play cachedContent yet.')
  const config = isFields(body['generationConfig']) ? body['generationConfig'] : {}
  const prompt = promptOf(world, model, body)
  const many = wholeOf(config['candidateCount'], 'candidate_count', 8) ?? 1
  const window = model.contextTokensMax ?? 1_048_576
  if (prompt.tokens >= window) {
    throw wrong(
      `The input token count (${prompt.tokens}) exceeds the maximum number of tokens allowed (${window}).`,
    )
  }
  const cap = model.outputTokensMax ?? 65_536
  const room = Math.min(cap, wholeOf(config['maxOutputTokens'], 'max_output_tokens', 1e9) ?? cap)
  const random = randomFrom(world.seed, 'content', model.id, JSON.stringify(body['contents']))
  const tier = tierOf(body, model)
  const { thought, hidden } = lengthOfReply(world, random, { room, thinks: thinksIn(model, config) })
  const counter = { ...world.newCounter, count: (text: string) => geminiTokens(world, text) }
  const question = questionOf(body, config, room - thought)
  const said = Array.from({ length: many }, () => say(world, { question, random, counter }))
  const cached = throughGeminiCache(world, model, prompt)
  const input = prompt.tokens + hidden.prompt
  const output = said.reduce((sum, { tokens }) => sum + tokens, hidden.completion)
  const id = world.newId('', 23)
  billVendor(world, {
    ...{ provider: 'google', wire: 'generate-content', id, requestId, model: model.servedAs },
    usage: {
      input_text_tokens: input - cached,
      cached_input_tokens: cached,
      output_text_tokens: output,
      output_reasoning_tokens: thought,
    },
    ...{ tier, promptTokens: input },
  })
  const usage = (candidates: number) => ({
    promptTokenCount: input,
    ...(candidates > 0 && { candidatesTokenCount: candidates }),
    totalTokenCount: input + candidates + thought,
    ...(cached > 0 && {
      cachedContentTokenCount: cached,
      cacheTokensDetails: [{ modality: 'TEXT', tokenCount: cached }],
    }),
    promptTokensDetails: byModality(input, prompt.imageTokens),
    ...(thought > 0 && { thoughtsTokenCount: thought }),
    ...(tier !== 'standard' && { serviceTier: tier }),
  })
  const head = { modelVersion: model.servedAs, responseId: id }
  const chunk = (candidates: readonly object[], tokens: number) => ({
    candidates,
    usageMetadata: usage(tokens),
    ...head,
  })
  return {
    reply: chunk(said.map(candidateOf), output),
    chunks: chunksOf(said, { chunk, output }),
  }
}

type MakeChunk = (candidates: readonly object[], tokens: number) => object

const candidateOf = (said: Said, index: number) => ({
  content: { parts: partsOf(said), role: 'model' },
  finishReason: said.finish === 'length' ? 'MAX_TOKENS' : 'STOP',
  index,
})

const partsOf = ({ pieces, calls }: Said): readonly object[] =>
  calls.length > 0
    ? calls.map(({ name, input }) => ({ functionCall: { name, args: input } }))
    : [{ text: pieces.join('') }]

/** Tokens a chunk brings at most: the vendor sends few and long ones. */
const piecesPerChunk = 8

/** Every chunk has the totals so far; the last says why it ended, and has all of them. */
const chunksOf = (
  said: readonly Said[],
  { chunk, output }: { readonly chunk: MakeChunk; readonly output: number },
): readonly object[] => {
  const chunks: object[] = []
  let sent = 0
  for (const [index, { pieces }] of said.entries()) {
    for (let at = 0; at + piecesPerChunk < pieces.length; at += piecesPerChunk) {
      sent += piecesPerChunk
      const text = pieces.slice(at, at + piecesPerChunk).join('')
      chunks.push(chunk([{ content: { parts: [{ text }], role: 'model' }, index }], Math.min(sent, output)))
    }
  }
  const rest = said.map((each, index) => {
    const before = each.pieces.length === 0 ? 0 : Math.ceil(each.pieces.length / piecesPerChunk) - 1
    return candidateOf({ ...each, pieces: each.pieces.slice(before * piecesPerChunk) }, index)
  })
  return [...chunks, chunk(rest, output)]
}

function* asArray(chunks: readonly object[]): Generator<string> {
  for (const [index, chunk] of chunks.entries())
    yield `${index === 0 ? '[' : ',\r\n'}${JSON.stringify(chunk)}`
  yield ']'
}

const wholeOf = (value: unknown, name: string, most: number): number | null => {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw wrong(`* GenerateContentRequest.generation_config.${name}: ${name} must be positive.\n`)
}

/** A tier is served where the model has a price in it. */
const tierOf = (body: Fields, { tiers, id }: LiveModel): string => {
  const asked = String(body['serviceTier'] ?? body['service_tier'] ?? 'standard').toLowerCase()
  if (asked === 'standard' || asked === 'unspecified') return 'standard'
  if (asked !== 'batch' && tiers.has(asked)) return asked
  throw wrong(`The service tier ${asked.slice(0, 40)} is not supported for models/${id}.`)
}

/** Gemini 2.5 and later think, but for 2.5 Flash-Lite, unless their budget is nothing. */
const thinksIn = ({ id }: LiveModel, config: Fields): boolean => {
  const thinking = isFields(config['thinkingConfig']) ? config['thinkingConfig'] : {}
  if (thinking['thinkingBudget'] !== undefined) return thinking['thinkingBudget'] !== 0
  return id !== 'gemini-2.5-flash-lite'
}

const questionOf = (body: Fields, config: Fields, room: number) => {
  const tools = (Array.isArray(body['tools']) ? body['tools'] : []).filter(isFields)
  const hosted = tools.find((tool) => tool['functionDeclarations'] === undefined)
  if (hosted !== undefined) throw wrong('The sandbox does not play tools of the vendor yet: use functions.')
  const functions = tools.flatMap((tool) =>
    (Array.isArray(tool['functionDeclarations']) ? tool['functionDeclarations'] : []).filter(isFields),
  )
  const known = functions.map((each) => ({
    name: String(each['name']),
    schema: lowered(each['parametersJsonSchema'] ?? each['parameters'] ?? { type: 'object' }),
  }))
  const holder = isFields(body['toolConfig']) ? body['toolConfig'] : {}
  const calling = isFields(holder['functionCallingConfig']) ? holder['functionCallingConfig'] : {}
  const isJson = config['responseMimeType'] === 'application/json'
  const schema = config['responseJsonSchema'] ?? config['responseSchema'] ?? { type: 'object' }
  return {
    newest: newestOf(body['contents']),
    tools: calling['mode'] === 'NONE' ? [] : known,
    forced: calling['mode'] === 'ANY' ? (known[0]?.name ?? null) : null,
    ...(isJson && { schema: lowered(schema) }),
    stops: Array.isArray(config['stopSequences']) ? config['stopSequences'].map(String) : [],
    room,
  }
}

/** The text of the newest content, unless it brings what a function gave. */
const newestOf = (contents: unknown): string | null => {
  const newest: unknown = Array.isArray(contents) ? contents.at(-1) : null
  if (!isFields(newest) || newest['role'] === 'model') return null
  const parts = Array.isArray(newest['parts']) ? newest['parts'].filter(isFields) : []
  if (parts.some((part) => part['functionResponse'] !== undefined)) return null
  return parts.map(({ text }) => (typeof text === 'string' ? text : '')).join('\n')
}

/** The vendor's own schemas write types in capitals. */
const lowered = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(lowered)
  if (!isFields(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      name === 'type' && typeof value === 'string' ? value.toLowerCase() : lowered(value),
    ]),
  )
}
