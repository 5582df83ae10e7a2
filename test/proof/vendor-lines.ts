import type { SpendRow } from '../../src/ledger/reading.ts'
import { formatPicos, parsePicos } from '../../src/money/money.ts'
import type { BookRow } from '../../src/sandbox/books.ts'
import { foldBy } from './folds.ts'

/** The replies of some wires name no model: the ledger then has the name that was asked for, without a date. */
export const undated = (model: string): string => model.replace(/-\d{4}-\d{2}-\d{2}$/, '')

/** What a ledger came to, by provider, model and meter. Moderations are in it, and in no book: they are free. */
export const linesOfLedger = (rows: readonly SpendRow[]) =>
  foldBy(
    rows.filter(({ endpoint }) => endpoint !== 'moderations'),
    ({ provider, model }) => [provider, undated(model ?? '')],
  )

/** What the vendors' books came to, by the same and in the same form. */
export const linesOfBooks = (rows: readonly BookRow[]) => {
  const sums = new Map<string, { quantity: number; amount: bigint }>()
  for (const row of rows) {
    const name = JSON.stringify([row.provider, undated(row.model), row.meter])
    const { quantity, amount } = sums.get(name) ?? { quantity: 0, amount: 0n }
    if (row.amount === null) throw new Error(`${name} has no price in the books.`)
    sums.set(name, { quantity: quantity + row.quantity, amount: amount + parsePicos(row.amount) })
  }
  return [...sums]
    .map(([name, { quantity, amount }]) => ({ name, quantity: `${quantity}`, amount: formatPicos(amount) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
