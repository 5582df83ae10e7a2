import { readUsage, type UsageShape } from '../usage/read.ts'
import type { ReadWire, Reply } from './endpoint.ts'
import { type Json, member, textOf } from './json.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { typedStream } from './streams.ts'

/** The replies of Transcriptions and Translations. The usage is of one of two kinds, tokens or a duration, and
 * the verbose form has the duration itself; the plain one of 2023 has neither, and then nothing is known. */
export const transcriptionReplies = (id: 'transcriptions' | 'translations', tokens: UsageShape): ReadWire => {
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
      produced: [textOf(member(reply, 'text')) ?? ''],
    }
  }
  const done = 'transcript.text.done'
  return {
    id,
    reader: {
      readReply,
      meterStream: (request) =>
        typedStream({ reports: { [done]: null }, ends: [done] }, (report) => readReply(report, request)),
    },
  }
}

const seconds: UsageShape = { at: { audio_seconds: 'seconds' } }
