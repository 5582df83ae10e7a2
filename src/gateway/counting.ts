import { Worker } from 'node:worker_threads'
import { moduleUrl } from '../ledger/module-url.ts'
import type { PromptCount } from '../tokens/chat.ts'

/** Counts prompts exactly, in a thread of its own, so that a long one holds up nobody. */
export type Counting = {
  /** The tokens of the prompt in a request body; null where it is too long, too many wait, or it takes too
   * long: then the cheap bound stands. */
  readonly prompt: (body: Buffer, model: string) => Promise<PromptCount | null>
  readonly close: () => Promise<void>
}

/** What the thread is asked and what it answers. */
export type CountAsked = { readonly id: number; readonly body: Uint8Array; readonly model: string }
export type CountAnswered = { readonly id: number; readonly count: PromptCount | null }

const bodyBytesMax = 2_000_000
const waitingMax = 64
const deadlineMs = 2_000

/** Starts with the first prompt that has to be counted. */
export const createCounting = (): Counting => {
  const waiting = new Map<number, (count: PromptCount | null) => void>()
  let ids = 0
  let thread: Worker | null = null

  const answer = (id: number, count: PromptCount | null): void => {
    waiting.get(id)?.(count)
    waiting.delete(id)
  }

  const started = (): Worker => {
    if (thread !== null) return thread
    const worker = new Worker(moduleUrl('./counting-thread.ts', import.meta.url))
    worker.unref()
    worker.on('message', ({ id, count }: CountAnswered) => answer(id, count))
    worker.on('error', () => {
      thread = null
      for (const id of [...waiting.keys()]) answer(id, null)
    })
    thread = worker
    return worker
  }

  return {
    prompt: (body, model) => {
      if (body.length > bodyBytesMax || waiting.size >= waitingMax) return Promise.resolve(null)
      return new Promise((resolve) => {
        const id = ids++
        const timer = setTimeout(() => answer(id, null), deadlineMs)
        waiting.set(id, (count) => {
          clearTimeout(timer)
          resolve(count)
        })
        started().postMessage({ id, body: new Uint8Array(body), model } satisfies CountAsked)
      })
    },
    close: async () => {
      await thread?.terminate()
    },
  }
}
