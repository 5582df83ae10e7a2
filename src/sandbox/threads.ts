import { textMax } from './assistants.ts'
import type { MessageV2 } from './assistants-v2/objects-v2.ts'
import { attachToMessage, filesOf, messageFilePlace, messageFilesMax } from './attachments.ts'
import { type FieldReader, readFields } from './fields.ts'
import { keep, refuse, the } from './kept.ts'
import type { Message, Metadata, Thread } from './objects.ts'
import { listOf } from './pages.ts'
import type { RunEngine } from './run-engine.ts'
import type { Place } from './state.ts'
import { releaseThread } from './storage.ts'
import { readFileIds } from './tools.ts'
import { type Fields, isFields, seconds, type WireRoute, type World } from './world.ts'

/** Threads and their messages, as of November 2023. All free: what a thread costs is billed by its runs. */
export const threads = (world: World, runs: RunEngine): readonly WireRoute[] => [
  ...threadRoutes(world, runs),
  ...messageRoutes(world, runs),
]

const threadRoutes = (world: World, runs: RunEngine): readonly WireRoute[] => {
  const at = (method: WireRoute['method'], path: string, handle: WireRoute['handle']): WireRoute => ({
    method,
    path: `/v1/threads${path}`,
    family: 'threads',
    beta: true,
    handle,
  })
  return [
    at('POST', '', ({ body }) => ({ json: world.state.together(() => createThread(world, body, ['body'])) })),
    at('GET', '/:thread', ({ params }) => ({ json: the(world, threadPlace, params['thread']) })),
    at('POST', '/:thread', ({ params, body }) => {
      const modified = { ...the(world, threadPlace, params['thread']), ...readMetadata(world, body) }
      world.state.replace(threadPlace, modified)
      return { json: modified }
    }),
    at('DELETE', '/:thread', ({ params }) => {
      const { id } = the(world, threadPlace, params['thread'])
      // A run whose time has passed expires before its thread goes.
      runs.active(id)
      world.state.together(() => {
        runs.forget(id)
        world.state.remove(id)
        world.state.endSession(id)
        releaseThread(world, id)
      })
      return { json: { id, object: 'thread.deleted', deleted: true } }
    }),
  ]
}

const messageRoutes = (world: World, runs: RunEngine): readonly WireRoute[] => {
  const at = (method: WireRoute['method'], path: string, handle: WireRoute['handle']): WireRoute => ({
    method,
    path: `/v1/threads/:thread/messages${path}`,
    family: 'messages',
    beta: true,
    handle,
  })
  const place = (id: string | undefined): Place<'message'> => messagePlace(the(world, threadPlace, id).id)
  return [
    at('POST', '', ({ params, body }) => {
      const { id: thread } = the(world, threadPlace, params['thread'])
      const draft = readMessage(world, body, ['body'])
      const run = runs.active(thread)
      if (run !== null) throw world.profile.refusals.threadBusy({ thread, run: run.id })
      return { json: world.state.together(() => addMessage(world, thread, { ...draft, role: 'user' })) }
    }),
    at('GET', '', ({ params, query }) => ({ json: listOf(world, place(params['thread']), query) })),
    at('GET', '/:message', ({ params }) => ({
      json: the(world, place(params['thread']), params['message']),
    })),
    at('POST', '/:message', ({ params, body }) => {
      const where = place(params['thread'])
      const modified = { ...the(world, where, params['message']), ...readMetadata(world, body) }
      world.state.replace(where, modified)
      return { json: modified }
    }),
    at('GET', '/:message/files', ({ params, query }) => {
      const { id } = the(world, place(params['thread']), params['message'])
      return { json: listOf(world, messageFilePlace(id), query) }
    }),
    at('GET', '/:message/files/:file', ({ params }) => {
      const { id } = the(world, place(params['thread']), params['message'])
      return { json: the(world, messageFilePlace(id), params['file']) }
    }),
  ]
}

export const threadPlace: Place<'thread'> = { kind: 'thread', parent: null }
export const messagePlace = (thread: string): Place<'message'> => ({ kind: 'message', parent: thread })

/** Messages a thread can be created with: a bound of the sandbox. */
const firstMessagesMax = 1000

/** Creates a thread from `{messages, metadata}`. Runs inside a transaction. */
export const createThread = (world: World, fields: Fields, place: readonly string[]): Thread => {
  const reader = readFields(fields, place, ['messages', 'metadata'])
  const metadata = reader.metadata('metadata')
  const messages = reader.list('messages', { most: firstMessagesMax }) ?? []
  refuse(world, reader)
  const drafts = messages.map((message, index) => {
    const where = [...place, 'messages', String(index)]
    if (isFields(message)) return readMessage(world, message, where)
    throw world.profile.refusals.invalidRequest([
      { place: where, message: 'value is not a valid dict (type=type_error.dict)' },
    ])
  })
  const thread: Thread = {
    id: world.newId('thread_'),
    object: 'thread',
    created_at: seconds(world),
    metadata: metadata ?? {},
  }
  keep(world, threadPlace, thread)
  for (const draft of drafts) addMessage(world, thread.id, { ...draft, role: 'user' })
  return thread
}

type Draft = {
  readonly text: string
  readonly file_ids: readonly string[]
  readonly metadata: Metadata
}

/** Of November 2023: a text, and the only role is the user's. */
const readMessage = (world: World, fields: Fields, place: readonly string[]): Draft => {
  const reader = readFields(fields, place, ['role', 'content', 'file_ids', 'metadata'])
  reader.oneOf('role', ['user'])
  const text = reader.text('content', { least: 1, most: textMax, required: true })
  const metadata = reader.metadata('metadata')
  const file_ids = readFileIds(world, reader, place, { most: messageFilesMax }) ?? []
  refuse(world, reader)
  filesOf(world, file_ids)
  return { text: text ?? '', file_ids, metadata: metadata ?? {} }
}

/** Appends a message. Its tokens are counted here, once, and summed by every run. Runs inside a transaction. */
export const addMessage = (
  world: World,
  thread: string,
  draft: Draft & { role: Message['role']; assistant?: string; run?: string; v2?: MessageV2 },
): Message => {
  const message: Message = {
    id: world.newId('msg_'),
    object: 'thread.message',
    created_at: seconds(world),
    thread_id: thread,
    role: draft.role,
    content: [{ type: 'text', text: { value: draft.text, annotations: [] } }],
    file_ids: draft.file_ids,
    assistant_id: draft.assistant ?? null,
    run_id: draft.run ?? null,
    metadata: draft.metadata,
    ...(draft.v2 !== undefined && { v2: draft.v2 }),
  }
  keep(world, messagePlace(thread), message, world.counter.count(draft.text))
  attachToMessage(world, message)
  return message
}

/** Of what can be modified, only metadata. */
export const readMetadata = (world: World, body: Fields): { readonly metadata?: Metadata } => {
  const reader: FieldReader = readFields(body, ['body'], ['metadata'])
  const metadata = reader.metadata('metadata')
  refuse(world, reader)
  return metadata === undefined ? {} : { metadata }
}
