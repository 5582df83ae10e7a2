/** A part of what a message says. What was thought is not shown, only that it was. */
export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }

/** A message as the vendor shows it. */
export type MessageReply = {
  readonly id: string
  readonly type: 'message'
  readonly role: 'assistant'
  readonly model: string
  readonly content: readonly ContentBlock[]
  readonly stop_reason: 'end_turn' | 'max_tokens' | 'tool_use' | null
  readonly stop_sequence: string | null
  readonly usage: Readonly<Record<string, unknown>> & { readonly output_tokens: number }
}

/** The events of a streamed message. Its start has the whole usage as it stands then, its delta the totals, as
 * the vendor sends them: without lifetimes, tier and place. */
export function* streamedMessage(reply: MessageReply, pieces: readonly string[]): Generator<string> {
  const event = (type: string, fields: object = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
  const begun = { ...reply.usage, output_tokens: 1 }
  yield event('message_start', { message: { ...reply, content: [], stop_reason: null, usage: begun } })
  for (const [index, block] of reply.content.entries()) {
    const delta = (part: object): string => event('content_block_delta', { index, delta: part })
    yield event('content_block_start', { index, content_block: empty(block) })
    if (index === 0) yield event('ping')
    if (block.type === 'text') for (const text of pieces) yield delta({ type: 'text_delta', text })
    if (block.type === 'thinking') yield delta({ type: 'signature_delta', signature: block.signature })
    if (block.type === 'tool_use') {
      yield delta({ type: 'input_json_delta', partial_json: '' })
      for (const partial_json of JSON.stringify(block.input).match(/[\s\S]{1,12}/g) ?? []) {
        yield delta({ type: 'input_json_delta', partial_json })
      }
    }
    yield event('content_block_stop', { index })
  }
  const { stop_reason, stop_sequence, usage } = reply
  const totals = {
    input_tokens: usage['input_tokens'],
    cache_creation_input_tokens: usage['cache_creation_input_tokens'],
    cache_read_input_tokens: usage['cache_read_input_tokens'],
    output_tokens: usage.output_tokens,
    output_tokens_details: usage['output_tokens_details'],
    server_tool_use: usage['server_tool_use'],
  }
  yield event('message_delta', { delta: { stop_reason, stop_sequence }, usage: totals })
  yield event('message_stop')
}

const empty = (block: ContentBlock): object => {
  if (block.type === 'text') return { ...block, text: '' }
  if (block.type === 'thinking') return { ...block, signature: '' }
  return { ...block, input: {} }
}
