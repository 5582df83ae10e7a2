import { z } from 'zod'
import { count, currency, utcInstant as instant, maybeName, money, name } from './schema-terms.ts'

const amounts = z.array(z.object({ currency, amount: money }))
const quantity = z.string().regex(/^-?\d+(\.\d+)?(\/\d+)?$/)

const imported = z
  .object({
    schema: z.literal('octroi-import/1'),
    importer: name,
    role: z.enum(['usage', 'bill']).describe('`bill` is evidence for reconciliation, and no spend.'),
    account: name,
    dryRun: z.boolean().describe('True where nothing was written; the counts say what would be.'),
    period: z.object({ from: instant, to: instant }).nullable(),
    read: count.describe('Results of pages, or rows of a file.'),
    repeatedRows: count,
    outsidePeriod: count,
    missingRoutes: z.array(name).describe('Routes that the vendor does not offer.'),
    lines: count,
    ...{ written: count, repeated: count, replaced: count, withdrawn: count },
    reported: amounts.describe('What the report itself states.'),
    posted: amounts.describe('What became spend: that which did not pass the gateway.'),
    requests: z.object({ reported: count, passedGateway: count, posted: count }),
    meters: z.array(z.object({ meter: name, reported: quantity, passedGateway: quantity, posted: quantity })),
    unpriced: z.array(z.object({ provider: name, model: maybeName, meter: name, quantity })),
  })
  .describe('What `octroi import --json` prints.')

/** What `octroi import` prints, by the name of its file in `schemas/`. */
export const importSchemas = { 'import-1': imported } as const
