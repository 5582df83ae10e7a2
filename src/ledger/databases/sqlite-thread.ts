import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { OctroiError } from '../../errors.ts'
import type { StoreModule, Verb } from '../database.ts'
import type { Answer, Ask, ThreadSettings } from './sqlite.ts'
import { openConnection, type SqliteConnection } from './sqlite-connection.ts'
import { faultOf } from './sqlite-error.ts'
import { migrate } from './sqlite-migrations.ts'

/** The one thread that touches the file. Messages that arrive while a commit is in flight share the next. */

type Verbs = {
  readonly find: (call: Call) => Verb
  /** True for verbs that may leave sums in memory. */
  readonly gathers: (call: Call) => boolean
  /** Writes what verbs have left in memory. */
  readonly write: (connection: SqliteConnection) => void
}
type Call = Exclude<Ask, { readonly close: true }>

/** Bounds how long a call waits for others of its commit. */
const callsPerCommitMax = 512

/** The log is brought into the file when nothing was asked for so long. */
const idleMs = 250

const start = async (port: NonNullable<typeof parentPort>, settings: ThreadSettings): Promise<void> => {
  let connection: SqliteConnection | null = null
  try {
    connection = openConnection(settings)
    for (const store of settings.stores) migrate(connection, store, settings)
    const verbs = await loadVerbs(settings.stores)
    listen(port, connection, verbs, settings)
    port.postMessage([{ opened: true }] satisfies Answer[])
  } catch (error) {
    connection?.close()
    port.postMessage([{ failed: faultOf(error, settings.file) }] satisfies Answer[])
    port.close()
  }
}

const loadVerbs = async (stores: ThreadSettings['stores']): Promise<Verbs> => {
  const loaded = new Map<string, StoreModule>()
  for (const { name, module } of stores) loaded.set(name, await import(module))
  const writers = [...loaded.values()].flatMap(({ write }) => (write === undefined ? [] : [write]))
  return {
    find: ({ store, verb }) => {
      const { verbs = {} } = loaded.get(store) ?? {}
      const found = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
      if (found !== undefined) return found
      throw new OctroiError('internal', `The store "${store}" has no verb "${verb}".`)
    },
    gathers: ({ store, verb }) => loaded.get(store)?.gathering?.includes(verb) === true,
    write: (connection) => {
      for (const write of writers) write(connection)
    },
  }
}

const listen = (
  port: NonNullable<typeof parentPort>,
  connection: SqliteConnection,
  verbs: Verbs,
  { file }: ThreadSettings,
): void => {
  const idle = setTimeout(() => checkpoint(connection), idleMs).unref()
  port.on('message', (first: readonly Ask[]) => {
    idle.refresh()
    const asks = [...first]
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      asks.push(...next.message)
    }
    const calls = asks.filter((ask): ask is Call => !('close' in ask))
    for (let from = 0; from < calls.length; from += callsPerCommitMax) {
      port.postMessage(commit(connection, verbs, calls.slice(from, from + callsPerCommitMax), file))
    }
    if (calls.length < asks.length) {
      clearTimeout(idle)
      connection.close()
      port.close()
    }
  })
}

/** What a full or broken disk does not let into the file stays in the log, and is brought in when it is idle again. */
const checkpoint = (connection: SqliteConnection): void => {
  try {
    connection.checkpoint()
  } catch (error) {
    if (faultOf(error, '').code !== 'ledger_unavailable') throw error
  }
}

/** Runs calls in one transaction, and gives the answers after its commit. Where one fails, all is undone and done again
 * with a step for each, so that this one undoes itself only. When the transaction is lost, all fail. */
const commit = (
  connection: SqliteConnection,
  verbs: Verbs,
  calls: readonly Call[],
  file: string,
): readonly Answer[] => {
  try {
    connection.begin()
    let answers = runTogether(connection, verbs, calls)
    if (answers === null) {
      connection.rollback()
      connection.begin()
      answers = runInSteps(connection, verbs, calls, file)
    }
    connection.commit()
    return answers
  } catch (error) {
    connection.rollback()
    const fault = faultOf(error, file)
    return calls.map(({ id }) => ({ id, fault }))
  }
}

/** Null where any of them fails. */
const runTogether = (
  connection: SqliteConnection,
  verbs: Verbs,
  calls: readonly Call[],
): readonly Answer[] | null => {
  try {
    const answers = calls.map((call): Answer => {
      if (!verbs.gathers(call)) verbs.write(connection)
      return { id: call.id, result: verbs.find(call)(connection, call.argument as never) }
    })
    verbs.write(connection)
    return answers
  } catch {
    return null
  }
}

const runInSteps = (
  connection: SqliteConnection,
  verbs: Verbs,
  calls: readonly Call[],
  file: string,
): readonly Answer[] =>
  calls.map((call): Answer => {
    try {
      const result = connection.step(() => {
        const told = verbs.find(call)(connection, call.argument as never)
        verbs.write(connection)
        return told
      })
      return { id: call.id, result }
    } catch (error) {
      if (!connection.isOpenTransaction()) throw error
      return { id: call.id, fault: faultOf(error, file) }
    }
  })

if (parentPort !== null) await start(parentPort, workerData)
