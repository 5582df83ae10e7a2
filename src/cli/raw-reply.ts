import type { Reply } from '../endpoints/reply.ts'
import { OctroiError } from '../errors.ts'
import { providers } from '../providers/index.gen.ts'
import { replyReader } from '../providers/provider.ts'

/** The raw bodies of a call. */
type RawCall = {
  readonly provider: string
  readonly endpoint: string
  readonly request?: unknown
  readonly response?: unknown
}

/** Reads what a vendor replied: a JSON object as it came whole, or the text of its stream. Throws
 * `unknown_provider`, and `bad_input` where the provider has no such endpoint or the response is neither. */
export const readRawReply = ({ provider, endpoint, request, response }: RawCall): Reply => {
  const found = Object.values(providers).find(({ id }) => id === provider)
  if (found === undefined) {
    throw new OctroiError(
      'unknown_provider',
      `There is no provider "${provider.slice(0, 60)}" whose replies can be read. There are: ${Object.values(
        providers,
      )
        .map(({ id }) => id)
        .join(', ')}.`,
    )
  }
  const reader = replyReader(found, endpoint)
  if (reader === null) {
    const wires = [...found.endpoints, ...(found.readOnly ?? [])].filter((wire) => wire.reader !== undefined)
    throw new OctroiError(
      'bad_input',
      `${provider} has no endpoint "${endpoint.slice(0, 60)}" whose replies cost. It has: ${wires
        .map(({ id }) => id)
        .join(', ')}.`,
    )
  }
  if (typeof response === 'object' && response !== null) return reader.readReply(response, request)
  if (typeof response !== 'string') {
    throw new OctroiError(
      'bad_input',
      'response must be the JSON object, or the text of the stream, that came back.',
    )
  }
  const meter = reader.meterStream?.(request)
  if (meter === undefined)
    throw new OctroiError('bad_input', `${endpoint} has no streams: give the response as an object.`)
  for (const event of response.split(/(?<=\r?\n\r?\n)/)) meter.event(event)
  return meter.reply()
}
