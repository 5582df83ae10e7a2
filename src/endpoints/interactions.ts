import type { Meter } from '../usage/meter.ts'
import type { UsageShape } from '../usage/read.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { withCalls } from './response-tools.ts'
import { type TypedStream, typedStream } from './streams.ts'

/** The replies of Google's Interactions: whole, streamed, or read again while an agent works. */
export const interactionReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (interaction: Json): Reply => {
    const found = read(interaction)
    const searches = listOf(member(member(interaction, 'usage'), 'grounding_tool_count'))
      .filter((each) => member(each, 'type') === 'google_search')
      .reduce<number>((sum, each) => sum + (countOf(member(each, 'count')) ?? 0), 0)
    const call: readonly [Meter, number] = ['grounding_search_query', searches]
    return {
      ...found,
      usage: withCalls(found.usage, [call]),
      ended: !working.has(textOf(member(interaction, 'status')) ?? ''),
    }
  }
  return { id: 'interactions', reader: { readReply, meterStream: () => typedStream(stream, readReply) } }
}

/** The states in which more is billed (@google/genai 3.1.0, `InteractionSseEventInteractionStatus`). */
const working = new Set(['queued', 'in_progress', 'requires_continuation'])

/** @google/genai 3.1.0, `InteractionSSEEvent`. */
const stream: TypedStream = {
  reports: { 'interaction.created': 'interaction', 'interaction.completed': 'interaction' },
  ends: ['interaction.completed'],
  visible: (type, data) =>
    type === 'step.delta'
      ? {
          text: textOf(member(member(data, 'delta'), 'text')) ?? '',
          index: countOf(member(data, 'index')) ?? 0,
        }
      : null,
}
