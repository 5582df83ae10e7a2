import type { UsageShape } from '../usage/read.ts'
import type { ReadWire } from './endpoint.ts'
import { openaiPlaces, type ReplyShape, shapeReader } from './reply-shape.ts'

/** The replies of a wire without streams and without text, all of whose cost stands in one usage object:
 * Embeddings, Decisions. */
export const countedReplies = (
  id: 'embeddings' | 'decisions',
  counters: UsageShape,
  places: Partial<Omit<ReplyShape, 'counters'>> = {},
): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, ...places, counters })
  return { id, reader: { readReply: (reply) => read(reply), meterStream: null } }
}
