import { z } from 'zod'
import { count, currency, money, name } from '../api/terms.ts'

/** What a report in another currency says of how it was converted. */
export const conversionAnswer = z.object({
  to: currency,
  table: z.object({ id: name, source: name, base: currency }),
  ageDaysMax: count.describe('How old a rate may be where its table has none of the day itself.'),
  days: z.array(
    z.object({
      day: z.iso.date(),
      ...{ currency, amount: money, converted: money },
      rate: z.object({
        table: name,
        date: z.iso.date(),
        quotes: z.array(z.object({ currency, rate: name })).describe('As the table has them.'),
      }),
    }),
  ),
  noRate: z
    .array(z.object({ day: z.iso.date(), currency, amount: money, code: z.literal('no_rate') }))
    .describe('What is left in its own currency.'),
})
