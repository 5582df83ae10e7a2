import { divide, parseDecimal, type Rational, rational } from '../money/rational.ts'

/** An amount per `per` units of a meter. `unitPrice` keeps the vendor's decimal text, `amount` is its value,
 * `perUnit` the exact amount of one unit. */
export type Rate = {
  readonly unitPrice: string
  readonly amount: Rational
  readonly per: number
  readonly perUnit: Rational
}

/** Reads a rate. Throws `bad_number`. */
export const parseRate = (unitPrice: string, per: number): Rate => {
  const amount = parseDecimal(unitPrice)
  return { unitPrice, amount, per, perUnit: divide(amount, rational(BigInt(per))) }
}
