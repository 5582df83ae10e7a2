import { OctroiError } from '../errors.ts'
import {
  type AdjustmentOutcomes,
  adjustmentsMax,
  applyAdjustments,
  writeAdjustments,
} from '../gateway/adjustments.ts'
import { ledgerFile } from '../gateway/data-folder.ts'
import type { Adjustment } from '../ledger/entry.ts'
import { type Outcome, openLedger } from '../ledger/ledger.ts'
import type { CallRow } from '../ledger/reading.ts'
import { dayMs, openSeals } from '../ledger/seal.ts'
import { openDetail } from '../ledger/sealed/detail.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { createAdmission } from '../limits/admit.ts'
import { type RunReconciliation, reconcileRuns } from '../reports/run-reconciliation.ts'
import type { VendorBucket } from '../reports/vendor-usage.ts'
import type { Instant } from '../time.ts'
import { askControl, openFolderOrControl } from './control.ts'
import { openBook } from './overlays.ts'
import { withLedger } from './reports.ts'
import { thawDays } from './sealed-days.ts'

/** Calls that began this long before the period may have been billed in it. */
const earlierMs = 86_400_000
const callsMax = 200_000

/** Holds the ledger of a data folder against a usage report. Reads it beside whoever writes it, and writes nothing.
 * Throws `bad_input` where the period has more calls than can be held at once. */
export const planReconciliation = async (asked: {
  readonly folder: string
  readonly prices: string | undefined
  readonly provider: string
  readonly buckets: readonly VendorBucket[]
  readonly from: Instant
  readonly to: Instant
  readonly at: Instant
}): Promise<RunReconciliation> => {
  const { folder, prices, provider, buckets, from, to, at } = asked
  const book = await openBook(prices, folder)
  const rows: CallRow[] = []
  const file = ledgerFile(folder)
  await withLedger({ ledger: file }, async (database) => {
    const { calls } = openDetail(database, sealedFolderOf(file))
    for await (const page of calls({ from: from - earlierMs, to })) {
      for (const row of page) if (row.call.provider === provider) rows.push(row)
      if (rows.length > callsMax) {
        throw new OctroiError(
          'bad_input',
          `The period has more than ${callsMax} calls of ${provider}. Reconcile a shorter one.`,
        )
      }
    }
  })
  return reconcileRuns({ buckets, rows, provider, pricesFrom: provider, book, at })
}

/** Puts calls made in the period of a reconciliation, that only sealed files have, back into the ledger, so that they can be
 * adjusted. */
export const thawReconciled = async (
  folder: string,
  { from, to }: { readonly from: Instant; readonly to: Instant },
  adjustments: readonly Adjustment[],
): Promise<void> => {
  const callIds = adjustments.map(({ callId }) => callId)
  const pruned = await withLedger({ ledger: ledgerFile(folder) }, async (database) =>
    (await openSeals(database).list()).filter(
      ({ day, isPruned }) => isPruned && day * dayMs < to && from - earlierMs < (day + 1) * dayMs,
    ),
  )
  if (pruned.length === 0 || callIds.length === 0) return
  await thawDays(
    { data: folder },
    pruned.map(({ day }) => ({ day, callIds })),
  )
}

/** Writes adjustments, through the gateway where one holds the folder. Gives what became of each. */
export const writeReconciliation = async (
  folder: string,
  adjustments: readonly Adjustment[],
): Promise<readonly Outcome[]> => {
  const { data, control } = await openFolderOrControl(folder)
  const outcomes: Outcome[] = []
  const write = async (some: readonly Adjustment[]): Promise<AdjustmentOutcomes> => {
    if (data === null) return askControl(control, '/octroi/v1/adjustments', writeAdjustments(some))
    // Nobody counts limits now; the ledger keeps their balances for whoever counts next.
    return applyAdjustments({ ledger: openLedger(data.database), admission: createAdmission([], []) }, some)
  }
  try {
    for (let first = 0; first < adjustments.length; first += adjustmentsMax) {
      outcomes.push(...(await write(adjustments.slice(first, first + adjustmentsMax))).outcomes)
    }
    return outcomes
  } finally {
    await data?.database.close()
  }
}
