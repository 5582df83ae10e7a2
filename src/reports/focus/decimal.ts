import { formatScaled, parseDecimal, type Rational, roundHalfEven } from '../../money/rational.ts'

/** Digits after the point of quantities and unit prices: what has more is rounded half-even. */
const finePlaces = 18

/** Writes `units / 10^places` as FOCUS wants it: plain, and with a point even where it is whole, so that no reader takes
 * the column for one of whole numbers. */
export const decimalText = (units: bigint, places: number): string => {
  const text = formatScaled(units, places)
  return text.includes('.') ? text : `${text}.0`
}

/** Writes an exact number with at most 18 decimals. */
export const fineText = (value: Rational): string => decimalText(roundHalfEven(value, finePlaces), finePlaces)

/** A plain decimal: no exponent, no separator, no plus. */
const plain = /^-?\d{1,40}(?:\.\d{1,40})?$/

/** True for a decimal as FOCUS wants it. */
export const isPlainDecimal = (text: string): boolean => plain.test(text)

/** Units of 10^-18 in a plain decimal; where it has more decimals than that, the nearest. */
export const fineUnits = (text: string): bigint => {
  const point = text.indexOf('.')
  if (point < 0) return BigInt(text) * unit
  const shift = shifts[finePlaces - (text.length - point - 1)]
  if (shift === undefined) return roundHalfEven(parseDecimal(text), finePlaces)
  return BigInt(text.slice(0, point) + text.slice(point + 1)) * shift
}

const unit = 10n ** BigInt(finePlaces)
const shifts = Array.from({ length: finePlaces + 1 }, (_, places) => 10n ** BigInt(places))
