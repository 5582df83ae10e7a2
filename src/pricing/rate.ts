import type { Rational } from '../money/rational.ts'

/** An amount per `per` units of a meter. `unitPrice` keeps the vendor's decimal text, `amount` is its value. */
export type Rate = { readonly unitPrice: string; readonly amount: Rational; readonly per: number }
