import type { Run, Tool } from '../objects.ts'
import type { Random } from '../random.ts'
import type { Round } from '../tool-play.ts'
import type { ToolChoice } from './objects-v2.ts'

/** The rounds of a run of v2, as its `tool_choice` and `parallel_tool_calls` bend them: none, at least one, or first
 * the tool that is named; calls that may not be made at once are made one after another. */
export const bent = (rounds: readonly Round[], run: Run, random: Random): readonly Round[] => {
  if (run.v2 === undefined) return rounds
  const { tool_choice: choice, parallel_tool_calls: parallel } = run.v2
  const chosen = withChoice(rounds, run, choice, random)
  if (parallel) return chosen
  return chosen.flatMap((round): readonly Round[] =>
    round.kind === 'call' ? round.calls.map((call) => ({ kind: 'call' as const, calls: [call] })) : [round],
  )
}

const withChoice = (
  rounds: readonly Round[],
  run: Run,
  choice: ToolChoice,
  random: Random,
): readonly Round[] => {
  if (choice === 'none') return rounds.filter(({ kind }) => kind === 'fail')
  if (choice === 'auto') return rounds
  if (choice === 'required') {
    const [tool, ...others] = run.tools
    return rounds.length > 0 || tool === undefined ? rounds : [roundOf(random.pick([tool, ...others]))]
  }
  const named = run.tools.find((tool) =>
    tool.type === 'function'
      ? choice.type === 'function' && tool.function.name === choice.function.name
      : tool.type === choice.type,
  )
  const [first] = rounds
  if (named === undefined || (first !== undefined && isOf(first, named))) return rounds
  return [roundOf(named), ...rounds]
}

const roundOf = (tool: Tool): Round => {
  if (tool.type === 'code_interpreter') return { kind: 'code' }
  if (tool.type !== 'function') return { kind: 'retrieve' }
  return { kind: 'call', calls: [{ name: tool.function.name, arguments: null }] }
}

const isOf = (round: Round, tool: Tool): boolean => {
  if (tool.type === 'code_interpreter') return round.kind === 'code'
  if (tool.type !== 'function') return round.kind === 'retrieve'
  return round.kind === 'call' && round.calls.some(({ name }) => name === tool.function.name)
}
