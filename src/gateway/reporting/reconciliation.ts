import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import { type ClosedRow, readAccrued, readClosed, readImported, readSpend } from '../../ledger/reading.ts'
import type { Picos } from '../../money/money.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import { type RateOn, reconcile } from '../../reports/reconciliation.ts'
import { dayMs } from '../../reports/reconciliation-cell.ts'
import { createCellFold } from '../../reports/reconciliation-cells.ts'
import { createEvidenceFold } from '../../reports/reconciliation-evidence.ts'
import {
  type ClosedBill,
  type ReconciliationReport,
  reconciliationJson,
} from '../../reports/reconciliation-json.ts'
import { type Instant, parseInstant } from '../../time.ts'
import { callsOf, livesOf } from './detail.ts'
import { reconciliationAnswer } from './reconciliation-answer.ts'
import type { ReportRoute } from './report-route.ts'

/** What is reconciled: whole days of UTC of a provider; all its accounts where none is named. */
export type BillAsked = {
  readonly provider: string
  readonly account: string | null
  readonly from: Instant
  readonly to: Instant
}

/** By which prices and rates, and where sealed days are kept (null: nowhere at hand). */
export type ReconciledBy = {
  readonly book: PriceBook
  readonly sealed: string | null
  readonly rateOn?: RateOn
}

/** Holds the ledger against the imported bill. Calls are read once for the sums, and a second time, of the days that
 * differ, for what shows why: memory is that of the cells. Without a bill there is nothing to match, and no cell. Throws
 * `ledger_unavailable` where calls are in sealed files only, and those are not at hand. */
export const readReconciliation = async (
  database: Database,
  { provider, account, from, to }: BillAsked,
  { book, sealed, rateOn }: ReconciledBy,
): Promise<ReconciliationReport> => {
  const around = { from: from - dayMs, to: to + dayMs }
  const fold = createCellFold(provider)
  let lines = 0
  for (const role of ['bill', 'usage'] as const) {
    const imported = { ...around, provider, role, ...(account !== null && { account }) }
    for await (const rows of readImported(database, imported)) {
      lines += rows.filter((row) => isBill(row) && row.from >= from && row.from < to).length
      fold.addImported(rows)
    }
  }
  const closed = await readClosedBills(database, { provider, from, to })
  const about = { provider, account, from, to, billLines: lines, closed }
  if (lines === 0) return { ...about, cells: [], totals: [], isExplained: false }
  const source = { database, sealed }
  for await (const rows of callsOf(source, around)) fold.addCalls(rows)
  for await (const rows of readAccrued(database, around)) fold.addAccrued(rows)
  const groups = fold.groups()
  const evidence = createEvidenceFold(groups, fold, provider)
  if (evidence.wanted !== null) {
    for await (const rows of callsOf(source, evidence.wanted)) evidence.addCalls(rows)
    for await (const lives of livesOf(source, evidence.wanted)) evidence.addLives(lives)
  }
  const asked = { from, to, book, pricesFrom: provider, evidenceOf: evidence.of }
  return { ...about, ...reconcile(groups, { ...asked, ...(rateOn && { rateOn }) }) }
}

/** The closed periods of a provider (null: of every one) that touch a stretch of time, and what they come to now. */
export const readClosedBills = async (
  database: Database,
  { provider, from, to }: { readonly provider: string | null; readonly from: Instant; readonly to: Instant },
): Promise<readonly ClosedBill[]> => {
  const closed = (await readClosed(database)).filter(
    (period) => isOf(period, provider) && period.from < to && from < period.to,
  )
  const bills: ClosedBill[] = []
  for (const period of closed) {
    const now = await readTotals(database, period)
    const currencies = new Set([...period.totals.map(({ currency }) => currency), ...now.keys()])
    const totals = [...currencies].sort().map((currency) => ({
      currency,
      closed: period.totals.find((each) => each.currency === currency)?.amount ?? 0n,
      now: now.get(currency) ?? 0n,
    }))
    const { at, note } = period
    bills.push({ at, provider: period.provider, from: period.from, to: period.to, note, totals })
  }
  return bills
}

/** What a provider (null: every one) came to in a period, by currency: what passed the gateway, accrued, or was
 * imported. */
export const readTotals = async (
  database: Database,
  { provider, from, to }: { readonly provider: string | null; readonly from: Instant; readonly to: Instant },
): Promise<ReadonlyMap<string, Picos>> => {
  const totals = new Map<string, Picos>()
  for (const row of await readSpend(database, { from, to })) {
    if (row.meter === null || (provider !== null && row.provider !== provider)) continue
    totals.set(row.currency, (totals.get(row.currency) ?? 0n) + row.amount)
  }
  return totals
}

/** Reads the days of a reconciliation: the month before this one where none are named. Throws `bad_instant` and
 * `bad_input`. */
export const readDays = (
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Instant,
): Pick<BillAsked, 'from' | 'to'> => {
  if (from === undefined && to === undefined) return monthBefore(now)
  if (from === undefined || to === undefined) {
    throw new OctroiError(
      'bad_input',
      'From and to go together: name the first day, and the day after the last.',
    )
  }
  const days = { from: parseInstant(from), to: parseInstant(to) }
  if (days.from % dayMs === 0 && days.to % dayMs === 0 && days.from < days.to) return days
  throw new OctroiError(
    'bad_input',
    `From ${from} to ${to} are no whole days of UTC, by which vendors bill. Name the first day, and the day after the last.`,
  )
}

const monthBefore = (now: Instant): Pick<BillAsked, 'from' | 'to'> => {
  const at = new Date(now)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()]
  return { from: Date.UTC(year, month - 1), to: Date.UTC(year, month) }
}

const billAsked = z.strictObject({
  provider: z.string().min(1).default('openai').describe('Whose bill.'),
  account: z.string().min(1).optional().describe('Of one account, as it was imported; of all unless said.'),
  from: z.string().optional().describe('The first day (UTC): of the month before this one unless said.'),
  to: z.string().optional().describe('The day after the last.'),
})

/** The reconciliation over HTTP, by the price book of the gateway; null where only its description is asked. */
export const reconciliationRoute = (
  book: PriceBook | null,
): ReportRoute<typeof billAsked, ReconciliationReport> => ({
  name: 'reconciliation',
  summary: "The ledger against the vendor's bill: every difference, and its cause",
  asked: billAsked,
  answer: reconciliationAnswer,
  errors: ['bad_instant', 'ledger_unavailable'],
  read: ({ database, sealed, clock }, { provider, account = null, ...days }) => {
    if (book === null) throw new OctroiError('internal', 'There is no price book to reconcile by.')
    return readReconciliation(
      database,
      { provider, account, ...readDays(days, clock.now()) },
      { book, sealed },
    )
  },
  json: reconciliationJson,
})

const isBill = ({
  role,
  reported,
}: {
  readonly role: string
  readonly reported: { readonly amount: Picos | null }
}) => role === 'bill' || reported.amount !== null

const isOf = (period: ClosedRow, provider: string | null): boolean =>
  provider === null || period.provider === null || period.provider === provider
