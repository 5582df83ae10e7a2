import { z } from 'zod'
import { currency, maybeName, money, name, share, utcInstant } from '../api/terms.ts'
import { conversionAnswer } from './conversion-answer.ts'

const period = { from: utcInstant.nullable(), to: utcInstant.nullable() }
const poolShare = z.object({ pool: name, amount: money })

const centre = z.object({
  ...{ name, currency },
  direct: money.describe('Its own charges.'),
  amount: money.describe('Its own charges and its shares.'),
  shares: z.array(poolShare),
})

const unallocated = z.object({
  currency,
  unmatched: money.describe('What no rule matched.'),
  amount: money,
  fromPools: z.array(poolShare).describe('What pools could not give.'),
})

const pool = z.object({
  ...{ name, currency },
  rule: z.enum(['even', 'proportional', 'fixed']),
  measure: z.enum(['cost', 'tokens', 'requests']).nullable(),
  own: money,
  received: money.describe('What other pools gave it.'),
  unallocated: money,
  given: z.array(z.object({ to: name, amount: money })),
})

/** An allocation, as command and control plane write it. */
export const allocationAnswer = z
  .object({
    schema: z.literal('octroi-report-allocation/1'),
    ...period,
    centres: z.array(centre.extend({ share })),
    unallocated: z.array(unallocated.extend({ share })).describe('What nobody bears, by currency.'),
    totals: z
      .array(
        z.object({
          ...{ currency, amount: money, direct: money, shared: money, unallocated: money },
          allocatedShare: share,
        }),
      )
      .describe('The amount is what the report of spend says of the same period.'),
    versions: z
      .array(
        z.object({
          version: maybeName.describe('Null before the first version of the rules.'),
          ...period,
          centres: z.array(centre),
          pools: z.array(pool),
          unallocated: z.array(unallocated),
        }),
      )
      .describe('The parts of the period, each with the version of the rules that held.'),
    unpriced: z.array(name).describe('Meters that were used and have no price; amounts leave them out.'),
    conversion: conversionAnswer.optional(),
  })
  .describe('What `octroi report allocation --json` prints.')
