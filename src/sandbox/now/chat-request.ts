import { flag, number, shown } from '../arguments.ts'
import { Refusal } from '../refusal.ts'
import { readStops } from '../stops.ts'
import { type Fields, isFields } from '../world.ts'
import type { LiveModel } from './catalogue.ts'
import type { LiveWorld } from './live-world.ts'
import { openaiModel, refuseResponsesOnly, servedTier, thinks } from './openai-models.ts'
import type { DefinedTool, Question } from './said.ts'

/** What of a chat completion's request decides its reply. */
export type ChatRequest = {
  readonly model: LiveModel
  readonly messages: readonly Fields[]
  readonly choices: number
  readonly tokensMax: number | null
  readonly question: Omit<Question, 'room'>
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly tier: { readonly served: string; readonly priced: string }
  /** Whether it thinks before it answers. */
  readonly reasons: boolean
  readonly user: string | null
}

const messagesMax = 4096
const choicesMax = 128

/** Reads a request. Throws the vendor's refusal of the first thing that is wrong. */
export const readChat = (world: LiveWorld, body: Fields): ChatRequest => {
  const model = openaiModel(world, body, 'chat')
  refuseResponsesOnly(model)
  const reasons = thinks(model) && body['reasoning_effort'] !== 'none'
  const stream = flag(body, 'stream')
  const messages = checkMessages(body['messages'])
  refuseUnplayed(body)
  return {
    model,
    messages,
    reasons,
    choices: number(body, 'n', { least: 1, most: choicesMax, whole: true }) ?? 1,
    tokensMax: tokensMaxOf(body, model),
    question: {
      newest: newestText(messages),
      tools: toolsOf(body),
      forced: forcedOf(body),
      ...schemaOf(body['response_format']),
      stops: readStops(body['stop']),
    },
    stream,
    includeUsage: includeUsage(body['stream_options'], stream),
    tier: servedTier(body, model, { ultrafast: false }),
    user: userOf(body),
  }
}

/** Who the call is for: `safety_identifier`, or `user` as older clients say it. */
export const userOf = (body: Fields): string | null => {
  const user = body['safety_identifier'] ?? body['user']
  return typeof user === 'string' ? user.slice(0, 256) : null
}

const checkMessages = (messages: unknown): readonly Fields[] => {
  if (messages === undefined) throw missing('messages')
  if (!Array.isArray(messages)) throw wrongType('messages', messages, 'an array of objects')
  if (messages.length === 0) {
    throw new Refusal(
      400,
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      { param: 'messages', code: 'empty_array' },
    )
  }
  if (messages.length > messagesMax) {
    throw new Refusal(400, `The sandbox reads at most ${messagesMax} messages.`, { param: 'messages' })
  }
  return messages.map((message: unknown, index) => {
    if (!isFields(message)) throw wrongType(`messages[${index}]`, message, 'an object')
    if (typeof message['role'] !== 'string') throw missing(`messages[${index}].role`)
    return message
  })
}

/** In the manner of the vendor's validator of today, "Missing required parameter: 'messages'.". */
export const missing = (param: string): Refusal =>
  new Refusal(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' })

/** The same of a value of another type. */
export const wrongType = (param: string, value: unknown, expected: string): Refusal =>
  new Refusal(400, `Invalid type for '${param}': expected ${expected}, but got ${shown(value)} instead.`, {
    param,
    code: 'invalid_type',
  })

const refuseUnplayed = (body: Fields): void => {
  const modalities = Array.isArray(body['modalities']) ? body['modalities'] : []
  if (modalities.includes('audio')) throw unplayed('modalities', 'ask for text')
  for (const name of ['functions', 'prediction', 'web_search_options']) {
    if (body[name] !== undefined && body[name] !== null) throw unplayed(name, 'leave it out')
  }
}

/** What the vendor has and the sandbox does not play: refused, so that no bill is ever a guess. */
export const unplayed = (name: string, remedy: string): Refusal =>
  new Refusal(400, `The sandbox does not play '${name}' yet: ${remedy}.`, { param: name })

/** Models that think take no `max_tokens` (vendor's guide to reasoning; the refusal as many clients repeat it). */
const tokensMaxOf = (body: Fields, model: LiveModel): number | null => {
  const range = { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true } as const
  const old = number(body, 'max_tokens', range)
  if (old !== null && thinks(model)) {
    throw new Refusal(
      400,
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { param: 'max_tokens', code: 'unsupported_parameter' },
    )
  }
  return number(body, 'max_completion_tokens', range) ?? old
}

/** The text of the newest message, where a user wrote it: nothing after a tool has answered. */
export const newestText = (messages: readonly unknown[]): string | null => {
  const newest = messages.at(-1)
  if (!isFields(newest) || newest['role'] !== 'user') return null
  const { content } = newest
  if (typeof content === 'string') return content
  const parts: readonly unknown[] = Array.isArray(content) ? content : []
  return parts
    .map((part) => (isFields(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('\n')
}

/** The functions of a request of Chat Completions, or of Responses, whose tools lie flat. */
export const toolsOf = (body: Fields): readonly DefinedTool[] => {
  const tools: readonly unknown[] = Array.isArray(body['tools']) ? body['tools'] : []
  if (body['tool_choice'] === 'none') return []
  return tools.flatMap((tool): readonly DefinedTool[] => {
    if (!isFields(tool) || tool['type'] !== 'function') return []
    const definition = isFields(tool['function']) ? tool['function'] : tool
    const { name, parameters } = definition
    return typeof name === 'string' ? [{ name, schema: parameters ?? { type: 'object' } }] : []
  })
}

/** The function that the request wants called, of either wire. `required` is the first there is. */
export const forcedOf = (body: Fields): string | null => {
  const { tool_choice: choice } = body
  if (choice === 'required') return toolsOf(body)[0]?.name ?? null
  if (!isFields(choice)) return null
  const { name } = isFields(choice['function']) ? choice['function'] : choice
  return typeof name === 'string' ? name : null
}

/** The schema of the JSON that a format asks for; of any object where it names none. */
export const schemaOf = (format: unknown): { readonly schema?: unknown } => {
  if (!isFields(format)) return {}
  if (format['type'] === 'json_object') return { schema: anyObject }
  if (format['type'] !== 'json_schema') return {}
  const { schema } = isFields(format['json_schema']) ? format['json_schema'] : format
  return { schema: schema ?? anyObject }
}

const anyObject = { type: 'object', properties: { answer: { type: 'string' } } }

/** litellm issue 5803 has the refusal. */
const includeUsage = (options: unknown, stream: boolean): boolean => {
  if (options === undefined || options === null) return false
  if (stream) return isFields(options) && options['include_usage'] === true
  throw new Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
    param: 'stream_options',
  })
}
