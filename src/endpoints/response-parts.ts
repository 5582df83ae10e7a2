import { type Json, listOf, member, textOf } from './json.ts'

/** What of the input of a Responses request is no text. `parts`: images, sounds and documents, as parts of chat
 * messages; `unseen`: the first thing in it that the vendor keeps, or that is of no known kind; its tokens have no
 * bound in the request. */
export type ResponseInput = { readonly parts: readonly Json[]; readonly unseen: string | null }

/** Reads items of a request or of a conversation. */
export const responseInput = (items: Json): ResponseInput => {
  const parts: Json[] = []
  let unseen: string | null = null
  for (const item of listOf(items)) {
    const kind = itemKind(item)
    if (!textKinds.has(kind)) unseen ??= unseenKinds[kind] ?? 'an item of a kind that is not known'
    for (const content of [member(item, 'content'), member(item, 'output')]) {
      if (Array.isArray(content)) parts.push(...listOf(content).map(chatPart))
      else if (typeof content === 'object' && content !== null) parts.push(chatPart(content))
    }
  }
  return { parts, unseen }
}

/** What an item is. Two kinds need not say: a message, and a reference to another item, which has nothing but its id
 * (openai 7.57.0, `EasyInputMessage` and `ResponseInputItem.ItemReference`). */
export const itemKind = (item: Json): string => {
  const isReference = textOf(member(item, 'id')) !== null && member(item, 'role') === undefined
  return textOf(member(item, 'type')) ?? (isReference ? 'item_reference' : 'message')
}

/** A part of an item as a part of a chat message, by whose rules it is counted. */
export const chatPart = (part: Json): Json => {
  switch (textOf(member(part, 'type'))) {
    case 'input_image':
    case 'computer_screenshot': {
      const detail = textOf(member(part, 'detail'))
      const url = textOf(member(part, 'image_url')) ?? 'unseen'
      return { type: 'image_url', image_url: detail === null ? { url } : { url, detail } }
    }
    case 'input_file':
      return { type: 'file' }
    default:
      return part
  }
}

/** Items that are text, or hold parts in their content or output (openai 7.57.0, `ResponseInputItem`). A reasoning
 * item comes back encrypted, which makes it longer than its text. */
const textKinds: ReadonlySet<string> = new Set([
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'computer_call',
  'computer_call_output',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'mcp_call',
])

const unseenKinds: Readonly<Record<string, string>> = {
  item_reference: 'an item that the vendor keeps',
  compaction: 'a compacted history',
  compaction_trigger: 'a compacted history',
  web_search_call: 'a search whose findings the vendor keeps',
  file_search_call: 'a search whose findings the vendor keeps',
  code_interpreter_call: 'a call of code whose files the vendor keeps',
  image_generation_call: 'a picture that the vendor keeps',
}
