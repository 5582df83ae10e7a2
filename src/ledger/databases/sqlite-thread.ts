import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { OctroiError } from '../../errors.ts'
import type { Verb } from '../database.ts'
import type { Answer, Ask, ThreadSettings } from './sqlite.ts'
import { openConnection, type SqliteConnection } from './sqlite-connection.ts'
import { faultOf } from './sqlite-error.ts'
import { migrate } from './sqlite-migrations.ts'

/** The one thread that touches the file. Messages that arrive while a commit is in flight share the next. */

type Verbs = ReadonlyMap<string, Verb>
type Call = Exclude<Ask, { readonly close: true }>

/** Bounds how long a call waits for others of its commit. */
const callsPerCommitMax = 512

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
  const verbs = new Map<string, Verb>()
  for (const { name, module } of stores) {
    const loaded: { readonly verbs: Readonly<Record<string, Verb>> } = await import(module)
    for (const [verb, run] of Object.entries(loaded.verbs)) verbs.set(`${name}.${verb}`, run)
  }
  return verbs
}

const listen = (
  port: NonNullable<typeof parentPort>,
  connection: SqliteConnection,
  verbs: Verbs,
  { file }: ThreadSettings,
): void => {
  port.on('message', (first: readonly Ask[]) => {
    const asks = [...first]
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      asks.push(...next.message)
    }
    const calls = asks.filter((ask): ask is Call => !('close' in ask))
    for (let from = 0; from < calls.length; from += callsPerCommitMax) {
      port.postMessage(commit(connection, verbs, calls.slice(from, from + callsPerCommitMax), file))
    }
    if (calls.length < asks.length) {
      connection.close()
      port.close()
    }
  })
}

/** Runs calls in one transaction, each in a step of its own: one that fails undoes itself only. When the
 * transaction is lost, all fail. The answers are given after the commit. */
const commit = (
  connection: SqliteConnection,
  verbs: Verbs,
  calls: readonly Call[],
  file: string,
): readonly Answer[] => {
  try {
    connection.begin()
    const answers = calls.map((call): Answer => {
      try {
        return {
          id: call.id,
          result: connection.step(() => findVerb(verbs, call)(connection, call.argument as never)),
        }
      } catch (error) {
        if (!connection.isOpenTransaction()) throw error
        return { id: call.id, fault: faultOf(error, file) }
      }
    })
    connection.commit()
    return answers
  } catch (error) {
    connection.rollback()
    const fault = faultOf(error, file)
    return calls.map(({ id }) => ({ id, fault }))
  }
}

const findVerb = (verbs: Verbs, { store, verb }: Call): Verb => {
  const found = verbs.get(`${store}.${verb}`)
  if (found === undefined) throw new OctroiError('internal', `The store "${store}" has no verb "${verb}".`)
  return found
}

if (parentPort !== null) await start(parentPort, workerData)
