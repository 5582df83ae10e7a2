import { z } from 'zod'
import { count, currency, maybeName, money, name, share, utcInstant } from '../api/terms.ts'

const percentiles = z.object({
  count,
  p50: count.nullable(),
  p90: count.nullable(),
  p99: count.nullable(),
})

/** Service levels, as command and control plane write them. */
export const serviceLevelsAnswer = z
  .object({
    schema: z.literal('octroi-report-service-levels/1'),
    from: utcInstant.nullable(),
    to: utcInstant.nullable(),
    percentileError: z.number().describe('How far a percentile may be from the exact one, as a share of it.'),
    attemptsLeast: count.describe('Below so many attempts no verdict is given.'),
    levels: z.array(
      z.object({
        provider: name,
        model: name.describe('As it was asked for: a call that failed was served by none.'),
        tier: maybeName.describe('The tier of all answered calls, where that is not the usual one.'),
        endpoint: maybeName,
        calls: count,
        outcomes: z
          .object({
            answered: count,
            failed: count,
            limited: count,
            refused: count,
            lost: count,
            unsent: count,
          })
          .describe(
            'failed: 5xx, not reached, or broken off. limited: 429. refused: another 4xx. lost: nobody saw its end. unsent: no attempt, and not among calls.',
          ),
        statuses: z.array(z.object({ status: count, calls: count })),
        availability: share.describe('answered / (answered + failed + lost).'),
        availabilitySeen: share.describe('The same without those that are lost.'),
        durationMs: percentiles.describe('Of answered calls that were timed.'),
        firstByteMs: percentiles,
        retries: count.describe('Calls that their client had tried before, as it said.'),
        costs: z.array(z.object({ currency, amount: money, failed: money, retried: money })),
        promise: z
          .object({
            tier: maybeName,
            least: maybeName.describe(
              'The share of calls that are answered, at least. Null: none is published.',
            ),
            measured: maybeName,
            effectiveFrom: utcInstant.nullable(),
            knownSince: utcInstant,
            source: name,
            confidence: name,
            note: maybeName,
          })
          .nullable(),
        verdict: z.enum(['kept', 'broken', 'unsure', 'too few', 'no promise']),
      }),
    ),
  })
  .describe('What `octroi report service-levels --json` prints.')
