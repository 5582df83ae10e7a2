import { type Fields, isFields } from './world.ts'

/** What a request asks of the limits of its model: itself, the tokens that are held for it, and images. */
export type Asked = {
  readonly model: string
  readonly requests: 1
  readonly tokens: number
  readonly images: number
}

/** The wires whose requests are counted, by path. Runs of assistants are not: the vendor never said which limit
 * their model's turns draw on. */
const wires: Readonly<Record<string, (body: Fields) => Omit<Asked, 'requests'> | null>> = {
  '/v1/chat/completions': (body) => withTokens(body, charactersOfChat(body), completions(body)),
  '/v1/completions': (body) => withTokens(body, charactersOf(body['prompt']), completions(body)),
  '/v1/embeddings': (body) => withTokens(body, charactersOf(body['input']), 0),
  '/v1/images/generations': (body) => withImages(body),
  '/v1/images/edits': (body) => withImages(body),
  '/v1/images/variations': (body) => withImages(body),
  '/v1/audio/speech': (body) => withTokens(body, 0, 0),
  '/v1/audio/transcriptions': (body) => withTokens(body, 0, 0),
  '/v1/audio/translations': (body) => withTokens(body, 0, 0),
}

/** What a request asks; null where nothing is counted: on other wires, and without a model.
 *
 * Tokens are estimated before anything is read closely, as the vendor does: a quarter of the characters of the
 * request's texts, and for each choice the `max_tokens` it may have, or 15 (openai-cookbook's
 * `api_request_parallel_processor.py`; refusals of November 2023 hold 4,096 + 401 and 4,096 + 1,600). The vendor's
 * guide of that winter says "the maximum of max_tokens and the estimated number of tokens" instead, which those
 * refusals contradict. Pictures count nothing. */
export const askedOf = (path: string, body: Fields): Asked | null => {
  const asked = isCounted(path) ? wires[path]?.(body) : undefined
  return asked === undefined || asked === null ? null : { ...asked, requests: 1 }
}

/** Whether requests of a wire are counted. */
export const isCounted = (path: string): boolean => Object.hasOwn(wires, path)

const charactersPerToken = 4
const outputTokensUnlessSaid = 15

const withTokens = (body: Fields, characters: number, output: number): Omit<Asked, 'requests'> | null => {
  const model = body['model']
  if (typeof model !== 'string') return null
  return { model, tokens: Math.ceil(characters / charactersPerToken) + output, images: 0 }
}

const withImages = (body: Fields): Omit<Asked, 'requests'> => {
  const model = body['model']
  return { model: typeof model === 'string' ? model : 'dall-e-2', tokens: 0, images: whole(body['n'], 1) }
}

const completions = (body: Fields): number =>
  whole(body['n'], 1) * whole(body['max_tokens'], outputTokensUnlessSaid)

/** A form has its numbers as texts. */
const whole = (value: unknown, unlessSaid: number): number => {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : unlessSaid
}

const charactersOfChat = (body: Fields): number => {
  const messages: readonly unknown[] = Array.isArray(body['messages']) ? body['messages'] : []
  const definitions = [body['tools'], body['functions']].filter((each) => each !== undefined)
  return (
    messages.reduce<number>((sum, message) => sum + charactersOfMessage(message), 0) +
    definitions.reduce<number>((sum, each) => sum + JSON.stringify(each).length, 0)
  )
}

const charactersOfMessage = (message: unknown): number => {
  if (!isFields(message)) return 0
  const { content } = message
  if (!Array.isArray(content)) return lengthOf(content)
  return content.reduce<number>((sum, part) => sum + (isFields(part) ? lengthOf(part['text']) : 0), 0)
}

/** Of a text, or of several. A number stands for a token that was counted already. */
const charactersOf = (value: unknown): number => {
  if (typeof value === 'number') return charactersPerToken
  return Array.isArray(value)
    ? value.reduce<number>((sum, each) => sum + charactersOf(each), 0)
    : lengthOf(value)
}

const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0)
