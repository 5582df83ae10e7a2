import type { UsageShape } from '../usage/read.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { type ReplyShape, shapeReader } from './reply-shape.ts'

/** The whole replies of Bedrock's Converse. The model is in the path of the request alone; its id in a header.
 * Streams are binary frames, which this does not read. */
export const converseReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...places, counters })
  return {
    id: 'converse',
    reader: {
      readReply: (reply: Json, request?: Json): Reply => {
        const content = listOf(member(member(member(reply, 'output'), 'message'), 'content'))
        return {
          ...read(reply),
          model: textOf(member(request, 'model')) ?? textOf(member(request, 'modelId')),
          produced: [content.map((block) => textOf(member(block, 'text')) ?? '').join('')],
        }
      },
      meterStream: null,
    },
  }
}

const places: Omit<ReplyShape, 'counters'> = {
  usage: ['usage'],
  model: [],
  id: [],
  tier: ['serviceTier.type'],
  tiers: { default: 'standard' },
  stated: [],
}
