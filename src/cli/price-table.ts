import { formatPicos, type Picos } from '../money/money.ts'
import { add, format, type Rational, rational, zero } from '../money/rational.ts'
import type { Cost } from '../pricing/price.ts'
import type { Quantity } from '../usage/usage.ts'
import type { PriceItem } from './price-item.ts'
import { formatTable } from './table.ts'

/** Costs added up for people: one line for each model, meter and rate, however many items there are. */
export type Bill = {
  readonly lines: Map<string, BillLine>
  readonly totals: Map<string, BillTotal>
  readonly reasons: Set<string>
  readonly overlays: Set<string>
}

/** `list`: what the same would be without promotions. */
type BillTotal = { amount: Picos; list: Picos; complete: boolean }

type BillLine = { readonly cells: readonly string[]; quantity: Rational; amount: Picos | null }

/** More reasons than these are not printed one by one. */
const reasonsMax = 20

export const emptyBill = (): Bill => ({
  lines: new Map(),
  totals: new Map(),
  reasons: new Set(),
  overlays: new Set(),
})

/** Adds the cost of an item. */
export const putOnBill = ({ item, cost }: { item: PriceItem; cost: Cost }, bill: Bill): void => {
  const model = ('reply' in item ? item.reply.model : null) ?? item.call.model ?? '-'
  for (const { meter, quantity, unitPrice, per, amount, overlay, source } of cost.charges) {
    if (overlay) bill.overlays.add(source)
    putLine(bill, [model, meter, `${unitPrice} / ${per}`, cost.currency], quantity, amount)
  }
  for (const { meter, quantity, message } of cost.unpriced) {
    putLine(bill, [model, meter, 'no price', cost.currency], quantity, null)
    if (bill.reasons.size <= reasonsMax) bill.reasons.add(message)
  }
  const total = bill.totals.get(cost.currency) ?? { amount: 0n, list: 0n, complete: true }
  total.amount += cost.pricedTotal
  total.list += cost.listTotal
  total.complete &&= cost.total !== null
  bill.totals.set(cost.currency, total)
}

const putLine = (bill: Bill, cells: readonly string[], quantity: Quantity, amount: Picos | null): void => {
  const key = cells.join('\n')
  const line = bill.lines.get(key) ?? { cells, quantity: zero, amount: amount === null ? null : 0n }
  line.quantity = add(line.quantity, typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity)
  if (line.amount !== null && amount !== null) line.amount += amount
  bill.lines.set(key, line)
}

/** Lays the bill out, a total for each currency, what it would be at list prices where promotions made it other than
 * that, and below it why something has no price, and which prices are not of
 * the book itself. */
export const formatBill = (bill: Bill, options: { readonly color: boolean }): string => {
  const rows = [...bill.lines.values()].map(({ cells, quantity, amount }) => {
    const [model = '', meter = '', rate = '', currency = ''] = cells
    return [model, meter, format(quantity), rate, amount === null ? '?' : formatPicos(amount), currency]
  })
  const totals = [...bill.totals].flatMap(([currency, { amount, list, complete }]) => {
    const title = complete ? 'total' : 'priced part'
    const total = [title, '', '', '', formatPicos(amount), currency]
    return list === amount ? [total] : [total, ['at list prices', '', '', '', formatPicos(list), currency]]
  })
  const reasons = [...bill.reasons].slice(0, reasonsMax)
  if (bill.reasons.size > reasonsMax) reasons.push('... and more')
  const overlays = [...bill.overlays].map((source) => `Some prices are of an overlay: ${source}.`)
  return (
    formatTable(columns, rows, { color: options.color, totals }) +
    [...reasons, ...overlays].map((line) => `${line}\n`).join('')
  )
}

const columns = [
  { title: 'model' },
  { title: 'meter' },
  { title: 'quantity', align: 'right' },
  { title: 'price / units', align: 'right' },
  { title: 'amount', align: 'right' },
  { title: '' },
] as const
