import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { type Fault, faultOf } from '../../ledger/databases/sqlite-error.ts'
import { ledgerStore } from '../../ledger/ledger.ts'
import { readOverlayFiles } from '../../pricing/overlays/overlay-file.ts'
import type { PriceFile } from '../../pricing/price-book.ts'
import type { Rerated, RerateReport } from '../../reports/rerate.ts'
import {
  type CorrectionFiles,
  type OpenedCorrection,
  openCorrection,
} from '../../reports/rerate-correction.ts'
import { type RerateAsked, readRerate } from './rerate.ts'

/** A thread that prices calls anew, so that calls that pass the gateway do not wait. It reads the ledger's file beside its
 * writer. */

/** Where the price files of a gateway are: those of the package, and the operator's own. */
export type PriceFilePaths = { readonly bundled: readonly string[]; readonly overlays: readonly string[] }

/** What the thread is started with. */
export type RerateSettings = {
  readonly file: string
  readonly sealed: string | null
  readonly prices: PriceFilePaths
  readonly correction: CorrectionFiles | null
  readonly asked: RerateAsked
}

/** What the thread is told: to read the ledger, to go on after a page, and to end. */
export type RerateOrder = 'plan' | 'more' | 'close'

/** What the thread says: first that its books are open, then of each reading pages and a report, or what went wrong. */
export type RerateSaid =
  | { readonly opened: Pick<OpenedCorrection, 'name' | 'bookVersion'> }
  | { readonly page: readonly Rerated[] }
  | { readonly report: RerateReport }
  | { readonly fault: Fault }

/** As many as are taken over and written in some milliseconds. */
const pageMost = 50

const start = async (port: MessagePort, settings: RerateSettings): Promise<void> => {
  const say = (said: RerateSaid): void => port.postMessage(said)
  const order = async (): Promise<RerateOrder> => (await once(port, 'message'))[0] as RerateOrder
  let database: Database | null = null
  try {
    const correction = await openBooks(settings)
    database = await openSqlite({ file: settings.file, stores: [ledgerStore], readOnly: true })
    const { name, bookVersion } = correction
    say({ opened: { name, bookVersion } })
    const { sealed, asked } = settings
    while ((await order()) === 'plan') {
      const report = await readRerate({ database, sealed }, asked, correction, async (page) => {
        for (let first = 0; first === 0 || first < page.length; first += pageMost) {
          say({ page: page.slice(first, first + pageMost) })
          if ((await order()) !== 'more') throw new OctroiError('client_gone', 'Nobody asks any more.')
        }
      })
      say({ report })
    }
  } catch (error) {
    say({ fault: faultOf(error, settings.file) })
  } finally {
    await database?.close()
    port.close()
  }
}

/** Opens the books. Rows of the correction that cannot be used are `bad_input`: the gateway runs by the others. */
const openBooks = async ({ prices, correction }: RerateSettings): Promise<OpenedCorrection> => {
  const [bundled, overlays] = await Promise.all([readAll(prices.bundled), readAll(prices.overlays)])
  try {
    return openCorrection({
      bundled: bundled as PriceFile[],
      overlays: overlays.flatMap(readOverlayFiles),
      correction,
    })
  } catch (error) {
    if (correction === null || !(error instanceof OctroiError)) throw error
    throw new OctroiError('bad_input', `correction: ${error.message}`)
  }
}

const readAll = (paths: readonly string[]): Promise<readonly unknown[]> =>
  Promise.all(paths.map(async (path): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'))))

if (parentPort !== null) void start(parentPort, workerData)
