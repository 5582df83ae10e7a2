import { OctroiError } from '../errors.ts'

/** An exact number: `numerator / denominator`, in lowest terms, the denominator positive.
 * Never a float, never rounded by arithmetic. */
export type Rational = { readonly numerator: bigint; readonly denominator: bigint }

export const zero: Rational = { numerator: 0n, denominator: 1n }

/** Makes a rational in lowest terms. Throws `bad_number` when the denominator is zero. */
export const rational = (numerator: bigint, denominator = 1n): Rational => {
  if (denominator === 0n) throw new OctroiError('bad_number', 'A rational cannot have the denominator 0.')
  if (denominator === 1n) return { numerator, denominator }
  const sign = denominator < 0n ? -1n : 1n
  const divisor = gcd(numerator < 0n ? -numerator : numerator, denominator * sign)
  return { numerator: (numerator * sign) / divisor, denominator: (denominator * sign) / divisor }
}

export const add = (a: Rational, b: Rational): Rational =>
  a.denominator === b.denominator
    ? rational(a.numerator + b.numerator, a.denominator)
    : rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)

export const subtract = (a: Rational, b: Rational): Rational =>
  add(a, { numerator: -b.numerator, denominator: b.denominator })

export const multiply = (a: Rational, b: Rational): Rational =>
  rational(a.numerator * b.numerator, a.denominator * b.denominator)

/** Throws `bad_number` when `b` is zero. */
export const divide = (a: Rational, b: Rational): Rational =>
  rational(a.numerator * b.denominator, a.denominator * b.numerator)

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export const compare = (a: Rational, b: Rational): -1 | 0 | 1 => {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const decimal = /^(-)?(\d{1,40})(?:\.(\d{1,40}))?$/

/** Reads a plain decimal such as `-12.50`: at most 40 digits on either side of the point, no exponent.
 * Throws `bad_number`. */
export const parseDecimal = (text: string): Rational => {
  const parts = decimal.exec(text)
  if (parts === null) {
    throw new OctroiError('bad_number', `"${text.slice(0, 60)}" is not a decimal number such as 12.50.`)
  }
  const [, sign, whole = '0', fraction = ''] = parts
  const digits = BigInt(whole + fraction)
  return rational(sign === undefined ? digits : -digits, 10n ** BigInt(fraction.length))
}

/** Writes a rational as a plain decimal when it is a finite one, else as a fraction such as `61/1200`. */
export const format = (value: Rational): string => {
  let { numerator, denominator } = value
  let places = 0
  while (denominator % 10n === 0n) [denominator, places] = [denominator / 10n, places + 1]
  while (denominator % 2n === 0n)
    [numerator, denominator, places] = [numerator * 5n, denominator / 2n, places + 1]
  while (denominator % 5n === 0n)
    [numerator, denominator, places] = [numerator * 2n, denominator / 5n, places + 1]
  if (denominator !== 1n) return `${value.numerator}/${value.denominator}`
  return formatScaled(numerator, places)
}

/** Writes `units / 10^places` as a plain decimal without trailing zeros. */
export const formatScaled = (units: bigint, places: number): string => {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** The nearest whole number of units of 10^-places; a tie goes to the even one. */
export const roundHalfEven = (value: Rational, places: number): bigint => {
  const scaled = value.numerator * powerOfTen(places)
  const truncated = scaled / value.denominator
  const rest = scaled - truncated * value.denominator
  if (rest === 0n) return truncated
  const away = rest < 0n ? truncated - 1n : truncated + 1n
  const twice = rest < 0n ? -2n * rest : 2n * rest
  if (twice === value.denominator) return truncated % 2n === 0n ? truncated : away
  return twice < value.denominator ? truncated : away
}

/** Powers of ten at hand: a posted amount needs one each time. */
const powers = Array.from({ length: 20 }, (_, places) => 10n ** BigInt(places))

const powerOfTen = (places: number): bigint => powers[places] ?? 10n ** BigInt(places)

const gcd = (a: bigint, b: bigint): bigint => {
  let [x, y] = [a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x === 0n ? 1n : x
}
