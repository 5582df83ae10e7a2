import { OctroiError } from '../errors.ts'
import { formatScaled, parseDecimal, type Rational, roundHalfEven } from './rational.ts'

/** An exact amount with its currency (ISO 4217 code). */
export type Money = { readonly amount: Rational; readonly currency: string }

/** A posted amount: whole units of 10^-12 of its currency. Every amount in the ledger is one. */
export type Picos = bigint

/** Digits after the point of a posted amount. */
export const postedPlaces = 12

/** Rounds an exact amount, once, half-even, to the unit the ledger posts. */
export const post = (amount: Rational): Picos => roundHalfEven(amount, postedPlaces)

/** Writes a posted amount as a plain decimal: `0.805`. */
export const formatPicos = (picos: Picos): string => formatScaled(picos, postedPlaces)

/** Reads a decimal as a posted amount. Throws `bad_number` when it has more than 12 decimals. */
export const parsePicos = (text: string): Picos => {
  const value = parseDecimal(text)
  const scaled = value.numerator * 10n ** BigInt(postedPlaces)
  if (scaled % value.denominator !== 0n) {
    throw new OctroiError('bad_number', `"${text}" has more than ${postedPlaces} decimals.`)
  }
  return scaled / value.denominator
}
