import type { Picos } from '../money/money.ts'
import type { ModelFacts } from '../pricing/model-facts.ts'
import type { Unpriced } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { CacheRule } from './caching.ts'
import { type Lever, leversOf } from './levers.ts'
import { choicesOf, type PlanChoice } from './plan-choices.ts'
import { type PlanTotal, type PricedTurn, pricerOf, sumOf, totalOf } from './plan-cost.ts'
import type { PlanRequest } from './plan-request.ts'
import { type PlanStanding, standingOf } from './plan-standing.ts'

/** What a month of conversations costs: so many of them, and the files that are kept for them. Null amounts where
 * something has no price. */
export type PlannedMonth = {
  readonly conversations: number
  readonly conversationsCost: Picos | null
  readonly storageCost: Picos | null
  readonly cost: Picos | null
}

/** A conversation, turn by turn and in total, and the same one under other caps, dearest first. `cost` is that of
 * one conversation: its turns and its code interpreter. `month` is null where none was asked for. */
export type Plan = {
  readonly request: PlanRequest
  readonly currency: string
  readonly turns: readonly PricedTurn[]
  readonly total: PlanTotal
  readonly cacheRule: CacheRule | null
  readonly standing: PlanStanding
  readonly cost: Picos | null
  readonly month: PlannedMonth | null
  readonly unpriced: readonly Unpriced[]
  readonly choices: readonly PlanChoice[]
  readonly levers: readonly Lever[]
}

/** Plans a conversation whose history is sent again at every turn: a thread of an assistant, a chain of
 * responses, a chat. Every call is priced as one, so its cost is what the ledger would post. `facts` lets it
 * propose another model. */
export const plan = (request: PlanRequest, book: PriceBook, facts: ModelFacts | null = null): Plan => {
  const pricer = pricerOf(request, book)
  const turns = pricer.turns(request)
  const total = totalOf(turns)
  const standing = standingOf(request, book)
  const cost = sumOf([total.cost, standing.interpreter === null ? 0n : standing.interpreter.cost.total])
  const gaps = [standing.interpreter, standing.storage].flatMap((part) => part?.cost.unpriced ?? [])
  return {
    request,
    currency: pricer.currency(),
    turns,
    total,
    cacheRule: pricer.rule(request),
    standing,
    cost,
    month: monthOf(request, standing, cost),
    unpriced: [...pricer.unpriced(), ...gaps],
    choices: choicesOf(request, total, pricer),
    levers: leversOf(request, turns, book, facts),
  }
}

const monthOf = (
  { conversationsPerMonth }: PlanRequest,
  { storage }: PlanStanding,
  cost: Picos | null,
): PlannedMonth | null => {
  if (conversationsPerMonth === null && storage === null) return null
  const conversations = conversationsPerMonth ?? 1
  const conversationsCost = cost === null ? null : cost * BigInt(conversations)
  const storageCost = storage === null ? 0n : storage.cost.total
  return {
    conversations,
    conversationsCost,
    storageCost,
    cost: sumOf([conversationsCost, storageCost]),
  }
}
