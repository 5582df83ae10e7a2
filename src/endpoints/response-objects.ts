import { tokensAtMost } from '../tokens/text.ts'
import { inputTokens } from '../usage/usage.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { KnownObjects, Learn, LearnReply, Names, ObjectFacts, ObjectKind } from './objects.ts'
import { itemKind, responseInput } from './response-parts.ts'

/** The objects that a Responses request names: what it continues, the files in its input, and what its tools use. */
export const responseNames: Names = (request) => {
  const named: { kind: ObjectKind; id: string }[] = []
  const add = (kind: ObjectKind, id: Json): void => {
    if (typeof id === 'string' && id !== '') named.push({ kind, id })
  }
  add('response', member(request, 'previous_response_id'))
  add('conversation', conversationOf(request))
  named.push(...inItems(member(request, 'input')))
  for (const file of filesIn(member(member(request, 'prompt'), 'variables'))) add('file', file)
  for (const tool of listOf(member(request, 'tools'))) {
    for (const id of listOf(member(tool, 'vector_store_ids'))) add('vector_store', id)
    add('file', member(member(tool, 'input_image_mask'), 'file_id'))
    const container = member(tool, 'container')
    add('container', container)
    for (const place of [container, member(tool, 'environment')]) {
      add('container', member(place, 'container_id'))
      for (const id of listOf(member(place, 'file_ids'))) add('file', id)
    }
  }
  return named
}

/** What the items name that a conversation is given. */
export const itemNames: Names = (request) => inItems(member(request, 'items'))

/** The files in items, and the items that the vendor keeps and reads for them: those a reference stands for, and
 * reasoning that is not sent along. */
const inItems = (items: Json): ReturnType<Names> => [
  ...filesIn(items).map((id) => ({ kind: 'file', id }) as const),
  ...listOf(items).flatMap((item) => {
    const id = textOf(member(item, 'id'))
    return id !== null && isKept(item) ? [{ kind: 'item', id } as const] : []
  }),
]

const isKept = (item: Json): boolean => {
  const kind = itemKind(item)
  const isSent = kind !== 'reasoning' || (member(item, 'encrypted_content') ?? null) !== null
  return kind === 'item_reference' || !isSent
}

/** What a conversation was given: its items as it shows them. */
export const learnItems: Learn = ({ reply }) =>
  listOf(member(reply, 'data')).flatMap((item) => {
    const id = textOf(member(item, 'id'))
    return id === null ? [] : [object('item', id, {})]
  })

/** The conversation that a request adds to, named by its id or as an object. */
export const conversationOf = (request: Json): string | null => {
  const conversation = member(request, 'conversation')
  return textOf(conversation) ?? textOf(member(conversation, 'id'))
}

/** What is known of what the vendor reads again before the request: the response it follows, or its conversation. */
export const chainOf = (request: Json, { response, conversation }: KnownObjects): ObjectFacts | null => {
  const previous = textOf(member(request, 'previous_response_id'))
  if (previous !== null) return response?.id === previous ? response : null
  const named = conversationOf(request)
  return named !== null && conversation?.id === named ? conversation : null
}

/** Whether a request has such a thing before it. */
export const isChained = (request: Json): boolean =>
  textOf(member(request, 'previous_response_id')) !== null || conversationOf(request) !== null

/** What a response, its items and the containers it used tell later calls. What it read and wrote together is the most that
 * comes again with the next one (OpenAI's guide to conversation state); its instructions, its tools and its
 * reasoning do not. One that is not stored cannot be named. */
export const learnResponse: LearnReply = ({ request, reply, objects }) => {
  const { id, usage, standing, items = [] } = reply
  const containers = standing.map(({ id: name }) => object('container', name, {}))
  if (id === null || member(request, 'store') === false) return containers
  const chain = chainOf(request, objects)
  const root =
    chain?.kind === 'response'
      ? (chain.parent ?? chain.id)
      : (conversationOf(request) ?? textOf(member(request, 'previous_response_id')))
  const used = usage === null || usage.problems.length > 0 ? null : usage.usage
  const tokensMost = used === null ? null : allTokens(used)
  const reasoned = typeof used?.output_reasoning_tokens === 'number' ? used.output_reasoning_tokens : 0
  const told =
    (member(request, 'instructions') ?? null) !== null || listOf(member(request, 'tools')).length > 0
  const tokensAgain = tokensMost === null ? null : tokensMost - reasoned
  const facts = { parent: root, model: reply.model, tokensMost, tokensAgain, tools: told || reasoned > 0 }
  return [...containers, object('response', id, facts), ...items.map((item) => object('item', item, {}))]
}

/** A conversation that was created, with the items it began with. */
export const learnConversation: Learn = ({ request, reply }) => {
  const id = textOf(member(reply, 'id'))
  return id === null ? [] : [object('conversation', id, { tokensMost: itemsTokensMost(request) })]
}

/** The tokens of `items` at most: no text has more than bytes. Null where something in them has no bound. */
export const itemsTokensMost = (request: Json): number | null => {
  const items = member(request, 'items')
  const { parts, unseen } = responseInput(items)
  const isText = parts.every((part) => /text$|^refusal$/.test(textOf(member(part, 'type')) ?? ''))
  return unseen === null && isText ? tokensAtMost(JSON.stringify(listOf(items))) : null
}

/** All that a call read and wrote. */
export const allTokens = (usage: Parameters<typeof inputTokens>[0]): number => {
  const written = [usage.output_text_tokens, usage.output_reasoning_tokens]
  return written.reduce<number>(
    (sum, tokens) => sum + (typeof tokens === 'number' ? tokens : 0),
    inputTokens(usage),
  )
}

const object = (kind: ObjectKind, id: string, more: Partial<ObjectFacts>): ObjectFacts => ({
  ...{ kind, id, parent: null, model: null, tokensMost: null, tools: false },
  ...more,
})

/** The files that parts name, wherever they stand: `input_image`, `input_file`, `input_audio`, a screenshot. A
 * citation in an answer that is sent again reaches nothing. */
const filesIn = (value: Json): readonly string[] => {
  const found = new Set<string>()
  const open: Json[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const file = textOf(member(next, 'file_id'))
    const kind = textOf(member(next, 'type')) ?? ''
    if (file !== null && (kind.startsWith('input_') || kind === 'computer_screenshot')) found.add(file)
    for (const each of Object.values(next)) if (typeof each === 'object') open.push(each)
  }
  return [...found]
}
