import type { Run } from '../objects.ts'
import type { RunTally } from '../standing-state.ts'
import type { World } from '../world.ts'
import type { RunUsage } from './objects-v2.ts'

/** What is left of the tokens a run may use, over all its model calls: infinite where the request set none. The
 * vendor calls it a best effort; here a run never uses more. */
export const budgetLeft = (world: World, run: Run): { prompt: number; completion: number } => {
  const used = world.state.tally(run.id)
  const left = (most: number | null | undefined, spent: number): number =>
    most === null || most === undefined ? Number.POSITIVE_INFINITY : Math.max(0, most - spent)
  return {
    prompt: left(run.v2?.max_prompt_tokens, used.input),
    completion: left(run.v2?.max_completion_tokens, used.output),
  }
}

/** Tokens in the vendor's words. */
export const usageOf = ({ input, output }: RunTally): RunUsage => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
})
