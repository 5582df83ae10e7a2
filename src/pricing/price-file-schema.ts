import { z } from 'zod'

/** The form of a price file: what `prices/schema.json` is written from, and what `octroi book check` holds a file to.
 * Whether the values mean something (a meter, an attribute, a period) is known to the reader of the book alone. */

const text = z.string().min(1)

const day = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/,
    'write a day such as 2023-11-15, or an instant such as 2023-11-15T12:00:00Z',
  )
  .describe('A day, which means midnight UTC, or an instant (RFC 3339).')

const decimal = z
  .string('write the figure as a string, so that no digit is lost')
  .regex(/^\d{1,40}(\.\d{1,40})?$/, 'write a plain decimal such as "12.50"')

const resolved = z
  .looseObject({
    models: z.array(text).optional(),
    windowsOtherThan: z.array(text).optional(),
    calendar: text.optional(),
    aliases: z.array(z.strictObject({ name: text, from: day.optional(), to: day.optional() })).optional(),
    free: z.array(text).optional(),
  })
  .describe('What sentences of the row mean, spelled out. The sentences stay beside it.')

/** One price, as a row of a file. */
export const priceRowSchema = z
  .strictObject({
    provider: text.describe('The vendor; the same as that of the file.'),
    model: text.nullable().describe('Null for what the provider charges whatever the model.'),
    aliases: z.array(text).optional().describe('Other names of the model while this row is in force.'),
    service: text.describe('What kind of service it is: chat, image, storage ...'),
    meter: z
      .string()
      .regex(/^[a-z0-9_]+$/)
      .describe('What is billed: a meter of docs/glossary.md, or the name of a multiplier.'),
    attributes: z
      .record(z.string(), z.unknown())
      .describe('What else the price depends on, and how its quantity is billed: see prices/README.md.'),
    kind: z.literal('multiplier').optional().describe('The row is a factor on other prices, not a price.'),
    unitPrice: decimal.describe("The vendor's figure, as a decimal string."),
    per: z.int().min(1).describe('For so many units.'),
    currency: z.string().regex(/^[A-Z]{3}$/, 'write an ISO 4217 code such as USD'),
    effectiveFrom: day.describe('The first instant at which the price holds.'),
    fromPrecision: z
      .enum(['exact', 'inferred', 'observed'])
      .describe('inferred, observed: the price is known, its first day is not.'),
    effectiveTo: day
      .nullable()
      .describe('The first instant at which it holds no more; null: no end is known.'),
    endReason: text.optional(),
    scheduledEnd: day.optional().describe('An announced end that has not happened; it changes no price.'),
    knownSince: day.optional().describe('The day from which this was what one knew.'),
    supersededOn: day.optional().describe('The day from which one knew better.'),
    confidence: z.enum(['high', 'medium', 'low']),
    source: text.describe('Where it was read, and when.'),
    agreesWith: z.array(text).optional(),
    conflictsWith: z.array(text).optional(),
    note: text.optional(),
    resolved: resolved.optional(),
  })
  .describe('One price.')

const discount = z
  .strictObject({
    percent: decimal.describe('Off the list price: above 0 and at most 100.'),
    models: z.array(text).min(1).optional().describe('Names of the book, or prefixes that end in *.'),
    meters: z.array(text).min(1).optional(),
    effectiveFrom: day,
    effectiveTo: day.nullable(),
    source: text,
    note: text.optional(),
  })
  .describe('A discount agreed with the vendor, off the list prices of its models and meters.')

const calendar = z
  .looseObject({ source: text, days: z.array(z.iso.date()), through: z.iso.date() })
  .describe('The days that rows of this file count as holidays.')

/** A price file. */
export const priceFileSchema = z
  .strictObject({
    schema: z.literal('octroi-prices/1'),
    provider: text,
    overlay: z
      .union([z.boolean(), z.literal('contract')])
      .optional()
      .describe('true: fills gaps of the book. contract: agreed with the vendor, goes before list prices.'),
    calendars: z.record(z.string(), calendar).optional(),
    prices: z.array(priceRowSchema),
    discounts: z.array(discount).optional(),
  })
  .describe('The prices of one provider, or an overlay of them.')
