import { keep } from '../kept.ts'
import type { KeptConversation, KeptResponse, Metadata } from '../objects.ts'
import { Refusal } from '../refusal.ts'
import type { Place } from '../state.ts'
import { type Exchange, type Fields, isFields, seconds, type WireRoute } from '../world.ts'
import type { LiveWorld } from './live-world.ts'

const responses: Place<'response'> = { kind: 'response', parent: null }
const conversations: Place<'conversation'> = { kind: 'conversation', parent: null }

/** Items a request may have before its own, or a conversation at all. */
const itemsMax = 4096

/** What a request continues: the items that were read and written before it, and where its own are added. */
export type History = {
  readonly items: readonly unknown[]
  readonly conversation: KeptConversation | null
}

/** The history that a request names, of an earlier response or a conversation. Throws the vendor's refusal. */
export const historyOf = (world: LiveWorld, body: Fields): History => {
  const { previous_response_id: previous, conversation } = body
  const named = isFields(conversation) ? conversation['id'] : conversation
  if (typeof previous === 'string' && typeof named === 'string') {
    throw new Refusal(
      400,
      "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.",
      { param: 'conversation', code: 'mutually_exclusive_parameters' },
    )
  }
  if (typeof previous === 'string') {
    const found = world.state.find(responses, previous)
    if (found !== null) return { items: found.items, conversation: null }
    // openai-agents issues of 2025 and later have this refusal.
    throw new Refusal(400, `Previous response with id '${previous.slice(0, 100)}' not found.`, {
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    })
  }
  if (typeof named !== 'string') return { items: [], conversation: null }
  const found = theConversation(world, named)
  return { items: found.items, conversation: found }
}

/** Keeps what a response read and wrote: under its id unless it asked not to, and in its conversation. */
export const remember = (
  world: LiveWorld,
  {
    kept,
    store,
    history,
  }: { readonly kept: KeptResponse; readonly store: boolean; readonly history: History },
): void => {
  const items = bounded(kept.items)
  if (store) keep(world, responses, { ...kept, items })
  if (history.conversation !== null) {
    world.state.replace(conversations, { ...history.conversation, items })
  }
}

const bounded = (items: readonly unknown[]): readonly unknown[] => {
  if (items.length <= itemsMax) return items
  throw new Refusal(400, `The sandbox keeps at most ${itemsMax} items of a conversation.`)
}

/** `GET` and `DELETE /v1/responses/{id}`, and conversations with their items. None of it costs anything. */
export const keptRoutes = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'GET',
    path: '/v1/responses/:response',
    family: 'responses',
    handle: ({ params }) => ({ json: theResponse(world, params['response'] ?? '').reply }),
  },
  {
    method: 'DELETE',
    path: '/v1/responses/:response',
    family: 'responses',
    handle: ({ params }) => {
      const { id } = theResponse(world, params['response'] ?? '')
      world.state.remove(id)
      return { json: { id, object: 'response', deleted: true } }
    },
  },
  {
    method: 'POST',
    path: '/v1/conversations',
    family: 'conversations',
    handle: (exchange) => ({ json: createConversation(world, exchange) }),
  },
  {
    method: 'GET',
    path: '/v1/conversations/:conversation',
    family: 'conversations',
    handle: ({ params }) => ({ json: shown(theConversation(world, params['conversation'] ?? '')) }),
  },
  {
    method: 'DELETE',
    path: '/v1/conversations/:conversation',
    family: 'conversations',
    handle: ({ params }) => {
      const { id } = theConversation(world, params['conversation'] ?? '')
      world.state.remove(id)
      return { json: { id, object: 'conversation.deleted', deleted: true } }
    },
  },
  {
    method: 'GET',
    path: '/v1/conversations/:conversation/items',
    family: 'conversations',
    handle: ({ params }) => {
      const { items } = theConversation(world, params['conversation'] ?? '')
      return { json: listOf(items) }
    },
  },
  {
    method: 'POST',
    path: '/v1/conversations/:conversation/items',
    family: 'conversations',
    handle: ({ params, body }) => {
      const found = theConversation(world, params['conversation'] ?? '')
      const added = withIds(world, body['items'])
      const items = bounded([...found.items, ...added])
      world.state.replace(conversations, { ...found, items })
      return { json: listOf(added) }
    },
  },
]

const createConversation = (world: LiveWorld, { body }: Exchange) => {
  const conversation: KeptConversation = {
    id: world.newId('conv_', 48),
    object: 'conversation',
    created_at: seconds(world),
    metadata: metadataOf(body['metadata']),
    items: withIds(world, body['items']),
  }
  keep(world, conversations, conversation)
  return shown(conversation)
}

const shown = ({ items: _, ...conversation }: KeptConversation) => conversation

const metadataOf = (value: unknown): Metadata =>
  isFields(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)])) : {}

/** Items as they are kept: each has an id. */
export const withIds = (world: LiveWorld, items: unknown): readonly Fields[] => {
  const list: readonly unknown[] = Array.isArray(items) ? items : []
  return list
    .filter(isFields)
    .map((item) => (typeof item['id'] === 'string' ? item : { ...item, id: world.newId('msg_', 48) }))
}

/** Newest first, as the vendor lists; the sandbox gives all of them in one page. */
const listOf = (items: readonly unknown[]) => {
  const data = [...items].reverse()
  const idOf = (item: unknown): string | null =>
    isFields(item) && typeof item['id'] === 'string' ? item['id'] : null
  return { object: 'list', data, first_id: idOf(data[0]), last_id: idOf(data.at(-1)), has_more: false }
}

const theResponse = (world: LiveWorld, id: string): KeptResponse => {
  const found = world.state.find(responses, id)
  if (found !== null) return found
  throw new Refusal(404, `Response with id '${id.slice(0, 100)}' not found.`)
}

const theConversation = (world: LiveWorld, id: string): KeptConversation => {
  const found = world.state.find(conversations, id)
  if (found !== null) return found
  throw new Refusal(404, `Conversation with id '${id.slice(0, 100)}' not found.`)
}
