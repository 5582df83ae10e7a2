import { rational } from '../money/rational.ts'
import { countAudio } from '../tokens/audio.ts'
import { tokensAtMost } from '../tokens/text.ts'
import { readUsage, type UsageShape } from '../usage/read.ts'
import { type Quantity, toQuantity } from '../usage/usage.ts'
import type { Bound } from './bound.ts'
import type { Endpoint, FormFile, Surroundings } from './endpoint.ts'
import { fileOf, isOn } from './form-values.ts'
import { type Json, member, textOf } from './json.ts'
import { plainEndpoint, uncounted } from './plain-wire.ts'
import type { Reply, ReplyReader } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { typedStream } from './streams.ts'

/** Transcriptions and Translations: a sound is written down. Billed by the length of the sound, or by tokens,
 * as the model is. */
export const transcriptions = (id: 'transcriptions' | 'translations', tokens: UsageShape): Endpoint =>
  plainEndpoint({ id, path: `/audio/${id}`, form: { sounds: ['file'] } }, transcriptionReader(tokens), {
    read: (request) => ({
      model: textOf(member(request, 'model')),
      stream: isOn(member(request, 'stream')),
      tier: null,
      endUser: null,
      tags: {},
    }),
    bound,
    count: (request, produced, { counter }) => {
      const model = textOf(member(request, 'model')) ?? ''
      const seconds = secondsOf(fileOf(member(request, 'file')))
      if (seconds === null) return uncounted('the length of the sound is not known')
      if (!isByTokens(model)) {
        return {
          usage: { audio_seconds: exactSeconds(seconds) },
          history: 0,
          rule: 'the length that the file says',
        }
      }
      const sound = countAudio({ provider: 'openai', model, direction: 'input', seconds })
      if (sound.tokens === null) return uncounted(sound.rule)
      return {
        usage: {
          input_audio_tokens: sound.tokens,
          input_text_tokens: counter.count(textOf(member(request, 'prompt')) ?? ''),
          output_text_tokens: produced.reduce((sum, text) => sum + counter.count(text), 0),
        },
        history: 0,
        rule: sound.rule,
      }
    },
  })

/** The models that are billed by tokens (OpenAI pricing page, state of September 2026). */
const isByTokens = (model: string): boolean => /^gpt-4o(-mini)?-transcribe/.test(model)

/** The usage is of one of two kinds, tokens or a duration, and the verbose form has the duration itself; the
 * plain one of 2023 and texts have neither, and then nothing is known. */
const transcriptionReader = (tokens: UsageShape): ReplyReader => {
  const byTokens = shapeReader({ ...openaiPlaces, counters: tokens })
  const bySeconds = shapeReader({ ...openaiPlaces, counters: seconds })
  const readReply = (reply: Json, request?: Json): Reply => {
    const timed = member(member(reply, 'usage'), 'type') === 'duration'
    const found = (timed ? bySeconds : byTokens)(reply)
    const usage = found.usage ?? readUsage({ seconds: member(reply, 'duration') }, seconds)
    return {
      ...found,
      usage,
      model: textOf(member(request, 'model')),
      produced: [textOf(reply) ?? textOf(member(reply, 'text')) ?? ''],
    }
  }
  const done = 'transcript.text.done'
  return {
    readReply,
    meterStream: (request) =>
      typedStream({ reports: { [done]: null }, ends: [done] }, (report) => readReply(report, request)),
  }
}

const seconds: UsageShape = { at: { audio_seconds: 'seconds' } }

/** The length that a file says, or, where it says none, the longest its bytes can plausibly be. */
const secondsOf = (file: FormFile | null): number | null => {
  if (file === null) return null
  return file.seconds ?? file.secondsAtMost
}

/** A length as a quantity, to the microsecond: a file says it in samples, and vendors bill whole seconds. */
const exactSeconds = (length: number): Quantity =>
  toQuantity(rational(BigInt(Math.round(length * 1_000_000)), 1_000_000n))

/** The longest a sound can be, in whole seconds: what its bytes hold at most, else what it says. */
const secondsMost = (file: FormFile | null): number | null =>
  wholeOf(file === null ? null : (file.secondsAtMost ?? file.seconds))

const wholeOf = (length: number | null): number | null => (length === null ? null : Math.ceil(length))

const bound = (request: Json, { provider, model, outputTokensMax }: Surroundings): readonly Bound[] => {
  const most = secondsMost(fileOf(member(request, 'file')))
  const unknown = 'the request has no file whose length can be read'
  if (!isByTokens(model)) {
    return [{ meters: ['audio_seconds'], least: 0, most, ...(most === null && { reason: unknown }) }]
  }
  const sound = most === null ? null : countAudio({ provider, model, direction: 'input', seconds: most }).high
  return [
    {
      meters: ['input_audio_tokens'],
      least: 0,
      most: sound,
      ...(sound === null && {
        reason: most === null ? unknown : `no rule for the tokens of sound is known for ${model}`,
      }),
    },
    {
      meters: ['input_text_tokens'],
      least: 0,
      most: tokensAtMost(textOf(member(request, 'prompt')) ?? ''),
    },
    {
      meters: ['output_text_tokens'],
      least: 0,
      most: outputTokensMax,
      ...(outputTokensMax === null && { reason: 'the output cap of the model is not known' }),
    },
  ]
}
