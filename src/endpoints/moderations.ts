import type { ReadWire } from './endpoint.ts'
import { type Json, member, textOf } from './json.ts'
import { emptyReply } from './reply-shape.ts'

/** The replies of Moderations: each is one request, which the price book has at its price, zero included. */
export const moderationReplies = (): ReadWire => ({
  id: 'moderations',
  reader: {
    readReply: (reply: Json) => ({
      ...emptyReply,
      id: textOf(member(reply, 'id')),
      model: textOf(member(reply, 'model')),
      usage: Array.isArray(member(reply, 'results')) ? { usage: { request: 1 }, problems: [] } : null,
    }),
    meterStream: null,
  },
})
