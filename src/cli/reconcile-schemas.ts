import { z } from 'zod'
import { closedAnswer, reconciliationAnswer } from '../gateway/reporting/reconciliation-answer.ts'
import { count, currency, utcInstant as instant, money, name } from './schema-terms.ts'

const twoTokens = z.object({ input: count, output: count })

const reconcileRuns = z
  .object({
    schema: z.literal('octroi-reconcile-runs/1'),
    provider: name,
    ...{ from: instant, to: instant },
    applied: z.boolean().describe('False in a dry run: nothing was written.'),
    billed: twoTokens.describe('The whole report.'),
    before: twoTokens.describe('What the ledger had of the calls that it was held against.'),
    after: twoTokens,
    calls: z.array(
      z.object({
        call: name,
        model: name,
        ...{ from: instant, to: instant, before: twoTokens, after: twoTokens },
        ...{ amountBefore: money, amountAfter: money, currency },
        outcome: z
          .enum(['done', 'repeated', 'conflict', 'late', 'unknown'])
          .nullable()
          .describe('What became of its adjustment; null in a dry run.'),
      }),
    ),
    unexplained: z.array(
      z.object({
        why: z.enum([
          'no_estimated_call',
          'less_billed',
          'outside_intervals',
          'other_meters',
          'beyond_report',
        ]),
        ...{ from: instant, to: instant, model: name },
        ...{ billed: twoTokens, known: twoTokens, estimated: twoTokens },
        estimatedCalls: z.array(name),
      }),
    ),
  })
  .describe('What `octroi reconcile runs --json` prints.')

const periodClose = z
  .object({ schema: z.literal('octroi-period-close/1'), period: closedAnswer })
  .describe('What `octroi period close --json` prints.')

const periodList = z
  .object({ schema: z.literal('octroi-period-list/1'), periods: z.array(closedAnswer) })
  .describe('What `octroi period list --json` prints.')

/** What `octroi reconcile` and `octroi period` print, by the name of its file in `schemas/`. */
export const reconcileSchemas = {
  'period-close-1': periodClose,
  'period-list-1': periodList,
  'reconcile-runs-1': reconcileRuns,
  'reconciliation-1': reconciliationAnswer,
} as const
