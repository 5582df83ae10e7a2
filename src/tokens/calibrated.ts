import {
  claudeGeneration,
  type Generation,
  geminiGeneration,
  scaledText,
  unknownGeneration,
} from './calibrated-ratio.ts'
import {
  type CountOptions,
  isObject,
  jsonOf,
  listOf,
  newTally,
  type PromptCount,
  type Tally,
} from './prompt-count.ts'
import type { Counter } from './text.ts'

/** Counts the input of a request to Anthropic's Messages: never better than `calibrated`, since nobody may run its
 * tokenizer. `counter` is one of o200k_base. Where tools are defined, the hidden prompt of the model is added.
 * Hosted tools, and images without a rule, make it `unknown`. Never throws. */
export const countMessages = (
  request: unknown,
  counter: Counter,
  options: CountOptions = {},
): PromptCount => {
  const body = isObject(request) ? request : {}
  const model = typeof body.model === 'string' ? body.model : ''
  const { tally, text, json } = calibrate(claudeGeneration(model), counter, options)

  const countBlock = (block: unknown, depth: number): number => {
    const fields = isObject(block) ? block : {}
    switch (fields.type ?? 'text') {
      case 'text':
        return typeof fields.text === 'string' ? text(fields.text) : tally.part(block)
      case 'tool_use':
        return text(typeof fields.name === 'string' ? fields.name : '') + json(fields.input)
      case 'tool_result':
        return countContent(fields.content, depth + 1)
      // What was thought in earlier turns is left out; in the last one, while tools are called, it is not.
      case 'thinking': {
        const above = 2 * text(typeof fields.thinking === 'string' ? fields.thinking : '')
        tally.note('calibrated', 'thinking is left out', { above })
        return 0
      }
      default:
        return tally.part(block)
    }
  }
  const countContent = (content: unknown, depth = 0): number => {
    if (typeof content === 'string') return text(content)
    if (depth > depthMax) {
      tally.note('unknown', 'nested too deep to count')
      return 0
    }
    return listOf(content).reduce<number>((tokens, block) => tokens + countBlock(block, depth), 0)
  }

  const turns = listOf(body.messages).map((message) => {
    const fields = isObject(message) ? message : {}
    return { reply: fields.role === 'assistant', tokens: countContent(fields.content) + frame(tally) }
  })
  const instructions = body.system === undefined ? 0 : countContent(body.system)
  if (body.system !== undefined) tally.note('calibrated', 'a system prompt', { above: frameMost })
  const { total, history } = sumTurns(turns, tally)
  let tokens = total + instructions
  for (const tool of listOf(body.tools)) {
    const hosted = isObject(tool) && typeof tool.type === 'string' && tool.type !== 'custom'
    if (hosted) tally.note('unknown', 'tools of the vendor')
    tokens += json(tool)
  }
  if (listOf(body.tools).length > 0) tokens += hiddenToolPrompt(model, body.tool_choice, tally)
  return tally.result(tokens, history)
}

/** Counts the contents of a request to Google's generateContent, whose `model` stands in the address: never better
 * than `calibrated`. `counter` is one of o200k_base. Never throws. */
export const countGenerateContent = (
  request: unknown,
  model: string,
  counter: Counter,
  options: CountOptions = {},
): PromptCount => {
  const body = isObject(request) ? request : {}
  const { tally, text, json } = calibrate(geminiGeneration(model), counter, options)

  const countPart = (part: unknown): number => {
    const fields = isObject(part) ? part : {}
    if (typeof fields.text === 'string') return text(fields.text)
    const called = fields.functionCall ?? fields.function_call
    const answered = fields.functionResponse ?? fields.function_response
    return isObject(called ?? answered) ? json(called ?? answered) : tally.part(part)
  }
  const countParts = (content: unknown): number => {
    const parts = isObject(content) ? listOf(content.parts) : []
    return parts.reduce<number>((tokens, part) => tokens + countPart(part), 0)
  }

  const turns = listOf(body.contents).map((content) => ({
    reply: isObject(content) && content.role === 'model',
    tokens: countParts(content),
  }))
  const { total, history } = sumTurns(turns, tally)
  let tokens = total + countParts(body.systemInstruction ?? body.system_instruction)
  for (const tool of listOf(body.tools)) {
    const declared = isObject(tool) ? (tool.functionDeclarations ?? tool.function_declarations) : undefined
    if (declared === undefined) tally.note('unknown', 'tools of the vendor')
    tokens += json(declared ?? tool)
  }
  const config = isObject(body.generationConfig) ? body.generationConfig : {}
  if (config.responseSchema !== undefined) tokens += json(config.responseSchema)
  if (config.responseJsonSchema !== undefined) tokens += json(config.responseJsonSchema)
  if (typeof body.cachedContent === 'string') tally.note('unknown', 'a cache kept by the vendor')
  return tally.result(tokens, history)
}

/** Results hold blocks, and no result holds results. */
const depthMax = 8

const calibrate = (found: Generation | null, counter: Counter, options: CountOptions) => {
  const generation = found ?? unknownGeneration
  const { rule, dated } = generation
  const tally = newTally(counter, { rule, dated, class: 'calibrated' }, options)
  const nothing = { below: Number.POSITIVE_INFINITY }
  if (found === null) tally.note('unknown', 'the tokenizer of this model is not known', nothing)
  if (counter.encoding !== 'o200k_base') tally.note('unknown', `counted in ${counter.encoding}`, nothing)
  const text = (value: string): number => scaledText(value, generation, tally)
  const json = (value: unknown): number => {
    const written = jsonOf(value)
    if (written === null) tally.note('unknown', 'nested too deep to count')
    return text(written ?? '')
  }
  return { tally, text, json }
}

type Turn = { readonly reply: boolean; readonly tokens: number }

const sumTurns = (turns: readonly Turn[], tally: Tally): { total: number; history: number } => {
  if (turns.length === 0) tally.note('unknown', 'no messages')
  const last = turns.findLastIndex(({ reply }) => reply)
  const sum = (some: readonly Turn[]): number => some.reduce((total, { tokens }) => total + tokens, 0)
  return { total: sum(turns), history: sum(turns.slice(0, last + 1)) }
}

/** What is around a message: one example of the vendor's is published (14 tokens, token counting guide). */
const frameExpected = 3
const frameMost = 8

const frame = (tally: Tally): number => {
  tally.note('calibrated', 'frames of messages from one example', {
    below: frameExpected,
    above: frameMost - frameExpected,
  })
  return frameExpected
}

/** The tokens of the hidden prompt for tools, by whether the model may choose (auto, none) or must call (any, a
 * tool). Anthropic's page on tool use, copy of mid-2026. */
const toolPrompts = [
  { model: 'claude-opus-4-8', choosing: 290, forced: 410 },
  { model: 'claude-opus-4-7', choosing: 675, forced: 804 },
  { model: 'claude-opus-4-6', choosing: 497, forced: 589 },
  { model: 'claude-opus-4-5', choosing: 496, forced: 588 },
  { model: 'claude-opus-4-1', choosing: 313, forced: 315 },
  { model: 'claude-sonnet-5', choosing: 354, forced: 474 },
  { model: 'claude-sonnet-4-6', choosing: 497, forced: 589 },
]
/** Older copies of the page gave these for all of Claude 4; the others are the least and the most of the table. */
const otherToolPrompt = { choosing: 346, forced: 313, least: 290, most: 804 }

const hiddenToolPrompt = (model: string, choice: unknown, tally: Tally): number => {
  const type = isObject(choice) ? choice.type : 'auto'
  const kind = type === 'any' || type === 'tool' ? 'forced' : 'choosing'
  const known = toolPrompts.find((row) => model.includes(row.model))
  if (known !== undefined) {
    tally.note('calibrated', 'the hidden prompt for tools (2026)')
    return known[kind]
  }
  const { [kind]: expected, least, most } = otherToolPrompt
  const margin = { below: expected - least, above: most - expected }
  tally.note('calibrated', 'the hidden prompt for tools of other models', margin)
  return expected
}

/** Counts a text that a model of Claude wrote, by the same ratio. `counter` is one of o200k_base. */
export const countClaudeText = (text: string, model: string, counter: Counter): number =>
  Math.round(calibrate(claudeGeneration(model), counter, {}).text(text))

/** Counts a text that a model of Gemini wrote, by the same ratio. `counter` is one of o200k_base. */
export const countGeminiText = (text: string, model: string, counter: Counter): number =>
  Math.round(calibrate(geminiGeneration(model), counter, {}).text(text))
