import { type Picos, post, postedPlaces } from '../money/money.ts'
import { divide, multiply, parseDecimal, type Rational, rational } from '../money/rational.ts'

/** An amount per `per` units of a meter. `unitPrice` keeps the vendor's decimal text, `amount` is its value,
 * `perUnit` the exact amount of one unit. */
export type Rate = {
  readonly unitPrice: string
  readonly amount: Rational
  readonly per: number
  readonly perUnit: Rational
  /** What makes the amount of a whole quantity quick to find. */
  readonly quick: Quick
}

/** `picos`: one unit in posted units, where that is whole. `divisor`: the denominator of `perUnit` as a number, where
 * it is a safe one; only common divisors are looked for with it. `lowered`: the denominator divided by those met. */
type Quick = {
  readonly picos: Picos | null
  readonly divisor: number | null
  readonly lowered: Map<number, bigint>
}

/** An amount, exact and as posted. */
export type Amount = { readonly exact: Rational; readonly posted: Picos }

/** Reads a rate. Throws `bad_number`. */
export const parseRate = (unitPrice: string, per: number): Rate => {
  const amount = parseDecimal(unitPrice)
  const perUnit = divide(amount, rational(BigInt(per)))
  return { unitPrice, amount, per, perUnit, quick: quickOf(perUnit) }
}

/** What a quantity comes to. */
export const amountOf = (rate: Rate, quantity: Rational): Amount => {
  const exact = multiply(quantity, rate.perUnit)
  return { exact, posted: post(exact) }
}

/** What a safe whole quantity comes to: the same as `amountOf`, with fewer steps. */
export const amountOfWhole = (rate: Rate, count: number): Amount => {
  const { picos, divisor, lowered } = rate.quick
  if (divisor === null) return amountOf(rate, rational(BigInt(count)))
  const { numerator, denominator } = rate.perUnit
  const units = BigInt(count)
  const common = commonDivisor(divisor, count)
  const exact =
    common === 1
      ? { numerator: units * numerator, denominator }
      : {
          numerator: BigInt(count / common) * numerator,
          denominator: lowered.get(common) ?? lower(rate, common),
        }
  return { exact, posted: picos === null ? post(exact) : units * picos }
}

const quickOf = ({ numerator, denominator }: Rational): Quick => {
  const scaled = numerator * 10n ** BigInt(postedPlaces)
  return {
    picos: scaled % denominator === 0n ? scaled / denominator : null,
    divisor: denominator <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(denominator) : null,
    lowered: new Map(),
  }
}

const lower = ({ perUnit: { denominator }, quick }: Rate, common: number): bigint => {
  const lowered = denominator / BigInt(common)
  quick.lowered.set(common, lowered)
  return lowered
}

const commonDivisor = (a: number, b: number): number => {
  let [x, y] = [a, b]
  while (y !== 0) {
    const rest = x % y
    x = y
    y = rest
  }
  return x
}
