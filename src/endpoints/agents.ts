import type { UsageShape } from '../usage/read.ts'
import { type Json, member, textOf } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { typedStream } from './streams.ts'

/** The replies of Agents: a turn of a session, streamed or read again. Its usage is the vendor's best effort,
 * null where it does not know; it does not name the model, which is the agent's. */
export const agentReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (turn: Json, request?: Json): Reply => ({
    ...read(turn),
    model: textOf(member(request, 'model')),
    ended: ends.has(textOf(member(turn, 'status')) ?? ''),
  })
  const events = [...ends].map((state) => `agent.session.turn.${state}`)
  const stream = { reports: Object.fromEntries(events.map((event) => [event, 'turn'])), ends: events }
  return {
    id: 'agents',
    reader: {
      readReply,
      meterStream: (request) => typedStream(stream, (turn) => readReply(turn, request)),
    },
  }
}

const ends = new Set(['completed', 'failed', 'cancelled'])
