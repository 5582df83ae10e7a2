import type { StandingChange } from './endpoint.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import type { ObjectFacts } from './objects.ts'

/** A vector store as its own reply shows it: how large it is, and when it ends. */
export const storeSeen = (reply: Json): readonly StandingChange[] => {
  const [id, bytes] = [textOf(member(reply, 'id')), countOf(member(reply, 'usage_bytes'))]
  if (id === null || bytes === null || member(reply, 'object') !== 'vector_store') return []
  const ends = countOf(member(reply, 'expires_at'))
  return [{ change: 'store', id, bytes, endsAt: ends === null ? null : ends * 1000 }]
}

export const storeLook = (id: string): StandingChange => ({
  change: 'look',
  path: `/vector_stores/${encodeURIComponent(id)}`,
  read: storeSeen,
})

/** The stores of an assistant or a thread, also those that it made for itself, looked at one by one. */
export const storesHeld = (reply: Json): readonly StandingChange[] => storeIds(reply).map(storeLook)

/** They belong to whom the assistant or the thread belongs. */
export const storesLearned = (reply: Json): readonly ObjectFacts[] => storeIds(reply).map(factsOf)

export const storeFacts = (reply: Json): readonly ObjectFacts[] => {
  const id = textOf(member(reply, 'id'))
  return id === null ? [] : [factsOf(id)]
}

/** What a body names below `tool_resources.file_search`: stores, and the files of those it asks for. */
export const storesNamed = (
  holder: Json,
): readonly { readonly kind: 'vector_store' | 'file'; readonly id: string }[] => {
  const search = member(member(holder, 'tool_resources'), 'file_search')
  const files = listOf(member(search, 'vector_stores')).flatMap((store) => listOf(member(store, 'file_ids')))
  return [
    ...storeIds(holder).map((id) => ({ kind: 'vector_store' as const, id })),
    ...files.filter((id) => typeof id === 'string').map((id) => ({ kind: 'file' as const, id })),
  ]
}

const storeIds = (holder: Json): readonly string[] => {
  const search = member(member(holder, 'tool_resources'), 'file_search')
  return listOf(member(search, 'vector_store_ids')).filter((id) => typeof id === 'string')
}

const factsOf = (id: string): ObjectFacts => ({
  kind: 'vector_store',
  id,
  parent: null,
  model: null,
  tokensMost: null,
  tools: false,
})
