import { once } from 'node:events'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { masterKeyVariable, readMasterKey } from '../gateway/credentials/sealed-key.ts'
import { asOctroiError } from '../gateway/outgoing.ts'
import type { Order, Said, Start } from '../gateway/workers/crew.ts'
import { createWorker, type Worker } from '../gateway/workers/worker.ts'
import { openModelFacts } from '../pricing/model-facts.ts'
import { openPriceBook } from '../pricing/price-book.ts'
import { bundledModels } from './bundled.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { openServeLog } from './serve-log.ts'
import { configFrom } from './serve-settings.ts'

type Options = Readonly<Record<string, unknown>>

const say = (said: Said): void => {
  process.send?.(said)
}

/** Runs a worker of a gateway until its keeper lets it retire, or it is told to end. It dies with its keeper. */
export const serveWorker = async (options: Options, io: Io): Promise<number> => {
  const orders = openOrders()
  // Who tells the whole group of processes to reload means the keeper.
  io.onReload?.(() => {})
  say('up')
  try {
    const start = await orders.start
    const worker = await openWorker(start, options, io)
    orders.pass(worker)
    await worker.begin()
    say('ready')
    const { waitMs, refuse } = await Promise.race([orders.retire, toldAlone(io.signal, orders.retire)])
    await worker.retire(waitMs, refuse)
  } catch (error) {
    const { message } = asOctroiError(error)
    say({ failed: message })
    return 1
  } finally {
    // What has been said is on its way before the channel closes.
    setImmediate(() => process.disconnect?.())
  }
  return 0
}

type Retirement = { readonly waitMs: number; readonly refuse: boolean }

/** How long calls may take where only this worker was told to end, and how long until it is sure that it is so. */
const alone: Retirement = { waitMs: 10_000, refuse: false }
const sureMs = 300

/** Only this process was told to end: another takes its place. A whole group that is told hears of its keeper. */
const toldAlone = async (signal: AbortSignal, order: Promise<Retirement>): Promise<Retirement> => {
  if (!signal.aborted) await once(signal, 'abort')
  const ordered = await Promise.race([order, sleep(sureMs, null)])
  if (ordered === null) say('leaving')
  return ordered ?? alone
}

const openWorker = async (start: Start, options: Options, io: Io): Promise<Worker> => {
  const clock = clockFrom(start.clock ?? undefined)
  const form = { form: String(options['log']), level: String(options['logLevel']) }
  const log = openServeLog(form, { clock, write: io.err })
  return createWorker({
    config: configFrom(start.config, options, io),
    clock,
    book: openPriceBook(start.prices),
    models: openModelFacts(await bundledModels()),
    masterKey: readMasterKey(io.environment[masterKeyVariable]),
    keeperPath: start.keeperPath,
    onFault: log.fault,
    send: (message) => process.send?.(message, undefined, undefined, () => {}),
  })
}

/** What the keeper orders, as it comes; all else is passed on. */
const openOrders = () => {
  const start = Promise.withResolvers<Start>()
  const retire = Promise.withResolvers<Retirement>()
  let worker: Worker | null = null
  process.on('message', (message: Order | object, socket: unknown) => {
    if ('start' in message) start.resolve(message.start)
    else if ('connection' in message) {
      if (socket instanceof Socket) worker?.take(socket)
      say({ taken: message.connection })
    } else if ('retire' in message) retire.resolve(message.retire)
    else worker?.hear(message)
  })
  return {
    ...{ start: start.promise, retire: retire.promise },
    pass: (to: Worker) => {
      worker = to
    },
  }
}
