import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'

/** A database for reports, beside the writer's: opened when the first report is asked for. */
export type Reader = {
  /** Reads, when its turn comes. Rejects with `overloaded` when too many wait already. */
  readonly read: <Result>(body: (database: Database) => Promise<Result>) => Promise<Result>
  /** Takes no more, waits for what is being read, and closes what was opened. */
  readonly close: () => Promise<void>
}

/** A report is a long read: a few at once, so that each goes on, and of the others as many as a person waits for. */
const bounds = { atOnce: 2, waiting: 16 }

/** Makes a reader over what `open` opens; it closes what it opened. */
export const createReader = (open: () => Promise<Database>): Reader => {
  let opened: Promise<Database> | null = null
  let closed = false
  let reading = 0
  const turns: (() => void)[] = []
  const running = new Set<Promise<unknown>>()

  const database = (): Promise<Database> => {
    opened ??= open().catch((error: unknown) => {
      opened = null
      throw error
    })
    return opened
  }

  const turn = async (): Promise<void> => {
    if (reading < bounds.atOnce) {
      reading += 1
      return
    }
    if (turns.length >= bounds.waiting) {
      throw new OctroiError('overloaded', `${turns.length} reports wait already. Ask again in a while.`)
    }
    await new Promise<void>((resolve) => turns.push(resolve))
  }

  /** Gives the turn on, or back. */
  const done = (): void => {
    const next = turns.shift()
    if (next === undefined) reading -= 1
    else next()
  }

  const refuseClosed = (): void => {
    if (closed) throw new OctroiError('overloaded', 'The gateway is stopping. Ask the next one.')
  }

  return {
    read: async (body) => {
      refuseClosed()
      await turn()
      try {
        refuseClosed()
        const run = database().then(body)
        running.add(run)
        return await run.finally(() => running.delete(run))
      } finally {
        done()
      }
    },
    close: async () => {
      closed = true
      await Promise.allSettled(running)
      await opened?.then((database) => database.close())
    },
  }
}
