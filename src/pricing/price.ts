import type { Picos } from '../money/money.ts'
import type { Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'

/** What fixes the prices of a usage, besides the usage itself. `asOf`: price with what was known then. */
export type PricedCall = {
  readonly provider: string
  readonly model: string
  readonly at: Instant
  readonly asOf?: Instant
  readonly attributes?: Readonly<Record<string, string>>
}

/** One meter, priced. `exact` is the unrounded amount, `amount` what is posted, rounded once. */
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
