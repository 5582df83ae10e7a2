import { filesOf } from './assistant-objects.ts'
import type { Done, StandingChange } from './endpoint.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { Message, Run } from './run.ts'
import { storeLook, storesHeld } from './store-changes.ts'

/** Retrieval bills what is stored, by assistant and day, however many users and threads read it (OpenAI's price page
 * of November 2023). A file of an assistant is stored for it while it is attached and the assistant can search; one of
 * a message from the first run of an assistant on its thread that can search (OpenAI's page on retrieval, December
 * 2023), until file, thread or assistant are deleted; one that it has both ways once. */
export const assistantHolds = (reply: Json): readonly StandingChange[] => {
  const id = textOf(member(reply, 'id'))
  return id === null
    ? []
    : [
        holds(id, id, searches(listOf(member(reply, 'tools'))) ? filesOf(reply) : [], true),
        ...storesHeld(reply),
      ]
}

/** The vector stores of a thread, and that of files which came with a message. */
export const threadHolds = (reply: Json): readonly StandingChange[] => storesHeld(reply)

export const attached = ({ request, params: { thread } }: Done): readonly StandingChange[] =>
  thread === undefined || listOf(member(request, 'attachments')).length === 0
    ? []
    : [{ change: 'look', path: `/threads/${thread}`, read: threadHolds }]

/** What the messages before a run brought is stored for its assistant, if that is still there. */
export const runHolds = (run: Run, messages: readonly Message[]): readonly StandingChange[] => {
  const brought = messages.filter((message) => message.run !== run.id).flatMap(({ files }) => files)
  if (usesStores(run)) return storesOfRun(run)
  if (run.assistant === null || brought.length === 0 || !searches(run.tools)) return []
  const held = holds(run.assistant, run.thread, [...new Set(brought)], false)
  return [{ change: 'look', path: `/assistants/${run.assistant}`, read: () => [held] }]
}

/** A file that was attached is kept only by an assistant that can search, so the assistant is looked at. */
export const fileAttached = ({ params: { assistant } }: Done): readonly StandingChange[] =>
  assistant === undefined ? [] : [{ change: 'look', path: `/assistants/${assistant}`, read: assistantHolds }]

export const fileDetached = ({ params: { assistant, file } }: Done): readonly StandingChange[] =>
  assistant === undefined || file === undefined
    ? []
    : [{ change: 'releases', holder: assistant, object: file, source: assistant }]

export const assistantDeleted = ({ params: { assistant } }: Done): readonly StandingChange[] =>
  assistant === undefined ? [] : [{ change: 'releases', holder: assistant, object: null, source: null }]

export const threadDeleted = ({ params: { thread } }: Done): readonly StandingChange[] =>
  thread === undefined ? [] : [{ change: 'releases', holder: null, object: null, source: thread }]

/** A file that is deleted is kept by nobody any more. */
export const fileDeleted = ({ params: { file } }: Done): readonly StandingChange[] =>
  file === undefined
    ? []
    : [
        { change: 'releases', holder: null, object: file, source: null },
        { change: 'look-at-stores', read: storeLook },
      ]

const holds = (holder: string, source: string, files: readonly string[], exact: boolean): StandingChange => ({
  change: 'holds',
  meter: 'retrieval_gb_day',
  holder,
  source,
  objects: files.map((id) => ({ id, path: `/files/${encodeURIComponent(id)}` })),
  exact,
  attributes: { api: 'assistants_v1' },
})

/** A run that may search uses the stores of its thread and of its assistant, which may end later because of it. */
const storesOfRun = ({ assistant, thread }: Run): readonly StandingChange[] => [
  { change: 'look', path: `/threads/${thread}`, read: storesHeld },
  ...(assistant === null
    ? []
    : [{ change: 'look' as const, path: `/assistants/${assistant}`, read: storesHeld }]),
]

const usesStores = ({ tools }: Run): boolean =>
  tools.some((tool) => textOf(member(tool, 'type')) === 'file_search')

const searches = (tools: readonly Json[]): boolean =>
  tools.some((tool) => textOf(member(tool, 'type')) === 'retrieval')
