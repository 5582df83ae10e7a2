import { checkNames, choice, codePoints, isOneOf, number, shown, userOf } from './arguments.ts'
import { Refusal } from './refusal.ts'
import { aac } from './sound/aac.ts'
import { flac } from './sound/flac.ts'
import { mp3 } from './sound/mp3.ts'
import { opus } from './sound/opus.ts'
import { type BytesAnswer, bill, type Exchange, otherModel, type WireRoute, type World } from './world.ts'

/** Speech of November 2023. What is said is silence of about the length that the text would take: a whole file
 * of the coding that was asked for, which players play. */
export const speech = (world: World): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/audio/speech',
    family: 'speech',
    handle: (exchange) => speak(world, exchange),
  },
]

const codings = { mp3, opus, aac, flac }
const voices = ['alloy', 'echo', 'fable', 'onyx', 'nova', 'shimmer']
const fields = ['model', 'input', 'voice', 'response_format', 'speed', 'user']

/** The longest input, in characters: API description 2.0.0. */
const charactersMax = 4096

/** Characters that are spoken in a second: about 150 words a minute. */
const charactersPerSecond = 15

/** Even one letter takes a moment, and players want more than a few frames. */
const secondsLeast = 0.5

/** Billed by characters, which are Unicode code points, whatever is said or how fast. */
const speak = (world: World, { body, requestId }: Exchange): BytesAnswer => {
  checkNames(body, fields)
  const model = otherModel(world, body, 'speech')
  const input = inputOf(body['input'])
  if (body['voice'] === undefined) throw new Refusal(400, "'voice' is a required property")
  if (!isOneOf(voices, body['voice'])) {
    const known = voices.map((voice) => `'${voice}'`).join(', ')
    throw new Refusal(400, `${shown(body['voice'])} is not one of [${known}] - 'voice'`)
  }
  const format = choice(body, 'response_format', ['mp3', 'opus', 'aac', 'flac'])
  const speed = number(body, 'speed', { least: 0.25, most: 4 }) ?? 1
  const { contentType, silence } = codings[format]
  const bytes = silence(Math.max(secondsLeast, input.characters / charactersPerSecond / speed))
  bill(world, {
    wire: 'speech',
    id: requestId,
    requestId,
    model: model.id,
    user: userOf(body),
    usage: { tts_characters: input.characters },
  })
  return { bytes, contentType }
}

/** synaplan issue 1665, 2026-09-01; of an empty input in its manner. */
const inputOf = (input: unknown): { characters: number } => {
  if (input === undefined || input === null) throw new Refusal(400, "'input' is a required property")
  if (typeof input !== 'string') throw new Refusal(400, `${shown(input)} is not of type 'string' - 'input'`)
  const characters = codePoints(input)
  if (characters >= 1 && characters <= charactersMax) return { characters }
  const [type, bound, limit, name] =
    characters < 1 ? ['short', 'least', 1, 'min'] : ['long', 'most', charactersMax, 'max']
  throw new Refusal(
    400,
    `[{'type': 'string_too_${type}', 'loc': ('body', 'input'), 'msg': 'String should have at ${bound} ${limit} ` +
      `character${limit === 1 ? '' : 's'}', 'ctx': {'${name}_length': ${limit}}}]`,
  )
}
