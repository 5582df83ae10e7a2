import type { UsageShape } from '../usage/read.ts'
import type { Json } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { openaiPlaces, type ReplyShape, shapeReader } from './reply-shape.ts'

/** The replies of a wire without streams and without text, all of whose cost stands in one usage object:
 * Embeddings, Decisions. */
export const countedReplies = (
  id: 'embeddings' | 'decisions',
  counters: UsageShape,
  places: Partial<Omit<ReplyShape, 'counters'>> = {},
): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, ...places, counters })
  const readReply = (reply: Json): Reply => {
    const found = read(reply)
    return { ...found, model: pricedNames[found.model ?? ''] ?? found.model }
  }
  return { id, reader: { readReply, meterStream: null } }
}

/** What replies called a model otherwise than price lists: until January 2024 (Helicone, pull request 1346). */
const pricedNames: Readonly<Record<string, string>> = {
  'text-embedding-ada-002-v2': 'text-embedding-ada-002',
}
