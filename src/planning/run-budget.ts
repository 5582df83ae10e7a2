import type { PlannedTurn } from './plan-turns.ts'

/** What a run may use over all its calls: `max_prompt_tokens` and `max_completion_tokens` of the Assistants API,
 * version 2. */
export type RunBudget = { readonly promptTokens: number; readonly completionTokens: number }

/** What is left of a run's budget for each of its calls: the earlier ones have used the rest (OpenAI's Assistants
 * guide: of 500 and 1,000, a first call of 200 and 300 leaves 300 and 700). Never below zero. */
export const runLimits = (
  calls: readonly { readonly input: number; readonly output: number }[],
  budget: RunBudget,
): readonly RunBudget[] => {
  let { promptTokens, completionTokens } = budget
  return calls.map(({ input, output }) => {
    const left = { promptTokens, completionTokens }
    promptTokens = Math.max(0, promptTokens - input)
    completionTokens = Math.max(0, completionTokens - output)
    return left
  })
}

/** The first turn whose run its budget ends early, and the call at which it does; null where none is. */
export const firstShortRun = (
  turns: readonly PlannedTurn[],
  budget: RunBudget,
): { readonly turn: number; readonly call: number } | null => {
  for (const { turn, calls } of turns) {
    const limits = runLimits(calls, budget)
    const short = calls.findIndex(({ input, output }, index) => {
      const { promptTokens = 0, completionTokens = 0 } = limits[index] ?? {}
      return input > promptTokens || output > completionTokens
    })
    if (short !== -1) return { turn, call: short + 1 }
  }
  return null
}
