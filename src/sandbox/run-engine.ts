import { keep } from './assistants.ts'
import type { Run, Step } from './objects.ts'
import type { ServedModel } from './profiles/profile.ts'
import { type Random, randomFrom } from './random.ts'
import { replyPieces } from './replies.ts'
import type { Place } from './state.ts'
import { addMessage, messagePlace } from './threads.ts'
import { bill, hiddenTokens, seconds, servedModel, type World } from './world.ts'

/** Lets runs live: queued, in progress, and then completed, failed, cancelled or expired.
 *
 * How long that takes is real time (`runMs`), whatever the sandbox's clock does: under a clock that stands
 * still runs complete all the same, and a clock that is moved past `expires_at` expires them. A run goes on
 * whether or not anybody polls it, and one that was active when the sandbox stopped is taken up again.
 *
 * A run is billed once, when it completes, in the same transaction that writes its reply: its instructions,
 * every message of the thread again, and the reply. One that ends otherwise bills nothing. */
export type RunEngine = {
  readonly begin: (run: Run, options: { fails: boolean }) => void
  /** The active run of a thread, which locks it. */
  readonly active: (thread: string) => Run | null
  /** The run as it is now: one whose time has passed expires here. */
  readonly now: (run: Run) => Run
  readonly cancel: (run: Run) => Run
  /** The thread is deleted, and its active run with it. */
  readonly forget: (thread: string) => void
  /** No run moves after this. */
  readonly stop: () => void
}

export const runPlace = (thread: string): Place<'run'> => ({ kind: 'run', parent: thread })
export const stepPlace = (run: string): Place<'step'> => ({ kind: 'step', parent: run })

/** Opens the engine and takes up the runs that were active. */
export const openRunEngine = (world: World): RunEngine => {
  const timers = new Map<string, NodeJS.Timeout>()
  const locks = new Map<string, string>()
  const failing = new Set<string>()

  const read = (id: { thread: string; run: string }): Run | null =>
    world.state.find(runPlace(id.thread), id.run)

  const write = (run: Run): Run => {
    world.state.replace(runPlace(run.thread_id), run)
    if (!isActive(run)) {
      locks.delete(run.thread_id)
      failing.delete(run.id)
      clearTimeout(timers.get(run.id))
      timers.delete(run.id)
    }
    return run
  }

  const now = (run: Run): Run => {
    const late = isActive(run) && run.expires_at !== null && seconds(world) >= run.expires_at
    return late ? write({ ...run, status: 'expired', expires_at: null }) : run
  }

  /** Does the next step of a run's life after `milliseconds`, if it still has one. */
  const later = (
    { id: run, thread_id: thread }: Run,
    milliseconds: number,
    step: (run: Run) => void,
  ): void => {
    const timer = setTimeout(() => {
      const found = read({ thread, run })
      const current = found === null ? null : now(found)
      if (current === null || !isActive(current)) return
      try {
        step(current)
      } catch (error) {
        write(
          failed(world, current, `The sandbox failed: ${error instanceof Error ? error.message : 'unknown'}`),
        )
      }
    }, milliseconds)
    timers.set(run, timer)
  }

  const work = (run: Run): void => {
    later(run, world.runMs / 2, (queued) => {
      const started: Run = {
        ...queued,
        status: 'in_progress',
        started_at: queued.started_at ?? seconds(world),
      }
      write(started)
      later(started, world.runMs / 2, (running) => {
        if (failing.has(running.id)) write(failed(world, running, 'Sorry, something went wrong.'))
        else write(world.state.together(() => finish(world, running)))
      })
    })
  }

  for (const run of world.state.every('run').filter(isActive)) {
    locks.set(run.thread_id, run.id)
    if (run.status === 'cancelling') write(cancelled(world, run))
    else work(run)
  }

  return {
    begin: (run, { fails }) => {
      locks.set(run.thread_id, run.id)
      if (fails) failing.add(run.id)
      work(run)
    },
    active: (thread) => {
      const run = locks.get(thread)
      const found = run === undefined ? null : read({ thread, run })
      const current = found === null ? null : now(found)
      return current !== null && isActive(current) ? current : null
    },
    now,
    cancel: (run) => {
      clearTimeout(timers.get(run.id))
      const cancelling = write({ ...run, status: 'cancelling' })
      later(cancelling, 0, (current) => write(cancelled(world, current)))
      return cancelling
    },
    forget: (thread) => {
      const run = locks.get(thread)
      locks.delete(thread)
      if (run !== undefined) clearTimeout(timers.get(run))
      if (run !== undefined) timers.delete(run)
    },
    stop: () => {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

const isActive = ({ status }: Run): boolean =>
  status === 'queued' || status === 'in_progress' || status === 'cancelling'

const cancelled = (world: World, run: Run): Run => ({
  ...run,
  status: 'cancelled',
  cancelled_at: seconds(world),
  expires_at: null,
})

const failed = (world: World, run: Run, message: string): Run => ({
  ...run,
  status: 'failed',
  failed_at: seconds(world),
  expires_at: null,
  last_error: { code: 'server_error', message },
})

/** Writes the reply, its step and the bill, and gives the completed run. */
const finish = (world: World, run: Run): Run => {
  const model = servedModel(world, run.model)
  const sizes = world.state.tokens(messagePlace(run.thread_id))
  const instructions = world.counter.count(run.instructions)
  const sent = model === null ? null : fitThread(sizes, promptTokensMax(model) - instructions)
  if (model === null || sent === null) {
    return failed(world, run, 'The instructions and the newest message do not fit into the context window.')
  }
  const random = randomFrom(world.seed, 'run', run.model, run.instructions, sizes.join())
  const prompt = instructions + sent
  const reply = writeReply(world, run, replyLength(world, model, prompt, random), random)
  const hidden = hiddenTokens(world, random)
  bill(world, {
    wire: 'assistants',
    id: run.id,
    requestId: null,
    model: run.model,
    user: null,
    usage: {
      input_text_tokens: prompt + hidden.prompt,
      output_text_tokens: Math.min(
        reply + hidden.completion,
        model.outputTokensMax ?? model.contextTokensMax,
      ),
    },
  })
  return { ...run, status: 'completed', completed_at: seconds(world), expires_at: null }
}

/** What a run's prompt may have: the window less the room kept for the reply, which is the model's output cap,
 * or a quarter of the window where it has none. The vendor never published its rule. */
const promptTokensMax = (model: ServedModel): number =>
  model.contextTokensMax - (model.outputTokensMax ?? Math.floor(model.contextTokensMax / 4))

/** The tokens of the messages that are sent: the oldest are left out whole until the rest fits. Null when
 * not even the newest one does. */
const fitThread = (sizes: readonly number[], room: number): number | null => {
  let total = sizes.reduce((sum, size) => sum + size, 0)
  for (const [index, size] of sizes.entries()) {
    if (total <= room || index === sizes.length - 1) break
    total -= size
  }
  return total <= room ? total : null
}

const replyLength = (world: World, model: ServedModel, prompt: number, random: Random): number => {
  const cap = model.outputTokensMax ?? model.contextTokensMax
  return Math.min(random.whole(world.outputTokens), cap, model.contextTokensMax - prompt)
}

/** Appends the assistant's message and the step that made it; gives the tokens of the message. */
const writeReply = (world: World, run: Run, length: number, random: Random): number => {
  const pieces = replyPieces(length, random)
  const message = addMessage(world, run.thread_id, {
    text: pieces.join(''),
    metadata: {},
    role: 'assistant',
    assistant: run.assistant_id,
    run: run.id,
  })
  const step: Step = {
    id: world.newId('step_'),
    object: 'thread.run.step',
    created_at: seconds(world),
    run_id: run.id,
    assistant_id: run.assistant_id,
    thread_id: run.thread_id,
    type: 'message_creation',
    status: 'completed',
    cancelled_at: null,
    completed_at: seconds(world),
    expired_at: null,
    failed_at: null,
    last_error: null,
    step_details: { type: 'message_creation', message_creation: { message_id: message.id } },
    metadata: {},
  }
  keep(world, stepPlace(run.id), step)
  return pieces.length
}
