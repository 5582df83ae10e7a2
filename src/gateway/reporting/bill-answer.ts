import { z } from 'zod'
import { count, currency, maybeName, money, name, utcInstant } from '../api/terms.ts'
import { receiptQueryAnswer, spendAnswer, whereAnswer } from './spend-answer.ts'

const period = { from: utcInstant, to: utcInstant }

/** A bill, as command and control plane write it. */
export const billAnswer = z
  .object({
    schema: z.literal('octroi-report-bill/1'),
    ...period,
    timeZone: name,
    before: z.object(period).describe('The period that is compared with.'),
    madeAt: utcInstant,
    state: z
      .enum(['running', 'ended', 'closed'])
      .describe('closed: all of the period is closed, for every provider of the bill.'),
    closed: z.array(z.object({ provider: maybeName, ...period, closedAt: utcInstant, note: maybeName })),
    knownUntil: utcInstant.nullable().describe('When the last hour ends in which something was spent.'),
    by: name,
    where: whereAnswer,
    total: spendAnswer,
    groups: spendAnswer,
    models: spendAnswer,
    meters: spendAnswer,
    meanPrices: z
      .array(
        z.object({
          ...{ provider: maybeName, model: maybeName, meter: maybeName, currency },
          price: money.nullable().describe('Null where something had no price, or nothing was used.'),
          per: count.nullable(),
          unit: maybeName,
        }),
      )
      .describe('What each group of `meters` cost on average, in the same order.'),
    keys: spendAnswer,
    projects: spendAnswer,
    every: z.enum(['day', 'month']),
    stretches: z
      .array(
        z.object({
          ...{ name, ...period, currency, calls: count, amount: money },
          parts: z.array(z.object({ name: maybeName, amount: money })).describe('In the order of `groups`.'),
          rest: money,
          receipt: receiptQueryAnswer,
        }),
      )
      .describe('Every day of the period, or every month where it has more than 93 days.'),
  })
  .describe('What `octroi report bill --json` prints.')
