import { parseInstant } from '../time.ts'
import type { ReplyWire } from './endpoint.ts'
import { readEvent } from './events.ts'
import { member, parseJson } from './json.ts'

/** `stream_options.include_usage` was announced on 2024-05-06 (OpenAI API changelog); before that the vendor
 * refused the argument. */
const usageInStreamsSince = parseInstant('2024-05-06')

/** Asks a stream of chunks for its usage, where the client did not. */
export const askUsage: ReplyWire['askUsage'] = (request, at) => {
  if (at < usageInStreamsSince || member(request, 'stream') !== true) return null
  const options = member(request, 'stream_options')
  if (member(options, 'include_usage') === true) return null
  return JSON.stringify({ include_usage: true })
}

const usageNull = /,\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,/

/** Takes out what `askUsage` caused: the chunk without choices, and the null in all others. */
export const cutUsage: ReplyWire['cutUsage'] = (event) => {
  const data = readEvent(event)?.data
  if (!data?.includes('"usage"')) return event
  const chunk = parseJson(data)
  const choices = member(chunk, 'choices')
  const usage = member(chunk, 'usage')
  if (usage === null) return event.replace(usageNull, '')
  return usage !== undefined && Array.isArray(choices) && choices.length === 0 ? null : event
}
