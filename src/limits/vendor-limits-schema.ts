import { z } from 'zod'
import { tierNames } from './vendor-tier.ts'

/** The form of a file of `prices/limits/`: what `prices/limits/schema.json` is written from, and what the reader
 * holds a file to. */

const text = z.string().min(1)
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'write a day such as 2023-11-06')
const said = z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'write a year, a month or a day')
const dollars = z.string().regex(/^\d{1,12}(\.\d{1,2})?$/, 'write dollars as a string such as "50"')
const confidence = z.enum(['high', 'medium', 'low'])
const count = z.int().min(0).max(10_000_000_000).optional()

const tier = z.enum(tierNames)

const period = {
  effectiveFrom: day.describe('The first day on which it is known, or taken, to hold.'),
  effectiveTo: day
    .nullable()
    .describe('The first day on which it holds no more, or nobody says that it does.'),
}

const stated = {
  source: text.describe('A name of `sources`.'),
  confidence,
  note: text.optional().describe('Who says something else, and what is not known.'),
}

const limitRow = z
  .strictObject({
    model: text.describe('The model whose name the shared limit goes by.'),
    aliases: z.array(text).min(1).optional().describe('Models that draw on the same limit.'),
    tiers: z.array(tier).min(1),
    requestsPerMinute: count,
    requestsPerDay: count,
    tokensPerMinute: count,
    tokensPerDay: count,
    imagesPerMinute: count,
    ...period,
    ...stated,
  })
  .describe('The limits of a model in some tiers. What is left out is unknown or unlimited.')

const tierRow = z
  .strictObject({
    tier,
    paidUsd: dollars.describe('What the account must have paid, all payments together.'),
    daysSinceFirstPayment: z.int().min(0).max(3650),
    monthlyCapUsd: dollars.describe('What the vendor lets the account spend in a month.'),
    ...period,
    ...stated,
  })
  .describe('What lifts an account into a tier.')

/** A file of limits. */
export const limitsFileSchema = z
  .strictObject({
    schema: z.literal('octroi-limits/1'),
    provider: text,
    sources: z.record(text, z.strictObject({ text, asOf: said })),
    tunedModels: z
      .strictObject({ pattern: text.regex(/^[^{}]*\{base\}[^{}]+$/), source: text, asOf: said, confidence })
      .optional()
      .describe("How the name of a tuned model is made of its base's, on whose limit it draws."),
    tiers: z.array(tierRow),
    limits: z.array(limitRow),
  })
  .describe('The rate limits of one provider.')
