import type { PartCount } from '../tokens/prompt-count.ts'
import { countResponses } from '../tokens/responses.ts'
import { tokensAtMost } from '../tokens/text.ts'
import { tighten } from './chat-completions.ts'
import { mediaPart } from './content-parts.ts'
import { counted } from './counted.ts'
import type { CountPrompt, ReplyWire } from './endpoint.ts'
import { capResponseHistory } from './history-cap.ts'
import { historySent, isInstruction } from './history-sent.ts'
import type { JobWire } from './job.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { KnownObjects, Learn } from './objects.ts'
import { openaiTags } from './openai-tags.ts'
import { findOutputLimit } from './output-limit.ts'
import type { ReplyReader } from './reply.ts'
import { boundResponse } from './response-bound.ts'
import { chainOf, conversationOf, learnResponse } from './response-objects.ts'
import { chatPart } from './response-parts.ts'

/** A response that goes on in the background: a job that its own address tells of. What its request repeats says what
 * it makes known. */
export const responseJob = (reader: ReaderOfBoth): JobWire => {
  const { read, bound } = responseWire(reader)
  return {
    kind: 'job',
    read,
    bound,
    file: () => null,
    readJob: (json) => {
      const reply = reader.readReply(json)
      const { id, model, ended, usage } = reply
      if (id === null) return null
      const status = textOf(member(json, 'status')) ?? ''
      const notes = [...(status === 'completed' ? [] : [`response ${status}`]), ...(usage?.problems ?? [])]
      return {
        ...{ id, model, ended, reply },
        usage: ended ? (usage?.usage ?? null) : null,
        note: notes.length === 0 ? null : notes.join('; '),
        learned: learnResponse({ request: json, reply, objects: {} }),
      }
    },
    jobPath: ({ id }) => `/responses/${encodeURIComponent(id)}`,
  }
}

/** Whether a request asks for a reply that goes on in the background and is asked after. */
export const isBackground = (request: Json): boolean =>
  member(request, 'background') === true && member(request, 'stream') !== true

/** The job that such a reply names, and the response that it will be. */
export const learnBackground =
  ({ readReply }: ReaderOfBoth): Learn =>
  ({ request, reply: json }) => {
    const reply = readReply(json)
    const { id, model } = reply
    if (id === null) return []
    const job = { kind: 'job', id, parent: null, model, tokensMost: null, tools: false } as const
    return [job, ...learnResponse({ request, reply, objects: {} })]
  }

/** Responses as a wire whose reply tells what it cost: whole and streamed, and the compaction of an input. */
export const responseWire = ({ readReply, meterStream }: ReaderOfBoth): ReplyWire => ({
  read: (request, objects) => ({
    model: textOf(member(request, 'model')),
    stream: member(request, 'stream') === true,
    tier: textOf(member(request, 'service_tier')),
    endUser: textOf(member(request, 'safety_identifier')) ?? textOf(member(request, 'user')),
    tags: openaiTags(request),
    conversation: conversationNamed(request, objects),
  }),
  bound: boundResponse,
  countPrompt,
  tighten,
  readReply,
  meterStream,
  askUsage: () => null,
  capHistory: capResponseHistory,
  outputLimit,
  cutUsage: (event) => event,
  count: (request, produced, counting) => {
    const previous = previousOf(request, counting.objects ?? {})
    const prompt = countPrompt(request, counting)
    const output = produced.reduce((sum, text) => sum + counting.counter.count(text), 0)
    const history = Math.min(prompt.tokens, prompt.history + (previous?.tokens ?? 0))
    return { ...counted(prompt, output), history }
  },
  history,
  kept: (request, objects) => {
    const chain = chainOf(request, objects)
    if (chain === null || chain.tokensMost === null) return null
    const alone = history(request).resent === 0
    return {
      tokens: chain.tokensAgain ?? chain.tokensMost,
      exact: alone && chain.kind === 'response' && !chain.tools,
    }
  },
})

/** One limit for all passes of a response, reasoning included. */
const outputLimit: NonNullable<ReplyWire['outputLimit']> = (request, { outputTokensMax }) =>
  findOutputLimit(request, {
    fields: [['max_output_tokens']],
    unsaid: { field: ['max_output_tokens'], asked: outputTokensMax },
  })

const countPrompt: CountPrompt = (request, { counter, objects = {}, ...shown }) =>
  countResponses(request, counter, {
    partTokens: (part) => mediaPart(chatPart(part), shown),
    ...given(previousOf(request, objects)),
  })

type ReaderOfBoth = { readonly [K in keyof ReplyReader]: NonNullable<ReplyReader[K]> }

/** The conversation of a request: the one it names, else the first response of the chain it goes on with. */
const conversationNamed = (request: Json, objects: KnownObjects): string | null => {
  const chain = chainOf(request, objects)
  const root = chain?.kind === 'response' ? (chain.parent ?? chain.id) : null
  return conversationOf(request) ?? root ?? textOf(member(request, 'previous_response_id'))
}

const given = (previous: PartCount | null): { readonly previous?: PartCount } =>
  previous === null ? {} : { previous }

/** What comes before a request, counted: all of it comes again, unless some of it does not. */
const previousOf = (request: Json, objects: KnownObjects): PartCount | null => {
  const chain = chainOf(request, objects)
  if (chain === null || chain.tokensMost === null) return null
  const isWhole = chain.kind === 'response' && !chain.tools
  const tokens = chain.tokensAgain ?? chain.tokensMost
  return { tokens, low: isWhole ? tokens : 0, high: chain.tokensMost }
}

/** History that the request itself sends again. */
const history = (request: Json): { readonly resent: number; readonly total: number } => {
  const input = member(request, 'input')
  const instructions = tokensAtMost(textOf(member(request, 'instructions')) ?? '')
  if (typeof input === 'string') return { resent: 0, total: instructions + tokensAtMost(input) }
  return historySent(listOf(input), { isModels, isInstruction, bytesOf: itemBytes, instructions })
}

/** Whether the model wrote an item. */
const isModels = (item: Json): boolean =>
  textOf(member(item, 'role')) === 'assistant' ||
  /(?:_call|^reasoning)$/.test(textOf(member(item, 'type')) ?? '')

const itemBytes = (item: Json): number =>
  ['content', 'arguments', 'output', 'input'].reduce((sum, name) => sum + textBytes(member(item, name)), 0)

const textBytes = (content: Json): number =>
  typeof content === 'string'
    ? tokensAtMost(content)
    : listOf(content).reduce<number>((sum, part) => sum + tokensAtMost(textOf(member(part, 'text')) ?? ''), 0)
