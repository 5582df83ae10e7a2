import type { ModelFamily, ToolsBlock } from './model-family.ts'
import { type Fields, isObject, listOf, type Tally } from './prompt-count.ts'
import { descriptionOf, newSchemaWriter, type SchemaWriter, type WrittenSchema } from './schema.ts'

/** Counts the tools and functions a request defines, and the choice it makes among them, as the vendor shows
 * them to the model: a namespace of TypeScript types. Exact for 36 recorded calls of gpt-3.5-turbo (hmarr/
 * openai-chat-tokens at b8e3b11) and the example of OpenAI's cookbook; of 18 others (pamelafox/
 * openai-messages-token-helper at b60075e) it is 0 to 3 too high. `system`: the prompt has instructions. */
export const countTools = (
  request: Fields,
  tally: Tally,
  family: ModelFamily | null,
  system: boolean,
): number => {
  const tools = listOf(request.tools)
  const functions = listOf(request.functions)
  if (tools.length + functions.length === 0) return 0
  const writer = newSchemaWriter()
  const shown = [...tools.filter(isFunctionTool).map((tool) => tool.function), ...functions.filter(isObject)]
  const written = writer.written(namespaceOf(shown, writer))
  let tokens = 0
  if (shown.length > 0) {
    tokens += tally.text(written.text) + namespaceFrame - (system ? instructionsShared : 0)
    noteMargins(written, tally, tools.length > 0)
  }
  for (const tool of tools) if (!isFunctionTool(tool)) tokens += otherTool(tool, tally)
  tokens += countBlock(family?.toolsBlock ?? null, tally)
  return (
    tokens + countToolChoice(request.tool_choice, tally) + countFunctionCall(request.function_call, tally)
  )
}

/** Whether the request defines anything to call. */
export const definesTools = (request: Fields): boolean =>
  listOf(request.tools).length + listOf(request.functions).length > 0

const namespaceFrame = 9
/** Instructions share the message that the definitions stand in. */
const instructionsShared = 4
const namedTool = 7
const namedFunction = 4
/** `required` and choices among several tools: nobody published a figure; that of a named one is 7. */
const otherChoiceMax = 16

type FunctionTool = { readonly type?: unknown; readonly function: Fields }

const isFunctionTool = (tool: unknown): tool is FunctionTool =>
  isObject(tool) && isObject(tool.function) && (tool.type ?? 'function') === 'function'

const namespaceOf = (definitions: readonly Fields[], writer: SchemaWriter): string => {
  const lines = ['namespace functions {', '']
  for (const definition of definitions) {
    const { name, description: _, parameters, ...others } = definition
    const comment = descriptionOf(definition)
    if (comment !== '') lines.push(`// ${comment}`)
    const schema = isObject(parameters) ? parameters : {}
    const properties = writer.properties(schema)
    const called = typeof name === 'string' ? name : ''
    if (properties === '') lines.push(`type ${called} = () => any;`)
    else lines.push(`type ${called} = (_: {`, properties, '}) => any;')
    lines.push('')
    if (Object.keys(others).length > 0) writer.ignore(others)
  }
  lines.push('} // namespace functions')
  return lines.join('\n')
}

const noteMargins = (written: WrittenSchema, tally: Tally, asTools: boolean): void => {
  if (!written.whole) tally.note('unknown', 'tools too large or nested too deep to count')
  const below = written.nestedLines + (asTools ? written.undescribed : 0)
  if (below > 0) tally.note('formula', 'tools whose count was seen to be lower', { below })
  if (written.ignored.length === 0) return
  const above = tally.text(written.ignored.join('\n'))
  tally.note('formula', 'parts of schemas no measurement covers', { above })
}

/** A tool that is no function is described to the model in words nobody published. */
const otherTool = (tool: unknown, tally: Tally): number => {
  tally.note('unknown', 'tools that are not functions')
  return tally.json(tool, 'tools')
}

const countBlock = (block: ToolsBlock | null, tally: Tally): number => {
  if (block === null) {
    tally.note('unknown', 'what this model adds for tools was not measured')
    return 0
  }
  if (block.most > 0) {
    const margin = { below: block.expected, above: block.most - block.expected }
    tally.note('formula', `a fixed block for tools, up to ${block.most} (measured 2025-12)`, margin)
  }
  return block.expected
}

const countToolChoice = (choice: unknown, tally: Tally): number => {
  if (choice === undefined || choice === null || choice === 'auto') return 0
  if (choice === 'none') return 1
  const named = isObject(choice) && isObject(choice.function) ? choice.function.name : undefined
  if (typeof named === 'string') return namedTool + tally.text(named)
  const above = otherChoiceMax + (typeof choice === 'string' ? 0 : tally.json(choice, 'tool_choice'))
  tally.note('formula', 'a choice of tools no measurement covers', { above })
  return 0
}

const countFunctionCall = (choice: unknown, tally: Tally): number => {
  if (choice === 'none') return 1
  const named = isObject(choice) ? choice.name : undefined
  return typeof named === 'string' ? namedFunction + tally.text(named) : 0
}
