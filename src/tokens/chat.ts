import { familyOf, type ModelFamily } from './model-family.ts'
import { type Counter, newEffort } from './text.ts'

/** How sure a count of a prompt is. `exact`: recorded usage of the vendor agrees to the token. `formula`:
 * published measurements agree, with exceptions. `bound`: the true count is this or less. `unknown`: the rule
 * is not published, or something in the prompt (an image, a tool) could not be counted: neither a bound. */
export type CountClass = 'exact' | 'formula' | 'bound' | 'unknown'

/** The tokens of a prompt. `history`: those of messages that were sent before, everything up to the last
 * assistant message except the instructions. `rule`: which rule counted, and what weakens it. */
export type PromptCount = {
  readonly tokens: number
  readonly history: number
  readonly class: CountClass
  readonly rule: string
}

/** Counts the prompt of a Chat Completions request as the vendor will: texts, roles, names, and the overhead
 * of its model's family. `request` may be anything: what cannot be read is not counted, and the class says so.
 * Tool definitions are counted as their JSON text, which is not how the vendor renders them: `unknown`. */
export const countChat = (request: unknown, counter: Counter): PromptCount => {
  const body = isObject(request) ? request : {}
  const family = familyOf(typeof body.model === 'string' ? body.model : '')
  const tally = newTally(counter, family)
  const messages = Array.isArray(body.messages) ? body.messages : []
  if (messages.length === 0) tally.note('unknown', 'no messages')

  const lastReply = messages.findLastIndex((message) => isObject(message) && message.role === 'assistant')
  let tokens = family?.priming ?? fallback.priming
  let history = 0
  messages.forEach((message: unknown, index) => {
    const count = countMessage(message, tally)
    tokens += count
    if (index <= lastReply && !isInstruction(message)) history += count
  })
  tokens += countTools(body, tally)
  return {
    tokens: Math.max(0, tokens),
    history: Math.max(0, history),
    class: tally.class(),
    rule: tally.rule(),
  }
}

/** The overhead taken where no rule knows the model: that of most OpenAI models. */
const fallback = { perMessage: 3, perName: 1, priming: 3 }

type Tally = {
  readonly text: (text: string) => number
  readonly note: (weakened: CountClass, why: string) => void
  readonly class: () => CountClass
  readonly rule: () => string
  readonly perMessage: number
  readonly perName: number
}

/** Counts the texts of one request with one effort, and remembers what makes the count less sure. */
const newTally = (counter: Counter, family: ModelFamily | null): Tally => {
  const effort = newEffort()
  const reasons = new Set<string>()
  let sure: CountClass = family?.confidence ?? 'unknown'
  const note = (weakened: CountClass, why: string): void => {
    reasons.add(why)
    if (sureness.indexOf(weakened) > sureness.indexOf(sure)) sure = weakened
  }
  if (family === null) note('unknown', 'the overhead of this model is not known')
  if (family !== null && family.encoding !== counter.encoding) {
    note('unknown', `counted in ${counter.encoding}, the model speaks ${family.encoding}`)
  }
  return {
    text: (text) => {
      const count = counter.measure(text, effort)
      if (!count.exact) note('bound', 'long pieces at one token a byte')
      return count.tokens
    },
    note,
    class: () => sure,
    rule: () => [family?.rule ?? 'openai-chat/fallback', ...reasons].join('; '),
    perMessage: family?.perMessage ?? fallback.perMessage,
    perName: family?.perName ?? fallback.perName,
  }
}

const sureness: readonly CountClass[] = ['exact', 'formula', 'bound', 'unknown']

const countMessage = (message: unknown, tally: Tally): number => {
  if (!isObject(message)) {
    tally.note('unknown', 'a message that is not an object')
    return 0
  }
  const { role, name, content } = message
  let tokens = tally.perMessage + countContent(content, tally)
  if (typeof role === 'string') tokens += tally.text(role)
  if (typeof name === 'string') tokens += tally.text(name) + tally.perName
  // Recorded usage: a result of a function costs two less, a call in the history three more (hmarr/
  // openai-chat-tokens at b8e3b11).
  if (role === 'function') {
    tally.note('formula', 'function results')
    tokens -= 2
  }
  if (isObject(message.function_call)) {
    tally.note('formula', 'function calls')
    tokens += 3 + countCall(message.function_call, tally)
  }
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : []
  for (const call of calls) {
    tally.note('unknown', 'tool calls in the history')
    const called = isObject(call) && isObject(call.function) ? call.function : {}
    tokens += 3 + countCall(called, tally)
  }
  return tokens
}

/** Only the text of a part is sent, not its type; no content is no tokens. */
const countContent = (content: unknown, tally: Tally): number => {
  if (typeof content === 'string') return tally.text(content)
  if (content === null || content === undefined) return 0
  let tokens = 0
  for (const part of Array.isArray(content) ? content : [content]) {
    const text = isObject(part) ? (part.text ?? part.refusal) : part
    if (typeof text === 'string') tokens += tally.text(text)
    else tally.note('unknown', 'a part that is not text')
  }
  return tokens
}

const countCall = (call: Fields, tally: Tally): number =>
  [call.name, call.arguments].reduce<number>(
    (tokens, text) => tokens + (typeof text === 'string' ? tally.text(text) : 0),
    0,
  )

const countTools = (body: Fields, tally: Tally): number => {
  let tokens = 0
  for (const field of ['tools', 'functions', 'response_format']) {
    const value = body[field]
    if (!isObject(value) && !(Array.isArray(value) && value.length > 0)) continue
    tally.note('unknown', `${field} as JSON text`)
    tokens += countJson(value, tally)
  }
  return tokens
}

const countJson = (value: unknown, tally: Tally): number => {
  try {
    return tally.text(JSON.stringify(value) ?? '')
  } catch {
    tally.note('unknown', 'nested too deep to count')
    return 0
  }
}

const isInstruction = (message: unknown): boolean =>
  isObject(message) && (message.role === 'system' || message.role === 'developer')

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
