import { Worker } from 'node:worker_threads'
import type { Counted, ReplyWire } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { CountedRun, Run, RunCounting, RunWire, SeenRun } from '../endpoints/run.ts'
import { moduleUrl } from '../ledger/module-url.ts'
import type { Instant } from '../time.ts'
import type { PromptCount } from '../tokens/chat.ts'
import { type Counter, encodingOf, tokensAtMost } from '../tokens/text.ts'

/** Where a wire is found again in another thread, which functions cannot cross: the provider's id, the
 * endpoint's, and the path of the route; null takes the endpoint's first metered one. */
export type WirePlace = {
  readonly provider: string
  readonly endpoint: string
  readonly path: string | null
}

/** A request as it was sent, and as its wire reads it. */
export type SentBody = {
  readonly place: WirePlace
  readonly wire: ReplyWire
  readonly body: Uint8Array
  readonly request: Json
}

/** By whose rules, as which model and when a call is counted. */
export type CountedAs = {
  readonly provider: string
  readonly model: string
  readonly at: Instant
  readonly objects?: KnownObjects
}

/** What a run may use at most. */
type RunRoom = Omit<RunCounting, 'counter'>

/** Counts text exactly, in one thread of its own that takes the shortest first, so that no text holds up the
 * loop that serves everyone. A text too long, or one that takes too long, is not counted: then a bound stands. */
export type Counting = {
  /** The prompt in a request body; null where it is not counted. */
  readonly prompt: (
    asked: SentBody & {
      readonly as: CountedAs
    },
  ) => Promise<PromptCount | null>
  /** What a call used whose reply did not say so: at most one token a byte where it is not counted. */
  readonly reply: (
    asked: SentBody & { readonly produced: readonly string[]; readonly as: CountedAs },
  ) => Promise<Counted>
  /** The same of a run, from what is seen of it. */
  readonly run: (asked: {
    readonly place: WirePlace
    readonly wire: RunWire
    readonly run: Run
    readonly seen: SeenRun
    readonly room: RunRoom
  }) => Promise<CountedRun>
  readonly close: () => Promise<void>
}

/** What the thread is asked. */
export type CountAsked = { readonly place: WirePlace } & (
  | {
      readonly of: 'prompt'
      readonly body: Uint8Array
      readonly as: CountedAs
    }
  | {
      readonly of: 'reply'
      readonly body: Uint8Array
      readonly produced: readonly string[]
      readonly as: CountedAs
    }
  | { readonly of: 'run'; readonly run: Run; readonly seen: SeenRun; readonly room: RunRoom }
)

/** What it found; null where it counts no such thing. */
export type Counts = {
  readonly prompt: PromptCount | null
  readonly counted: Counted | null
  readonly run: CountedRun | null
}

/** What it says: first that it is ready, then one answer to each question. */
export type CountAnswered = 'ready' | Counts

/** Bounds on what waits for the thread and on how long it may take for one. */
export type CountingBounds = {
  readonly waitingMax: number
  readonly waitingBytesMax: number
  readonly waitMsMax: number
  readonly workMsMax: number
}

/** What is counted at all, in bytes: text that no window of a model of today holds is not, nor is a body that takes
 * long to hand over. */
const textBytesMax = 2_000_000
const bodyBytesMax = 16_000_000

/** A text of 2 MB that is as hostile as can be takes less than a second. */
const defaultBounds: CountingBounds = {
  waitingMax: 256,
  waitingBytesMax: 64_000_000,
  waitMsMax: 2_000,
  workMsMax: 2_000,
}

/** How long a thread may take to load its code and the vocabularies. */
const startMsMax = 10_000

/** The thread's own heap: what no body that the gateway takes needs. */
const heapMegabytesMax = 1_024

type Job = {
  readonly asked: CountAsked
  readonly bytes: number
  /** Null: it could not be counted. */
  readonly answer: (counts: Counts | null) => void
  waiting: NodeJS.Timeout | undefined
}

/** The thread starts with the first text that has to be counted, which waits for it: about half a second. One
 * that overruns its time is ended, and the next text has a new one. */
export const createCounting = (bounds: Partial<CountingBounds> = {}): Counting => {
  const { waitingMax, waitingBytesMax, waitMsMax, workMsMax } = { ...defaultBounds, ...bounds }
  const waiting = new Set<Job>()
  let current: Job | null = null
  let thread: { readonly worker: Worker; ready: boolean } | null = null
  let timer: NodeJS.Timeout | undefined
  let closed = false

  /** Ends what is being counted; without counts it was in vain. */
  const done = (counts: Counts | null): void => {
    clearTimeout(timer)
    const job = current
    current = null
    job?.answer(counts)
    next()
  }

  const drop = (): void => {
    const dropped = thread?.worker
    thread = null
    void dropped?.terminate()
    done(null)
  }

  const start = (): NonNullable<typeof thread> => {
    const worker = new Worker(moduleUrl('./counting-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    })
    const started = { worker, ready: false }
    worker.unref()
    worker.on('message', (message: CountAnswered) => {
      if (thread !== started) return
      if (message === 'ready') {
        started.ready = true
        send(started)
      } else done(message)
    })
    worker.on('error', () => {
      if (thread === started) drop()
    })
    return started
  }

  const send = ({ worker }: NonNullable<typeof thread>): void => {
    if (current === null) return
    clearTimeout(timer)
    timer = setTimeout(drop, workMsMax)
    const { asked } = current
    if (!('body' in asked)) worker.postMessage(asked)
    else {
      const body = new Uint8Array(asked.body)
      worker.postMessage({ ...asked, body }, [body.buffer])
    }
  }

  const next = (): void => {
    if (current !== null || waiting.size === 0) return
    const job = [...waiting].reduce((shortest, each) => (each.bytes < shortest.bytes ? each : shortest))
    waiting.delete(job)
    clearTimeout(job.waiting)
    current = job
    thread ??= start()
    if (thread.ready) send(thread)
    else timer = setTimeout(drop, startMsMax)
  }

  const count = (asked: CountAsked, bytes: number): Promise<Counts | null> => {
    const waitingBytes = [...waiting].reduce((sum, job) => sum + job.bytes, 0)
    if (closed || waiting.size >= waitingMax || waitingBytes + bytes > waitingBytesMax) {
      return Promise.resolve(null)
    }
    return new Promise((answer) => {
      const job: Job = { asked, bytes, answer, waiting: undefined }
      // A thread that is still starting holds up everyone at once: that is no wait behind others.
      const starting = thread?.ready === true ? 0 : startMsMax
      job.waiting = setTimeout(() => {
        waiting.delete(job)
        answer(null)
      }, starting + waitMsMax)
      waiting.add(job)
      next()
    })
  }

  return {
    prompt: async ({ place, wire, body, request, as }) => {
      if (!isCountable(wire, body, request, 0)) return null
      const counts = await count({ of: 'prompt', place, body, as }, body.length)
      return counts?.prompt ?? null
    },
    reply: async ({ place, wire, body, request, produced, as }) => {
      const length = textLength(produced)
      const counts = isCountable(wire, body, request, length)
        ? await count({ of: 'reply', place, body, produced, as }, body.length + length)
        : null
      return (
        counts?.counted ?? wire.count(request, produced, { ...as, counter: boundOf(as.model), bytesEach })
      )
    },
    run: async ({ place, wire, run, seen, room }) => {
      const length = run.instructions.length + textLength(seen.messages.map(({ text }) => text))
      const counts = length > textBytesMax ? null : await count({ of: 'run', place, run, seen, room }, length)
      return (
        counts?.run ??
        withinRoom(wire.countRun(run, seen, { ...room, counter: boundOf(run.model) }), seen, room)
      )
    },
    close: async () => {
      closed = true
      for (const job of waiting) {
        clearTimeout(job.waiting)
        job.answer(null)
      }
      waiting.clear()
      clearTimeout(timer)
      const ended = thread?.worker
      thread = null
      done(null)
      await ended?.terminate()
    },
  }
}

/** How much is looked at of an image on the loop: what its head needs in most codings. */
const bytesEach = 1_024

/** A run that called its model once answered with no more than the model's cap, whatever its bytes. */
const withinRoom = (counted: CountedRun, { steps }: SeenRun, { outputTokensMax }: RunRoom): CountedRun => {
  const output = counted.usage.output_text_tokens
  if (steps.length > 0 || outputTokensMax === null || typeof output !== 'number') return counted
  return { ...counted, usage: { ...counted.usage, output_text_tokens: Math.min(output, outputTokensMax) } }
}

/** Counts nothing: a text has at most one token a byte. */
const boundOf = (model: string): Counter => ({
  encoding: encodingOf(model) ?? 'o200k_base',
  count: tokensAtMost,
  measure: (text) => ({ tokens: tokensAtMost(text), exact: false }),
})

const isCountable = (wire: ReplyWire, body: Uint8Array, request: Json, more: number): boolean =>
  body.length <= bodyBytesMax && wire.history(request).total + more <= textBytesMax

/** The length of texts, in UTF-16 units. */
const textLength = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0)
