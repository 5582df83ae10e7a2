import { formatPicos, type Picos } from '../money/money.ts'
import { formatScaled, type Rational, roundHalfEven } from '../money/rational.ts'
import type { Plan } from '../planning/conversation.ts'
import type { PlanChoice } from '../planning/plan-choices.ts'
import type { PricedTurn } from '../planning/plan-cost.ts'
import type { PlanRequest } from '../planning/plan-request.ts'
import { formatInstant } from '../time.ts'
import { costLines, leverColumns, leverRow, standingJson } from './plan-levers.ts'
import { drawTurns } from './plan-plot.ts'
import { shortened } from './shortened.ts'
import { formatTable } from './table.ts'

/** A plan and what there is to note of it. */
export type NotedPlan = { readonly plan: Plan; readonly notes: readonly string[] }

/** Lays a plan out for people: its turns, what history costs, what caps would save. */
export const formatPlanTable = (
  { plan, notes }: NotedPlan,
  { plot, ...options }: { readonly color: boolean; readonly plot: boolean },
): string => {
  const { request, total, currency, unpriced } = plan
  const last = ['total', total.input, total.history, total.output, amount(total.cost)].map(String)
  return [
    `${titleOf(request)}\n`,
    formatTable(turnColumns(currency), shortened(plan.turns.map(turnRow)), { ...options, totals: [last] }),
    historyLine(plan),
    plot
      ? drawTurns(plan.turns, { currency })
          .map((line) => `${line}\n`)
          .join('')
      : '',
    ...costLines(plan),
    formatTable(choiceColumns(currency), plan.choices.map(choiceRow(request)), options),
    plan.levers.length === 0
      ? ''
      : formatTable(leverColumns(currency), plan.levers.map(leverRow(plan.total)), options),
    [...new Set([...notes, ...unpriced.map(({ message }) => message)])].map((line) => `${line}\n`).join(''),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** A plan as `octroi plan --json` prints it: tokens as integers, money and shares as decimal strings. */
export const formatPlanJson = ({ plan, notes }: NotedPlan): Readonly<Record<string, unknown>> => {
  const { request, total, turns, choices, currency, unpriced } = plan
  return {
    schema: 'octroi-plan/1',
    request: { ...request, at: formatInstant(request.at) },
    currency,
    total: money(plan.cost),
    totalIfHistoryFree: money(
      plan.cost === null || total.historyCost === null ? null : plan.cost - total.historyCost,
    ),
    input: total.input,
    history: total.history,
    output: total.output,
    cached: total.cached,
    written: total.written,
    cacheRule: plan.cacheRule?.rule ?? null,
    tokensCost: money(total.cost),
    historyCost: money(total.historyCost),
    historyShareOfInput: share(total.historyShareOfInput),
    historyShareOfCost: total.historyShareOfCost === null ? null : share(total.historyShareOfCost),
    turns: turns.map(({ turn, input, history, output, cost }) => ({
      turn,
      input,
      history,
      output,
      cost: money(cost),
    })),
    choices: choices.map(({ keepTurns, capTokens, total: sums, saved }) => ({
      keepTurns,
      capTokens,
      input: sums.input,
      history: sums.history,
      output: sums.output,
      total: money(sums.cost),
      saved: money(saved),
    })),
    ...standingJson(plan),
    levers: plan.levers.map(({ lever, to, cost, saved }) => ({
      lever,
      to,
      total: money(cost),
      saved: money(saved),
    })),
    unpriced,
    notes,
  }
}

const turnColumns = (currency: string) =>
  [
    { title: 'turn', align: 'right' },
    { title: 'input', align: 'right' },
    { title: 'of which history', align: 'right' },
    { title: 'output', align: 'right' },
    { title: `cost ${currency}`, align: 'right' },
  ] as const

const choiceColumns = (currency: string) =>
  [
    { title: 'the same with' },
    { title: 'input', align: 'right' },
    { title: `cost ${currency}`, align: 'right' },
    { title: 'saved', align: 'right' },
    { title: '', align: 'right' },
  ] as const

const titleOf = (request: PlanRequest): string => {
  const { provider, model, turns, at, keepTurns, capTokens } = request
  const caps = keepTurns === null && capTokens === null ? '' : `, ${capsOf(request)}`
  return `${turns} turns with ${model} (${provider}), priced on ${formatInstant(at).slice(0, 10)}${caps}`
}

/** Caps in words: `the last 5 turns kept`; `no cap`. */
export const capsOf = ({ keepTurns, capTokens }: Pick<PlanRequest, 'keepTurns' | 'capTokens'>): string => {
  const caps = [
    ...(keepTurns === null ? [] : [keptOf(keepTurns)]),
    ...(capTokens === null ? [] : [`prompts of at most ${capTokens} tokens`]),
  ]
  return caps.join(', ') || 'no cap'
}

const keptOf = (turns: number): string => {
  if (turns === 0) return 'no history kept'
  return turns === 1 ? 'the last turn kept' : `the last ${turns} turns kept`
}

const turnRow = ({ turn, input, history, output, cost }: PricedTurn): string[] =>
  [turn, input, history, output, amount(cost)].map(String)

const historyLine = ({ total, currency }: Plan): string => {
  const tokens = `History sent again is ${percent(total.historyShareOfInput)} of the input`
  const { historyShareOfCost, historyCost, costWithoutHistory } = total
  if (historyShareOfCost === null) return `${tokens}.\n`
  return `${tokens} and ${percent(historyShareOfCost)} of the cost: ${amount(historyCost)} ${currency}. If history were free: ${amount(costWithoutHistory)} ${currency}.\n`
}

const choiceRow =
  (request: PlanRequest) =>
  ({ keepTurns, capTokens, total, saved }: PlanChoice): string[] => {
    const isThis = keepTurns === request.keepTurns && capTokens === request.capTokens
    const part =
      saved === null || total.cost === null || saved + total.cost === 0n
        ? ''
        : percent({ numerator: saved, denominator: saved + total.cost })
    return [
      `${capsOf({ keepTurns, capTokens })}${isThis ? ' (this plan)' : ''}`,
      String(total.input),
      amount(total.cost),
      amount(saved),
      part,
    ]
  }

const amount = (picos: Picos | null): string => (picos === null ? '?' : formatPicos(picos))

const money = (picos: Picos | null): string | null => (picos === null ? null : formatPicos(picos))

const share = (value: Rational): string => formatScaled(roundHalfEven(value, 6), 6)

const percent = (value: Rational): string => `${formatScaled(roundHalfEven(value, 3), 1)} %`
