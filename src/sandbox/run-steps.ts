import { usageOf } from './assistants-v2/budget.ts'
import { keep } from './kept.ts'
import type { Run, Step, StepDetails, ToolCall } from './objects.ts'
import type { RunTally } from './standing-state.ts'
import type { Place } from './state.ts'
import { seconds, type World } from './world.ts'

export const stepPlace = (run: string): Place<'step'> => ({ kind: 'step', parent: run })

/** The calls of tools that a run made so far, a list for each round. */
export const toolRounds = (world: World, run: Run): readonly (readonly ToolCall[])[] =>
  world.state
    .listed(stepPlace(run.id))
    .flatMap(({ step_details: details }) => (details.type === 'tool_calls' ? [details.tool_calls] : []))

/** Writes a step. One that waits for the client's outputs is in progress; every other is done at once. Steps of v2
 * know what their model call used. */
export const writeStep = (
  world: World,
  run: Run,
  details: StepDetails,
  { waits = false, used }: { readonly waits?: boolean; readonly used: RunTally },
): void => {
  const step: Step = {
    id: world.newId('step_'),
    object: 'thread.run.step',
    created_at: seconds(world),
    run_id: run.id,
    assistant_id: run.assistant_id,
    thread_id: run.thread_id,
    type: details.type,
    status: waits ? 'in_progress' : 'completed',
    cancelled_at: null,
    completed_at: waits ? null : seconds(world),
    expired_at: null,
    failed_at: null,
    last_error: null,
    step_details: details,
    metadata: {},
    ...(run.v2 !== undefined && { v2: { usage: usageOf(used) } }),
  }
  keep(world, stepPlace(run.id), step)
}

/** The step that waits for outputs gets them. */
export const completeStep = (world: World, run: Run, outputs: ReadonlyMap<string, string>): void => {
  changeOpenStep(world, run, (step) => ({
    ...step,
    status: 'completed',
    completed_at: seconds(world),
    step_details:
      step.step_details.type === 'tool_calls'
        ? {
            type: 'tool_calls',
            tool_calls: step.step_details.tool_calls.map((call) =>
              call.type === 'function'
                ? { ...call, function: { ...call.function, output: outputs.get(call.id) ?? null } }
                : call,
            ),
          }
        : step.step_details,
  }))
}

/** The step that waits ends with its run. */
export const endStep = (world: World, run: Run): void => {
  const { status } = run
  if (status !== 'cancelled' && status !== 'failed' && status !== 'expired') return
  changeOpenStep(world, run, (step) => ({
    ...step,
    status,
    [`${status}_at`]: seconds(world),
    last_error: run.last_error,
  }))
}

const changeOpenStep = (world: World, run: Run, change: (step: Step) => Step): void => {
  const place = stepPlace(run.id)
  const open = world.state.listed(place).find(({ status }) => status === 'in_progress')
  if (open !== undefined) world.state.replace(place, change(open))
}
