import { familyOf, type ModelFamily } from './model-family.ts'
import {
  type CountOptions,
  type Fields,
  familyTally,
  isObject,
  listOf,
  type PromptCount,
  type Tally,
  textOfPart,
  unknownFamily,
} from './prompt-count.ts'
import type { Counter } from './text.ts'
import { countTools, definesTools } from './tools.ts'

export type { PromptCount } from './prompt-count.ts'

/** Counts the prompt of a Chat Completions request as the vendor will: texts, roles, names, tools, and the
 * overhead of its model's family. `request` may be anything: what cannot be read is not counted, and the class
 * says so. Never throws. */
export const countChat = (request: unknown, counter: Counter, options: CountOptions = {}): PromptCount => {
  const body = isObject(request) ? request : {}
  const family = familyOf(typeof body.model === 'string' ? body.model : '')
  return countPrompt(body, family, familyTally(counter, family, options))
}

/** The same with a tally begun elsewhere, for requests that were brought into the shape of this wire. `kept`:
 * the tokens of a history that is not in the request. */
export const countPrompt = (
  body: Fields,
  family: ModelFamily | null,
  tally: Tally,
  kept = 0,
): PromptCount => {
  const messages = listOf(body.messages)
  if (messages.length === 0) tally.note('unknown', 'no messages')
  noteMargins(messages, family, tally)
  if (isObject(body.web_search_options)) tally.note('unknown', 'what a web search finds')

  const overhead = family ?? unknownFamily
  const lastReply = messages.findLastIndex((message) => isObject(message) && message.role === 'assistant')
  // Where there are tools, the first instructions end in a line break (hmarr/openai-chat-tokens at b8e3b11).
  const padded = definesTools(body) ? messages.findIndex(isInstruction) : -1
  let tokens = overhead.priming + kept
  let history = kept
  messages.forEach((message: unknown, index) => {
    const count = countMessage(index === padded ? withLineBreak(message) : message, overhead, tally)
    tokens += count
    if (index <= lastReply && !isInstruction(message)) history += count
  })
  tokens += countTools(body, tally, family, padded >= 0)
  tokens += countFormat(body.response_format, tally)
  return tally.result(tokens, history)
}

const noteMargins = (messages: readonly unknown[], family: ModelFamily | null, tally: Tally): void => {
  const { message = 0, assistant = 0, priming = 0 } = family?.margins ?? {}
  const replies = messages.filter((each) => isObject(each) && each.role === 'assistant').length
  if (message > 0) {
    const around = message * messages.length
    tally.note('calibrated', `each message may differ by ${message}`, { below: around, above: around })
  }
  if (priming > 0) tally.note('formula', `priming may be ${priming} more`, { above: priming })
  if (assistant > 0 && replies > 0) {
    const above = assistant * replies
    tally.note('formula', `each reply in the history may be ${assistant} more`, { above })
  }
}

const withLineBreak = (message: unknown): unknown => {
  if (!isObject(message)) return message
  const { content } = message
  if (Array.isArray(content)) return { ...message, content: [...content, '\n'] }
  return typeof content === 'string' ? { ...message, content: `${content}\n` } : message
}

type Overhead = Pick<ModelFamily, 'perMessage' | 'perName'>

const countMessage = (message: unknown, overhead: Overhead, tally: Tally): number => {
  if (!isObject(message)) {
    tally.note('unknown', 'a message that is not an object')
    return 0
  }
  const { role, name, content } = message
  let tokens = overhead.perMessage + countContent(content, tally)
  if (typeof role === 'string') tokens += tally.text(role)
  if (typeof name === 'string') tokens += tally.text(name) + overhead.perName
  // Recorded usage: a result of a function costs two less, a call in the history three more (hmarr/
  // openai-chat-tokens at b8e3b11).
  if (role === 'function') {
    tally.note('formula', 'function results')
    tokens -= 2
  }
  if (isObject(message.function_call)) {
    tally.note('formula', 'function calls')
    tokens += 3 + countTexts([message.function_call.name, message.function_call.arguments], tally)
  }
  if (isObject(message.audio)) tally.note('unknown', 'speech kept by the vendor')
  for (const call of listOf(message.tool_calls)) tokens += countToolCall(call, tally)
  if (typeof message.tool_call_id === 'string') {
    tally.note('bound', 'tool results', { below: 2, above: tally.text(message.tool_call_id) + callFrameMax })
  }
  return tokens
}

/** Nobody published how calls and results of tools are shown: as those of functions, and what a call says of
 * itself, its id and the names around it at most once more. */
const countToolCall = (call: unknown, tally: Tally): number => {
  const fields = isObject(call) ? call : {}
  const called = isObject(fields.function) ? fields.function : fields.custom
  if (!isObject(called)) {
    tally.note('unknown', 'tool calls of another kind')
    return tally.json(call, 'tool calls')
  }
  const above = callFrameMax + countTexts([fields.id], tally)
  tally.note('bound', 'tool calls', { below: 3, above })
  return 3 + countTexts([called.name, called.arguments ?? called.input], tally)
}

/** The JSON around one call, `{"tool_uses":[{"recipient_name":"functions.","parameters":}]}`, and room. */
const callFrameMax = 24

/** Only the text of a part is sent, not its type; no content is no tokens. */
const countContent = (content: unknown, tally: Tally): number => {
  if (typeof content === 'string') return tally.text(content)
  if (content === null || content === undefined) return 0
  let tokens = 0
  for (const part of Array.isArray(content) ? content : [content]) {
    const text = textOfPart(part)
    tokens += text === null ? tally.part(part) : tally.text(text)
  }
  return tokens
}

const countTexts = (texts: readonly unknown[], tally: Tally): number =>
  texts.reduce<number>((tokens, text) => tokens + (typeof text === 'string' ? tally.text(text) : 0), 0)

/** A schema is a part of the prompt (OpenAI's guide to prompt caching), in a form nobody published: at most its
 * JSON and a frame. What `json_object` adds is small and not published either. */
const countFormat = (format: unknown, tally: Tally): number => {
  if (!isObject(format) || format.type === 'text') return 0
  if (format.type === 'json_object') {
    tally.note('bound', 'response_format json_object', { above: formatFrameMax })
    return 0
  }
  const schema = tally.json(format.json_schema ?? format, 'response_format')
  tally.note('bound', 'response_format as its JSON', { below: schema, above: formatFrameMax })
  return schema
}

const formatFrameMax = 40

const isInstruction = (message: unknown): boolean =>
  isObject(message) && (message.role === 'system' || message.role === 'developer')
