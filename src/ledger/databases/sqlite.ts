import { Worker } from 'node:worker_threads'
import { OctroiError } from '../../errors.ts'
import type { Database, Store } from '../database.ts'
import { moduleUrl } from '../module-url.ts'
import { errorOf, type Fault } from './sqlite-error.ts'

/** What a thread is started with. */
export type ThreadSettings = {
  readonly file: string
  readonly stores: readonly { readonly name: string; readonly migrations: string; readonly module: string }[]
  readonly readOnly: boolean
}

/** What the thread is asked: verbs to run in order, or to close when all before it is done. */
export type Ask =
  | { readonly id: number; readonly store: string; readonly verb: string; readonly argument: unknown }
  | { readonly close: true }

/** What the thread answers. `opened` and `failed` come once, first. */
export type Answer =
  | { readonly opened: true }
  | { readonly failed: Fault }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly fault: Fault }

/** How one opens an SQLite file. `callsMax` (10,000) bounds the calls that wait; one more is `overloaded`.
 * A reader sees the file while another process writes it, takes no lock and changes nothing. */
export type SqliteSettings = {
  readonly file: string
  readonly stores: readonly Store[]
  readonly readOnly?: boolean
  readonly callsMax?: number
}

/** Opens an SQLite file in a thread of its own, and brings its tables up to date. A writer makes the file and
 * its folder when they are missing, and is the only one: a second gets `ledger_locked`. Rejects with
 * `bad_input` when a reader's file is missing, and with `ledger_unavailable` when the disk refuses. */
export const openSqlite = async (settings: SqliteSettings): Promise<Database> => {
  const thread = startThread(settings)
  const callsMax = settings.callsMax ?? 10_000
  const waiting = new Map<number, Waiting>()
  let asks: Ask[] = []
  let ids = 0
  let end: OctroiError | null = null

  const fail = (error: OctroiError): void => {
    end ??= error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      fail(closedError(settings.file))
      resolve()
    })
  })

  const opened = new Promise<void>((resolve, reject) => {
    thread.once('error', (error) => {
      fail(new OctroiError('ledger_unavailable', `The ledger's thread stopped: ${error.message}`))
      reject(end)
    })
    thread.on('message', (answers: readonly Answer[]) => {
      for (const answer of answers) {
        if ('opened' in answer) resolve()
        else if ('failed' in answer) reject(errorOf(answer.failed))
        else {
          const { resolve, reject } = waiting.get(answer.id) ?? nobody
          waiting.delete(answer.id)
          if ('fault' in answer) reject(errorOf(answer.fault))
          else resolve(answer.result)
        }
      }
    })
  })

  /** Everything asked in one round of the event loop travels in one message, and is there for one commit. */
  const ask = (what: Ask): void => {
    if (asks.push(what) > 1) return
    setImmediate(() => {
      const sent = asks
      asks = []
      if (post(sent) === null) return
      for (const one of sent) refuse(one, post([one]))
    })
  }

  /** Gives what went wrong when a value among them cannot travel to the thread. */
  const post = (sent: readonly Ask[]): unknown => {
    try {
      thread.postMessage(sent)
      return null
    } catch (error) {
      return error
    }
  }

  const refuse = (one: Ask, error: unknown): void => {
    if (error === null || 'close' in one) return
    waiting.get(one.id)?.reject(new OctroiError('internal', `The ledger cannot take this: ${String(error)}`))
    waiting.delete(one.id)
  }

  try {
    await opened
  } catch (error) {
    await exited
    throw error
  }

  return {
    call: <Result>(store: string, verb: string, argument: unknown) =>
      new Promise<Result>((resolve, reject) => {
        if (end !== null) return reject(end)
        if (waiting.size >= callsMax) return reject(overloadedError(callsMax))
        const id = ids++
        waiting.set(id, { resolve: (result) => resolve(result as Result), reject })
        ask({ id, store, verb, argument })
      }),
    close: () => {
      if (end === null) {
        end = closedError(settings.file)
        ask({ close: true })
      }
      return exited
    },
  }
}

type Waiting = { readonly resolve: (result: unknown) => void; readonly reject: (error: OctroiError) => void }

const nobody: Waiting = { resolve: () => {}, reject: () => {} }

const startThread = ({ file, stores, readOnly = false }: SqliteSettings): Worker => {
  const module = moduleUrl('./sqlite-thread.ts', import.meta.url)
  const workerData: ThreadSettings = {
    file,
    stores: stores.map(({ name, migrations, module }) => ({
      name,
      migrations: migrations.href,
      module: module.href,
    })),
    readOnly,
  }
  return new Worker(module, { workerData, execArgv: ['--disable-warning=ExperimentalWarning'] })
}

const closedError = (file: string): OctroiError =>
  new OctroiError('ledger_unavailable', `The ledger "${file}" is closed. Open it again.`, { cause: 'CLOSED' })

const overloadedError = (callsMax: number): OctroiError =>
  new OctroiError('overloaded', `${callsMax} calls already wait for the ledger. Try again later.`)
