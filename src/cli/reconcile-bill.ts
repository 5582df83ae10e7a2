import { type BillAsked, readDays, readReconciliation } from '../gateway/reporting/reconciliation.ts'
import type { Database } from '../ledger/database.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { rateAgeDaysMax, rateOn } from '../reports/currency.ts'
import type { RateOn } from '../reports/reconciliation.ts'
import type { ReconciliationReport } from '../reports/reconciliation-json.ts'
import type { Instant } from '../time.ts'
import { readRates } from './currency-rates.ts'
import { openBook } from './overlays.ts'
import { withLedger } from './reports.ts'

type Options = Readonly<Record<string, unknown>>

/** Reads the options of `octroi reconcile` and holds the ledger against the bill. Throws `bad_input` and
 * `bad_instant`. */
export const reconcileBill = async (options: Options, now: Instant): Promise<ReconciliationReport> => {
  const asked = readBillAsked(options, now)
  const prices = options['prices'] === undefined ? undefined : String(options['prices'])
  const book = await openBook(prices)
  const rates = await ratesOf(options['rates'])
  const sealed = sealedFolderOf(String(options['ledger']))
  const read = (database: Database) =>
    readReconciliation(database, asked, { book, sealed, ...(rates !== null && { rateOn: rates }) })
  return withLedger(options, read)
}

const readBillAsked = (options: Options, now: Instant): BillAsked => {
  const text = (name: string): string | undefined =>
    options[name] === undefined ? undefined : String(options[name])
  return {
    provider: String(options['provider']),
    account: text('account') ?? null,
    ...readDays({ from: text('from'), to: text('to') }, now),
  }
}

const ratesOf = async (file: unknown): Promise<RateOn | null> => {
  if (file === undefined) return null
  const table = await readRates(String(file))
  return (asked) => {
    const rate = rateOn(table, { ...asked, ageDaysMax: rateAgeDaysMax })
    return rate === null ? null : { factor: rate.factor, date: rate.date }
  }
}
