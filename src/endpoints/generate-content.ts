import type { Meter } from '../usage/meter.ts'
import type { UsageShape } from '../usage/read.ts'
import type { ReadWire, Reply, StreamMeter } from './endpoint.ts'
import { readEvent } from './events.ts'
import { type Json, listOf, member, parseJson, textOf } from './json.ts'
import { gatherProduced } from './produced.ts'
import { emptyReply, type ReplyShape, shapeReader } from './reply-shape.ts'
import { withCalls } from './response-tools.ts'

/** The replies of Google's generateContent and streamGenerateContent. Every chunk of a stream has the totals so
 * far; the stream ends with its connection, and a finish reason says that nothing more comes. */
export const generateContentReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...places, counters })
  const readReply = (reply: Json): Reply => {
    const candidates = listOf(member(reply, 'candidates'))
    const found = read(reply)
    return {
      ...found,
      usage: withCalls(found.usage, [grounding(found.model ?? '', candidates)]),
      produced: candidates.map(visibleText),
    }
  }
  return { id: 'generate-content', reader: { readReply, meterStream: () => contentStream(readReply) } }
}

const places: Omit<ReplyShape, 'counters'> = {
  usage: ['usageMetadata'],
  model: ['modelVersion'],
  id: ['responseId'],
  tier: ['usageMetadata.serviceTier', 'usageMetadata.trafficType'],
  tiers: {
    on_demand: 'standard',
    on_demand_priority: 'priority',
    on_demand_flex: 'flex',
    on_demand_offpeak: 'offpeak',
    provisioned_throughput: 'provisioned',
  },
  stated: [],
}

/** A grounded answer bills each of its searches with Gemini 3, and one request, however many searches, before
 * it (Gemini pricing page, read 2026-11). */
const grounding = (model: string, candidates: readonly Json[]): readonly [Meter, number] => {
  const queries = candidates.flatMap((candidate) =>
    listOf(member(member(candidate, 'groundingMetadata'), 'webSearchQueries')).filter(
      (query) => query !== '',
    ),
  )
  return /^gemini-[12]\b/.test(model)
    ? ['grounding_request', Math.min(1, queries.length)]
    : ['grounding_search_query', queries.length]
}

const visibleText = (candidate: Json): string =>
  listOf(member(member(candidate, 'content'), 'parts'))
    .filter((part) => member(part, 'thought') !== true)
    .map((part) => textOf(member(part, 'text')) ?? '')
    .join('')

const contentStream = (readReply: (reply: Json) => Reply): StreamMeter => {
  const produced = gatherProduced()
  let [reply, ended]: [Reply, boolean] = [emptyReply, false]
  return {
    event: (event) => {
      const data = readEvent(event)?.data
      const chunk = data === undefined ? undefined : parseJson(data)
      if (chunk === undefined) return false
      const next = readReply(chunk)
      next.produced.forEach((text, index) => {
        produced.add(text, index)
      })
      reply = { ...next, usage: next.usage ?? reply.usage }
      const finished = listOf(member(chunk, 'candidates')).some(
        (candidate) => textOf(member(candidate, 'finishReason')) !== null,
      )
      ended ||= finished
      return finished
    },
    reply: () => ({ ...reply, produced: produced.texts(), ended }),
  }
}
