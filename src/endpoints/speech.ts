import type { UsageShape } from '../usage/read.ts'
import type { ReadWire } from './endpoint.ts'
import { type Json, member, textOf } from './json.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { typedStream } from './streams.ts'

/** The replies of Speech. Only a stream of events ends with a usage; sound alone says nothing of its cost. */
export const speechReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (reply: Json, request?: Json) => ({
    ...read(reply),
    model: textOf(member(request, 'model')),
  })
  const done = 'speech.audio.done'
  return {
    id: 'speech',
    reader: {
      readReply,
      meterStream: (request) =>
        typedStream({ reports: { [done]: null }, ends: [done] }, (report) => readReply(report, request)),
    },
  }
}
