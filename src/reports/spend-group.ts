import type { Basis } from '../ledger/entry.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, zero } from '../money/rational.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { shareOf } from './share.ts'
import { changeOf, type SpendChange } from './spend-change.ts'
import type { SpendFact } from './spend-facts.ts'

/** What one group came to, in one currency. */
export type SpendGroup = {
  /** One name for each dimension of the report; null where there is none. */
  readonly names: readonly (string | null)[]
  readonly currency: string
  /** Calls, and calls of which something had no price. Null in a report of single meters: a call has several. */
  readonly calls: number | null
  readonly unpriced: number | null
  /** The meters that were used and had no price; the amount leaves them out. */
  readonly unpricedMeters: readonly Meter[]
  /** How much was used, when all of it is counted in one unit. */
  readonly quantity: { readonly amount: Rational; readonly unit: string } | null
  /** Tokens of every kind that went in, and that came out. */
  readonly inputTokens: bigint
  readonly outputTokens: bigint
  readonly amount: Picos
  /** The amount without promotions and discounts; what has no price is left out of it, too. */
  readonly list: Picos
  /** Of all that was spent in this currency; null when that is nothing. */
  readonly share: Rational | null
  /** The amount by how sure it is. */
  readonly basis: Readonly<Record<Basis, Picos>>
  /** Conversation history that was sent again, and its share of the group's amount. Null in a report of single meters. */
  readonly resent: {
    readonly tokens: number
    readonly amount: Picos
    readonly share: Rational | null
  } | null
  /** Against the period before; null where none is compared. */
  readonly change: SpendChange | null
}

/** The sums of a group, as they grow. `items` has what is compared: by provider, model and meter. */
export type SpendSums = {
  readonly names: readonly (string | null)[]
  readonly currency: string
  calls: number
  unpriced: number
  readonly unpricedMeters: Set<Meter>
  readonly quantities: Map<string, Rational>
  inputTokens: bigint
  outputTokens: bigint
  amount: Picos
  promoted: Picos
  readonly basis: Record<Basis, Picos>
  resentTokens: number
  resentAmount: Picos
  readonly items: Map<string, Item>
}

type Side = { quantity: Rational; amount: Picos }
type Item = { readonly unit: string; readonly before: Side; readonly now: Side }

/** Nothing yet. */
export const emptySums = (names: readonly (string | null)[], currency: string): SpendSums => ({
  names,
  currency,
  calls: 0,
  unpriced: 0,
  unpricedMeters: new Set(),
  quantities: new Map(),
  inputTokens: 0n,
  outputTokens: 0n,
  amount: 0n,
  promoted: 0n,
  basis: { measured: 0n, estimated: 0n, imported: 0n, reconciled: 0n },
  resentTokens: 0,
  resentAmount: 0n,
  items: new Map(),
})

/** Adds a fact of one side. Of the period before only what is compared is kept. */
export const addFact = (
  sums: SpendSums,
  fact: SpendFact,
  side: 'before' | 'now',
  isCompared: boolean,
): void => {
  if (isCompared) addItem(sums, fact, side)
  if (side === 'before') return
  if (fact.what === 'calls') {
    sums.calls += fact.calls
    sums.unpriced += fact.unpriced
    sums.resentTokens += fact.resentTokens
    sums.resentAmount += fact.resentAmount
    return
  }
  sums.promoted += fact.promoted
  if (fact.what === 'used') addUse(sums, fact)
}

const addUse = (sums: SpendSums, { place, ...used }: SpendFact & { readonly what: 'used' }): void => {
  const { unit, direction } = meterFacts(used.meter)
  const quantity = exact(used.quantity)
  if (!used.priced) sums.unpricedMeters.add(used.meter)
  sums.quantities.set(unit, add(sums.quantities.get(unit) ?? zero, quantity))
  if (unit === 'token' && direction === 'input') sums.inputTokens += quantity.numerator
  if (unit === 'token' && direction === 'output') sums.outputTokens += quantity.numerator
  sums.amount += used.amount
  sums.basis[place.basis] += used.amount
}

const addItem = ({ items }: SpendSums, fact: SpendFact, side: 'before' | 'now'): void => {
  if (fact.what !== 'used' || !fact.priced) return
  const key = JSON.stringify([fact.place.provider, fact.place.model, fact.meter])
  const nothing = (): Side => ({ quantity: zero, amount: 0n })
  const item = items.get(key) ?? { unit: meterFacts(fact.meter).unit, before: nothing(), now: nothing() }
  items.set(key, item)
  item[side].quantity = add(item[side].quantity, exact(fact.quantity))
  item[side].amount += fact.amount
}

/** Adds the sums of another group, without what is compared: changes are added once they are known. */
export const addSums = (sums: SpendSums, more: SpendSums): void => {
  sums.calls += more.calls
  sums.unpriced += more.unpriced
  for (const meter of more.unpricedMeters) sums.unpricedMeters.add(meter)
  for (const [unit, quantity] of more.quantities) {
    sums.quantities.set(unit, add(sums.quantities.get(unit) ?? zero, quantity))
  }
  sums.inputTokens += more.inputTokens
  sums.outputTokens += more.outputTokens
  sums.amount += more.amount
  sums.promoted += more.promoted
  for (const basis of bases) sums.basis[basis] += more.basis[basis]
  sums.resentTokens += more.resentTokens
  sums.resentAmount += more.resentAmount
}

const bases: readonly Basis[] = ['measured', 'estimated', 'imported', 'reconciled']

/** Why a group changed. */
export const changeIn = ({ items }: SpendSums): SpendChange => changeOf(items.values())

const exact = (quantity: Quantity): Rational =>
  typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity

/** A group as it is reported. `total`: of all groups of its currency. */
export const finished = (
  sums: SpendSums,
  total: Picos,
  { byMeter, change }: { readonly byMeter: boolean; readonly change: SpendChange | null },
): SpendGroup => {
  const { names, currency, calls, unpriced, quantities, inputTokens, outputTokens, amount, basis } = sums
  const [only, ...others] = quantities
  return {
    names,
    currency,
    calls: byMeter ? null : calls,
    unpriced: byMeter ? null : unpriced,
    unpricedMeters: [...sums.unpricedMeters].sort(),
    quantity: only === undefined || others.length > 0 ? null : { unit: only[0], amount: only[1] },
    inputTokens,
    outputTokens,
    amount,
    list: amount + sums.promoted,
    share: shareOf(amount, total),
    basis,
    resent: byMeter
      ? null
      : {
          tokens: sums.resentTokens,
          amount: sums.resentAmount,
          share: shareOf(sums.resentAmount, amount),
        },
    change,
  }
}
