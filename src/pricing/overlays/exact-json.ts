import { format, multiply, type Rational, rational } from '../../money/rational.ts'

/** Reads JSON with every number as the text it was written as: `1e-06` stays `1e-06`, and no price becomes a float
 * on its way. Throws the engine's `SyntaxError`. */
export const parseExactJson = (text: string): unknown => JSON.parse(text, numberAsText)

const numberAsText = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' ? (context?.source ?? String(value)) : value

/** Why a text is no price. */
type NoDecimal = { readonly why: string }

/** Reads a price as another database writes it: plain, or with an exponent. What cannot be a price says why: zero,
 * which there can mean free, or not known; and more digits than a price has, which are what a float left over. */
export const readForeignPrice = (value: unknown): Rational | NoDecimal => {
  if (typeof value !== 'string') return { why: 'not a decimal number' }
  const [, whole, fraction = '', exponent = '0'] =
    /^(\d{1,20})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(value) ?? []
  if (whole === undefined) return { why: 'not a decimal number' }
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '' || /^0+$/.test(digits)) return { why: 'zero, which can mean free or not known' }
  if (digits.replace(/0+$/, '').length > priceDigitsMax) {
    return { why: `more than ${priceDigitsMax} digits: what a float left of a division` }
  }
  return scale(BigInt(digits), Number(exponent) - fraction.length)
}

/** A price of one unit as the decimal text of a million units. */
export const perMillion = (price: Rational): string => format(multiply(price, million))

/** More digits than any list price has, and fewer than a float shows of a third. */
const priceDigitsMax = 12

const million = rational(1_000_000n)

const scale = (digits: bigint, exponent: number): Rational =>
  exponent < 0 ? rational(digits, 10n ** BigInt(-exponent)) : rational(digits * 10n ** BigInt(exponent))
