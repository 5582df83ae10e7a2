import { parseDecimal, type Rational, roundHalfEven } from '../../money/rational.ts'

/** Digits after the point of quantities and unit prices: what has more is rounded half-even. */
const finePlaces = 18

/** Writes `units / 10^places` as FOCUS wants it: plain, and with a point even where it is whole, so that no reader takes
 * the column for one of whole numbers. */
export const decimalText = (units: bigint, places: number): string =>
  units < 0n ? `-${pointed(`${-units}`, places)}` : pointed(`${units}`, places)

/** Writes a whole number of millionths, as `decimalText` does. */
export const millionthsText = (quantity: number): string => pointed(`${quantity}`, 6)

/** Puts the point into digits, and takes zeros at the end away, but for one behind the point. */
const pointed = (digits: string, places: number): string => {
  const whole = digits.length - places
  let end = digits.length
  while (end > whole && end > 0 && digits.charCodeAt(end - 1) === zeroCode) end -= 1
  if (whole > 0) return `${digits.slice(0, whole)}.${end > whole ? digits.slice(whole, end) : '0'}`
  return end === 0 ? '0.0' : `0.${'0'.repeat(-whole)}${digits.slice(0, end)}`
}

const zeroCode = 0x30

/** Writes an exact number with at most 18 decimals. */
export const fineText = (value: Rational): string => decimalText(roundHalfEven(value, finePlaces), finePlaces)

/** True for a plain decimal, as FOCUS wants it: no exponent, no separator, no plus; at most 40 digits on each side. */
export const isPlainDecimal = (text: string): boolean => {
  const begin = text.charCodeAt(0) === minusCode ? 1 : 0
  const point = digitsFrom(text, begin)
  if (point === begin || point - begin > digitsMax) return false
  if (point === text.length) return true
  if (text.charCodeAt(point) !== pointCode) return false
  const end = digitsFrom(text, point + 1)
  return end === text.length && end > point + 1 && end - point - 1 <= digitsMax
}

/** Where digits end. */
const digitsFrom = (text: string, begin: number): number => {
  let at = begin
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < zeroCode || code > nineCode) break
  }
  return at
}

const [minusCode, pointCode, nineCode, digitsMax] = [0x2d, 0x2e, 0x39, 40]

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
