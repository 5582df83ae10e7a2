import { tokensAtMost } from '../tokens/text.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { Names, ObjectFacts } from './objects.ts'
import { storesLearned, storesNamed } from './store-changes.ts'

/** What an assistant in a reply tells later calls: the tokens of its instructions, counted for its model, and whether
 * it has tools, so that its runs can call the model more than once. */
export const learnAssistant = (
  reply: Json,
  tokensOf: (text: string) => number = tokensAtMost,
): readonly ObjectFacts[] => {
  const id = textOf(member(reply, 'id'))
  if (id === null) return []
  return [
    {
      kind: 'assistant',
      id,
      parent: null,
      model: textOf(member(reply, 'model')),
      tokensMost: tokensOf(textOf(member(reply, 'instructions')) ?? ''),
      tools: listOf(member(reply, 'tools')).length > 0,
    },
    ...storesLearned(reply),
  ]
}

/** A thread that was created from `{messages}`. */
export const learnThread = (id: string | null, thread: Json): readonly ObjectFacts[] =>
  id === null
    ? []
    : [
        {
          kind: 'thread',
          id,
          parent: null,
          model: null,
          tokensMost: messagesTokensMost(member(thread, 'messages')),
          tools: false,
        },
      ]

export const learnRun = (reply: Json): readonly ObjectFacts[] => {
  const [id, thread] = [textOf(member(reply, 'id')), textOf(member(reply, 'thread_id'))]
  if (id === null || thread === null) return []
  const model = textOf(member(reply, 'model'))
  return [{ kind: 'run', id, parent: thread, model, tokensMost: null, tools: false }]
}

export const messageTokensMost = (message: Json): number =>
  tokensAtMost(contentText(member(message, 'content')))

export const messagesTokensMost = (messages: Json): number =>
  listOf(messages).reduce<number>((sum, each) => sum + messageTokensMost(each), 0)

/** Both versions take and give texts, or parts `{type: 'text', text: {value}}` or `{type: 'text', text}`. */
export const contentText = (content: Json): string =>
  typeof content === 'string'
    ? content
    : listOf(content)
        .map((part) => textOf(member(part, 'text')) ?? textOf(member(member(part, 'text'), 'value')) ?? '')
        .join('')

/** The files of an object: `file_ids` in version 1; in version 2 `attachments`, and lists below `tool_resources`. */
export const filesOf = (holder: Json): readonly string[] => {
  const attached = listOf(member(holder, 'attachments')).map((each) => member(each, 'file_id'))
  const resources = member(member(holder, 'tool_resources'), 'code_interpreter')
  return [
    ...listOf(member(holder, 'file_ids')),
    ...attached,
    ...listOf(member(resources, 'file_ids')),
  ].filter((id) => typeof id === 'string')
}

/** The files that a body names: its own, those of its messages, and those of the thread it brings; and the vector
 * stores below its `tool_resources`. */
export const namedFiles: Names = (request) => {
  const thread = member(request, 'thread')
  const holders = [
    request,
    thread,
    ...listOf(member(request, 'messages')),
    ...listOf(member(request, 'additional_messages')),
    ...listOf(member(thread, 'messages')),
  ]
  const files = [...new Set(holders.flatMap(filesOf))].map((id) => ({ kind: 'file' as const, id }))
  return [...files, ...holders.flatMap(storesNamed)]
}
