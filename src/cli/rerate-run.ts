import { OctroiError } from '../errors.ts'
import { ledgerFile } from '../gateway/data-folder.ts'
import { importLinesMax, importsPath, writeImports } from '../gateway/imports.ts'
import {
  applyRerate,
  type RerateApplied,
  type RerateAsked,
  readRerate,
  type ToldRerated,
} from '../gateway/reporting/rerate.ts'
import type { Imported, ImportOutcome } from '../ledger/imported.ts'
import { openLedger } from '../ledger/ledger.ts'
import type { SpendAsked } from '../ledger/reading.ts'
import { openSeals } from '../ledger/seal.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import type { RerateReport } from '../reports/rerate.ts'
import type { OpenedCorrection } from '../reports/rerate-correction.ts'
import type { Instant } from '../time.ts'
import { askControl, openFolderOrControl } from './control.ts'
import { writeReconciliation } from './reconcile-runs.ts'
import { withLedger } from './reports.ts'
import { thawDays } from './sealed-days.ts'

/** What of a data folder is re-rated, by which books, and when. */
export type FolderRerate = RerateAsked & { readonly folder: string; readonly correction: OpenedCorrection }

/** Prices the period of a ledger anew beside whoever writes it, and writes nothing. `told` gets what would change, a
 * page at a time. */
export const planRerate = (asked: FolderRerate, told: ToldRerated): Promise<RerateReport> => {
  const file = ledgerFile(asked.folder)
  return withLedger({ ledger: file }, (database) =>
    readRerate({ database, sealed: sealedFolderOf(file) }, asked, asked.correction, told),
  )
}

/** Throws `ledger_locked` where nobody could write to a folder now, before anything is said. */
export const checkWritable = async (folder: string): Promise<void> => {
  const { data } = await openFolderOrControl(folder)
  await data?.database.close()
}

/** Writes what changes, through the gateway where one holds the folder, and reads the ledger again. */
export const applyToFolder = (asked: FolderRerate): Promise<RerateApplied> => {
  const { folder, period } = asked
  return applyRerate(
    (told) => planRerate(asked, told),
    {
      prunedDays: () =>
        withLedger({ ledger: ledgerFile(folder) }, async (database) =>
          (await openSeals(database).list()).flatMap(({ day, isPruned }) => (isPruned ? [day] : [])),
        ),
      thaw: (wanted) => thawDays({ data: folder }, wanted),
      adjust: (adjustments) => writeReconciliation(folder, adjustments),
      post: (lines) => postLines(folder, lines),
    },
    period,
  )
}

/** Puts lines in the place of those with their ids; gives how many. */
const postLines = async (folder: string, lines: readonly Imported[]): Promise<number> => {
  const { data, control } = await openFolderOrControl(folder)
  try {
    let written = 0
    for (let first = 0; first < lines.length; first += importLinesMax) {
      const some = lines.slice(first, first + importLinesMax)
      const { replaced, repeated } = await (data === null
        ? askControl<ImportOutcome>(control, importsPath, writeImports(some))
        : openLedger(data.database).imports.post(some))
      written += replaced + repeated
    }
    return written
  } finally {
    await data?.database.close()
  }
}

/** Throws `bad_input` where a period has no end: what is re-rated must not grow meanwhile. */
export const closedPeriod = (from: Instant | null, to: Instant | null): SpendAsked => {
  if (from !== null && to !== null) return { from, to }
  throw new OctroiError('bad_input', 'Name the period to price anew, with --from and --to.')
}
