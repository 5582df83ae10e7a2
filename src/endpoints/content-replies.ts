import type { Meter } from '../usage/meter.ts'
import type { UsageShape } from '../usage/read.ts'
import { candidatesAsked } from './content-request.ts'
import { readEvent } from './events.ts'
import { countOf, type Json, listOf, member, parseJson, textOf } from './json.ts'
import { gatherProduced } from './produced.ts'
import type { ReadWire, Reply, StreamMeter, UsedSoFar } from './reply.ts'
import { emptyReply, type ReplyShape, shapeReader } from './reply-shape.ts'
import { withCalls } from './response-tools.ts'

/** The replies of Google's generateContent and streamGenerateContent. Every chunk of a stream has the totals so
 * far; the stream ends with its connection, and a finish reason of each candidate says that nothing more comes. A
 * stream may come as one JSON array of its chunks instead of events. */
export const generateContentReplies = (counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...places, counters })
  const readChunk = (reply: Json): Reply => {
    const candidates = listOf(member(reply, 'candidates'))
    const found = read(reply)
    return {
      ...found,
      usage: withCalls(found.usage, [grounding(found.model ?? '', candidates)]),
      produced: candidates.map(visibleText),
    }
  }
  const readReply = (reply: Json, request?: Json): Reply => {
    if (!Array.isArray(reply)) return readChunk(reply)
    const chunks = contentChunks(readChunk, request)
    for (const chunk of listOf(reply)) chunks.take(chunk)
    return chunks.reply()
  }
  return {
    id: 'generate-content',
    reader: { readReply, meterStream: (request) => contentStream(contentChunks(readChunk, request)) },
  }
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

/** Reads the chunks of a stream one by one; true once all that was asked for has come. A prompt that was refused has
 * no candidates, and says so instead. */
const contentChunks = (readChunk: (chunk: Json) => Reply, request: Json) => {
  const produced = gatherProduced()
  const finished = new Set<number>()
  const asked = candidatesAsked(request)
  let [reply, ended]: [Reply, boolean] = [emptyReply, false]
  return {
    take: (chunk: Json): boolean => {
      const next = readChunk(chunk)
      listOf(member(chunk, 'candidates')).forEach((candidate, position) => {
        const index = countOf(member(candidate, 'index')) ?? position
        produced.add(next.produced[position] ?? '', index)
        if (textOf(member(candidate, 'finishReason')) !== null) finished.add(index)
      })
      const refused = textOf(member(member(chunk, 'promptFeedback'), 'blockReason')) !== null
      ended ||= refused || finished.size >= asked
      reply = {
        ...next,
        id: next.id ?? reply.id,
        model: next.model ?? reply.model,
        tier: next.tier ?? reply.tier,
        usage: next.usage ?? reply.usage,
      }
      return ended
    },
    reply: (): Reply => ({ ...reply, produced: produced.texts(), ended }),
    soFar: (): UsedSoFar => ({ usage: reply.usage?.usage ?? {}, outputTokens: produced.tokensLeast() }),
  }
}

const contentStream = ({ take, reply, soFar }: ReturnType<typeof contentChunks>): StreamMeter => {
  let ended = false
  return {
    event: (event) => {
      const data = readEvent(event)?.data
      const chunk = data === undefined ? undefined : parseJson(data)
      if (chunk !== undefined) ended = take(chunk)
      return ended
    },
    reply,
    soFar,
  }
}
