import { z } from 'zod'
import { limitSchema } from '../gateway/api/limit-schema.ts'
import { configSchema } from '../gateway/config.ts'
import { billAnswer } from '../gateway/reporting/bill-answer.ts'
import { receiptAnswer } from '../gateway/reporting/receipt-answer.ts'
import { serviceLevelsAnswer } from '../gateway/reporting/service-levels-answer.ts'
import { spendAnswer } from '../gateway/reporting/spend-answer.ts'
import { allocationSchemas } from './allocation-schemas.ts'
import { bookSchemas } from './book-schemas.ts'
import { conversationSchemas } from './conversation-schemas.ts'
import { focusSchemas } from './focus-schemas.ts'
import { importSchemas } from './import-schemas.ts'
import { operationSchemas } from './operation-schemas.ts'
import { policySchema } from './policy.ts'
import { quoteSchemas } from './quote-schemas.ts'
import { reconcileSchemas } from './reconcile-schemas.ts'
import { rerateSchemas } from './rerate-schemas.ts'
import { count, currency, instant, maybeName, money, name, share } from './schema-terms.ts'

const meter = name.describe('A meter, as the glossary lists them.')
const quantity = z
  .union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?(\/\d+)?$/)])
  .describe('How much: a number, or a decimal or fraction as a string where a number would lose digits.')
const given = z
  .union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?$/)])
  .describe('How much: a number, or a decimal in quotes where a number would lose digits.')
const usage = z.record(meter, given).describe('How much of each meter. Meters are disjoint.')

const unpriced = z.object({
  meter,
  quantity,
  code: z.enum(['no_price', 'unknown_model']),
  message: z.string(),
})

const calledAt = {
  provider: name,
  model: name.nullable().optional().describe('Null for what a provider charges whatever the model.'),
  at: instant,
  attributes: z
    .record(name, name)
    .optional()
    .describe('What selects a price: tier, size, quality, cache_ttl ...'),
  currency: currency.optional(),
  earlier: usage.optional().describe('What the account used before of each meter, for free allowances.'),
  days: given.optional().describe('How many days a stored quantity covers.'),
  pricesFrom: name.optional().describe('The provider whose prices hold where this one has none.'),
}

const priceItem = z
  .union([
    z.object({ ...calledAt, usage }),
    z.object({
      ...calledAt,
      endpoint: name.describe('The wire of the call: chat-completions, messages ...'),
      request: z.unknown().optional().describe('What was asked, where the reply does not name the model.'),
      response: z
        .union([z.record(z.string(), z.unknown()), z.string()])
        .describe('What came back: the JSON object, or the text of the stream.'),
    }),
  ])
  .describe('A recorded use of an AI API, as `octroi price` reads it: one object, an array, or one a line.')

const listPrice = z.object({ unitPrice: money, per: count, price: name })

const charge = z.object({
  meter,
  quantity,
  measured: quantity.optional().describe('What was measured, where another quantity is billed.'),
  unitPrice: z.string().regex(/^\d+(\.\d+)?$/),
  per: count,
  multipliers: z.array(z.object({ name, factor: name, price: name })).optional(),
  amount: money,
  price: name.describe('The id of the price row.'),
  source: name,
  list: listPrice.optional().describe('The list price, where a promotion lies over it.'),
  broughtBy: meter.optional(),
  borrowedFrom: name.optional(),
  overlay: z.literal(true).optional(),
  assumed: name.optional(),
})

const priceCost = z
  .object({
    total: money.nullable().describe('Null as soon as anything has no price.'),
    pricedTotal: money,
    exact: name.optional().describe('The unrounded sum, where rounding changed it.'),
    listTotal: money.optional(),
    currency,
    charges: z.array(charge),
    unpriced: z.array(unpriced),
    estimated: z.boolean(),
  })
  .describe('What `octroi price --json` prints for an item.')

const tokens = (most: number) => z.int().min(0).max(most)

const toolRound = {
  call: tokens(1_000_000),
  result: z.union([tokens(1_000_000), z.literal('file_search')]),
}
const runBudget = { promptTokens: tokens(1_000_000), completionTokens: tokens(1_000_000) }

const planRequest = z
  .strictObject({
    provider: name.max(200).default('openai'),
    model: name.max(200),
    at: instant.nullable().optional().describe('The day whose prices hold: today unless said.'),
    system: tokens(10_000_000).nullable().default(0),
    user: tokens(10_000_000),
    assistant: tokens(10_000_000),
    turns: z.int().min(1).max(10_000),
    priming: tokens(1_000_000).nullable().default(0),
    keepTurns: tokens(10_000).nullable().optional(),
    capTokens: tokens(10_000_000).nullable().optional(),
    cache: z.enum(['none', 'auto', '5m', '1h']).nullable().default('none'),
    imagesPerTurn: z
      .looseObject({ tokens: tokens(1_000_000) })
      .nullable()
      .optional(),
    toolRounds: z
      .union([
        z.array(z.looseObject(toolRound)).max(100),
        z.looseObject({ ...toolRound, rounds: tokens(100) }),
      ])
      .nullable()
      .optional()
      .describe('The calls of tools in every turn: each of them, or one kind and how often.'),
    minutesBetween: tokens(1_000_000).nullable().default(0),
    codeInterpreter: z.boolean().nullable().default(false),
    retrievalGigabytes: z
      .union([z.number().min(0), z.string().regex(/^\d{1,9}(\.\d{1,12})?$/)])
      .nullable()
      .optional(),
    assistants: tokens(10_000).nullable().default(1),
    days: tokens(10_000).nullable().default(30),
    conversationsPerMonth: tokens(1_000_000_000).nullable().optional(),
    runBudget: z.looseObject(runBudget).nullable().optional(),
  })
  .describe('A conversation, as `octroi plan` reads it: one object, an array, or one a line.')

const planSums = { input: count, history: count, output: count }

const plan = z
  .object({
    schema: z.literal('octroi-plan/1'),
    request: z.object({
      provider: name,
      model: name,
      at: instant,
      ...{ system: count, user: count, assistant: count, turns: count, priming: count },
      keepTurns: count.nullable(),
      capTokens: count.nullable(),
      cache: z.enum(['none', 'auto', '5m', '1h']),
      imagesPerTurn: z.object({ tokens: count }).nullable(),
      toolRounds: z.array(z.object({ call: count, result: count })),
      ...{ minutesBetween: count, codeInterpreter: z.boolean() },
      retrievalGigabytes: z.string().nullable(),
      ...{ assistants: count, days: count, conversationsPerMonth: count.nullable() },
      runBudget: z.object(runBudget).nullable(),
    }),
    currency,
    total: money.nullable().describe('Of one conversation: its tokens and its code interpreter.'),
    totalIfHistoryFree: money.nullable(),
    ...planSums,
    cached: count.describe('Input tokens read from a cache.'),
    written: count.describe('Input tokens written to a cache.'),
    cacheRule: maybeName,
    tokensCost: money.nullable(),
    historyCost: money.nullable(),
    historyShareOfInput: share,
    historyShareOfCost: share,
    turns: z.array(z.object({ turn: count, ...planSums, cost: money.nullable() })),
    choices: z.array(
      z.object({
        keepTurns: count.nullable(),
        capTokens: count.nullable(),
        ...planSums,
        total: money.nullable(),
        saved: money.nullable(),
      }),
    ),
    codeInterpreter: z.object({ sessions: count, total: money.nullable() }).nullable(),
    storage: z.object({ gigabytes: name, gigabyteDays: name, total: money.nullable() }).nullable(),
    month: z
      .object({
        conversations: count,
        conversationsTotal: money.nullable(),
        storageTotal: money.nullable(),
        total: money.nullable(),
      })
      .nullable(),
    levers: z
      .array(
        z.object({
          lever: z.enum(['cap', 'cache', 'model', 'batch']),
          to: name,
          total: money,
          saved: money,
        }),
      )
      .describe('What would make the tokens cheaper, each alone, what saves most first.'),
    unpriced: z.array(unpriced),
    notes: z.array(z.string()),
  })
  .describe('What `octroi plan --json` prints for a plan.')

const failure = z
  .object({ error: z.object({ code: name, message: z.string() }) })
  .describe(
    'What stands in the place of an answer, where a line of JSON Lines is bad. docs/errors.md has the codes.',
  )

const config = configSchema
  .extend({ limits: z.array(limitSchema).max(1_000).default([]) })
  .describe('The configuration file of `octroi serve`.')

const policy = policySchema
  .extend({ limits: z.array(limitSchema).max(1_000).optional() })
  .describe('The policy file of `octroi apply`: all of what it names, and nothing of what it leaves out.')

/** What the command line reads and prints, by the name of its file in `schemas/`. A version counts up when what
 * is written today would no longer be read; a new field alone does not change it. */
export const schemas = {
  ...allocationSchemas,
  ...bookSchemas,
  ...conversationSchemas,
  ...operationSchemas,
  ...quoteSchemas,
  ...focusSchemas,
  ...importSchemas,
  ...reconcileSchemas,
  ...rerateSchemas,
  'config-1': config,
  'error-1': failure,
  'plan-1': plan,
  'plan-request-1': planRequest,
  'policy-1': policy,
  'price-cost-1': priceCost,
  'price-item-1': priceItem,
  'report-bill-1': billAnswer,
  'report-receipt-1': receiptAnswer,
  'report-service-levels-1': serviceLevelsAnswer,
  'report-spend-1': spendAnswer,
} as const
