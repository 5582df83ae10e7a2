import { readFields } from '../fields.ts'
import { keep, refuse, the } from '../kept.ts'
import type { Message, Metadata, Thread } from '../objects.ts'
import { listOf } from '../pages.ts'
import { Refusal } from '../refusal.ts'
import type { RunEngine } from '../run-engine.ts'
import { addMessage, messagePlace, readMetadata, threadPlace } from '../threads.ts'
import { type Fields, isFields, seconds, type WireRoute, type World } from '../world.ts'
import { instructionsMax } from './assistants-v2.ts'
import type { MessageAttachment } from './objects-v2.ts'
import { invalidType } from './refusals-v2.ts'
import { attachToThread, makeResources, readAttachments, readResources } from './resources.ts'
import { ended, shownMessage, shownThread } from './shapes.ts'
import { readChoice, readList } from './values.ts'

/** Threads and their messages, of v2. All free: what a thread costs is billed by its runs. */
export const threadsV2 = (world: World, runs: RunEngine): readonly WireRoute[] => [
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
    at('POST', '', ({ body }) => ({
      json: shownThread(world.state.together(() => createThreadV2(world, body, ['body']))),
    })),
    at('GET', '/:thread', ({ params }) => ({ json: shownThread(the(world, threadPlace, params['thread'])) })),
    at('POST', '/:thread', ({ params, body }) => {
      const thread = the(world, threadPlace, params['thread'])
      const modified = world.state.together(() => modifyThread(world, thread, body))
      return { json: shownThread(modified) }
    }),
    at('DELETE', '/:thread', ({ params }) => {
      const { id } = the(world, threadPlace, params['thread'])
      // A run whose time has passed expires before its thread goes.
      runs.active(id)
      world.state.together(() => {
        runs.forget(id)
        world.state.remove(id)
        world.state.endSession(id)
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
  const placeOf = (id: string | undefined) => messagePlace(the(world, threadPlace, id).id)
  return [
    at('POST', '', ({ params, body }) => {
      const { id: thread } = the(world, threadPlace, params['thread'])
      const draft = readMessageV2(world, body, ['body'])
      const run = runs.active(thread)
      if (run !== null) throw world.profile.refusals.threadBusy({ thread, run: run.id })
      return { json: shownMessage(world.state.together(() => addMessageV2(world, thread, draft))) }
    }),
    at('GET', '', ({ params, query }) => ({
      json: listOf(world, placeOf(params['thread']), query, shownMessage),
    })),
    at('GET', '/:message', ({ params }) => ({
      json: shownMessage(the(world, placeOf(params['thread']), params['message'])),
    })),
    at('POST', '/:message', ({ params, body }) => {
      const place = placeOf(params['thread'])
      const modified = { ...the(world, place, params['message']), ...readMetadata(world, body) }
      world.state.replace(place, modified)
      return { json: shownMessage(modified) }
    }),
    at('DELETE', '/:message', ({ params }) => {
      const { id } = the(world, placeOf(params['thread']), params['message'])
      world.state.remove(id)
      return { json: { id, object: 'thread.message.deleted', deleted: true } }
    }),
  ]
}

/** Messages that a request brings: a bound of the sandbox. */
const messagesMax = 1000

/** Creates a thread from `{messages, metadata, tool_resources}`. Runs inside a transaction. */
export const createThreadV2 = (world: World, fields: Fields, place: readonly string[]): Thread => {
  const reader = readFields(fields, place, ['messages', 'metadata', 'tool_resources'])
  const metadata = reader.metadata('metadata')
  refuse(world, reader)
  const drafts = readMessages(world, fields, 'messages', place)
  const resources = readResources(world, fields, { ofThread: true })
  const thread: Thread = {
    id: world.newId('thread_'),
    object: 'thread',
    created_at: seconds(world),
    metadata: metadata ?? {},
    v2: { tool_resources: resources === null ? {} : makeResources(world, resources) },
  }
  keep(world, threadPlace, thread)
  for (const draft of drafts) addMessageV2(world, thread.id, draft)
  return the(world, threadPlace, thread.id)
}

const modifyThread = (world: World, thread: Thread, body: Fields): Thread => {
  const reader = readFields(body, ['body'], ['metadata', 'tool_resources'])
  const metadata = reader.metadata('metadata')
  refuse(world, reader)
  const resources = readResources(world, body, { ofThread: true })
  const made = resources === null ? {} : makeResources(world, resources)
  const modified = {
    ...thread,
    ...(metadata !== undefined && { metadata }),
    v2: { tool_resources: { ...thread.v2?.tool_resources, ...made } },
  }
  world.state.replace(threadPlace, modified)
  return modified
}

type Draft = {
  readonly role: Message['role']
  readonly parts: readonly string[]
  readonly attachments: readonly MessageAttachment[]
  readonly metadata: Metadata
}

/** The messages of a field, such as those that a run adds. */
export const readMessages = (
  world: World,
  fields: Fields,
  name: string,
  place: readonly string[],
): readonly Draft[] =>
  (readList(fields, name, { most: messagesMax }) ?? []).map((message, index) => {
    if (isFields(message)) return readMessageV2(world, message, [...place, name, String(index)])
    throw invalidType({ param: `${name}[${index}]`, expected: 'an object' })
  })

const readMessageV2 = (world: World, fields: Fields, place: readonly string[]): Draft => {
  const reader = readFields(fields, place, ['role', 'content', 'attachments', 'metadata'])
  const metadata = reader.metadata('metadata')
  const parts = Array.isArray(fields['content'])
    ? fields['content'].map(readPart)
    : [reader.text('content', { least: 1, most: instructionsMax, required: true }) ?? '']
  refuse(world, reader)
  const role = readChoice(fields, 'role', ['user', 'assistant'] as const)
  return { role, parts, attachments: readAttachments(world, fields, place), metadata: metadata ?? {} }
}

/** A text. What a picture in a thread costs is not played. */
const readPart = (part: unknown, index: number): string => {
  const value: Fields = isFields(part) ? part : {}
  if (value['type'] === 'text' && typeof value['text'] === 'string') return value['text']
  if (value['type'] === 'image_url' || value['type'] === 'image_file') {
    throw new Refusal(400, 'The sandbox does not play pictures in threads: send text.', {
      param: `content[${index}]`,
    })
  }
  throw invalidType({ param: `content[${index}].text`, expected: 'a string' })
}

/** Appends a message; what came with it is for the tools of the thread. Runs inside a transaction. */
export const addMessageV2 = (world: World, thread: string, draft: Draft): Message => {
  const { role, parts, attachments, metadata } = draft
  const owner = the(world, threadPlace, thread)
  if (attachments.length > 0) {
    const tool_resources = attachToThread(world, owner, attachments)
    world.state.replace(threadPlace, { ...owner, v2: { tool_resources } })
  }
  const v2 = ended(world, { attachments, parts: parts.length > 1 ? parts : [] })
  return addMessage(world, thread, { text: parts.join('\n'), file_ids: [], metadata, role, v2 })
}
