import type { UsageShape } from '../usage/read.ts'
import type { ReadWire, Reply } from './endpoint.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { chunkStream } from './streams.ts'

/** The replies of Completions, the legacy wire that continues a text, and of Edits, which had the same shape.
 * `best_of` candidates that are not returned are in the usage all the same. */
export const completionReplies = (id: 'completions' | 'edits', counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const visible = (choice: Json): string => textOf(member(choice, 'text')) ?? ''
  return {
    id,
    reader: {
      readReply: (reply, request): Reply => {
        const found = read(reply)
        return {
          ...found,
          model: found.model ?? textOf(member(request, 'model')),
          produced: listOf(member(reply, 'choices')).map(visible),
        }
      },
      meterStream: () => chunkStream(read, visible),
    },
  }
}
