import { z } from 'zod'
import { count, name } from './schema-terms.ts'

const money = z
  .string()
  .regex(/^\d+(\.\d{1,12})?$/)
  .describe('An amount of money as a decimal string, at most 12 decimals.')
const sureness = z
  .enum(['exact', 'formula', 'bound', 'calibrated', 'unknown'])
  .describe('How sure the count is: see docs/guides/quote.md.')

const quote = z
  .object({
    schema: z.literal('octroi-quote/1'),
    provider: name,
    endpoint: name,
    model: name,
    at: name.describe('An RFC 3339 instant in UTC.'),
    currency: z.string().regex(/^[A-Z]{3}$/),
    least: money.nullable(),
    expected: money.nullable().describe('Null unless an output was expected.'),
    most: money.nullable().describe('Null where something has no price or no bound: `reasons` says why.'),
    pricedMost: money.describe('The most of what has a price and a bound.'),
    usage: z
      .array(
        z.object({ meters: z.array(name), least: z.number().min(0), most: z.number().min(0).nullable() }),
      )
      .describe('How much can be used; each falls under one of its meters.'),
    prompt: z
      .object({
        ...{ tokens: count, class: sureness, rule: name },
        ...{ low: count, high: count.nullable(), history: count },
      })
      .nullable()
      .describe('The count of the prompt; null where no rule is known.'),
    reasons: z.array(z.string()).describe('What made the difference between the least and the most.'),
    unpriced: z.array(
      z.object({
        meter: name,
        quantity: z.union([z.number().min(0), z.string()]),
        code: z.enum(['no_price', 'unknown_model']),
        message: z.string(),
      }),
    ),
  })
  .describe('What `octroi quote --json` prints for a request.')

const tokens = z
  .object({
    schema: z.literal('octroi-tokens/1'),
    tokens: count.nullable(),
    class: sureness,
    rule: name,
    low: count,
    high: count.nullable(),
  })
  .describe('What `octroi tokens --json` prints.')

/** The schemas of what quotes and counts print, by the name of their file. */
export const quoteSchemas = { 'quote-1': quote, 'tokens-1': tokens } as const
