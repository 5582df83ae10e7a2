import type { Portion, Stated } from '../endpoints/reply.ts'
import { costOfReply } from '../endpoints/reply-cost.ts'
import { emptyReply } from '../endpoints/reply-shape.ts'
import type { Attempt, Basis, Resent, Reservation, Settlement } from '../ledger/entry.ts'
import { type Used, usedIn } from '../limits/measure.ts'
import type { Picos } from '../money/money.ts'
import { post } from '../money/money.ts'
import { add, multiply, rational, zero } from '../money/rational.ts'
import type { Cost, PricedCall } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import { meterFacts } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'
import { pricedCall } from './estimate.ts'
import type { Parts } from './parts.ts'
import type { Upstream } from './upstream.ts'

/** How a call ended, as far as its cost goes. `resent`: history among the input, in any unit, out of a total
 * in the same unit. What a reply may say beside its usage: `attributes` that select the price, portions that are
 * billed `apart`, a sum `stated` by the vendor, which is then the price, and when it was complete. */
export type Outcome = {
  readonly model: string | null
  readonly tier: string | null
  readonly attributes?: Readonly<Record<string, string>>
  readonly apart?: readonly Portion[]
  readonly stated?: Stated | null
  readonly completedAt?: Instant
  readonly usage: Usage
  readonly basis: Basis
  readonly resent: { readonly history: number; readonly total: number; readonly exact: boolean } | null
  readonly status: number | null
  readonly note: string | null
  /** The conversation it proved to belong to, where that was not known before. */
  readonly conversation?: string
  /** None of a run or a job: that ends long after its reply. */
  readonly attempt?: Attempt
}

/** Prices what was used by what was served, and writes it. Durable when it resolves; the last byte of the
 * reply waits for it. */
export const settle = async (
  parts: Parts,
  reservation: Reservation,
  upstream: Upstream,
  outcome: Outcome,
): Promise<Cost> => {
  const { call, holds } = reservation
  const model = outcome.model ?? call.model
  const cost = costOf(parts, outcome, pricedCall(call, upstream, { model, tier: outcome.tier }))
  const unresolved = parts.admission.atCeiling(holds, cost.unpriced)
  const ofOthers = holds.some(({ measure }) => measure !== undefined)
  const settlement: Settlement = {
    callId: call.id,
    at: parts.clock.now(),
    model,
    tier: outcome.tier,
    basis: outcome.basis,
    currency: cost.currency,
    charges: cost.charges,
    unpriced: cost.unpriced,
    ...(unresolved.length > 0 && { unresolved }),
    ...(ofOthers && { used: usedBy(outcome) }),
    resent: resentOf(outcome, cost),
    status: outcome.status,
    note: outcome.note,
    bookVersion: parts.book.version,
    ...(outcome.conversation !== undefined && { conversation: outcome.conversation }),
    ...(outcome.attempt !== undefined && { attempt: outcome.attempt }),
  }
  const actual = { cost: cost.pricedTotal, unresolved, ...(settlement.used && { used: settlement.used }) }
  await parts.booking.settle(reservation, settlement, { to: actual, used: usedBy(outcome) })
  return cost
}

/** How much of each measure a call used, all its portions together. */
const usedBy = ({ usage, apart = [] }: Outcome): Used =>
  usedIn([usage, ...apart.flatMap((portion) => portion.usage?.usage ?? [])])

/** What an outcome costs, by the prices of the instant of its call. */
export const costOf = (
  { book }: Pick<Parts, 'book'>,
  { model, tier, attributes = {}, apart = [], stated = null, usage, completedAt }: Outcome,
  call: PricedCall,
): Cost =>
  costOfReply(
    { ...emptyReply, model, tier, attributes, apart, stated, usage: { usage, problems: [] } },
    completedAt === undefined ? call : { ...call, completedAt },
    book,
  )

/** The share of the input's cost that paid for history: tokens in proportion, money in proportion to them. */
const resentOf = ({ resent }: Outcome, { charges }: Cost): Resent | null => {
  if (resent === null || resent.history === 0 || resent.total === 0) return null
  const input = charges.filter(({ meter }) => meterFacts(meter).direction === 'input')
  const share = rational(BigInt(Math.min(resent.history, resent.total)), BigInt(resent.total))
  const tokens = input.reduce((sum, { quantity }) => sum + (typeof quantity === 'number' ? quantity : 0), 0)
  const money = input.reduce((sum, { exact }) => add(sum, exact), zero)
  const amount: Picos = post(multiply(money, share))
  return {
    tokens: resent.exact ? resent.history : Math.round((tokens * resent.history) / resent.total),
    amount,
    exact: resent.exact,
  }
}
