import { formatPicos, type Picos } from '../money/money.ts'
import { formatScaled, rational, roundHalfEven } from '../money/rational.ts'
import type { Plan } from '../planning/conversation.ts'
import type { Lever } from '../planning/levers.ts'
import type { PlanTotal } from '../planning/plan-cost.ts'

/** What a plan costs beside its tokens, and a month of it, a line each. */
export const costLines = ({ standing, total, cost, month, request, currency }: Plan): readonly string[] => {
  const lines: string[] = []
  if (total.cached > 0 || total.written > 0) {
    lines.push(
      `Of the input ${total.cached} tokens are read from the cache and ${total.written} written to it.\n`,
    )
  }
  const { interpreter, storage } = standing
  if (interpreter !== null) {
    lines.push(
      `The code interpreter: ${plural(interpreter.sessions, 'session')}, ${amount(interpreter.cost.total)} ${currency}. The conversation: ${amount(cost)} ${currency}.\n`,
    )
  }
  if (storage !== null) {
    lines.push(
      `Files: ${request.retrievalGigabytes} GB for ${plural(request.days, 'day')}, ${storage.gigabyteDays} gigabyte-days, ${amount(storage.cost.total)} ${currency}.\n`,
    )
  }
  if (month !== null) {
    lines.push(
      `${plural(month.conversations, 'conversation')}${storage === null ? '' : ' and the files'}: ${amount(month.cost)} ${currency}.\n`,
    )
  }
  return lines.length === 0 ? [] : [lines.join('')]
}

/** The same for machines. */
export const standingJson = ({ standing, month, request }: Plan): Readonly<Record<string, unknown>> => ({
  codeInterpreter:
    standing.interpreter === null
      ? null
      : { sessions: standing.interpreter.sessions, total: money(standing.interpreter.cost.total) },
  storage:
    standing.storage === null
      ? null
      : {
          gigabytes: request.retrievalGigabytes,
          gigabyteDays: standing.storage.gigabyteDays,
          total: money(standing.storage.cost.total),
        },
  month:
    month === null
      ? null
      : {
          conversations: month.conversations,
          conversationsTotal: money(month.conversationsCost),
          storageTotal: money(month.storageCost),
          total: money(month.cost),
        },
})

export const leverColumns = (currency: string) =>
  [
    { title: 'what would save most' },
    { title: `cost ${currency}`, align: 'right' },
    { title: 'saved', align: 'right' },
    { title: '', align: 'right' },
  ] as const

/** A lever as a row, its saving as a part of what the tokens cost. */
export const leverRow =
  ({ cost: before }: PlanTotal) =>
  ({ lever, to, cost, saved }: Lever): string[] => [
    leverNames[lever](to),
    formatPicos(cost),
    formatPicos(saved),
    before === null || before === 0n ? '' : `${formatScaled(roundHalfEven(rational(saved, before), 3), 1)} %`,
  ]

const leverNames: Readonly<Record<Lever['lever'], (to: string) => string>> = {
  cap: (to) => (to === '1' ? 'keep the last turn' : `keep the last ${to} turns`),
  cache: () => 'cache the prompts',
  model: (to) => `ask ${to}`,
  batch: () => 'send in batches',
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const amount = (picos: Picos | null): string => (picos === null ? '?' : formatPicos(picos))

const money = (picos: Picos | null): string | null => (picos === null ? null : formatPicos(picos))
