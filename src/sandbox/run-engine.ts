import type { Run } from './objects.ts'
import { advance, billRun, end, fail, runPlace, submit } from './run-life.ts'
import { seconds, type World } from './world.ts'

/** Lets runs live: queued, in progress, and then completed, failed, cancelled or expired.
 *
 * How long that takes is real time (`runMs`), whatever the sandbox's clock does: under a clock that stands
 * still runs complete all the same, and a clock that is moved past `expires_at` expires them. A run goes on
 * whether or not anybody polls it, and one that was active when the sandbox stopped is taken up again.
 *
 * A run is billed once, when it ends, for all model calls that it made: one that completes has made at least
 * one, one that is cancelled, fails or expires before its first bills nothing. */
export type RunEngine = {
  readonly begin: (run: Run, options: { fails: boolean }) => void
  /** The active run of a thread, which locks it. */
  readonly active: (thread: string) => Run | null
  /** The run as it is now: one whose time has passed expires here. */
  readonly now: (run: Run) => Run
  readonly cancel: (run: Run) => Run
  /** The outputs that a run waits for: it goes on. Throws the vendor's refusal of wrong ones. */
  readonly submit: (run: Run, outputs: readonly (readonly [string, string])[]) => Run
  /** Waits until something of a run changes. */
  readonly change: (run: string) => Promise<void>
  /** Every run whose time has passed expires. */
  readonly expireAll: () => void
  /** The thread is deleted, and its active run with it: what it did is billed. Inside a transaction. */
  readonly forget: (thread: string) => void
  /** No run moves after this. */
  readonly stop: () => void
}

/** Opens the engine and takes up the runs that were active. */
export const openRunEngine = (world: World): RunEngine => {
  const timers = new Map<string, NodeJS.Timeout>()
  const locks = new Map<string, string>()
  const failing = new Set<string>()

  const waiting = new Map<string, (() => void)[]>()

  const tell = (run: string): void => {
    const told = waiting.get(run) ?? []
    waiting.delete(run)
    for (const each of told) each()
  }

  const read = (id: { thread: string; run: string }): Run | null =>
    world.state.find(runPlace(id.thread), id.run)

  /** Changes a run in one transaction; one that is over then is let go. */
  const change = (work: () => Run): Run => {
    const run = world.state.together(work)
    tell(run.id)
    if (isActive(run)) return run
    locks.delete(run.thread_id)
    failing.delete(run.id)
    clearTimeout(timers.get(run.id))
    timers.delete(run.id)
    return run
  }

  const now = (run: Run): Run => {
    const late = isActive(run) && run.expires_at !== null && seconds(world) >= run.expires_at
    return late ? change(() => end(world, run, { status: 'expired' })) : run
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
        const message = `The sandbox failed: ${error instanceof Error ? error.message : 'unknown'}`
        change(() => fail(world, current, message))
      }
    }, milliseconds)
    timers.set(run, timer)
  }

  const work = (run: Run): void => {
    later(run, world.runMs / 2, (queued) => {
      const started_at = queued.started_at ?? seconds(world)
      const started: Run = { ...queued, status: 'in_progress', started_at }
      world.state.replace(runPlace(started.thread_id), started)
      tell(started.id)
      goOn(started)
    })
  }

  /** One model call after another, until the run is over or waits for its client. */
  const goOn = (run: Run): void => {
    later(run, world.runMs / 2, (running) => {
      const fails = failing.has(running.id)
      const next = change(() =>
        fails ? fail(world, running, 'Sorry, something went wrong.') : advance(world, running),
      )
      if (next.status === 'in_progress') goOn(next)
    })
  }

  for (const run of world.state.every('run').filter(isActive)) {
    locks.set(run.thread_id, run.id)
    if (run.status === 'cancelling') change(() => end(world, run, { status: 'cancelled' }))
    else if (run.status !== 'requires_action') work(run)
  }

  const current = (thread: string): Run | null => {
    const run = locks.get(thread)
    const found = run === undefined ? null : read({ thread, run })
    return found === null ? null : now(found)
  }

  return {
    begin: (run, { fails }) => {
      locks.set(run.thread_id, run.id)
      if (fails) failing.add(run.id)
      work(run)
    },
    active: (thread) => {
      const run = current(thread)
      return run !== null && isActive(run) ? run : null
    },
    now,
    cancel: (run) => {
      clearTimeout(timers.get(run.id))
      const cancelling: Run = { ...run, status: 'cancelling' }
      world.state.replace(runPlace(run.thread_id), cancelling)
      tell(run.id)
      later(cancelling, 0, (asked) => change(() => end(world, asked, { status: 'cancelled' })))
      return cancelling
    },
    submit: (run, outputs) => {
      const queued = change(() => submit(world, run, outputs))
      work(queued)
      return queued
    },
    change: (run) =>
      new Promise((done) => {
        waiting.set(run, [...(waiting.get(run) ?? []), done])
      }),
    expireAll: () => {
      for (const thread of [...locks.keys()]) current(thread)
    },
    forget: (thread) => {
      const id = locks.get(thread)
      const run = id === undefined ? null : read({ thread, run: id })
      locks.delete(thread)
      if (run === null) return
      clearTimeout(timers.get(run.id))
      timers.delete(run.id)
      failing.delete(run.id)
      billRun(world, run, world.clock.now())
      tell(run.id)
    },
    stop: () => {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

const isActive = ({ status }: Run): boolean => activeStatuses.has(status)

const activeStatuses: ReadonlySet<Run['status']> = new Set<Run['status']>([
  'queued',
  'in_progress',
  'requires_action',
  'cancelling',
])
