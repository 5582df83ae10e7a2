import { type Fields, isFields } from '../world.ts'
import type { ResponseFormat, RunSettings, Sampling, ToolChoice, TruncationStrategy } from './objects-v2.ts'
import { invalidType, invalidValue } from './refusals-v2.ts'
import { readChoice, readFlag, readNumber, readObject } from './values.ts'

export const samplingFields = ['temperature', 'top_p', 'response_format'] as const

export const settingFields = [
  ...samplingFields,
  ...(['tool_choice', 'parallel_tool_calls', 'truncation_strategy'] as const),
  ...(['max_prompt_tokens', 'max_completion_tokens'] as const),
] as const

/** What a request says of the sampling; what it does not say is left out. */
export const readSampling = (body: Fields): Partial<Sampling> => {
  const temperature = readNumber(body, 'temperature', { least: 0, most: 2 })
  const top_p = readNumber(body, 'top_p', { least: 0, most: 1 })
  const response_format = readFormat(body['response_format'])
  return {
    ...(temperature !== null && { temperature }),
    ...(top_p !== null && { top_p }),
    ...(response_format !== null && { response_format }),
  }
}

const formats = ['text', 'json_object', 'json_schema'] as const

const readFormat = (value: unknown): ResponseFormat | null => {
  if (value === undefined || value === null) return null
  if (value === 'auto') return 'auto'
  if (!isFields(value))
    throw invalidValue({ param: 'response_format', value, supported: ['auto', ...formats] })
  const type = readChoice(value, 'type', formats, 'response_format.type')
  if (type !== 'json_schema') return { type }
  const json_schema = readObject(value, 'json_schema', 'response_format.json_schema')
  if (json_schema === null || !isFields(json_schema['schema'])) {
    throw invalidType({ param: 'response_format.json_schema', expected: 'an object with a schema' })
  }
  return { type, json_schema }
}

/** The least that the vendor takes for the prompts and for the completions of a run. */
const budgetTokensMin = 256
const budgetTokensMax = 2 ** 31 - 1

/** How a run is asked for. What its assistant says of the sampling holds where the request says nothing. */
export const readSettings = (body: Fields, assistant: Sampling): RunSettings => {
  const budget = { least: budgetTokensMin, most: budgetTokensMax, whole: true }
  return {
    temperature: assistant.temperature,
    top_p: assistant.top_p,
    response_format: assistant.response_format,
    ...readSampling(body),
    tool_choice: readToolChoice(body['tool_choice']),
    parallel_tool_calls: readFlag(body, 'parallel_tool_calls') ?? true,
    truncation_strategy: readTruncation(body),
    max_prompt_tokens: readNumber(body, 'max_prompt_tokens', budget),
    max_completion_tokens: readNumber(body, 'max_completion_tokens', budget),
  }
}

const words = ['none', 'auto', 'required'] as const
const kinds = ['code_interpreter', 'file_search', 'function'] as const

const readToolChoice = (value: unknown): ToolChoice => {
  if (value === undefined || value === null) return 'auto'
  const word = words.find((each) => each === value)
  if (word !== undefined) return word
  if (!isFields(value)) throw invalidValue({ param: 'tool_choice', value, supported: words })
  const type = readChoice(value, 'type', kinds, 'tool_choice.type')
  if (type !== 'function') return { type }
  const name = readObject(value, 'function', 'tool_choice.function')?.['name']
  if (typeof name !== 'string')
    throw invalidType({ param: 'tool_choice.function.name', expected: 'a string' })
  return { type, function: { name: name.slice(0, 64) } }
}

const messagesMax = 2 ** 31 - 1

const readTruncation = (body: Fields): TruncationStrategy => {
  const value = readObject(body, 'truncation_strategy')
  if (value === null) return { type: 'auto', last_messages: null }
  const type = readChoice(value, 'type', ['auto', 'last_messages'] as const, 'truncation_strategy.type')
  const param = 'truncation_strategy.last_messages'
  const last_messages = readNumber(
    value,
    'last_messages',
    { least: 1, most: messagesMax, whole: true },
    param,
  )
  if (type === 'last_messages' && last_messages === null) throw invalidType({ param, expected: 'an integer' })
  return { type, last_messages: type === 'auto' ? null : last_messages }
}
