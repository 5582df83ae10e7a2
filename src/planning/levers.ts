import type { Picos } from '../money/money.ts'
import { findModel, type ModelFacts } from '../pricing/model-facts.ts'
import { price } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { cacheRuleOf } from './caching.ts'
import { turnsWorthKeeping } from './plan-choices.ts'
import { type PlanTotal, type PricedTurn, pricerOf, totalOf } from './plan-cost.ts'
import type { PlanRequest } from './plan-request.ts'

/** One thing that would make a plan cheaper, alone. `to`: the turns kept, the kind of cache, the model, the tier.
 * `saved`: of the cost of the plan as it was asked for. */
export type Lever = {
  readonly lever: 'cap' | 'cache' | 'model' | 'batch'
  readonly to: string
  readonly cost: Picos
  readonly saved: Picos
}

/** The levers that save money, those that save most first: fewer turns kept, a cache, the cheapest model of the
 * same provider whose window holds the plan, and the batch tier. Without facts of models no model is proposed. */
export const leversOf = (
  request: PlanRequest,
  turns: readonly PricedTurn[],
  book: PriceBook,
  facts: ModelFacts | null,
): readonly Lever[] => {
  const asked = totalOf(turns)
  const { cost: before } = asked
  if (before === null) return []
  const levers: Lever[] = []
  const offer = (lever: Lever['lever'], to: string, plan: PlanRequest, tier?: string): void => {
    const { cost } = totalOf(pricerOf(plan, book, tier).turns(plan))
    if (cost !== null && cost < before) levers.push({ lever, to, cost, saved: before - cost })
  }
  const keepTurns = fewerTurns(request)
  if (keepTurns !== null) offer('cap', String(keepTurns), { ...request, keepTurns })
  if (request.cache === 'none' && cacheRuleOf({ ...request, lifetime: null }) !== null) {
    offer('cache', 'auto', { ...request, cache: 'auto' })
  }
  const model =
    facts === null ? null : cheapestModel(request, { ...asked, longest: longestOf(turns) }, book, facts)
  if (model !== null) offer('model', model, { ...request, model })
  offer('batch', 'batch', request, 'batch')
  return levers.sort((a, b) => (b.saved === a.saved ? 0 : b.saved > a.saved ? 1 : -1))
}

/** The most turns worth keeping that are at most a quarter of those there are. */
const fewerTurns = ({ turns, keepTurns }: PlanRequest): number | null =>
  turnsWorthKeeping.find((kept) => kept * 4 <= turns && kept < (keepTurns ?? turns)) ?? null

const longestOf = (turns: readonly PricedTurn[]): number =>
  turns.reduce((longest, { calls }) => calls.reduce((most, { input }) => Math.max(most, input), longest), 0)

/** The cheapest of the models that the provider served then, judged by the sums of the plan. */
const cheapestModel = (
  { provider, model, at, assistant }: PlanRequest,
  { input, output, longest }: PlanTotal & { readonly longest: number },
  book: PriceBook,
  facts: ModelFacts,
): string | null => {
  const names = new Set(
    book.prices
      .filter(
        (row) => row.provider === provider && row.service === 'chat' && row.meter === 'input_text_tokens',
      )
      .flatMap((row) => (row.model === null || row.model.startsWith('ft:') ? [] : [row.model])),
  )
  const served = [...names].filter((name) => {
    const fact = findModel(facts, { provider, model: name, at })
    if (fact === null || fact.release === null || fact.release.value > at) return false
    const isOver = fact.shutdown !== null && !fact.shutdown.earliest && fact.shutdown.value <= at
    const answers = fact.outputTokensMax === null || assistant <= fact.outputTokensMax
    const holds = fact.contextWindow !== null && longest + assistant <= fact.contextWindow
    return !isOver && answers && holds && name !== model
  })
  let cheapest: { readonly name: string; readonly total: Picos } | null = null
  for (const name of served) {
    const call = { provider, model: name, at, contextTokens: 0 }
    const { total } = price({ input_text_tokens: input, output_text_tokens: output }, call, book)
    if (total !== null && (cheapest === null || total < cheapest.total)) cheapest = { name, total }
  }
  return cheapest?.name ?? null
}
