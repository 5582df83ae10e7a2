import { flag, number, shown } from './arguments.ts'
import type { Profile, ServedModel } from './profiles/profile.ts'
import { Refusal } from './refusal.ts'
import { readStops } from './stops.ts'
import { isImagePart } from './vision.ts'
import { type Fields, isFields } from './world.ts'

/** What of a chat completion's request decides its reply. */
export type ChatRequest = {
  readonly model: ServedModel
  /** As they came, checked. */
  readonly messages: readonly Fields[]
  readonly choices: number
  readonly tokensMax: number | null
  readonly stop: readonly string[]
  readonly stream: boolean
  /** The client asked for the usage of its stream, and this vendor knows the question. */
  readonly includeUsage: boolean
  readonly user: string | null
}

const messagesMax = 2048
const partsMax = 256
const choicesMax = 128

/** Reads a request. Throws the vendor's refusal of the first thing that is wrong. */
export const readChat = (body: Fields, profile: Profile): ChatRequest => {
  const unknown = Object.keys(body).filter((name) => !profile.chatArguments.has(name))
  if (unknown.length > 0) throw profile.refusals.unknownArguments(unknown.slice(0, 20))
  if (body['model'] === undefined) throw profile.refusals.noModel()
  const model = profile.models.find(({ id }) => id === body['model'])
  if (model === undefined) {
    if (profile.otherModels.some(({ id }) => id === body['model'])) throw profile.refusals.notForChat()
    throw profile.refusals.unknownModel(String(body['model']).slice(0, 100))
  }
  const messages = checkMessages(body['messages'], model, profile)
  refuseUnplayed(body)
  const stream = flag(body, 'stream')
  return {
    model,
    messages,
    choices: number(body, 'n', { least: 1, most: choicesMax, whole: true }) ?? 1,
    tokensMax: number(body, 'max_tokens', { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true }),
    stop: readStops(body['stop']),
    stream,
    includeUsage: includeUsage(body['stream_options'], stream),
    user: typeof body['user'] === 'string' ? body['user'].slice(0, 256) : null,
  }
}

const roles = ['system', 'assistant', 'user', 'function', 'tool']
const messageFields = new Set(['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'function_call'])

/** In the vendor's words of 2023: "[] is too short - 'messages'" (llama_index issue 9373, 2023-12-07),
 * "Additional properties are not allowed ('id' was unexpected) - 'messages.0'" (agentic issue 531). */
const checkMessages = (messages: unknown, model: ServedModel, profile: Profile): readonly Fields[] => {
  if (messages === undefined) throw new Refusal(400, "'messages' is a required property")
  if (!Array.isArray(messages))
    throw new Refusal(400, `${shown(messages)} is not of type 'array' - 'messages'`)
  if (messages.length === 0) throw new Refusal(400, "[] is too short - 'messages'")
  if (messages.length > messagesMax) {
    throw new Refusal(400, `The sandbox reads at most ${messagesMax} messages - 'messages'`)
  }
  return messages.map((message: unknown, index) => {
    const place = `'messages.${index}'`
    if (!isFields(message)) throw new Refusal(400, `${shown(message)} is not of type 'object' - ${place}`)
    const extra = Object.keys(message).find((name) => !messageFields.has(name))
    if (extra !== undefined) {
      const named = `'${extra.slice(0, 60)}' was unexpected`
      throw new Refusal(400, `Additional properties are not allowed (${named}) - ${place}`)
    }
    if (!roles.includes(String(message['role']))) {
      const known = roles.map((role) => `'${role}'`).join(', ')
      throw new Refusal(400, `${shown(message['role'])} is not one of [${known}] - 'messages.${index}.role'`)
    }
    if (message['name'] !== undefined && typeof message['name'] !== 'string') {
      throw new Refusal(400, `${shown(message['name'])} is not of type 'string' - 'messages.${index}.name'`)
    }
    checkContent(message['content'], index, { model, profile })
    return message
  })
}

const checkContent = (
  content: unknown,
  message: number,
  { model, profile }: { model: ServedModel; profile: Profile },
): void => {
  if (typeof content === 'string' || content === null) return
  if (content === undefined)
    throw new Refusal(400, `'content' is a required property - 'messages.${message}'`)
  const place = `'messages.${message}.content'`
  if (!Array.isArray(content)) throw new Refusal(400, `${shown(content)} is not of type 'string' - ${place}`)
  if (content.length > partsMax)
    throw new Refusal(400, `The sandbox reads at most ${partsMax} parts - ${place}`)
  content.forEach((part: unknown, index) => {
    if (isFields(part) && part['type'] === 'image_url' && model.vision !== true) {
      throw profile.refusals.noImages({ message, part: index })
    }
    if (isFields(part) && isImagePart(part)) return
    const known = isFields(part) && Object.keys(part).every((name) => name === 'type' || name === 'text')
    if (!known || part['type'] !== 'text' || typeof part['text'] !== 'string') {
      throw new Refusal(400, `${shown(part)} is not valid under any of the given schemas - ${place}`)
    }
  })
}

/** What the vendor had and the sandbox does not play yet: refused, so that no count is ever a guess. */
const refuseUnplayed = (body: Fields): void => {
  for (const name of ['tools', 'functions', 'tool_choice', 'function_call']) {
    const value = body[name]
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue
    throw unplayed(name, 'leave it out')
  }
  const format = body['response_format']
  if (isFields(format) && format['type'] !== 'text') throw unplayed('response_format', 'ask for text')
  const messages = Array.isArray(body['messages']) ? body['messages'] : []
  for (const name of ['tool_calls', 'function_call', 'tool_call_id']) {
    if (messages.some((message) => isFields(message) && message[name] !== undefined)) {
      throw unplayed(`messages.${name}`, 'leave such messages out')
    }
  }
}

const unplayed = (name: string, remedy: string): Refusal =>
  new Refusal(400, `The sandbox does not play '${name}' yet: ${remedy}.`, { param: name })

/** Since May 2024: litellm issue 5803 has the refusal. */
const includeUsage = (options: unknown, stream: boolean): boolean => {
  if (options === undefined || options === null) return false
  if (!stream) {
    throw new Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: 'stream_options',
    })
  }
  return isFields(options) && options['include_usage'] === true
}
