import { tokensAtMost } from '../tokens/text.ts'
import { countRun } from '../tokens/thread.ts'
import { readUsage, type UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import type {
  Endpoint,
  KnownObjects,
  Learn,
  Message,
  ObjectFacts,
  Reply,
  ReplyReader,
  RequestFacts,
  Route,
  Run,
  RunWire,
  Surroundings,
} from './endpoint.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import { openaiTags } from './openai-tags.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { typedStream } from './streams.ts'

/** Assistants: assistants, threads, messages, runs. A run bills the thread's whole history again, and in
 * November 2023 nothing in any reply said how much; `shape` is where later replies say it. */
export const assistants = (shape: UsageShape): Endpoint => {
  const wire = runWire(shape)
  return {
    id: 'assistants',
    reader: runReader(shape),
    routes: [...objectRoutes(wire), ...runRoutes(wire), ...closedRoutes],
    refusal: openaiRefusal,
    streamFault: openaiStreamFault,
  }
}

const free = (method: Route['method'], path: string, learn?: Learn): Route => ({
  method,
  path,
  billing: 'free',
  ...(learn && { learn }),
})

const objectRoutes = (wire: RunWire): readonly Route[] => [
  free('POST', '/assistants', ({ reply }) => learnAssistant(reply)),
  free('GET', '/assistants/:assistant', ({ reply }) => learnAssistant(reply)),
  {
    method: 'POST',
    path: '/assistants/:assistant',
    billing: 'free',
    learn: ({ reply }) => learnAssistant(reply),
    grows: {
      kind: 'assistant',
      by: (request) => tokensAtMost(textOf(member(request, 'instructions')) ?? ''),
    },
  },
  free('DELETE', '/assistants/:assistant'),
  free('POST', '/threads', ({ request, reply }) => learnThread(request, reply)),
  free('GET', '/threads/:thread'),
  free('POST', '/threads/:thread'),
  free('DELETE', '/threads/:thread'),
  {
    method: 'POST',
    path: '/threads/:thread/messages',
    billing: 'free',
    grows: { kind: 'thread', by: (request) => messageTokensMost(request) },
  },
  free('GET', '/threads/:thread/messages'),
  free('GET', '/threads/:thread/messages/:message'),
  free('POST', '/threads/:thread/messages/:message'),
  free('GET', '/threads/:thread/runs'),
  { method: 'GET', path: '/threads/:thread/runs/:run', billing: 'free', observes: wire },
  free('POST', '/threads/:thread/runs/:run'),
  { method: 'POST', path: '/threads/:thread/runs/:run/cancel', billing: 'free', observes: wire },
  free('GET', '/threads/:thread/runs/:run/steps'),
  free('GET', '/threads/:thread/runs/:run/steps/:step'),
]

const runRoutes = (wire: RunWire): readonly Route[] => [
  {
    method: 'POST',
    path: '/threads/:thread/runs',
    billing: 'later',
    wire,
    learn: ({ reply }) => learnRun(reply),
  },
  {
    method: 'POST',
    path: '/threads/runs',
    billing: 'later',
    wire,
    learn: ({ request, reply }) => [
      ...learnRun(reply),
      ...threadFacts(textOf(member(reply, 'thread_id')), member(request, 'thread')),
    ],
  },
]

const closedRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/assistants',
    billing: 'closed',
    why: 'a list would show the assistants of every owner; retrieve them by id',
  },
  {
    method: 'POST',
    path: '/threads/:thread/runs/:run/submit_tool_outputs',
    billing: 'closed',
    why: 'tools in runs are not metered yet, so their outputs cannot be passed on',
  },
]

export const learnAssistant = (reply: Json): readonly ObjectFacts[] => {
  const id = textOf(member(reply, 'id'))
  if (id === null) return []
  return [
    {
      kind: 'assistant',
      id,
      parent: null,
      model: textOf(member(reply, 'model')),
      tokensMost: tokensAtMost(textOf(member(reply, 'instructions')) ?? ''),
      tools: listOf(member(reply, 'tools')).length > 0,
    },
  ]
}

const learnThread = (request: Json, reply: Json): readonly ObjectFacts[] =>
  threadFacts(textOf(member(reply, 'id')), request)

const threadFacts = (id: string | null, thread: Json): readonly ObjectFacts[] => {
  if (id === null) return []
  const tokensMost = listOf(member(thread, 'messages')).reduce<number>(
    (sum, each) => sum + messageTokensMost(each),
    0,
  )
  return [{ kind: 'thread', id, parent: null, model: null, tokensMost, tools: false }]
}

const learnRun = (reply: Json): readonly ObjectFacts[] => {
  const [id, thread] = [textOf(member(reply, 'id')), textOf(member(reply, 'thread_id'))]
  if (id === null || thread === null) return []
  return [
    {
      kind: 'run',
      id,
      parent: thread,
      model: textOf(member(reply, 'model')),
      tokensMost: null,
      tools: false,
    },
  ]
}

const messageTokensMost = (message: Json): number => tokensAtMost(contentText(member(message, 'content')))

/** Version 1 takes and gives texts, or parts `{type: 'text', text: {value}}` or `{type: 'text', text}`. */
const contentText = (content: Json): string =>
  typeof content === 'string'
    ? content
    : listOf(content)
        .map((part) => textOf(member(part, 'text')) ?? textOf(member(member(part, 'text'), 'value')) ?? '')
        .join('')

const runWire = (shape: UsageShape): RunWire => ({
  read,
  bound,
  readRun: (reply) => readRun(reply, shape),
  runPath: (run) => `/threads/${run.thread}/runs/${run.id}`,
  messagesPath: (run, after) =>
    `/threads/${run.thread}/messages?order=asc&limit=100${after === null ? '' : `&after=${after}`}`,
  readMessages: (reply) => ({
    messages: listOf(member(reply, 'data')).map(readMessage),
    next: member(reply, 'has_more') === true ? textOf(member(reply, 'last_id')) : null,
  }),
  countRun: (run, messages, { counter, promptTokensMax }) => {
    const own = messages.findIndex((message) => message.run === run.id)
    const before = own === -1 ? messages : messages.slice(0, own)
    const prompt = countRun(
      {
        instructions: run.instructions,
        messages: before,
        ...(promptTokensMax !== null && { contextTokensMax: promptTokensMax }),
      },
      counter,
    )
    const output = messages
      .filter((message) => message.run === run.id)
      .reduce((sum, message) => sum + counter.count(message.text), 0)
    return {
      usage: { input_text_tokens: prompt.tokens, output_text_tokens: output },
      history: prompt.history,
      rule: prompt.rule,
    }
  },
})

const read = (request: Json, objects: KnownObjects): RequestFacts => ({
  model: textOf(member(request, 'model')) ?? objects.assistant?.model ?? null,
  stream: member(request, 'stream') === true,
  tier: null,
  endUser: null,
  tags: openaiTags(request),
})

/** Tokens the vendor puts before a run's prompt and shows nobody; an assumption, generous, and whatever is
 * billed beyond it is reported as over the quote. */
const hiddenTokensMax = 2048

/** Input: instructions and the whole thread, each at most its bytes, and never more than the window. A run
 * with tools calls the model as often as it likes: nothing bounds it. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const { contextWindow, objects, bodyBytes } = surroundings
  const tools = objects.assistant?.tools !== false || listOf(member(request, 'tools')).length > 0
  const known = objects.assistant?.tokensMost ?? null
  const thread = member(request, 'thread') === undefined ? (objects.thread?.tokensMost ?? null) : 0
  const text = known === null || thread === null ? null : known + thread + bodyBytes + hiddenTokensMax
  const input = text === null ? contextWindow : Math.min(text, contextWindow ?? text)
  const budget = countOf(member(request, 'max_completion_tokens')) ?? surroundings.outputTokensMax
  const unbounded = 'a run with tools calls the model as often as it needs, so nothing bounds what it costs'
  const unknown = 'the size of the thread and the context window of the model are not known'
  return [
    {
      meters: ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens'],
      least: 1,
      most: tools ? null : input,
      ...((tools || input === null) && { reason: tools ? unbounded : unknown }),
    },
    {
      meters: ['output_text_tokens'],
      least: 0,
      most: tools ? null : budget,
      ...((tools || budget === null) && {
        reason: tools ? unbounded : 'the output cap of the model is not known',
      }),
    },
  ]
}

const ends = new Set(['completed', 'failed', 'cancelled', 'expired', 'incomplete'])

/** A run as a reply: one charge however often it is read. In 2024 it came in streams as well. */
const runReader = (counters: UsageShape): ReplyReader => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (reply: Json): Reply => ({
    ...read(reply),
    ended: ends.has(textOf(member(reply, 'status')) ?? ''),
  })
  const states = ['queued', 'in_progress', 'requires_action', ...ends]
  const stream = {
    reports: Object.fromEntries(states.map((state) => [`thread.run.${state}`, null])),
    ends: ['done'],
  }
  return { readReply, meterStream: () => typedStream(stream, readReply) }
}

const readRun = (reply: Json, shape: UsageShape): Run | null => {
  const [id, thread] = [textOf(member(reply, 'id')), textOf(member(reply, 'thread_id'))]
  const [model, status] = [textOf(member(reply, 'model')), textOf(member(reply, 'status'))]
  if (id === null || thread === null || model === null || status === null) return null
  return {
    id,
    thread,
    model,
    status,
    instructions: textOf(member(reply, 'instructions')) ?? '',
    ended: ends.has(status),
    usage: readUsage(member(reply, 'usage'), shape),
  }
}

const readMessage = (message: Json): Message => ({
  id: textOf(member(message, 'id')) ?? '',
  role: textOf(member(message, 'role')) ?? '',
  text: contentText(member(message, 'content')),
  run: textOf(member(message, 'run_id')),
})
