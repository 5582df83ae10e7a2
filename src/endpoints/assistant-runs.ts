import { encodingOf } from '../tokens/text.ts'
import { hiddenTokensMax } from '../tokens/thread.ts'
import { readUsage, type UsageShape } from '../usage/read.ts'
import { contentText, filesOf, messagesTokensMost } from './assistant-objects.ts'
import {
  codeInterpreterUses,
  countRunSeen,
  instantOf,
  nextOf,
  readSteps,
  searchedFiles,
} from './assistant-steps.ts'
import { runHolds } from './assistant-storage.ts'
import type { Bound } from './bound.ts'
import type { RequestFacts, Surroundings } from './endpoint.ts'
import { readEvent } from './events.ts'
import { capRunHistory } from './history-cap.ts'
import { countOf, type Json, listOf, member, parseJson, textOf } from './json.ts'
import type { KnownObjects, ObjectFacts } from './objects.ts'
import { openaiTags } from './openai-tags.ts'
import type { Reply, ReplyReader } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import type { Message, Run, RunPlace, RunWire } from './run.ts'
import { typedStream } from './streams.ts'

/** Runs, in both versions: bounded by what is known of thread and assistant, counted from thread and steps where
 * they report no usage. */
export const runWire = (shape: UsageShape): RunWire => ({
  kind: 'run',
  read,
  bound,
  adds: (request) => messagesTokensMost(member(request, 'additional_messages')),
  readRun: (reply) => readRun(reply, shape),
  readEvent: (event) => readRunEvent(event, shape),
  capHistory: capRunHistory,
  runPath,
  messagesPath: (run, after) => page(`/threads/${run.thread}/messages`, after),
  readMessages: (reply) => ({
    items: listOf(member(reply, 'data')).map(readMessage),
    next: nextOf(reply),
  }),
  stepsPath: (run, after) => page(`${runPath(run)}/steps`, after),
  readSteps,
  searched: searchedFiles,
  filePath: (file) => `/files/${encodeURIComponent(file)}`,
  countRun: countRunSeen,
  keeps: runHolds,
  uses: codeInterpreterUses,
})

const runPath = (run: RunPlace): string => `/threads/${run.thread}/runs/${run.id}`

const page = (path: string, after: string | null): string =>
  `${path}?order=asc&limit=100${after === null ? '' : `&after=${after}`}`

/** Which `metadata` names the end user: version 1 has no field of its own for it. It becomes a pseudonym, so it is
 * not kept as a tag. */
const userNames = ['end_user', 'user', 'user_id'] as const

const read = (request: Json, objects: KnownObjects): RequestFacts => {
  const tags = Object.entries(openaiTags(request))
  const assistant = textOf(member(request, 'assistant_id'))
  return {
    model: textOf(member(request, 'model')) ?? objects.assistant?.model ?? null,
    stream: member(request, 'stream') === true,
    tier: null,
    endUser:
      userNames
        .map((name) => textOf(member(member(request, 'metadata'), name)))
        .find((name) => name !== null) ?? null,
    tags: {
      ...Object.fromEntries(tags.filter(([name]) => !userNames.some((user) => user === name))),
      ...(assistant !== null && { assistant: assistant.slice(0, 128) }),
    },
  }
}

/** Input: instructions and the whole thread, as they were counted or each at most its bytes, and never more than the
 * window. A run with tools calls the model as often as it likes: only the budgets of version 2 bound it, which hold
 * for all its calls together. What was counted for one encoding bounds nothing in another. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const { contextWindow, objects, bodyBytes, model } = surroundings
  const given = member(request, 'tools')
  const tools =
    given === undefined || given === null ? objects.assistant?.tools !== false : listOf(given).length > 0
  const known = sizeFor(model, objects.assistant)
  const thread = member(request, 'thread') === undefined ? sizeFor(model, objects.thread) : 0
  const text = known === null || thread === null ? null : known + thread + bodyBytes + hiddenTokensMax
  const input = text === null ? contextWindow : Math.min(text, contextWindow ?? text)
  const budgets = {
    input: countOf(member(request, 'max_prompt_tokens')),
    output: countOf(member(request, 'max_completion_tokens')),
  }
  const unbounded = 'a run with tools calls the model as often as it needs, so nothing bounds what it costs'
  const most = tools
    ? budgets
    : {
        input: lesser(input, budgets.input),
        output: lesser(surroundings.outputTokensMax, budgets.output),
      }
  const unknown = tools
    ? unbounded
    : 'the size of the thread and the context window of the model are not known'
  const uncapped = tools ? unbounded : 'the output cap of the model is not known'
  return [
    {
      meters: ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens'],
      least: 1,
      most: most.input,
      ...(most.input === null && { reason: unknown }),
    },
    {
      meters: ['output_text_tokens'],
      least: 0,
      most: most.output,
      ...(most.output === null && { reason: uncapped }),
    },
  ]
}

const sizeFor = (model: string, object: ObjectFacts | undefined): number | null => {
  const counted = object?.model ?? null
  const foreign = counted !== null && encodingOf(counted) !== encodingOf(model)
  return object === undefined || foreign ? null : object.tokensMost
}

const lesser = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)

const ends = new Set(['completed', 'failed', 'cancelled', 'expired', 'incomplete'])

/** A run as a reply: one charge however often it is read. In 2024 it came in streams as well. */
export const runReader = (counters: UsageShape): ReplyReader => {
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

/** The events `thread.run.*` have the run; those of its steps and messages have not. */
const readRunEvent = (text: string, shape: UsageShape): ReturnType<RunWire['readEvent']> => {
  const event = readEvent(text)
  if (event?.type === 'done') return { run: null, shown: null, ends: true }
  const shown = /^thread\.run\.[a-z_]+$/.test(event?.type ?? '') ? parseJson(event?.data ?? '') : null
  return { run: readRun(shown, shape), shown, ends: false }
}

const readRun = (reply: Json, shape: UsageShape): Run | null => {
  const [id, thread] = [textOf(member(reply, 'id')), textOf(member(reply, 'thread_id'))]
  const [model, status] = [textOf(member(reply, 'model')), textOf(member(reply, 'status'))]
  if (id === null || thread === null || model === null || status === null) return null
  return {
    id,
    thread,
    assistant: textOf(member(reply, 'assistant_id')),
    model,
    status,
    instructions: textOf(member(reply, 'instructions')) ?? '',
    tools: listOf(member(reply, 'tools')),
    files: filesOf(reply),
    at: instantOf(member(reply, 'created_at')),
    started: instantOf(member(reply, 'started_at')) !== null,
    ended: ends.has(status),
    endedAt: instantOf(member(reply, `${status}_at`)),
    usage: readUsage(member(reply, 'usage'), shape),
  }
}

const readMessage = (message: Json): Message => ({
  id: textOf(member(message, 'id')) ?? '',
  role: textOf(member(message, 'role')) ?? '',
  text: contentText(member(message, 'content')),
  run: textOf(member(message, 'run_id')),
  at: instantOf(member(message, 'created_at')),
  files: filesOf(message),
})
