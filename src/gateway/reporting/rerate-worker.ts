import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { OctroiError } from '../../errors.ts'
import { errorOf } from '../../ledger/databases/sqlite-error.ts'
import { moduleUrl } from '../../ledger/module-url.ts'
import type { RerateReport } from '../../reports/rerate.ts'
import type { OpenedCorrection } from '../../reports/rerate-correction.ts'
import type { ToldRerated } from './rerate.ts'
import type { RerateOrder, RerateSaid, RerateSettings } from './rerate-thread.ts'

/** Who prices a period anew in a thread of its own, one reading after another. */
export type RerateWorker = {
  readonly correction: Pick<OpenedCorrection, 'name' | 'bookVersion'>
  /** Reads the ledger as it stands; where `told` throws, no further, and nothing more can be asked. */
  readonly plan: (told: ToldRerated) => Promise<RerateReport>
}

/** Does something with a worker. Throws `bad_input` for a correction that cannot be used. */
export const withRerateWorker = async <Result>(
  settings: RerateSettings,
  body: (worker: RerateWorker) => Promise<Result>,
): Promise<Result> => {
  const thread = new Worker(moduleUrl('./rerate-thread.ts', import.meta.url), {
    workerData: settings,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const order = (what: RerateOrder): void => thread.postMessage(what)
  const ended = Promise.withResolvers<never>()
  // Nobody may be waiting when it ends.
  ended.promise.catch(() => {})
  const exited = once(thread, 'exit').then(() => {
    ended.reject(new OctroiError('internal', 'The thread that prices calls anew has ended.'))
  })
  thread.once('error', ({ message }) =>
    ended.reject(new OctroiError('internal', `The thread that prices calls anew stopped: ${message}`)),
  )

  /** What the thread says next: it says one thing, whenever it is told to go on. */
  const next = async (
    what: RerateOrder | null,
  ): Promise<Exclude<RerateSaid, { readonly fault: unknown }>> => {
    const heard = new Promise<RerateSaid>((resolve) => thread.once('message', resolve))
    if (what !== null) order(what)
    const said = await Promise.race([heard, ended.promise])
    if ('fault' in said) throw errorOf(said.fault)
    return said
  }

  const plan = async (told: ToldRerated): Promise<RerateReport> => {
    for (let said = await next('plan'); ; said = await next('more')) {
      if ('report' in said) return said.report
      if ('page' in said) await told(said.page)
    }
  }

  try {
    const said = await next(null)
    if (!('opened' in said)) throw new OctroiError('internal', 'The thread said something else first.')
    return await body({ correction: said.opened, plan })
  } finally {
    order('close')
    await exited
  }
}
