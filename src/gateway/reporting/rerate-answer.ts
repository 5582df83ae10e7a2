import { z } from 'zod'
import { count, currency, utcInstant as instant, maybeName, money, name } from '../api/terms.ts'

const amounts = { before: money, difference: money, after: money }
const counts = {
  calls: count,
  lines: count.describe('Imported lines.'),
  adjusted: count.describe('Of how many calls and lines something changes.'),
}

const charge = z
  .object({
    quantity: name,
    unitPrice: name,
    per: count,
    amount: money,
    price: name.describe('The id of the price row.'),
    source: name,
  })
  .nullable()

/** A re-rating, as command and control plane write it. */
export const rerateAnswer = z
  .object({
    schema: z.literal('octroi-rerate/1'),
    ...{ from: instant, to: instant },
    ...{ provider: maybeName.describe('Null: of all.'), model: maybeName },
    correction: z.object({ name, bookVersion: name }),
    adjustments: z
      .array(
        z.object({
          kind: z.enum(['call', 'imported']),
          id: name,
          at: instant,
          ...{ provider: name, model: maybeName, team: maybeName, currency, ...amounts },
          charges: z.array(z.object({ meter: name, was: charge, now: charge })),
        }),
      )
      .describe('Each charge that changes: null where there was or is none.'),
    groups: z.array(z.object({ provider: name, model: maybeName, currency, ...counts, ...amounts })),
    totals: z
      .array(z.object({ currency, ...counts, ...amounts }))
      .describe('One for each currency: before and difference are after.'),
    kept: z
      .array(
        z.object({
          ...{ provider: name, model: maybeName, meter: name, count, example: name },
          why: z.enum(['vendor_stated', 'unknown_row', 'not_recovered', 'no_price', 'accrued', 'closed']),
        }),
      )
      .describe('What keeps its price.'),
    applied: z
      .object({
        ...{ adjusted: count, lines: count, refused: count },
        ledger: z
          .array(z.object({ currency, amount: money }))
          .describe('What the ledger came to afterwards.'),
        agrees: z.boolean().describe('It came to what was said, and nothing is left to adjust.'),
      })
      .nullable()
      .describe('Null in a dry run: nothing was written.'),
  })
  .describe('What `octroi rerate --json` prints.')
