import { z } from 'zod'
import { actions } from '../../limits/limit.ts'
import { type Measure, measureNames } from '../../limits/measure.ts'
import { meterNames } from '../../usage/meter.ts'
import { currency, name } from './terms.ts'

const pattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^(?:[^*]*\*){0,4}[^*]*$/)
  .describe('A name, in which up to four stars stand for anything.')

const ceilingAmount = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,40})?$/)
  .describe('An amount in the currency of the limit, as a string such as "12.50".')

const ceiling = z
  .strictObject({
    perMillionInputTokens: ceilingAmount.optional(),
    perMillionOutputTokens: ceilingAmount.optional(),
    perUnit: z.partialRecord(z.enum(meterNames), ceilingAmount).optional(),
    perCall: ceilingAmount.optional().describe('For what has no rate here, or no bound.'),
  })
  .refine((value) => Object.keys(value).length > 0)
  .meta({ minProperties: 1 })
  .describe('At most what something without a price is taken to cost.')

const dimension = z
  .string()
  .regex(
    /^(organization|team|project|environment|key|endUser|provider|model|endpoint|conversation|tag:[A-Za-z0-9_.-]{1,64})$/,
  )
  .describe('A name that calls have, or a tag as "tag:feature".')
const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/)
  .describe('A length such as "1m" or "24h", at most 366 days.')
const anchorDay = z
  .int()
  .min(1)
  .max(31)
  .optional()
  .describe('Where it begins; 31 is the last day of a month.')
const timeZone = name.default('UTC').describe('A zone of the IANA database, such as "Europe/Paris".')

const capAmount = z
  .string()
  .regex(/^\d{1,16}(\.\d{1,12})?$/)
  .describe('An amount as a string, such as "100.00".')

/** A limit as it is written. `parseLimit` reads it, and refuses besides what contradicts itself. */
export const limitSchema = z.strictObject({
  name: name.max(200),
  match: z
    .record(dimension, z.union([pattern, z.array(pattern).min(1).max(100)]))
    .default({})
    .describe('Patterns with stars by name; of several, one must match.'),
  each: z.array(dimension).max(4).default([]).describe('A counter for each value, or combination of values.'),
  measure: z.enum(measureNames as readonly [Measure, ...Measure[]]),
  cap: capAmount,
  currency: currency.optional().describe('Of a limit on cost only; USD when left out.'),
  window: z
    .union([
      z.strictObject({ calendar: z.enum(['month', 'quarter', 'year']), timeZone, anchorDay }),
      z.strictObject({ calendar: z.enum(['hour', 'day', 'week', 'total']), timeZone }),
      z.strictObject({ rolling: duration }),
      z.strictObject({ bucket: duration }),
    ])
    .optional()
    .describe('Left out for concurrent calls only.'),
  action: z.enum(actions).default('refuse'),
  warnAt: z
    .array(z.number().positive().max(999.999999))
    .max(100)
    .default([])
    .describe('Rising shares of the cap of a calendar window that are told of.'),
  unpriced: z
    .union([z.literal('refuse'), z.strictObject({ ceiling })])
    .default('refuse')
    .describe('What becomes of a call that could use something without a price.'),
  burnRate: z
    .strictObject({ spentMin: capAmount.optional() })
    .optional()
    .describe('A budget of a calendar window that ends is watched for how fast it is spent.'),
})
