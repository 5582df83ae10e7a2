import { countPrompt } from './chat.ts'
import { familyOf } from './model-family.ts'
import {
  type CountOptions,
  type Fields,
  familyTally,
  isObject,
  listOf,
  type PartCount,
  type PromptCount,
  type Tally,
} from './prompt-count.ts'
import type { Counter } from './text.ts'

/** `previous`: the tokens of the conversation that `previous_response_id` or `conversation` stands for, where it
 * is known (the input and output of its last response together). */
export type ResponsesOptions = CountOptions & { readonly previous?: PartCount }

/** Counts the input of a Responses request: the instructions as a developer's message, the items as messages,
 * the tools and the format as Chat Completions has them. What the vendor keeps (an earlier response, a
 * conversation, a stored prompt) and hosted tools are in no request: then the class is `unknown`, unless
 * `previous` tells. Never better than `formula`: nobody published recorded usage of this wire. */
export const countResponses = (
  request: unknown,
  counter: Counter,
  options: ResponsesOptions = {},
): PromptCount => {
  const body = isObject(request) ? request : {}
  const family = familyOf(typeof body.model === 'string' ? body.model : '')
  const tally = familyTally(counter, family, options)
  tally.note('formula', 'counted as a chat')
  const items = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : listOf(body.input)
  const instructions =
    typeof body.instructions === 'string' ? [{ role: 'developer', content: body.instructions }] : []
  const chat = {
    messages: [...instructions, ...items.flatMap((item) => messageOf(item, tally))],
    tools: listOf(body.tools).map(toolOf),
    tool_choice: choiceOf(body.tool_choice),
    response_format: formatOf(body.text),
  }
  return countPrompt(chat, family, tally, keptTokens(body, options.previous ?? null, tally))
}

/** The input of a chained request begins with all that its chain read and wrote before (OpenAI's guide to
 * conversation state). */
const keptTokens = (body: Fields, previous: PartCount | null, tally: Tally): number => {
  if (isObject(body.prompt)) tally.note('unknown', 'a prompt kept by the vendor')
  if (typeof body.previous_response_id !== 'string' && (body.conversation ?? null) === null) return 0
  if (previous === null || previous.high === null) tally.note('unknown', 'a conversation kept by the vendor')
  if (previous === null) return 0
  const { low, tokens } = previous
  const margin = { below: tokens - low, above: (previous.high ?? tokens) - tokens }
  tally.note(margin.below > 0 || margin.above > 0 ? 'bound' : 'formula', 'a conversation as given', margin)
  return tokens
}

/** An item as a message of a chat; none where the item cannot be read. */
const messageOf = (item: unknown, tally: Tally): readonly Fields[] => {
  const fields = isObject(item) ? item : {}
  switch (fields.type ?? 'message') {
    case 'message':
      return [{ role: fields.role, content: fields.content }]
    case 'function_call':
    case 'custom_tool_call': {
      const called = { name: fields.name, arguments: fields.arguments ?? fields.input }
      return [{ role: 'assistant', tool_calls: [{ id: fields.call_id, function: called }] }]
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ role: 'tool', tool_call_id: fields.call_id, content: fields.output }]
    default:
      tally.note('unknown', 'items that are neither messages nor calls of functions')
      return []
  }
}

/** A function as Chat Completions writes it; every other tool as it is. */
const toolOf = (tool: unknown): unknown => {
  if (!isObject(tool) || tool.type !== 'function') return tool
  const { type, ...definition } = tool
  return { type, function: definition }
}

const choiceOf = (choice: unknown): unknown =>
  isObject(choice) && choice.type === 'function'
    ? { type: 'function', function: { name: choice.name } }
    : choice

const formatOf = (text: unknown): unknown => {
  const format = isObject(text) ? text.format : undefined
  if (!isObject(format) || format.type !== 'json_schema') return format
  const { type, ...schema } = format
  return { type, json_schema: schema }
}
