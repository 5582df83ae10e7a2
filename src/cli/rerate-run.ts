import { OctroiError } from '../errors.ts'
import { ledgerFile } from '../gateway/data-folder.ts'
import { importLinesMax, importsPath, writeImports } from '../gateway/imports.ts'
import type { Database } from '../ledger/database.ts'
import type { Imported, ImportOutcome } from '../ledger/imported.ts'
import { openLedger } from '../ledger/ledger.ts'
import { readAccrued, readClosed, readImported, type SpendAsked } from '../ledger/reading.ts'
import { type Day, dayMs, dayOf, openSeals } from '../ledger/seal.ts'
import { openDetail } from '../ledger/sealed/detail.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { createRerateFold, type Rerated, type RerateReport } from '../reports/rerate.ts'
import type { Instant } from '../time.ts'
import { askControl, openFolderOrControl } from './control.ts'
import { writeReconciliation } from './reconcile-runs.ts'
import { withLedger } from './reports.ts'
import type { OpenedCorrection } from './rerate-books.ts'
import { thawDays } from './sealed-days.ts'

/** What is re-rated, by which books, and when. */
export type RerateAsked = {
  readonly folder: string
  readonly correction: OpenedCorrection
  readonly period: SpendAsked
  readonly provider: string | null
  readonly model: string | null
  readonly at: Instant
}

/** What was written of a re-rating. `refused`: adjustments that were not taken, since something else stands now.
 * `ledger`: the report of the ledger as it stands afterwards. */
export type RerateApplied = {
  readonly adjusted: number
  readonly lines: number
  readonly refused: number
  readonly ledger: RerateReport
}

/** Prices the period of a ledger anew beside whoever writes it, and writes nothing. `told` gets what would change, a
 * page at a time. */
export const planRerate = (
  asked: RerateAsked,
  told: (page: readonly Rerated[]) => void | Promise<void>,
): Promise<RerateReport> =>
  withLedger({ ledger: ledgerFile(asked.folder) }, (database) => rerateAll(database, asked, told))

/** Throws `ledger_locked` where nobody could write to a folder now, before anything is said. */
export const checkWritable = async (folder: string): Promise<void> => {
  const { data } = await openFolderOrControl(folder)
  await data?.database.close()
}

/** Writes what changes, through the gateway where one holds the folder, and reads the ledger again. Calls that only sealed
 * files have are put back first, since no entry corrects them there. What is adjusted comes by once more, since it ends
 * anew, and is left. */
export const applyRerate = async (asked: RerateAsked): Promise<RerateApplied> => {
  await thawChanged(asked)
  const count = { adjusted: 0, lines: 0, refused: 0 }
  await planRerate(asked, async (page) => {
    const adjustments = page.flatMap((each) => (each.kind === 'call' ? [each.adjustment] : []))
    const lines = page.flatMap((each) => (each.kind === 'imported' ? [each.line] : []))
    const outcomes = adjustments.length === 0 ? [] : await writeReconciliation(asked.folder, adjustments)
    const taken = outcomes.filter((outcome) => outcome === 'done' || outcome === 'repeated').length
    count.adjusted += taken
    count.refused += adjustments.length - taken
    if (lines.length > 0) count.lines += await postLines(asked.folder, lines)
  })
  return { ...count, ledger: await planRerate(asked, () => {}) }
}

/** Puts the calls back that change and that only sealed files have. */
const thawChanged = async (asked: RerateAsked): Promise<void> => {
  const pruned = await withLedger({ ledger: ledgerFile(asked.folder) }, async (database) =>
    (await openSeals(database).list()).flatMap(({ day, isPruned }) => (isPruned ? [day] : [])),
  )
  const isPruned = new Set(pruned)
  const { from, to } = asked.period
  if (!pruned.some((day) => day * dayMs < to && from < (day + 1) * dayMs)) return
  const changed = new Map<Day, string[]>()
  await planRerate(asked, (page) => {
    for (const each of page) {
      if (each.kind !== 'call') continue
      const day = dayOf(each.at)
      if (!isPruned.has(day)) continue
      const ids = changed.get(day) ?? []
      ids.push(each.id)
      changed.set(day, ids)
    }
  })
  await thawDays(
    { data: asked.folder },
    [...changed].map(([day, callIds]) => ({ day, callIds })),
  )
}

const rerateAll = async (
  database: Database,
  { folder, correction, period, provider, model, at }: RerateAsked,
  told: (page: readonly Rerated[]) => void | Promise<void>,
): Promise<RerateReport> => {
  const { books, name, bookVersion } = correction
  const closed = await readClosed(database)
  const sealedFolder = sealedFolderOf(ledgerFile(folder))
  const fold = createRerateFold(books, { correction: { name, at, bookVersion }, closed, provider, model })
  for await (const calls of openDetail(database, sealedFolder).calls(period)) await told(fold.addCalls(calls))
  for await (const lines of readImported(database, { ...period, role: 'usage' })) {
    await told(fold.addImported(lines))
  }
  for await (const entries of readAccrued(database, period)) fold.addAccrued(entries)
  return fold.result()
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
