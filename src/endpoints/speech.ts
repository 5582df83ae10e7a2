import { charactersOf, countAudio } from '../tokens/audio.ts'
import { tokensAtMost } from '../tokens/text.ts'
import type { Reading, UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import type { Endpoint, Surroundings } from './endpoint.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import { openaiTags } from './openai-tags.ts'
import { plainEndpoint, uncounted } from './plain-wire.ts'
import type { Reply, ReplyReader } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { typedStream } from './streams.ts'

/** Speech: a text is spoken. The first models are billed by the characters of the text, exactly known before
 * the call; later ones by tokens, which only a stream of events reports. */
export const speech = (counters: UsageShape): Endpoint =>
  plainEndpoint({ id: 'speech', path: '/audio/speech' }, speechReader(counters), {
    read: (request) => ({
      model: textOf(member(request, 'model')),
      stream: member(request, 'stream_format') === 'sse',
      tier: null,
      endUser: null,
      tags: openaiTags(request),
    }),
    bound,
    count: () => uncounted('no usage is reported, and the sound that came back has no known length'),
  })

/** The models that are billed by characters (OpenAI pricing page, November 2023). */
const isByCharacters = (model: string): boolean => /^tts-1(-hd)?(-\d{4})?$/.test(model)

const speechReader = (counters: UsageShape): ReplyReader => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (reply: Json, request?: Json): Reply => {
    const found = read(reply)
    const model = textOf(member(request, 'model'))
    return { ...found, model, usage: found.usage ?? computed(reply, request, model ?? '') }
  }
  const done = 'speech.audio.done'
  return {
    readReply,
    meterStream: (request) =>
      typedStream({ reports: { [done]: null }, ends: [done] }, (report) => readReply(report, request)),
  }
}

/** What a reply that is sound alone used: the characters of the text, which are the bill itself; or tokens by
 * the length of the sound, an estimate. The text then counts with its bytes, a few per cent of the whole. */
const computed = (reply: Json, request: Json, model: string): Reading | null => {
  const text = textOf(member(request, 'input'))
  if (text === null) return null
  if (isByCharacters(model)) return { usage: { tts_characters: charactersOf(text) }, problems: [] }
  const seconds = soundSeconds(member(reply, 'sound'), request)
  if (seconds === null) return null
  const { tokens, rule } = countAudio({ provider: 'openai', model, direction: 'output', seconds })
  if (tokens === null) return null
  return {
    usage: { input_text_tokens: textTokensMost(request), output_audio_tokens: tokens },
    problems: [`no usage in the reply; counted: ${rule}, and the text at its bytes`],
  }
}

/** Raw samples have no header: 24 kHz, 16 bit, mono (openai 7.57.0, `response_format`; text-to-speech guide). */
const rawBytesASecond = 48_000

const soundSeconds = (sound: Json, request: Json): number | null => {
  const bytes = countOf(member(sound, 'bytes'))
  if (member(request, 'response_format') === 'pcm') return bytes === null ? null : bytes / rawBytesASecond
  const seconds = member(sound, 'seconds')
  return typeof seconds === 'number' ? seconds : null
}

const textTokensMost = (request: Json): number =>
  tokensAtMost(textOf(member(request, 'input')) ?? '') +
  tokensAtMost(textOf(member(request, 'instructions')) ?? '')

const bound = (request: Json, { model, outputTokensMax }: Surroundings): readonly Bound[] => {
  if (isByCharacters(model)) {
    const characters = charactersOf(textOf(member(request, 'input')) ?? '')
    return [{ meters: ['tts_characters'], least: characters, most: characters }]
  }
  return [
    { meters: ['input_text_tokens'], least: 0, most: textTokensMost(request) },
    {
      meters: ['output_audio_tokens'],
      least: 0,
      most: outputTokensMax,
      ...(outputTokensMax === null && {
        reason: `how long ${model} speaks is not bounded by its text, and its output cap is not known`,
      }),
    },
  ]
}
