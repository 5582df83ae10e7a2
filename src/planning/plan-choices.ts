import type { Picos } from '../money/money.ts'
import { type PlanTotal, type Pricer, totalOf } from './plan-cost.ts'
import type { PlanRequest } from './plan-request.ts'

/** The same conversation under one choice of caps. `saved` is what it saves against no cap at all; negative where
 * a cache that was read no longer is, and the cap costs more than it saves. */
export type PlanChoice = {
  readonly keepTurns: number | null
  readonly capTokens: number | null
  readonly total: PlanTotal
  readonly saved: Picos | null
}

/** Turns that a plan suggests to keep, where that is fewer than there are. */
export const turnsWorthKeeping = [20, 10, 5, 2, 1] as const

/** A conversation without a cap, as it was asked for (`asked`), and with fewer turns kept: the longest input first. */
export const choicesOf = (request: PlanRequest, asked: PlanTotal, pricer: Pricer): readonly PlanChoice[] => {
  const uncapped = { ...request, keepTurns: null, capTokens: null }
  const isCapped = request.keepTurns !== null || request.capTokens !== null
  const full = isCapped ? totalOf(pricer.turns(uncapped)) : asked
  const others = turnsWorthKeeping
    .filter(
      (turns) => turns < request.turns - 1 && (turns !== request.keepTurns || request.capTokens !== null),
    )
    .map((keepTurns) => ({ ...uncapped, keepTurns }))
    .map((choice) => ({ ...choice, total: totalOf(pricer.turns(choice)) }))
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
