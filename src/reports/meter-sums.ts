import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, zero } from '../money/rational.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import { type Meter, meterFacts, meterNames } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'

/** What one meter came to. `priced` is false where some of it has no price: the amount leaves that out. */
export type MeterSum = {
  readonly meter: Meter
  readonly quantity: Rational
  readonly amount: Picos
  readonly priced: boolean
}

/** Sums that grow, by meter. */
export type MeterSums = Map<Meter, { quantity: Rational; amount: Picos; priced: boolean }>

type Used = { readonly meter: Meter; readonly quantity: Quantity }

/** Adds what is not counted in tokens. */
export const addUsed = (
  sums: MeterSums,
  used: { readonly charges: readonly Charge[]; readonly unpriced: readonly Unpriced[] },
): void => {
  const put = ({ meter, quantity }: Used, amount: Picos, priced: boolean): void => {
    if (meterFacts(meter).unit === 'token') return
    const sum = sums.get(meter) ?? { quantity: zero, amount: 0n, priced: true }
    sum.quantity = add(sum.quantity, typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity)
    sum.amount += amount
    sum.priced &&= priced
    sums.set(meter, sum)
  }
  for (const charge of used.charges) put(charge, charge.amount, true)
  for (const gap of used.unpriced) put(gap, 0n, false)
}

/** The sums in the order of the table of meters. */
export const meterSums = (sums: MeterSums): readonly MeterSum[] =>
  meterNames.flatMap((meter) => {
    const sum = sums.get(meter)
    return sum === undefined ? [] : [{ meter, ...sum }]
  })

/** The tokens of a meter of one direction; none of any other. */
export const tokensOf = ({ meter, quantity }: Used, direction: 'input' | 'output'): bigint => {
  const facts = meterFacts(meter)
  if (facts.unit !== 'token' || facts.direction !== direction) return 0n
  return typeof quantity === 'number' ? BigInt(quantity) : quantity.numerator / quantity.denominator
}
