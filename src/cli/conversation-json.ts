import { formatPicos } from '../money/money.ts'
import { format } from '../money/rational.ts'
import type { CapSaving } from '../reports/conversation-caps.ts'
import type { ConversationLine } from '../reports/conversation-turns.ts'
import type { MeterSum } from '../reports/meter-sums.ts'
import { formatInstant } from '../time.ts'
import type { ReadConversation, ReadConversations } from './conversation-readings.ts'
import { periodJson, type ReportPeriod, shareJson } from './reports.ts'

/** The report as `octroi report conversations --json` prints it; `turns` where one conversation was asked for. */
export const conversationsJson = (
  { all, listed, caps }: ReadConversations,
  { period, turns }: { readonly period: ReportPeriod; readonly turns: boolean },
): Readonly<Record<string, unknown>> => ({
  schema: 'octroi-report-conversations/1',
  ...periodJson(period),
  count: all.length,
  conversations: listed.map((read) => conversationJson(read, turns)),
  caps: [...caps].flatMap(([currency, savings]) =>
    savings.map((saving) => ({ currency, ...savingJson(saving) })),
  ),
})

const conversationJson = ({ spend, turns, caps }: ReadConversation, withTurns: boolean) => {
  const { amount, list, accrued, first, last, resent, leftOut, meters, ...rest } = spend
  return {
    ...rest,
    first: formatInstant(first),
    last: formatInstant(last),
    amount: formatPicos(amount),
    list: formatPicos(list),
    meters: meters.map(meterJson),
    accrued: { ...accrued, amount: formatPicos(accrued.amount), list: formatPicos(accrued.list) },
    resent: {
      tokens: resent.tokens,
      amount: formatPicos(resent.amount),
      shareOfInput: shareJson(resent.shareOfInput),
      shareOfAmount: shareJson(resent.shareOfAmount),
      exact: resent.exact,
    },
    leftOut: { ...leftOut, amount: formatPicos(leftOut.amount) },
    caps: caps.map(savingJson),
    ...(withTurns && { turns: (turns?.lines ?? []).map(lineJson) }),
  }
}

const lineJson = ({ at, meters, resent, leftOut, amount, cumulative, ...rest }: ConversationLine) => ({
  ...rest,
  at: formatInstant(at),
  resent: resent === null ? null : { ...resent, amount: formatPicos(resent.amount) },
  leftOut: leftOut === null ? null : { ...leftOut, amount: formatPicos(leftOut.amount) },
  meters: meters.map(meterJson),
  amount: formatPicos(amount),
  cumulative: formatPicos(cumulative),
})

const meterJson = ({ meter, quantity, amount, priced }: MeterSum) => ({
  meter,
  quantity: format(quantity),
  amount: formatPicos(amount),
  priced,
})

const savingJson = ({ keepTurns, capTokens, turns, tokens, saved }: CapSaving) => ({
  keepTurns,
  capTokens,
  turns,
  tokens,
  saved: formatPicos(saved),
})
