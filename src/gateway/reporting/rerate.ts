import type { Database } from '../../ledger/database.ts'
import type { Adjustment } from '../../ledger/entry.ts'
import type { Imported } from '../../ledger/imported.ts'
import type { Outcome } from '../../ledger/ledger.ts'
import { readAccrued, readClosed, readImported, type SpendAsked } from '../../ledger/reading.ts'
import { type Day, dayMs, dayOf } from '../../ledger/seal.ts'
import { openDetail } from '../../ledger/sealed/detail.ts'
import { createRerateFold, type Rerated, type RerateReport } from '../../reports/rerate.ts'
import type { OpenedCorrection } from '../../reports/rerate-correction.ts'
import type { Instant } from '../../time.ts'

/** What is re-rated, and when. Null: of all providers, or models. */
export type RerateAsked = {
  readonly period: SpendAsked
  readonly provider: string | null
  readonly model: string | null
  readonly at: Instant
}

/** Gets what would change, a page at a time; also pages of which nothing does. */
export type ToldRerated = (page: readonly Rerated[]) => void | Promise<void>

/** Prices the period of a ledger anew, and writes nothing. `sealed` is the folder of its sealed days. Throws
 * `ledger_unavailable` where a file that is needed is not there. */
export const readRerate = async (
  { database, sealed }: { readonly database: Database; readonly sealed: string | null },
  { period, provider, model, at }: RerateAsked,
  { books, name, bookVersion }: OpenedCorrection,
  told: ToldRerated,
): Promise<RerateReport> => {
  const closed = await readClosed(database)
  const fold = createRerateFold(books, { correction: { name, at, bookVersion }, closed, provider, model })
  for await (const calls of openDetail(database, sealed ?? '').calls(period)) await told(fold.addCalls(calls))
  for await (const lines of readImported(database, { ...period, role: 'usage' })) {
    await told(fold.addImported(lines))
  }
  for await (const entries of readAccrued(database, period)) fold.addAccrued(entries)
  return fold.result()
}

/** What was written of a re-rating. `refused`: adjustments that were not taken, since something else stands now.
 * `ledger`: the report of the ledger as it stands afterwards. */
export type RerateApplied = {
  readonly adjusted: number
  readonly lines: number
  readonly refused: number
  readonly ledger: RerateReport
}

/** Who writes a re-rating: the verbs of the ledger, or the gateway that holds it. */
export type RerateWriter = {
  /** Sealed days of which calls left the ledger. */
  readonly prunedDays: () => Promise<readonly Day[]>
  /** Puts calls of sealed days back. */
  readonly thaw: (wanted: readonly DayCalls[]) => Promise<unknown>
  /** Gives what became of each, in their order. */
  readonly adjust: (adjustments: readonly Adjustment[]) => Promise<readonly Outcome[]>
  /** Puts lines in the place of those with their ids; gives how many. */
  readonly post: (lines: readonly Imported[]) => Promise<number>
}

/** Calls of one day. */
export type DayCalls = { readonly day: Day; readonly callIds: readonly string[] }

/** Writes what changes, and reads the ledger again: `plan` reads it each time anew. Calls that only sealed files have are
 * put back first, since no entry corrects them there. What is adjusted may come by once more, and is left then. */
export const applyRerate = async (
  plan: (told: ToldRerated) => Promise<RerateReport>,
  writer: RerateWriter,
  period: SpendAsked,
): Promise<RerateApplied> => {
  await thawChanged(plan, writer, period)
  const count = { adjusted: 0, lines: 0, refused: 0 }
  await plan(async (page) => {
    const adjustments = page.flatMap((each) => (each.kind === 'call' ? [each.adjustment] : []))
    const lines = page.flatMap((each) => (each.kind === 'imported' ? [each.line] : []))
    const outcomes = adjustments.length === 0 ? [] : await writer.adjust(adjustments)
    const taken = outcomes.filter((outcome) => outcome === 'done' || outcome === 'repeated').length
    count.adjusted += taken
    count.refused += adjustments.length - taken
    if (lines.length > 0) count.lines += await writer.post(lines)
  })
  return { ...count, ledger: await plan(() => {}) }
}

/** Puts the calls back that change and that only sealed files have. */
const thawChanged = async (
  plan: (told: ToldRerated) => Promise<RerateReport>,
  writer: RerateWriter,
  { from, to }: SpendAsked,
): Promise<void> => {
  const pruned = new Set(
    (await writer.prunedDays()).filter((day) => day * dayMs < to && from < (day + 1) * dayMs),
  )
  if (pruned.size === 0) return
  const changed = new Map<Day, string[]>()
  await plan((page) => {
    for (const each of page) {
      if (each.kind !== 'call') continue
      const day = dayOf(each.at)
      if (!pruned.has(day)) continue
      const ids = changed.get(day) ?? []
      ids.push(each.id)
      changed.set(day, ids)
    }
  })
  await writer.thaw([...changed].map(([day, callIds]) => ({ day, callIds })))
}
