import type { UsageShape } from '../usage/read.ts'
import { cacheLifetimes } from './cache-lifetimes.ts'
import type { Endpoint } from './endpoint.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { openaiRefusal, responseStreamFault } from './openai-errors.ts'
import type { ReadWire, Reply } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { learnResponse, responseNames } from './response-objects.ts'
import { responseTools } from './response-tools.ts'
import { isBackground, learnBackground, responseJob, responseWire } from './response-wire.ts'
import { type TypedStream, typedStream } from './streams.ts'

/** Responses: a reply with the tools that the vendor runs, kept for the calls that go on with it. Counting an input,
 * reading a response again and deleting it are free; compacting a history is billed as a response is. */
export const responses = (counters: UsageShape): Endpoint => {
  const reader = responseReader(counters)
  const job = responseJob(reader)
  const later = { isAsked: isBackground, wire: job, learn: learnBackground(reader) }
  const wire = responseWire(reader)
  const { capHistory: _, outputLimit: __, ...uncapped } = wire
  const billed = { billing: 'reply', names: responseNames, learn: learnResponse } as const
  return {
    id: 'responses',
    reader,
    routes: [
      { method: 'POST', path: '/responses', ...billed, wire, later },
      { method: 'POST', path: '/responses/compact', ...billed, wire: uncapped },
      { method: 'POST', path: '/responses/input_tokens', billing: 'free', names: responseNames },
      { method: 'GET', path: '/responses/:response', billing: 'free', observes: job },
      { method: 'DELETE', path: '/responses/:response', billing: 'free' },
      { method: 'POST', path: '/responses/:response/cancel', billing: 'free', observes: job },
      { method: 'GET', path: '/responses/:response/input_items', billing: 'free' },
    ],
    refusal: openaiRefusal,
    streamFault: responseStreamFault,
  }
}

/** The replies of Responses: whole, streamed, polled while it works in the background, read again by id, or
 * compacted. They all show the same object, and its id says that it is one charge. */
export const responsesReplies = (counters: UsageShape): ReadWire => ({
  id: 'responses',
  reader: responseReader(counters),
})

const responseReader = (counters: UsageShape) => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (reply: Json, request?: Json): Reply => {
    const details = member(
      member(member(reply, 'usage'), 'input_tokens_details'),
      'cache_write_tokens_details',
    )
    const found = { ...read(reply), attributes: { api: 'responses' } }
    return {
      ...responseTools(cacheLifetimes(found, details, request), reply),
      produced: visibleTexts(listOf(member(reply, 'output'))),
      items: listOf(member(reply, 'output')).flatMap((item) => textOf(member(item, 'id')) ?? []),
      ended: !working.has(textOf(member(reply, 'status')) ?? ''),
    }
  }
  return {
    readReply,
    meterStream: (request?: Json) => typedStream(stream, (report) => readReply(report, request)),
  }
}

/** The states in which more is billed (openai 7.57.0, `ResponseStatus`). */
const working = new Set(['queued', 'in_progress'])

const stream: TypedStream = {
  reports: {
    'response.created': 'response',
    'response.queued': 'response',
    'response.in_progress': 'response',
    'response.completed': 'response',
    'response.incomplete': 'response',
    'response.failed': 'response',
  },
  ends: ['response.completed', 'response.incomplete', 'response.failed'],
  visible: (type, data) =>
    type === 'response.output_text.delta' || type === 'response.function_call_arguments.delta'
      ? { text: textOf(member(data, 'delta')) ?? '', index: countOf(member(data, 'output_index')) ?? 0 }
      : null,
  billsText: true,
}

const visibleTexts = (output: readonly Json[]): readonly string[] =>
  output
    .map((item) => {
      const parts = listOf(member(item, 'content')).map((part) => textOf(member(part, 'text')) ?? '')
      return parts.join('') + (textOf(member(item, 'name')) ?? '') + (textOf(member(item, 'arguments')) ?? '')
    })
    .filter((text) => text !== '')
