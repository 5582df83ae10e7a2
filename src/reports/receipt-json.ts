import { formatPicos } from '../money/money.ts'
import { format } from '../money/rational.ts'
import { formatInstant } from '../time.ts'
import type { Quantity } from '../usage/usage.ts'
import type { Receipt, ReceiptLine } from './receipt.ts'

/** A receipt for machines: amounts and quantities as strings. `octroi-report-receipt/1`. */
export const receiptJson = ({ from, to, where, lines, count, next, totals }: Receipt): object => ({
  schema: 'octroi-report-receipt/1',
  from: from === null ? null : formatInstant(from),
  to: to === null ? null : formatInstant(to),
  where: where.map(({ dimension, anyOf }) => ({ dimension, anyOf })),
  count,
  lines: lines.map(lineJson),
  next,
  totals: totals.map((total) => ({ ...total, amount: formatPicos(total.amount) })),
})

const lineJson = ({ at, quantity, measured, amount, ...line }: ReceiptLine): object => ({
  ...line,
  at: formatInstant(at),
  quantity: quantityText(quantity),
  measured: measured === null ? null : quantityText(measured),
  amount: formatPicos(amount),
})

/** A quantity as an exact decimal, or a fraction where it has none. */
const quantityText = (quantity: Quantity): string =>
  typeof quantity === 'number' ? String(quantity) : format(quantity)
