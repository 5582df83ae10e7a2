import type { UsageShape } from '../usage/read.ts'
import { inputTokens } from '../usage/usage.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import type { Portion, ReadWire, Reply, ReplyReader } from './reply.ts'
import { emptyReply, openaiPlaces, shapeReader } from './reply-shape.ts'

/** The replies of Batches: the job with its totals, and the lines of its output file as a list, each of which
 * is a reply of another wire (`inner`, by the URL the batch was made for). What is billed is what was completed.
 * Price the lines where they are at hand: the job's totals have neither cache writes nor sound apart. */
export const batchReplies = (counters: UsageShape, inner: Readonly<Record<BatchUrl, ReadWire>>): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (reply: Json, request?: Json): Reply => {
    const asked = textOf(member(request, 'endpoint'))
    if (Array.isArray(reply)) return linesReply(reply.flatMap((line) => openaiLine(line, asked, inner)))
    return { ...totals(read(reply), reply), ended: ends.has(textOf(member(reply, 'status')) ?? '') }
  }
  return { id: 'batches', reader: { readReply, meterStream: null } }
}

type BatchUrl = '/v1/chat/completions' | '/v1/completions' | '/v1/embeddings' | '/v1/responses'

const ends = new Set(['completed', 'failed', 'expired', 'cancelled'])

/** The totals of many calls: which of them had a long context they do not say, so that it is taken to be none
 * or all by the average of a call, and said. */
const totals = (job: Reply, batch: Json): Reply => {
  const calls = countOf(member(member(batch, 'request_counts'), 'completed')) ?? 0
  if (job.usage === null || calls === 0) return { ...job, usage: null, tier: 'batch' }
  const average = Math.ceil(inputTokens(job.usage.usage) / calls)
  const problem = `totals of ${calls} calls: their context is taken to be ${average} tokens each`
  const usage = calls === 1 ? job.usage : { ...job.usage, problems: [...job.usage.problems, problem] }
  const { id, model, attributes } = job
  const portion = { id, model, attributes, tier: 'batch', usage, contextTokens: average }
  return { ...job, tier: 'batch', usage: { usage: {}, problems: [] }, apart: [portion] }
}

/** The replies of Anthropic's Message Batches: the lines of a results file as a list. A job has no totals. */
export const messageBatchReplies = (messages: ReadWire): ReadWire => ({
  id: 'message-batches',
  reader: {
    readReply: (reply: Json): Reply => {
      if (Array.isArray(reply)) return linesReply(reply.flatMap((line) => messageLine(line, messages.reader)))
      const id = textOf(member(reply, 'id'))
      return { ...emptyReply, id, ended: member(reply, 'processing_status') === 'ended' }
    },
    meterStream: null,
  },
})

/** A list of lines is known to the last of them; a line that failed is not billed and is no portion. */
const linesReply = (apart: readonly Portion[]): Reply => ({
  ...emptyReply,
  usage: { usage: {}, problems: [] },
  tier: 'batch',
  apart,
})

const openaiLine = (
  line: Json,
  asked: string | null,
  inner: Readonly<Record<BatchUrl, ReadWire>>,
): readonly Portion[] => {
  const response = member(line, 'response')
  if ((countOf(member(response, 'status_code')) ?? 500) >= 400) return []
  const body = member(response, 'body')
  const url = asked ?? urlOf[textOf(member(body, 'object')) ?? '']
  const wire = url !== undefined && Object.hasOwn(inner, url) ? inner[url as BatchUrl] : undefined
  return portionsOf(wire?.reader.readReply(body) ?? emptyReply, line)
}

/** The URL a batch was made for, by what its lines are. */
const urlOf: Readonly<Record<string, BatchUrl>> = {
  'chat.completion': '/v1/chat/completions',
  text_completion: '/v1/completions',
  list: '/v1/embeddings',
  response: '/v1/responses',
}

const messageLine = (line: Json, { readReply }: ReplyReader): readonly Portion[] => {
  const result = member(line, 'result')
  if (member(result, 'type') !== 'succeeded') return []
  return portionsOf(readReply(member(result, 'message')), line)
}

const portionsOf = (reply: Reply, line: Json): readonly Portion[] => {
  const id = textOf(member(line, 'custom_id'))
  const { model, attributes, usage } = reply
  return [
    { id, model, attributes, tier: 'batch', usage, contextTokens: null },
    ...reply.apart.map((portion) => ({ ...portion, tier: 'batch' })),
  ]
}
