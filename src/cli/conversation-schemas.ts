import { z } from 'zod'
import { bigCount, count, currency, instant, maybeName, money, name, share } from './schema-terms.ts'

const meters = z
  .array(
    z.object({
      meter: name.describe('A meter, as the glossary lists them.'),
      quantity: z
        .string()
        .regex(/^\d+(\.\d+)?(\/\d+)?$/)
        .describe('How much, as a decimal or a fraction.'),
      amount: money,
      priced: z.boolean().describe('False where some of it has no price: the amount leaves that out.'),
    }),
  )
  .describe('What is counted in no tokens: sessions, stored gigabytes, calls of tools ...')

const cap = {
  keepTurns: count.nullable().describe('The last turns kept, or null where a prompt has a most of tokens.'),
  capTokens: count.nullable(),
  turns: count.describe('The turns that would have been shorter.'),
  tokens: bigCount.describe('Input tokens that would have been left out.'),
  saved: money,
}

const line = z.object({
  turn: count.nullable().describe('From 1 on; null for what accrued without a call.'),
  id: name,
  at: instant,
  model: maybeName,
  basis: z.enum(['measured', 'estimated', 'imported', 'reconciled']),
  inputTokens: bigCount,
  resent: z
    .object({ tokens: count, amount: money, exact: z.boolean() })
    .nullable()
    .describe('Of the input, history sent again; null where there was none, or nobody knows.'),
  leftOut: z
    .object({ cap: name, tokens: count, amount: money })
    .nullable()
    .describe('What a history cap of the gateway left out, and so saved.'),
  outputTokens: bigCount,
  meters,
  amount: money,
  cumulative: money,
  unpricedMeters: z.array(name),
  note: maybeName,
})

const reportConversations = z
  .object({
    schema: z.literal('octroi-report-conversations/1'),
    from: instant.nullable(),
    to: instant.nullable(),
    count: count.describe('How many there are; the dearest are listed.'),
    conversations: z.array(
      z.object({
        organization: maybeName,
        team: maybeName,
        conversation: maybeName,
        currency,
        models: z.array(name),
        endUsers: z.array(name).max(20).describe('The first of them, as pseudonyms.'),
        holders: z
          .array(name)
          .max(20)
          .describe('Assistants, by their tag, and whatever else something was kept for.'),
        first: instant,
        last: instant,
        calls: count,
        estimated: count,
        unpriced: count,
        inputTokens: bigCount,
        outputTokens: bigCount,
        amount: money,
        list: money.describe('The amount without promotions and discounts.'),
        meters,
        accrued: z
          .object({ sessions: count, amount: money, list: money, unpriced: count })
          .describe('Of the amount, what it came to without a call; `list` is without promotions.'),
        resent: z.object({
          tokens: bigCount,
          amount: money,
          shareOfInput: share,
          shareOfAmount: share,
          exact: z.boolean(),
        }),
        leftOut: z
          .object({ calls: count, tokens: bigCount, amount: money })
          .describe('What history caps of the gateway left out, and so saved.'),
        caps: z
          .array(z.object(cap))
          .describe('What caps on the history would have saved, had the answers been the same.'),
        turns: z.array(line).optional().describe('Where one conversation was asked for.'),
      }),
    ),
    caps: z.array(z.object({ currency, ...cap })).describe('The same for all conversations listed together.'),
  })
  .describe('What `octroi report conversations --json` prints.')

/** What the report of conversations prints, by the name of its file in `schemas/`. */
export const conversationSchemas = { 'report-conversations-1': reportConversations } as const
