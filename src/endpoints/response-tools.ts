import type { Meter } from '../usage/meter.ts'
import type { Reading, UsageShape } from '../usage/read.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import type { Portion, Reply, Standing } from './reply.ts'
import { portionOf } from './reply-shape.ts'

/** Adds to a response what its hosted tools bill: calls by the piece, pictures at the price of their own model,
 * and containers that go on costing. Where `tool_usage` is left out its calls are counted among the output. */
export const responseTools = (reply: Reply, response: Json): Reply => {
  const output = listOf(member(response, 'output'))
  const tools = listOf(member(response, 'tools'))
  const calls: [Meter, number][] = [
    [searchMeter(tools), searches(response, output)],
    ['file_search_call', output.filter((item) => typeOf(item) === 'file_search_call').length],
  ]
  return {
    ...reply,
    usage: withCalls(reply.usage, calls),
    apart: [...reply.apart, ...pictures(response, tools), ...drawings(output)],
    standing: containers(output, tools),
  }
}

/** Adds calls by the piece to what was read; nothing where nothing was read. */
export const withCalls = (
  reading: Reading | null,
  calls: readonly (readonly [Meter, number])[],
): Reading | null => {
  const made = calls.filter(([, count]) => count > 0)
  if (reading === null || made.length === 0) return reading
  return { ...reading, usage: { ...reading.usage, ...Object.fromEntries(made) } }
}

const typeOf = (item: Json): string => textOf(member(item, 'type')) ?? ''

/** The preview tool has a price of its own. */
const searchMeter = (tools: readonly Json[]): Meter =>
  tools.some((tool) => typeOf(tool).startsWith('web_search_preview'))
    ? 'web_search_preview_call'
    : 'web_search_call'

/** Opening a page and finding in it are not billed; a search is. */
const searches = (response: Json, output: readonly Json[]): number =>
  countOf(member(member(member(response, 'tool_usage'), 'web_search'), 'num_requests')) ??
  output.filter((item) => typeOf(item) === 'web_search_call' && typeOf(member(item, 'action')) === 'search')
    .length

/** openai 7.57.0, `Response.ToolUsage.ImageGen`. */
const pictureCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    input_image_tokens: 'input_tokens_details.image_tokens',
    cached_input_text_tokens: 'cached_tokens_details.cached_text_tokens',
    cached_input_image_tokens: 'cached_tokens_details.cached_image_tokens',
    output_image_tokens: ['output_tokens_details.image_tokens', 'output_tokens'],
    output_text_tokens: 'output_tokens_details.text_tokens',
  },
  inside: ['input_image_tokens', 'cached_input_text_tokens', 'cached_input_image_tokens'],
  known: ['total_tokens', 'cached_tokens', 'output_tokens', 'input_tokens_details.text_tokens'],
  sparse: true,
}

/** The model is the tool's; where the tool names none, the price stays unknown rather than guessed. */
const pictures = (response: Json, tools: readonly Json[]): readonly Portion[] => {
  const tool = tools.find((each) => typeOf(each) === 'image_generation')
  return portionOf(member(member(response, 'tool_usage'), 'image_gen'), pictureCounters, {
    id: 'image_generation',
    model: textOf(member(tool, 'model')),
  })
}

/** What a model that writes SVG counted, beside the pictures (openai 7.57.0, `SvgUsage`). */
export const drawingCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    output_text_tokens: 'output_tokens',
    output_reasoning_tokens: 'reasoning_tokens',
  },
  inside: ['output_reasoning_tokens'],
  known: ['total_tokens'],
}

const drawings = (output: readonly Json[]): readonly Portion[] =>
  output.flatMap((item) => {
    const usage = member(item, 'svg_usage')
    return portionOf(usage, drawingCounters, {
      id: textOf(member(item, 'id')),
      model: textOf(member(usage, 'model')),
    })
  })

const containers = (output: readonly Json[], tools: readonly Json[]): readonly Standing[] => {
  const ids = output.flatMap((item) => textOf(member(item, 'container_id')) ?? [])
  const tool = tools.find((each) => typeOf(each) === 'code_interpreter' || typeOf(each) === 'shell')
  return [...new Set(ids)].map((id) => containerOf(id, member(member(tool, 'container'), 'memory_limit')))
}

/** A container as it is billed: by its memory, 1 GB unless it says another (openai 7.57.0, `memory_limit`). */
export const containerOf = (id: string, memoryLimit: Json): Standing => {
  const [, gibibytes = '1'] = /^(\d{1,4})g$/.exec(textOf(memoryLimit) ?? '') ?? []
  return { meter: 'container_session', id, bytes: null, attributes: { memory_gib: gibibytes } }
}
