import type { Database } from '../../ledger/database.ts'
import { type Receipt, type ReceiptAsked, receiptPage } from '../../reports/receipt.ts'
import type { Instant } from '../../time.ts'
import type { ReportSource } from './report-route.ts'

/** Pages of a receipt. A figure is read as a whole, since its totals stand on each page; the lines that follow the page
 * are kept for a while, so that the next ones need not read it again. */

/** What of a receipt is kept: bounded lines from one on. */
type Kept = {
  readonly of: string
  readonly from: string | null
  readonly at: Instant
  readonly receipt: Receipt
}

/** How many lines are kept of a receipt, of how many receipts, and how long. */
const bounds = { lines: 5_000, receipts: 4, ms: 300_000 }

const keptOf = new WeakMap<Database, Kept[]>()

/** Gives a page of a receipt, from what was kept of it where another page follows, else by reading. The first page is
 * always read anew. */
export const readReceiptPage = async <Asked extends ReceiptAsked>(
  { database, clock }: Pick<ReportSource, 'database' | 'clock'>,
  asked: Asked,
  read: (more: Asked) => Promise<Receipt>,
): Promise<Receipt> => {
  const { after, limit, ...figure } = asked
  const of = JSON.stringify(figure)
  const now = clock.now()
  const young = (keptOf.get(database) ?? []).filter(({ at }) => now >= at && now - at < bounds.ms)
  if (after !== null) {
    for (const { from, receipt } of young.filter((kept) => kept.of === of)) {
      const page = receiptPage(receipt, from, { after, limit })
      if (page !== null) return page
    }
  }
  const receipt = await read({ ...asked, limit: Math.max(limit, bounds.lines) })
  const others = young.filter((kept) => kept.of !== of)
  const kept = { of, from: after, at: now, receipt }
  if (receipt.lines.length > limit) {
    keptOf.set(database, [...others, kept].slice(-bounds.receipts))
  }
  return receiptPage(receipt, after, { after, limit }) ?? receipt
}
