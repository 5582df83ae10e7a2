import { z } from 'zod'
import { count, currency, maybeName, money, name, utcInstant } from '../api/terms.ts'
import { periodAnswer, whereAnswer } from './spend-answer.ts'

const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(\/\d+)?$/)
  .describe('How much, as a decimal or a fraction.')
const unitPrice = z.string().regex(/^\d+(\.\d+)?$/)

const price = z
  .object({
    id: name.describe('The id of the row of the price book.'),
    source: name,
    unitPrice,
    per: count,
    multipliers: z.array(z.object({ name, factor: name, price: name })),
    list: z.object({ unitPrice, per: count, price: name }).nullable(),
    overlay: z.boolean(),
    assumed: maybeName,
  })
  .nullable()
  .describe('Null for what has no price.')

const receiptLine = z.object({
  place: name.describe('Where in the order of the receipt it stands.'),
  kind: z.enum(['call', 'accrued', 'imported']),
  entry: count.describe('The sequence of the entry in the ledger that says so.'),
  corrects: count.nullable().describe('The entry in whose place it stands.'),
  id: name.describe('Of the call, the accrual or the imported line.'),
  at: utcInstant,
  key: maybeName,
  team: maybeName,
  provider: name,
  model: maybeName,
  endpoint: name,
  tier: maybeName,
  currency,
  basis: z.enum(['measured', 'estimated', 'imported', 'reconciled']),
  meter: name,
  quantity,
  measured: quantity.nullable().describe('What was measured, where another quantity is billed.'),
  price,
  bookVersion: name,
  amount: money,
})

/** A receipt, as command and control plane write it. */
export const receiptAnswer = z
  .object({
    schema: z.literal('octroi-report-receipt/1'),
    ...periodAnswer,
    where: whereAnswer,
    count: count.describe('How many lines there are in all.'),
    lines: z.array(receiptLine),
    next: maybeName.describe('What to ask `after` for the next page; null at the end.'),
    totals: z
      .array(z.object({ currency, amount: money, unpriced: count }))
      .describe('Of all lines, whatever the page: the figure itself.'),
  })
  .describe('What `octroi report receipt --json` prints.')
