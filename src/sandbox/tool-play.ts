import type { FunctionTool, Message, RequiredCall, Run, Tool, ToolCall } from './objects.ts'
import type { Random } from './random.ts'
import { textOfTokens } from './replies.ts'
import { type Fields, isFields, type World } from './world.ts'

/** What a model call of a run does before the last one answers: it uses a tool, or the run fails there. */
export type Round =
  | { readonly kind: 'code' }
  | { readonly kind: 'retrieve' }
  | { readonly kind: 'call'; readonly calls: readonly AskedCall[] }
  | { readonly kind: 'fail' }

/** A function to call; with `arguments` where the message gives them. */
type AskedCall = { readonly name: string; readonly arguments: string | null }

/** The most model calls of a run that use a tool. */
const roundsMax = 16

/** The rounds of a run. The thread's newest message of a user may say them, in the order in which they stand:
 * `[code]`, `[retrieve]`, `[call NAME]` or `[call NAME {"a": 1}]`, `[fail]`; calls that stand side by side are
 * made at once; `[answer]` alone says that there are none. What the run has no tool for is passed over. Where
 * the message says nothing, chance decides, the same for the same seed: every other run uses one tool. */
export const roundsOf = (
  tools: readonly Tool[],
  message: Message | null,
  random: Random,
): readonly Round[] => {
  const text = message?.content[0].text.value ?? ''
  const tags = [...text.matchAll(tagPattern)]
  if (tags.length > 0)
    return joined(tags)
      .filter((round) => canPlay(round, tools))
      .slice(0, roundsMax)
  const [first, ...others] = tools
  if (first === undefined || random.whole({ least: 0, most: 1 }) === 0) return []
  const tool = random.pick([first, ...others])
  if (tool.type === 'code_interpreter') return [{ kind: 'code' }]
  if (readsFiles(tool)) return [{ kind: 'retrieve' }]
  return [{ kind: 'call', calls: [{ name: tool.function.name, arguments: null }] }]
}

const tagPattern =
  /\[(?:(code|retrieve|fail|answer)|call ([a-zA-Z0-9_-]{1,64})(?: (\{[^\]]{0,4000}\}))?)\](\s{0,8})/g

/** The tags as rounds: calls that nothing but white space stands between are one. */
const joined = (tags: readonly RegExpMatchArray[]): readonly Round[] => {
  const rounds: Round[] = []
  let end = -1
  for (const tag of tags) {
    const [whole, word, name, given] = tag
    const touching = tag.index === end
    end = (tag.index ?? 0) + whole.length
    if (word === 'code' || word === 'retrieve' || word === 'fail') rounds.push({ kind: word })
    if (name === undefined) continue
    const call: AskedCall = { name, arguments: given !== undefined && isJson(given) ? given : null }
    const last = rounds.at(-1)
    if (touching && last?.kind === 'call')
      rounds[rounds.length - 1] = { ...last, calls: [...last.calls, call] }
    else rounds.push({ kind: 'call', calls: [call] })
  }
  return rounds
}

const canPlay = (round: Round, tools: readonly Tool[]): boolean => {
  if (round.kind === 'fail') return true
  if (round.kind === 'code') return tools.some(({ type }) => type === 'code_interpreter')
  if (round.kind === 'retrieve') return tools.some(readsFiles)
  return round.calls.every(({ name }) => functionOf(tools, name) !== null)
}

const readsFiles = (tool: Tool): tool is Exclude<Tool, FunctionTool | { type: 'code_interpreter' }> =>
  tool.type === 'retrieval' || tool.type === 'file_search'

const functionOf = (tools: readonly Tool[], name: string): FunctionTool | null =>
  tools.find((tool): tool is FunctionTool => tool.type === 'function' && tool.function.name === name) ?? null

/** The calls that a round makes, as a step shows them. The program of a code interpreter is short, and its log is
 * what it prints. */
export const play = (
  world: World,
  run: Run,
  round: Exclude<Round, { kind: 'fail' }>,
  random: Random,
): readonly ToolCall[] => {
  const id = () => world.newId('call_')
  if (round.kind === 'retrieve') {
    const search = run.tools.find((tool) => tool.type === 'file_search')
    if (search === undefined) return [{ id: id(), type: 'retrieval', retrieval: {} }]
    const ranking_options = search.file_search?.ranking_options ?? null
    return [{ id: id(), type: 'file_search', file_search: { ranking_options, results: [] } }]
  }
  if (round.kind === 'code') {
    const numbers = Array.from({ length: random.whole({ least: 2, most: 12 }) }, () =>
      random.whole({ least: 1, most: 999 }),
    )
    const logs = `${numbers.reduce((sum, number) => sum + number, 0)}\n`
    const code_interpreter = {
      input: `numbers = [${numbers.join(', ')}]\nprint(sum(numbers))`,
      outputs: [{ type: 'logs' as const, logs }],
    }
    return [{ id: id(), type: 'code_interpreter', code_interpreter }]
  }
  return round.calls.map((call) => {
    const schema = functionOf(run.tools, call.name)?.function.parameters ?? {}
    const given = call.arguments ?? JSON.stringify(fitting(schema, random, 0))
    return { id: id(), type: 'function', function: { name: call.name, arguments: given, output: null } }
  })
}

/** Those of a step's calls that the client must answer. */
export const requiredCalls = (calls: readonly ToolCall[]): readonly RequiredCall[] =>
  calls.flatMap((call) => {
    if (call.type !== 'function') return []
    const { name, arguments: given } = call.function
    return [{ id: call.id, type: 'function' as const, function: { name, arguments: given } }]
  })

/** The tokens that the model wrote for a call, and those of its result, which it reads in every later call. Of a
 * retrieval nothing is shown and nothing is counted here: what it finds is counted by the prompt. */
export const tokensOfCall = (world: World, call: ToolCall): { written: number; result: number } => {
  const count = (text: string): number => world.counter.count(text)
  if (call.type === 'retrieval' || call.type === 'file_search') return { written: 0, result: 0 }
  if (call.type === 'code_interpreter') {
    const { input, outputs } = call.code_interpreter
    return { written: count(input), result: outputs.reduce((sum, { logs }) => sum + count(logs), 0) }
  }
  const { name, arguments: given, output } = call.function
  return { written: count(name) + count(given), result: count(output ?? '') }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const depthMax = 8
const propertiesMax = 64

/** A value that fits a schema, as far as its types and choices go. */
export const fitting = (schema: Fields, random: Random, depth: number): unknown => {
  const choices: readonly unknown[] = Array.isArray(schema['enum']) ? schema['enum'] : []
  if (choices.length > 0) return choices[random.whole({ least: 0, most: choices.length - 1 })]
  const kind: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  if (kind === 'object') return objectOf(schema, random, depth)
  if (kind === 'array') {
    const items = isFields(schema['items']) ? schema['items'] : {}
    return depth < depthMax ? [fitting(items, random, depth + 1)] : []
  }
  if (kind === 'integer' || kind === 'number') return random.whole({ least: 1, most: 100 })
  if (kind === 'boolean') return random.whole({ least: 0, most: 1 }) === 1
  if (kind === 'null') return null
  return textOfTokens(2, String(random.whole({ least: 0, most: 9999 })))
}

const objectOf = (schema: Fields, random: Random, depth: number): unknown => {
  const properties = isFields(schema['properties']) && depth < depthMax ? schema['properties'] : {}
  const entries = Object.entries(properties).slice(0, propertiesMax)
  return Object.fromEntries(
    entries.map(([name, each]) => [name, fitting(isFields(each) ? each : {}, random, depth + 1)]),
  )
}
