import type { Message, Run, Step, Thread } from '../objects.ts'
import type { RunEngine } from '../run-engine.ts'
import { runPlace } from '../run-life.ts'
import { stepPlace } from '../run-steps.ts'
import { messagePlace } from '../threads.ts'
import type { World } from '../world.ts'
import { shownMessage, shownRun, shownStep, shownThread } from './shapes.ts'

/** What a stream has told already: the status of its run and of each of its steps. */
export type Seen = { readonly run: Run['status'] | null; readonly steps: ReadonlyMap<string, Step['status']> }

export const unseen: Seen = { run: null, steps: new Map() }

/** The events of a run as it goes on, until it is over or waits for its client: of the thread that was made for it,
 * of the run, its steps and its messages, in the vendor's order, and `done`. A client that goes ends nothing: the run
 * goes on. */
export async function* streamRun(
  world: World,
  engine: RunEngine,
  { id, thread_id }: Run,
  { thread, seen }: { readonly thread: Thread | null; readonly seen: Seen },
): AsyncGenerator<string> {
  if (thread !== null) yield event('thread.created', shownThread(thread))
  let told = seen
  for (;;) {
    const run = world.state.find(runPlace(thread_id), id)
    if (run === null) break
    const steps = world.state.listed(stepPlace(id))
    // Asked for before anything is sent: what changes in the meantime is not missed.
    const changed = goesOn(run.status) ? engine.change(id) : null
    yield* news(world, run, steps, told)
    told = { run: run.status, steps: new Map(steps.map((step) => [step.id, step.status])) }
    if (changed === null) break
    await changed
  }
  yield 'event: done\ndata: [DONE]\n\n'
}

const goesOn = (status: Run['status']): boolean =>
  status === 'queued' || status === 'in_progress' || status === 'cancelling'

/** What is new since the last look. A run that was created is queued first, whatever it is by now. */
function* news(world: World, run: Run, steps: readonly Step[], seen: Seen): Generator<string> {
  if (seen.run === null && seen.steps.size === 0) {
    const queued: Run = { ...run, status: 'queued' }
    yield event('thread.run.created', shownRun(queued))
    yield event('thread.run.queued', shownRun(queued))
  } else if (seen.run === null) {
    for (const step of steps) yield* ofStep(world, step, seen)
    yield event('thread.run.queued', shownRun({ ...run, status: 'queued' }))
  }
  const known = seen.run ?? 'queued'
  const started = run.started_at !== null && known === 'queued' && run.status !== 'queued'
  if (started) yield event('thread.run.in_progress', shownRun({ ...run, status: 'in_progress' }))
  if (seen.run !== null || seen.steps.size === 0) {
    for (const step of steps) yield* ofStep(world, step, seen)
  }
  if (run.status !== known && run.status !== 'in_progress')
    yield event(`thread.run.${run.status}`, shownRun(run))
}

function* ofStep(world: World, step: Step, { steps }: Seen): Generator<string> {
  const known = steps.get(step.id)
  if (known === undefined) {
    const fresh = shownStep({
      ...step,
      status: 'in_progress',
      completed_at: null,
      step_details: emptied(step),
    })
    yield event('thread.run.step.created', fresh)
    yield event('thread.run.step.in_progress', fresh)
    yield* ofDetails(world, step)
  }
  if (step.status !== 'in_progress' && step.status !== known) {
    yield event(`thread.run.step.${step.status}`, shownStep(step))
  }
}

const emptied = ({ step_details: details }: Step): Step['step_details'] =>
  details.type === 'tool_calls' ? { type: 'tool_calls', tool_calls: [] } : details

/** The words of a message one by one, or the calls of tools. */
function* ofDetails(world: World, { id, thread_id, step_details: details }: Step): Generator<string> {
  if (details.type === 'tool_calls') {
    const tool_calls = details.tool_calls.map((call, index) => ({ index, ...call }))
    const delta = { step_details: { type: 'tool_calls', tool_calls } }
    yield event('thread.run.step.delta', { id, object: 'thread.run.step.delta', delta })
    return
  }
  const message = world.state.find(messagePlace(thread_id), details.message_creation.message_id)
  if (message !== null) yield* ofMessage(message)
}

function* ofMessage(message: Message): Generator<string> {
  const whole = shownMessage(message)
  const open = { status: 'in_progress', incomplete_details: null, completed_at: null, incomplete_at: null }
  yield event('thread.message.created', { ...whole, content: [], ...open })
  yield event('thread.message.in_progress', { ...whole, content: [], ...open })
  for (const value of message.content[0].text.value.match(/\s?[^\s]+|\s+/g) ?? []) {
    const delta = { content: [{ index: 0, type: 'text', text: { value } }] }
    yield event('thread.message.delta', { id: message.id, object: 'thread.message.delta', delta })
  }
  yield event(`thread.message.${message.v2?.status ?? 'completed'}`, whole)
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
