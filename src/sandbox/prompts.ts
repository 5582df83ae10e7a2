import { shown } from './arguments.ts'
import { Refusal } from './refusal.ts'
import type { Fields } from './world.ts'

/** What is counted as one: a text, or the tokens of a text. */
export type Prompt = string | readonly number[]

/** How many there may be in one request. */
const promptsMax = 2048

/** A field that is a text, texts, the tokens of a text, or those of several. Throws the vendor's refusal. */
export const readPrompts = (body: Fields, name: string): readonly Prompt[] => {
  const value = body[name]
  if (value === undefined || value === null) throw new Refusal(400, `'${name}' is a required property`)
  const list = Array.isArray(value) && !isTokens(value) ? value : [value]
  if (list.length === 0) throw new Refusal(400, `[] is too short - '${name}'`)
  if (list.length > promptsMax) throw new Refusal(400, `${shown(value)} is too long - '${name}'`)
  return list.map((each: unknown): Prompt => {
    if ((typeof each === 'string' && each !== '') || isTokens(each)) return each
    throw new Refusal(
      400,
      `'$.${name}' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.`,
    )
  })
}

/** Every id of a token of cl100k_base is below this. */
const tokenIds = 100_277

const isTokens = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((each) => Number.isInteger(each) && each >= 0 && each < tokenIds)

/** Document_QA issue 3, 2023-03-26; knowledge_gpt issue 8, 2023-02-10. */
export const promptTooLong = (size: { window: number; prompt: number; completion: number }): Refusal =>
  new Refusal(
    400,
    `This model's maximum context length is ${size.window} tokens, however you requested ` +
      `${size.prompt + size.completion} tokens (${size.prompt} in your prompt; ${size.completion} for the ` +
      'completion). Please reduce your prompt; or completion length.',
  )
