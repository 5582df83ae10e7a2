import { Worker } from 'node:worker_threads'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../database.ts'
import { errorOf } from '../databases/sqlite-error.ts'
import { moduleUrl } from '../module-url.ts'
import { openSeals } from '../seal.ts'
import type { DayAnswer, DayAsk, DayThreadSettings, DayVerbs } from './day-thread.ts'

/** Who writes sealed days and compares them with the entries, in a thread of its own beside the ledger's writer. */
export type DayWorker = {
  /** Writes a day to a file, and finds that it says what the entries say. */
  readonly write: (asked: DayVerbs['write']['asked']) => Promise<DayVerbs['write']['result']>
  /** Writes a day anew: what the entries have now, and what only the file `before` has. */
  readonly rewrite: (asked: DayVerbs['rewrite']['asked']) => Promise<DayVerbs['rewrite']['result']>
  /** Where a day's file does not say what the entries say, entry by entry; nothing where it does. */
  readonly compare: (asked: DayVerbs['compare']['asked']) => Promise<DayVerbs['compare']['result']>
  /** Writes the sums of a sealed day, from its file, and finds that they come to what its calls come to. */
  readonly sumDay: (asked: DayVerbs['sumDay']['asked']) => Promise<DayVerbs['sumDay']['result']>
  /** Writes the sums of several days from those of each. */
  readonly sumTen: (asked: DayVerbs['sumTen']['asked']) => Promise<DayVerbs['sumTen']['result']>
  /** Those of some sums that do not come to what they sum. */
  readonly checkSums: (asked: DayVerbs['checkSums']['asked']) => Promise<DayVerbs['checkSums']['result']>
  readonly close: () => Promise<void>
}

/** Does something with a worker, that begins when it is asked for the first time. */
export const withDayWorker = async <Result>(
  database: Database,
  body: (worker: Omit<DayWorker, 'close'>) => Promise<Result>,
): Promise<Result> => {
  let opened: Promise<DayWorker> | null = null
  const worker = (): Promise<DayWorker> => {
    opened ??= openDayWorker(database)
    return opened
  }
  try {
    return await body({
      write: async (asked) => (await worker()).write(asked),
      rewrite: async (asked) => (await worker()).rewrite(asked),
      compare: async (asked) => (await worker()).compare(asked),
      sumDay: async (asked) => (await worker()).sumDay(asked),
      sumTen: async (asked) => (await worker()).sumTen(asked),
      checkSums: async (asked) => (await worker()).checkSums(asked),
    })
  } finally {
    if (opened !== null) await (await (opened as Promise<DayWorker>)).close()
  }
}

/** Starts a worker. It must be closed. */
export const openDayWorker = async (database: Database): Promise<DayWorker> => {
  const seals = openSeals(database)
  const settings: DayThreadSettings = { file: await seals.ledgerFile(), columns: await seals.columns() }
  const thread = new Worker(moduleUrl('./day-thread.ts', import.meta.url), {
    workerData: settings,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  let ids = 0
  const fail = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      fail(new OctroiError('internal', 'The thread of sealed days has ended.'))
      resolve()
    })
  })
  thread.once('error', (error) =>
    fail(new OctroiError('ledger_unavailable', `The thread of sealed days stopped: ${error.message}`)),
  )
  thread.on('message', (answer: DayAnswer) => {
    const asker = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('fault' in answer) asker?.reject(errorOf(answer.fault))
    else asker?.resolve(answer.result as never)
  })
  const ask = <Verb extends keyof DayVerbs>(
    verb: Verb,
    asked: DayVerbs[Verb]['asked'],
  ): Promise<DayVerbs[Verb]['result']> =>
    new Promise((resolve, reject) => {
      const id = ids++
      waiting.set(id, { resolve, reject })
      thread.postMessage({ id, verb, asked } as DayAsk)
    })
  return {
    write: (asked) => ask('write', asked),
    rewrite: (asked) => ask('rewrite', asked),
    compare: (asked) => ask('compare', asked),
    sumDay: (asked) => ask('sumDay', asked),
    sumTen: (asked) => ask('sumTen', asked),
    checkSums: (asked) => ask('checkSums', asked),
    close: () => {
      thread.postMessage({ close: true } satisfies DayAsk)
      return exited
    },
  }
}
