import type { SpendRow } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import { add, format, type Rational, rational, zero } from '../../src/money/rational.ts'

/** What rows of the ledger come to under one name, as texts. */
type Line = { readonly name: string; readonly quantity: string; readonly amount: string }

/** Sums of the ledger's rows, by what `names` says and the meter. */
export const foldBy = (
  all: readonly SpendRow[],
  names: (row: SpendRow) => readonly (string | null)[],
): readonly Line[] => {
  const sums = new Map<string, { quantity: Rational; amount: bigint }>()
  for (const row of all) {
    if (row.meter === null) continue
    const name = JSON.stringify([...names(row), row.meter])
    const sum = sums.get(name) ?? { quantity: zero, amount: 0n }
    const quantity = typeof row.quantity === 'number' ? rational(BigInt(row.quantity)) : row.quantity
    sums.set(name, { quantity: add(sum.quantity, quantity), amount: sum.amount + row.amount })
  }
  return [...sums]
    .map(([name, { quantity, amount }]) => ({
      name,
      quantity: format(quantity),
      amount: formatPicos(amount),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Sums by model, currency and meter, in the form and order of the sandbox's books. */
export const foldByMeter = (all: readonly SpendRow[]) =>
  foldBy(all, ({ model, currency }) => [model, currency]).map(({ name, quantity, amount }) => {
    const [model, currency, meter] = JSON.parse(name) as (string | null)[]
    return { model: model ?? '', meter, quantity, amount, currency }
  })
