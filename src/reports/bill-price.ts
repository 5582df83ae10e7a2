import type { Picos } from '../money/money.ts'
import { divide, multiply, type Rational, rational } from '../money/rational.ts'
import type { SpendGroup } from './spend-group.ts'

/** What a meter cost on average: an amount in a currency for so many units. */
export type MeanPrice = { readonly price: Rational; readonly per: bigint; readonly unit: string }

/** Vendors price tokens and characters by the million, and the rest one by one. */
const perOf = (unit: string): bigint => (unit === 'token' || unit === 'character' ? 1_000_000n : 1n)

/** What a group of one meter cost on average; null where it used nothing, something of it had no price, or its units are
 * not of one kind. */
export const meanPriceOf = ({ quantity, unpricedMeters, amount }: SpendGroup): MeanPrice | null => {
  if (quantity === null || quantity.amount.numerator <= 0n || unpricedMeters.length > 0) return null
  const per = perOf(quantity.unit)
  const price = divide(multiply(inCurrency(amount), rational(per)), quantity.amount)
  return { price, per, unit: quantity.unit }
}

const inCurrency = (amount: Picos): Rational => rational(amount, 1_000_000_000_000n)
