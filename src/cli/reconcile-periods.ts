import type { z } from 'zod'
import { ledgerFile } from '../gateway/data-folder.ts'
import { readClosedBills } from '../gateway/reporting/reconciliation.ts'
import {
  type closeAnswer,
  closeBill,
  type closeRequest,
  periodsPath,
  readClose,
} from '../gateway/reporting/reconciliation-close.ts'
import { openLedger } from '../ledger/ledger.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import type { ClosedBill } from '../reports/reconciliation-json.ts'
import type { Clock } from '../time.ts'
import { askControl, openFolderOrControl } from './control.ts'
import { openBook } from './overlays.ts'
import { withLedger } from './reports.ts'

/** Closes a period in a data folder, through the gateway where one holds it. Throws `bill_unexplained`,
 * `period_closed`, `bad_input` and `bad_instant`. */
export const closePeriod = async (asked: {
  readonly folder: string
  readonly prices: string | undefined
  readonly clock: Clock
  readonly request: z.input<typeof closeRequest>
}): Promise<z.output<typeof closeAnswer>> => {
  const { folder, prices, clock, request } = asked
  const close = readClose(request, clock)
  const { data, control } = await openFolderOrControl(folder)
  if (data === null) return askControl(control, periodsPath, JSON.stringify(request))
  try {
    const { database } = data
    const book = await openBook(prices, folder)
    const sealed = sealedFolderOf(ledgerFile(folder))
    return await closeBill({ ledger: openLedger(database), database, clock, book, sealed }, close)
  } finally {
    await data.database.close()
  }
}

/** The closed periods of a ledger, of one provider or of all. */
export const listPeriods = (
  options: Readonly<Record<string, unknown>>,
  provider: string | null,
): Promise<readonly ClosedBill[]> =>
  withLedger(options, (database) =>
    readClosedBills(database, { provider, from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }),
  )
