import { formatPicos } from '../money/money.ts'
import { rational } from '../money/rational.ts'
import type { Receipt, ReceiptLine } from '../reports/receipt.ts'
import { formatInstant } from '../time.ts'
import { formatCount, formatQuantity } from './reports.ts'
import { type Column, formatTable } from './table.ts'

/** A receipt as a table for people: a line for each charge, and below a rule the sum of each currency. */
export const receiptTable = (receipt: Receipt, { color }: { readonly color: boolean }): string =>
  formatTable(
    columns,
    receipt.lines.map((line) => columns.map(({ cell }) => cell(line))),
    {
      color,
      totals: receipt.totals.map(({ currency, amount }) =>
        columns.map(({ title }, index) => {
          if (index === 0) return `total of ${formatCount(receipt.count)}`
          if (title === 'cost') return formatPicos(amount)
          return index === costAt + 1 ? currency : ''
        }),
      ),
    },
  )

type Cell = Column & { readonly cell: (line: ReceiptLine) => string }

const column = (title: string, cell: Cell['cell'], align: 'left' | 'right' = 'left'): Cell => ({
  title,
  align,
  cell,
})

const priceText = ({ price }: ReceiptLine): string => {
  if (price === null) return 'no price'
  const factors = price.multipliers.map(({ factor }) => ` x ${factor}`).join('')
  const per = price.per === 1 ? '' : ` / ${formatCount(price.per)}`
  return `${price.unitPrice}${per}${factors}`
}

const quantityText = ({ quantity }: ReceiptLine): string =>
  formatQuantity(typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity)

const columns: readonly Cell[] = [
  column('at', ({ at }) => formatInstant(at)),
  column('of', ({ id }) => id),
  column('entry', ({ entry }) => String(entry), 'right'),
  column('team', ({ team }) => team ?? '(none)'),
  column('model', ({ model }) => model ?? '(none)'),
  column('meter', ({ meter }) => meter),
  column('quantity', quantityText, 'right'),
  column('price', priceText, 'right'),
  column('cost', ({ amount }) => formatPicos(amount), 'right'),
  column('', ({ currency }) => currency),
  column('basis', ({ basis }) => basis),
  column('price row', ({ price }) => price?.id ?? ''),
  column('book', ({ bookVersion }) => bookVersion.slice(0, 12)),
]

const costAt = columns.findIndex(({ title }) => title === 'cost')
