import { z } from 'zod'
import { priceRowSchema } from '../pricing/price-file-schema.ts'
import { meterNames } from '../usage/meter.ts'
import { count, utcInstant as instant, name } from './schema-terms.ts'

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const confidence = z.enum(['high', 'medium', 'low'])
const version = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe('The version of the book: a hash of all its rows.')

const price = priceRowSchema
  .extend({
    id: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .describe('A hash of what the price is of and of its start.'),
    overlay: z.literal(true).optional().describe('The price is of an overlay, not of the book itself.'),
  })
  .describe('A price: a row of its file, with its id.')

const list = z
  .object({ schema: z.literal('octroi-book-list/1'), version, at: instant, prices: z.array(price) })
  .describe('What `octroi book list --json` prints: the prices in force at an instant.')

const show = z
  .object({
    schema: z.literal('octroi-book-show/1'),
    version,
    name,
    provider: name,
    models: z.array(name).describe('The models that the name stands for, where those have other names.'),
    at: instant,
    prices: z.array(price),
  })
  .describe('What `octroi book show --json` prints: the card of a model.')

const series = z.object({
  meter: z.enum(meterNames),
  appliesTo: name,
  currency: name,
  prices: z.array(z.object({ from: instant, to: instant.nullable(), price })),
})

const history = z
  .object({
    schema: z.literal('octroi-book-history/1'),
    version,
    name,
    provider: name,
    series: z.array(series),
  })
  .describe('What `octroi book history --json` prints: what a name has cost, and from when to when it did.')

const change = z.object({
  kind: z.enum(['added', 'removed', 'up', 'down']),
  before: price.nullable(),
  after: price.nullable(),
  by: z
    .string()
    .regex(/^-?\d+(\.\d{1,6})?$/)
    .nullable()
    .describe('By how much, as a share of the earlier price; null where there was none, or it was zero.'),
})

const diff = z
  .object({
    schema: z.literal('octroi-book-diff/1'),
    version,
    from: instant,
    to: instant,
    changes: z.array(change),
  })
  .describe('What `octroi book diff --json` prints.')

const problem = z.object({
  file: name,
  row: z.int().min(1).nullable().describe('Its place in the prices of the file, the first is 1.'),
  field: z.string().nullable(),
  what: z.string(),
})

const coverage = z
  .object({
    provider: name,
    ...{ rows: count, models: count, inForce: count, high: count, medium: count, low: count },
    firstDayUnknown: count,
    oldestRead: day.nullable(),
    newestRead: day.nullable(),
    stale: count,
  })
  .describe('What the files have of one provider. From inForce on it is of the prices in force.')

const check = z
  .object({
    schema: z.literal('octroi-book-check/1'),
    at: instant,
    files: z.array(name),
    rows: count,
    problems: z.array(problem),
    coverage: z.array(coverage),
  })
  .describe('What `octroi book check --json` prints.')

const update = z
  .object({
    schema: z.literal('octroi-book-update/1'),
    from: name,
    format: z.enum(['octroi', 'litellm', 'models-dev']),
    out: name,
    leftOut: z.array(z.object({ what: name, why: name, models: z.array(name) })),
    rows: count,
    providers: count,
    models: count,
    newModels: z.array(name).describe('Models, as provider/model, that the book itself does not have.'),
    added: count,
    changed: count,
  })
  .describe('What `octroi book update --json` prints.')

const sunset = z.object({
  provider: name,
  model: name,
  aliases: z.array(name),
  on: instant,
  status: z.enum(['ended', 'announced', 'earliest']),
  announced: instant.nullable(),
  successor: name.nullable().describe('The model that the vendor names.'),
  source: name,
  asOf: day,
  confidence,
  note: z.string().nullable(),
  replacedBy: name.nullable().describe('The successor, or the one after it where that has ended by then.'),
})

const sunsets = z
  .object({ schema: z.literal('octroi-book-sunsets/1'), at: instant, sunsets: z.array(sunset) })
  .describe('What `octroi book sunsets --json` prints, the next end first.')

/** What the commands on the price book print. */
export const bookSchemas = {
  'book-check-1': check,
  'book-diff-1': diff,
  'book-history-1': history,
  'book-list-1': list,
  'book-show-1': show,
  'book-sunsets-1': sunsets,
  'book-update-1': update,
} as const
