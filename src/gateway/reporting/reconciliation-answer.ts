import { z } from 'zod'
import { type GapKind, gapKinds } from '../../reports/reconciliation-money.ts'
import { count, currency, maybeName, name, utcInstant } from '../api/terms.ts'

const money = z
  .string()
  .regex(/^-?\d+(\.\d{1,12})?$/)
  .describe('An amount of money as a decimal string, at most 12 decimals.')
const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(\/\d+)?$/)
  .describe('How much, as a decimal or a fraction.')
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const kind = z.enum(Object.keys(gapKinds) as [GapKind])
const sides = { vendor: money, ledger: money, gap: money.describe("The vendor's amount less the ledger's.") }

/** A closed period, as commands and control plane write it. */
export const closedAnswer = z.object({
  provider: maybeName.describe('Null: of all providers.'),
  ...{ from: utcInstant, to: utcInstant, closedAt: utcInstant, note: maybeName },
  totals: z.array(
    z.object({
      currency,
      closed: money,
      corrected: money.describe('The sum of all entries since.'),
      now: money,
    }),
  ),
})

/** A reconciliation, as command and control plane write it. */
export const reconciliationAnswer = z
  .object({
    schema: z.literal('octroi-reconciliation/1'),
    ...{ provider: name, account: maybeName, from: utcInstant, to: utcInstant },
    billLines: count.describe('Lines of the imported bill. Without any nothing was matched.'),
    explained: z.boolean().describe('There is a bill, and no cell is unknown.'),
    totals: z
      .array(
        z.object({
          currency,
          ...sides,
          parts: z
            .array(z.object({ kind, meaning: name, cells: count, amount: money }))
            .describe('They sum to the gap, exactly.'),
        }),
      )
      .describe('One for each currency.'),
    cells: z.array(
      z.object({
        day,
        ...{ project: maybeName, model: maybeName, meter: maybeName },
        lineItem: z.string().nullable().describe("The vendor's words, where they name no meter."),
        requests: z.object({ vendor: count.nullable(), ledger: count }).nullable(),
        quantity: z.object({ vendor: quantity.nullable(), ledger: quantity }),
        amounts: z.array(
          z.object({
            currency,
            ...sides,
            converted: z
              .object({ currency, amount: money, rate: name, date: day })
              .optional()
              .describe('What was billed, and the dated rate.'),
          }),
        ),
        kind: kind.nullable().describe('Null where both sides agree.'),
        because: maybeName.describe('What shows it.'),
      }),
    ),
    closed: z.array(closedAnswer).describe('Closed periods of the bill within these days.'),
  })
  .describe('What `octroi reconcile --json` prints.')
