import type { Picos } from '../money/money.ts'
import { type Rational, rational } from '../money/rational.ts'
import { type PricedCall, price, type Unpriced } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { PlanRequest } from './plan-request.ts'

/** One turn of a planned conversation, in tokens. `history`: the part of `input` that was sent before. */
export type PlannedTurn = {
  readonly turn: number
  readonly input: number
  readonly history: number
  readonly output: number
}

/** A planned turn with what it costs, and would cost if history were free; null where something has no
 * price. */
export type PricedTurn = PlannedTurn & {
  readonly cost: Picos | null
  readonly costWithoutHistory: Picos | null
}

/** The sums of a plan. `historyCost` is what sending history again adds; the shares are of all input tokens
 * and of the whole cost. */
export type PlanTotal = {
  readonly input: number
  readonly history: number
  readonly output: number
  readonly cost: Picos | null
  readonly costWithoutHistory: Picos | null
  readonly historyCost: Picos | null
  readonly historyShareOfInput: Rational
  readonly historyShareOfCost: Rational | null
}

/** The same conversation under one choice of caps. `saved` is what it saves against no cap at all. */
export type PlanChoice = {
  readonly keepTurns: number | null
  readonly capTokens: number | null
  readonly total: PlanTotal
  readonly saved: Picos | null
}

/** A conversation, turn by turn and in total, and the same one under other caps, dearest first. */
export type Plan = {
  readonly request: PlanRequest
  readonly currency: string
  readonly turns: readonly PricedTurn[]
  readonly total: PlanTotal
  readonly unpriced: readonly Unpriced[]
  readonly choices: readonly PlanChoice[]
}

/** Plans a conversation whose history is sent again at every turn: a thread of an assistant, a chain of
 * responses, a chat. Every turn is priced as one call, so its cost is what the ledger would post. */
export const plan = (request: PlanRequest, book: PriceBook): Plan => {
  const pricer = pricerOf(request, book)
  const turns = priceTurns(request, pricer)
  const total = totalOf(turns)
  return {
    request,
    currency: pricer.currency(),
    turns,
    total,
    unpriced: pricer.unpriced(),
    choices: choicesOf(request, total, pricer),
  }
}

/** The turns of a conversation in tokens, message by message: what stays of the history is the last
 * `keepTurns` turns, and of these the newest whole messages that fit under `capTokens`. */
export const planTurns = (request: PlanRequest): readonly PlannedTurn[] => {
  const { user, assistant, keepTurns, capTokens } = request
  const fixed = request.system + request.priming + user
  const room = capTokens === null ? Number.POSITIVE_INFINITY : capTokens - fixed
  const turns: PlannedTurn[] = []
  let history = 0
  let oldest = 0
  for (let turn = 1; turn <= request.turns; turn++) {
    const firstKept = keepTurns === null ? 0 : 2 * (turn - 1 - keepTurns)
    while (oldest < firstKept || history > room) {
      history -= oldest % 2 === 0 ? user : assistant
      oldest += 1
    }
    turns.push({ turn, input: fixed + history, history, output: assistant })
    history += user + assistant
  }
  return turns
}

/** All input tokens of a conversation at once, by the closed form; null under a cap of tokens, where whole
 * messages are dropped and only counting them tells. With S fixed, u and a tokens a turn, c priming, n turns
 * of which k are kept: n(S + u + c) + (u + a)(kn - k(k + 1)/2). */
export const totalInput = (request: PlanRequest): number | null => {
  if (request.capTokens !== null) return null
  const { system, user, assistant, priming, turns } = request
  const kept = Math.min(request.keepTurns ?? turns, turns - 1)
  return turns * (system + user + priming) + (user + assistant) * (kept * turns - (kept * (kept + 1)) / 2)
}

/** Turns that a plan suggests to keep, where that is fewer than there are. */
const turnsWorthKeeping = [20, 10, 5, 2, 1]

type Pricer = {
  readonly cost: (turn: { input: number; output: number }) => Picos | null
  readonly currency: () => string
  readonly unpriced: () => readonly Unpriced[]
}

/** Prices turns, each size once: under a cap most turns are alike. */
const pricerOf = (request: PlanRequest, book: PriceBook): Pricer => {
  const call: PricedCall = { provider: request.provider, model: request.model, at: request.at }
  const known = new Map<number, Picos | null>()
  const unpriced = new Map<string, Unpriced>()
  let currency = 'USD'
  return {
    cost: ({ input, output }) => {
      const before = known.get(input)
      if (before !== undefined) return before
      const cost = price({ input_text_tokens: input, output_text_tokens: output }, call, book)
      for (const gap of cost.unpriced) unpriced.set(gap.meter, gap)
      currency = cost.currency
      known.set(input, cost.total)
      return cost.total
    },
    currency: () => currency,
    unpriced: () => [...unpriced.values()],
  }
}

const priceTurns = (request: PlanRequest, pricer: Pricer): readonly PricedTurn[] =>
  planTurns(request).map((turn) => ({
    ...turn,
    cost: pricer.cost(turn),
    costWithoutHistory: pricer.cost({ input: turn.input - turn.history, output: turn.output }),
  }))

const totalOf = (turns: readonly PricedTurn[]): PlanTotal => {
  const tokens = (of: 'input' | 'history' | 'output'): number =>
    turns.reduce((sum, turn) => sum + turn[of], 0)
  const money = (of: 'cost' | 'costWithoutHistory'): Picos | null =>
    turns.reduce<Picos | null>((sum, turn) => {
      const amount = turn[of]
      return sum === null || amount === null ? null : sum + amount
    }, 0n)
  const [input, history] = [tokens('input'), tokens('history')]
  const [cost, costWithoutHistory] = [money('cost'), money('costWithoutHistory')]
  const historyCost = cost === null || costWithoutHistory === null ? null : cost - costWithoutHistory
  return {
    input,
    history,
    output: tokens('output'),
    cost,
    costWithoutHistory,
    historyCost,
    historyShareOfInput: shareOf(BigInt(history), BigInt(input)),
    historyShareOfCost: cost === null || historyCost === null ? null : shareOf(historyCost, cost),
  }
}

const shareOf = (part: bigint, whole: bigint): Rational =>
  whole === 0n ? rational(0n) : rational(part, whole)

const choicesOf = (request: PlanRequest, asked: PlanTotal, pricer: Pricer): readonly PlanChoice[] => {
  const uncapped = { ...request, keepTurns: null, capTokens: null }
  const isCapped = request.keepTurns !== null || request.capTokens !== null
  const full = isCapped ? totalOf(priceTurns(uncapped, pricer)) : asked
  const others = turnsWorthKeeping
    .filter(
      (turns) => turns < request.turns - 1 && (turns !== request.keepTurns || request.capTokens !== null),
    )
    .map((keepTurns) => ({ ...uncapped, keepTurns }))
    .map((choice) => ({ ...choice, total: totalOf(priceTurns(choice, pricer)) }))
  const choices = [
    { ...uncapped, total: full },
    ...(isCapped ? [{ ...request, total: asked }] : []),
    ...others,
  ]
  return choices
    .sort((a, b) => b.total.input - a.total.input)
    .map(({ keepTurns, capTokens, total }) => ({
      keepTurns,
      capTokens,
      total,
      saved: full.cost === null || total.cost === null ? null : full.cost - total.cost,
    }))
}
