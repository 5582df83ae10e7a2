import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import { learnAssistant, learnRun, learnThread, messageTokensMost, namedFiles } from './assistant-objects.ts'
import { runReader, runWire } from './assistant-runs.ts'
import {
  assistantDeleted,
  assistantHolds,
  attached,
  fileAttached,
  fileDetached,
  threadDeleted,
  threadHolds,
} from './assistant-storage.ts'
import type { Endpoint, FreeRoute, Route } from './endpoint.ts'
import { member, textOf } from './json.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import type { RunWire } from './run.ts'
import { storesLearned } from './store-changes.ts'

/** Assistants: assistants, threads, messages, runs and their steps, and the files of each. A run bills the thread's
 * whole history again, and in November 2023 nothing in any reply said how much; `shape` is where later replies say
 * it. */
export const assistants = (shape: UsageShape): Endpoint => {
  const wire = runWire(shape)
  return {
    id: 'assistants',
    reader: runReader(shape),
    routes: [...assistantRoutes, ...threadRoutes, ...runRoutes(wire)],
    refusal: openaiRefusal,
    streamFault: openaiStreamFault,
  }
}

const free = (
  method: Route['method'],
  path: string,
  more: Omit<FreeRoute, 'method' | 'path' | 'billing'> = {},
): Route => ({ method, path, billing: 'free', ...more })

const assistantRoutes: readonly Route[] = [
  free('POST', '/assistants', {
    names: namedFiles,
    learn: ({ reply, tokensOf }) => learnAssistant(reply, tokensOf),
    standing: ({ reply }) => assistantHolds(reply),
  }),
  free('GET', '/assistants/:assistant', {
    learn: ({ reply, tokensOf }) => learnAssistant(reply, tokensOf),
    standing: ({ reply }) => assistantHolds(reply),
  }),
  free('POST', '/assistants/:assistant', {
    names: namedFiles,
    learn: ({ reply, tokensOf }) => learnAssistant(reply, tokensOf),
    grows: {
      kind: 'assistant',
      by: (request) => tokensAtMost(textOf(member(request, 'instructions')) ?? ''),
    },
    standing: ({ reply }) => assistantHolds(reply),
  }),
  free('DELETE', '/assistants/:assistant', { standing: assistantDeleted }),
  free('POST', '/assistants/:assistant/files', { standing: fileAttached }),
  free('GET', '/assistants/:assistant/files'),
  free('GET', '/assistants/:assistant/files/:file'),
  free('DELETE', '/assistants/:assistant/files/:file', { standing: fileDetached }),
  {
    method: 'GET',
    path: '/assistants',
    billing: 'closed',
    why: 'a list would show the assistants of every owner; retrieve them by id',
  },
]

const threadRoutes: readonly Route[] = [
  free('POST', '/threads', {
    names: namedFiles,
    learn: ({ request, reply }) => [
      ...learnThread(textOf(member(reply, 'id')), request),
      ...storesLearned(reply),
    ],
    standing: ({ reply }) => threadHolds(reply),
  }),
  free('GET', '/threads/:thread', { learn: ({ reply }) => storesLearned(reply) }),
  free('POST', '/threads/:thread', {
    names: namedFiles,
    learn: ({ reply }) => storesLearned(reply),
    standing: ({ reply }) => threadHolds(reply),
  }),
  free('DELETE', '/threads/:thread', { deletes: 'thread', standing: threadDeleted }),
  free('POST', '/threads/:thread/messages', {
    names: namedFiles,
    grows: { kind: 'thread', by: messageTokensMost },
    standing: attached,
  }),
  free('GET', '/threads/:thread/messages'),
  free('GET', '/threads/:thread/messages/:message'),
  free('POST', '/threads/:thread/messages/:message'),
  free('GET', '/threads/:thread/messages/:message/files'),
  free('GET', '/threads/:thread/messages/:message/files/:file'),
]

/** A run is billed when it ends, whoever sees that first. What tools answer goes into its own next calls. */
const runRoutes = (wire: RunWire): readonly Route[] => [
  free('GET', '/threads/:thread/runs'),
  free('GET', '/threads/:thread/runs/:run', { observes: wire }),
  free('POST', '/threads/:thread/runs/:run', { observes: wire }),
  free('POST', '/threads/:thread/runs/:run/cancel', { observes: wire }),
  free('POST', '/threads/:thread/runs/:run/submit_tool_outputs', { observes: wire }),
  free('GET', '/threads/:thread/runs/:run/steps'),
  free('GET', '/threads/:thread/runs/:run/steps/:step'),
  {
    method: 'POST',
    path: '/threads/:thread/runs',
    billing: 'later',
    wire,
    names: namedFiles,
    learn: ({ reply }) => learnRun(reply),
  },
  {
    method: 'POST',
    path: '/threads/runs',
    billing: 'later',
    wire,
    names: namedFiles,
    learn: ({ request, reply }) => [
      ...learnRun(reply),
      ...learnThread(textOf(member(reply, 'thread_id')), member(request, 'thread')),
    ],
  },
]
