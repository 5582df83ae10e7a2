import type { Database } from '../ledger/database.ts'
import { readAccrued, readCalls, type SpendAsked } from '../ledger/reading.ts'
import { createPromotionFold, type PromotionRow } from '../reports/promotions.ts'

/** Reads what promotions and discounts took off in a period, from the entries themselves: at once where the ledger has
 * no price below its list price, else in as long as it takes to look at all entries of the period. */
export const readPromotions = async (
  database: Database,
  period: SpendAsked,
): Promise<readonly PromotionRow[]> => {
  const fold = createPromotionFold()
  const asked = { ...period, promoted: true }
  for await (const calls of readCalls(database, asked)) fold.add(calls)
  for await (const entries of readAccrued(database, asked)) fold.addAccrued(entries)
  return fold.rows()
}
