import { type Picos, post } from '../money/money.ts'
import { multiply, type Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import { inputTokens, type Quantity, quantities, toQuantity, type Usage } from '../usage/usage.ts'
import { billedQuantity } from './attributes.ts'
import type { Price, PriceBook } from './price-book.ts'
import { priceOn, shelvesOf } from './price-of.ts'

/** What fixes the prices of a usage, besides the usage itself. `model` is null for what a provider charges
 * whatever the model. `asOf`: price with what was known then. `currency` is USD unless said. */
export type PricedCall = {
  readonly provider: string
  readonly model: string | null
  readonly at: Instant
  readonly asOf?: Instant
  readonly attributes?: Readonly<Record<string, string>>
  readonly currency?: string
}

/** One meter, priced. `quantity` is what is billed. `exact` is the unrounded amount, `amount` what is posted,
 * rounded once. */
export type Charge = {
  readonly meter: Meter
  readonly quantity: Quantity
  readonly unitPrice: string
  readonly per: number
  readonly exact: Rational
  readonly amount: Picos
  /** Id and source of the price row. */
  readonly price: string
  readonly source: string
}

/** A meter that was used and has no price. */
export type Unpriced = {
  readonly meter: Meter
  readonly quantity: Quantity
  readonly code: 'no_price' | 'unknown_model'
  readonly message: string
}

/** The charges of one call. `total` is null as soon as anything is unpriced; `pricedTotal` has the rest. */
export type Cost = {
  readonly currency: string
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
  readonly total: Picos | null
  readonly pricedTotal: Picos
}

/** Prices a usage: one charge a meter, each rounded once, half-even, to 10^-12; what has no price is named.
 * Throws `unknown_meter` or `bad_number` for a usage that cannot be, `bad_input` for an attribute no price
 * knows. */
export const price = (usage: Usage, call: PricedCall, book: PriceBook): Cost => {
  const asking = { ...call, attributes: call.attributes ?? {}, inputTokens: inputTokens(usage) }
  const shelves = shelvesOf(asking, book)
  const charges: Charge[] = []
  const unpriced: Unpriced[] = []
  let pricedTotal = 0n
  for (const [meter, quantity] of quantities(usage)) {
    if (quantity.numerator === 0n) continue
    const found = priceOn(shelves, meter, asking)
    if ('code' in found) unpriced.push({ ...found, quantity: toQuantity(quantity) })
    else {
      const charged = charge(meter, quantity, found)
      charges.push(charged)
      pricedTotal += charged.amount
    }
  }
  const total = unpriced.length === 0 ? pricedTotal : null
  return { currency: call.currency ?? 'USD', charges, unpriced, total, pricedTotal }
}

const charge = (meter: Meter, measured: Rational, found: Price): Charge => {
  const billed = billedQuantity(measured, found.attributes)
  const exact = multiply(billed, found.rate.perUnit)
  const { unitPrice, per } = found.rate
  const { id, source } = found
  return {
    meter,
    quantity: toQuantity(billed),
    unitPrice,
    per,
    exact,
    amount: post(exact),
    price: id,
    source,
  }
}
