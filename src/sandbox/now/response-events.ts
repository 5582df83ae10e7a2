/** An item of a response's output. */
export type OutputItem =
  | {
      readonly id: string
      readonly type: 'message'
      readonly status: 'completed' | 'incomplete'
      readonly role: 'assistant'
      readonly content: readonly TextPart[]
    }
  | {
      readonly id: string
      readonly type: 'function_call'
      readonly status: 'completed'
      readonly call_id: string
      readonly name: string
      readonly arguments: string
    }
  | {
      readonly id: string
      readonly type: 'web_search_call'
      readonly status: 'completed'
      readonly action: { readonly type: 'search'; readonly query: string }
    }

type TextPart = {
  readonly type: 'output_text'
  readonly text: string
  readonly annotations: readonly unknown[]
  readonly logprobs: readonly unknown[]
}

/** A response as the vendor shows it. */
export type ResponseObject = Readonly<Record<string, unknown>> & {
  readonly id: string
  readonly status: 'completed' | 'incomplete'
  readonly model: string
  readonly output: readonly OutputItem[]
}

/** The events of a streamed response, in the vendor's order: created, in progress, each item as it grows, and the
 * whole with its usage. `pieces` are those of its text. */
export function* streamedResponse(reply: ResponseObject, pieces: readonly string[]): Generator<string> {
  let sequence = 0
  const event = (type: string, fields: object): string => {
    const data = { type, sequence_number: sequence, ...fields }
    sequence += 1
    return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
  }
  const { usage: _, tool_usage: __, ...rest } = reply
  const begun = { ...rest, status: 'in_progress', incomplete_details: null, output: [], usage: null }
  yield event('response.created', { response: begun })
  yield event('response.in_progress', { response: begun })
  for (const [output_index, item] of reply.output.entries()) {
    const place = { item_id: item.id, output_index }
    yield event('response.output_item.added', { output_index, item: unfinished(item) })
    if (item.type === 'message') yield* textEvents(event, place, item.content, pieces)
    if (item.type === 'function_call') {
      for (const delta of item.arguments.match(/[\s\S]{1,12}/g) ?? []) {
        yield event('response.function_call_arguments.delta', { ...place, delta })
      }
      const { name, arguments: given } = item
      yield event('response.function_call_arguments.done', { ...place, name, arguments: given })
    }
    if (item.type === 'web_search_call') {
      for (const step of ['in_progress', 'searching', 'completed']) {
        yield event(`response.web_search_call.${step}`, place)
      }
    }
    yield event('response.output_item.done', { output_index, item })
  }
  yield event(`response.${reply.status}`, { response: reply })
}

type MakeEvent = (type: string, fields: object) => string

function* textEvents(
  event: MakeEvent,
  item: object,
  content: readonly TextPart[],
  pieces: readonly string[],
): Generator<string> {
  for (const [content_index, part] of content.entries()) {
    const place = { ...item, content_index }
    yield event('response.content_part.added', { ...place, part: { ...part, text: '' } })
    for (const delta of pieces) yield event('response.output_text.delta', { ...place, delta, logprobs: [] })
    yield event('response.output_text.done', { ...place, text: part.text, logprobs: [] })
    yield event('response.content_part.done', { ...place, part })
  }
}

/** An item as it begins. */
const unfinished = (item: OutputItem): object => {
  if (item.type === 'message') return { ...item, status: 'in_progress', content: [] }
  if (item.type === 'function_call') return { ...item, status: 'in_progress', arguments: '' }
  return { ...item, status: 'in_progress' }
}
