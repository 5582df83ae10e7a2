import type { Picos } from '../money/money.ts'
import { type Rational, rational } from '../money/rational.ts'
import { type PricedCall, price, type Unpriced } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Usage } from '../usage/usage.ts'
import type { CacheRule, CacheSplit } from './caching.ts'
import type { PlanRequest } from './plan-request.ts'
import { type PlannedCall, type PlannedTurn, planTurns, ruleOf } from './plan-turns.ts'

/** A planned turn with what it costs, and would cost if history were free; null where something has no
 * price. */
export type PricedTurn = PlannedTurn & {
  readonly cost: Picos | null
  readonly costWithoutHistory: Picos | null
}

/** The sums of a plan's turns. `cached` and `written`: input tokens read from a cache and written to it.
 * `historyCost` is what sending history again adds; the shares are of all input tokens and of what the tokens cost. */
export type PlanTotal = {
  readonly input: number
  readonly history: number
  readonly output: number
  readonly cached: number
  readonly written: number
  readonly cost: Picos | null
  readonly costWithoutHistory: Picos | null
  readonly historyCost: Picos | null
  readonly historyShareOfInput: Rational
  readonly historyShareOfCost: Rational | null
}

/** Prices the calls of a plan, each kind once: under a cap most turns are alike. `rule`: by which a request is
 * cached, null where what is read from the cache has no price. */
export type Pricer = {
  readonly turns: (request: PlanRequest) => readonly PricedTurn[]
  readonly rule: (request: PlanRequest) => CacheRule | null
  readonly currency: () => string
  readonly unpriced: () => readonly Unpriced[]
}

/** A pricer for one model at one instant; `tier` where another than the standard one is asked for. */
export const pricerOf = (
  call: Pick<PricedCall, 'provider' | 'model' | 'at'>,
  book: PriceBook,
  tier?: string,
): Pricer => {
  const asked: PricedCall = {
    ...{ provider: call.provider, model: call.model, at: call.at },
    ...(tier !== undefined && { attributes: { tier } }),
  }
  const known = new Map<string, Picos | null>()
  const unpriced = new Map<string, Unpriced>()
  let currency = 'USD'
  const costOf = (split: CacheSplit, output: number, rule: CacheRule | null): Picos | null => {
    const key = `${split.fresh} ${split.read} ${split.written} ${output}`
    const before = known.get(key)
    if (before !== undefined) return before
    const cost = price(usageOf(split, output, rule), asked, book)
    for (const gap of cost.unpriced) unpriced.set(gap.meter, gap)
    currency = cost.currency
    known.set(key, cost.total)
    return cost.total
  }
  const hasCache = price({ cached_input_tokens: 1 }, asked, book).total !== null
  const ruleFor = (request: PlanRequest): CacheRule | null => (hasCache ? ruleOf(request) : null)
  const turnsOf = (request: PlanRequest): readonly PricedTurn[] => {
    const rule = ruleFor(request)
    return planTurns(request, rule).map((turn) => ({
      ...turn,
      cost: sumOf(turn.calls.map(({ cache, output }) => costOf(cache, output, rule))),
      costWithoutHistory: sumOf(
        turn.calls.map((one) => costOf(withoutHistory(one, request.system), one.output, rule)),
      ),
    }))
  }
  return {
    turns: turnsOf,
    rule: ruleFor,
    currency: () => currency,
    unpriced: () => [...unpriced.values()],
  }
}

/** Sums turns. */
export const totalOf = (turns: readonly PricedTurn[]): PlanTotal => {
  const tokens = (name: 'input' | 'history' | 'output'): number =>
    turns.reduce((sum, turn) => sum + turn[name], 0)
  const cachedAs = (name: 'read' | 'written'): number =>
    turns.reduce((sum, { calls }) => calls.reduce((more, { cache }) => more + cache[name], sum), 0)
  const cost = sumOf(turns.map((turn) => turn.cost))
  const costWithoutHistory = sumOf(turns.map((turn) => turn.costWithoutHistory))
  const historyCost = cost === null || costWithoutHistory === null ? null : cost - costWithoutHistory
  const [input, history] = [tokens('input'), tokens('history')]
  return {
    input,
    history,
    output: tokens('output'),
    cached: cachedAs('read'),
    written: cachedAs('written'),
    cost,
    costWithoutHistory,
    historyCost,
    historyShareOfInput: shareOf(BigInt(history), BigInt(input)),
    historyShareOfCost: cost === null || historyCost === null ? null : shareOf(historyCost, cost),
  }
}

const usageOf = ({ fresh, read, written }: CacheSplit, output: number, rule: CacheRule | null): Usage => ({
  input_text_tokens: fresh,
  ...(read > 0 && { cached_input_tokens: read }),
  ...(written > 0 && rule?.write && { [rule.write]: written }),
  output_text_tokens: output,
})

/** What would be billed of a prompt without its history: the cache reads the instructions first, then history. */
const withoutHistory = ({ cache, history }: PlannedCall, system: number): CacheSplit => {
  const fromRead = Math.min(history, Math.max(0, cache.read - system))
  const fromWritten = Math.min(history - fromRead, cache.written)
  return {
    read: cache.read - fromRead,
    written: cache.written - fromWritten,
    fresh: cache.fresh - (history - fromRead - fromWritten),
  }
}

/** Null as soon as one is. */
export const sumOf = (amounts: readonly (Picos | null)[]): Picos | null =>
  amounts.reduce((sum, amount) => (sum === null || amount === null ? null : sum + amount), 0n)

const shareOf = (part: bigint, whole: bigint): Rational =>
  whole === 0n ? rational(0n) : rational(part, whole)
