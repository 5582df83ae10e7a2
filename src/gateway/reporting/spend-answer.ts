import { z } from 'zod'
import { spendDimensions } from '../../reports/spend-dimensions.ts'
import { bigCount, count, currency, maybeName, money, name, share, utcInstant } from '../api/terms.ts'
import { conversionAnswer } from './conversion-answer.ts'

/** A dimension of spend. */
const dimension = z
  .string()
  .regex(new RegExp(`^(${spendDimensions.join('|')}|tag:.+)$`, 's'))
  .describe('What spend is grouped by or chosen by; `tag:` and a name for a tag.')

/** A period; null is without end. */
export const periodAnswer = { from: utcInstant.nullable(), to: utcInstant.nullable() }

/** What of the spend is meant, as it was read. */
export const whereAnswer = z
  .array(z.object({ dimension, anyOf: z.array(name) }))
  .describe('What was chosen: of each dimension, one of these.')

/** The query of a receipt. */
export const receiptQueryAnswer = z
  .object({ from: name.optional(), to: name.optional(), zone: name.optional(), where: name.optional() })
  .describe('What to ask of the report `receipt`, for every charge of this amount.')

const spendChange = z
  .object({ before: money, delta: money, price: money, volume: money, mix: money })
  .nullable()
  .describe('Against the period before: delta = price + volume + mix. Null where none is compared.')

const figures = {
  currency,
  calls: count.nullable().describe('Null in a report of single meters: a call has several.'),
  unpriced: count.nullable(),
  unpricedMeters: z.array(name),
  quantity: z.object({ amount: name, unit: name }).nullable(),
  inputTokens: bigCount,
  outputTokens: bigCount,
  amount: money,
  list: money.describe('The amount without promotions and discounts.'),
  share,
  basis: z
    .object({ measured: money, estimated: money, imported: money, reconciled: money })
    .describe('The amount, by how sure it is.'),
  resent: z.object({ tokens: count, amount: money, share }).nullable(),
  change: spendChange,
}

const named = Object.fromEntries(
  spendDimensions.filter((known) => known !== 'currency').map((known) => [known, maybeName.optional()]),
)

/** A report of spend, as command and control plane write it. */
export const spendAnswer = z
  .object({
    schema: z.literal('octroi-report-spend/1'),
    by: z.array(dimension),
    ...periodAnswer,
    timeZone: name,
    where: whereAnswer,
    before: z.object(periodAnswer).nullable().describe('The period that is compared with.'),
    groups: z
      .array(z.object({ ...named, ...figures, receipt: receiptQueryAnswer }).catchall(maybeName))
      .describe('Each with a name for each dimension; tags as `tag:NAME`.'),
    others: z
      .array(z.object({ count: count.describe('How many groups that is.'), ...figures }))
      .describe('What is left beside the largest, by currency, where only those are listed.'),
    totals: z.array(z.object({ ...figures, receipt: receiptQueryAnswer })).describe('One for each currency.'),
    conversion: conversionAnswer
      .optional()
      .describe('Where amounts are in another currency than the ledger.'),
  })
  .describe('What `octroi report spend --json` prints.')
