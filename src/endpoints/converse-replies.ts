import type { UsageShape } from '../usage/read.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { type ReplyShape, shapeReader } from './reply-shape.ts'
import { type TypedStream, typedStream } from './streams.ts'

/** The replies of Bedrock's Converse, whole and streamed. The model is in the path of the request alone; its id in a
 * header. The frames of a stream are read as events of their `:event-type`. */
export const converseReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...places, counters })
  const readReply = (reply: Json, request?: Json): Reply => {
    const content = listOf(member(member(member(reply, 'output'), 'message'), 'content'))
    const text = content.map((block) => textOf(member(block, 'text')) ?? '').join('')
    return {
      ...read(reply),
      model: textOf(member(request, 'model')) ?? textOf(member(request, 'modelId')),
      produced: [text],
    }
  }
  return {
    id: 'converse',
    reader: {
      readReply,
      meterStream: (request) =>
        typedStream(stream, (report) => ({ ...readReply(report, request), produced: [] })),
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

/** What it used comes with the last event (Bedrock API reference, ConverseStreamMetadataEvent, read 2026-11-25). */
const stream: TypedStream = {
  reports: { metadata: null },
  ends: ['metadata'],
  visible: (type, data) =>
    type === 'contentBlockDelta'
      ? { text: deltaText(member(data, 'delta')), index: countOf(member(data, 'contentBlockIndex')) ?? 0 }
      : null,
  billsText: true,
}

const deltaText = (delta: Json): string =>
  textOf(member(delta, 'text')) ??
  textOf(member(member(delta, 'toolUse'), 'input')) ??
  textOf(member(member(delta, 'reasoningContent'), 'text')) ??
  ''
