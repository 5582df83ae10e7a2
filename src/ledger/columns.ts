import { OctroiError } from '../errors.ts'
import type { Picos } from '../money/money.ts'
import { type Rational, rational } from '../money/rational.ts'
import type { Quantity } from '../usage/usage.ts'
import type { SqlValue } from './database.ts'

/** How the values of the ledger lie in the columns of a database. */

/** 10^18 whole units of a currency: the bound on any single amount. */
const amountMax = 10n ** 30n
const picosPerUnit = 10n ** 12n

/** An amount as a column: an integer, or a text beyond 2^63. Throws `bad_number` beyond 10^18 units. */
export const amountColumn = (amount: Picos): SqlValue => {
  if (amount > amountMax || amount < -amountMax) {
    throw new OctroiError('bad_number', `The amount ${amount} is beyond 10^18 units of its currency.`)
  }
  return BigInt.asIntN(64, amount) === amount ? amount : amount.toString()
}

/** An amount in two halves, whole units and the rest, for sums that stay exact beyond 2^63. */
export const halves = (amount: Picos): { readonly units: bigint; readonly picos: bigint } => {
  const rest = amount % picosPerUnit
  const picos = rest < 0n ? rest + picosPerUnit : rest
  return { units: (amount - picos) / picosPerUnit, picos }
}

/** Puts two halves together. */
export const whole = (units: SqlValue | undefined, picos: SqlValue | undefined): Picos =>
  amount(units) * picosPerUnit + amount(picos)

/** A quantity as text: `1250`, or `61/3`. Throws `bad_number` when it is negative or no safe number. */
export const quantityText = (quantity: Quantity): string => {
  const { numerator, denominator } = quantityValue(quantity)
  return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`
}

/** A quantity as an exact number. Throws `bad_number` when it is negative or no safe number. */
export const quantityValue = (quantity: Quantity): Rational => {
  const value =
    typeof quantity !== 'number'
      ? rational(quantity.numerator, quantity.denominator)
      : Number.isSafeInteger(quantity)
        ? rational(BigInt(quantity))
        : undefined
  if (value !== undefined && value.numerator >= 0n) return value
  throw new OctroiError(
    'bad_number',
    'A quantity in the ledger is a whole number or a fraction, not negative.',
  )
}

/** Reads the text of a quantity: a number where it is whole and safe, else a fraction. */
export const parseQuantity = (column: SqlValue | undefined): Quantity => {
  const { numerator, denominator } = parseFraction(text(column))
  const number = Number(numerator)
  return denominator === 1n && Number.isSafeInteger(number) ? number : { numerator, denominator }
}

/** Reads `61/3` or `61`. */
export const parseFraction = (written: string): Rational => {
  const parts = /^(-?\d+)(?:\/(\d+))?$/.exec(written)
  if (parts === null) throw corrupt(written)
  return rational(BigInt(parts[1] ?? 0), BigInt(parts[2] ?? 1))
}

/** Readers of columns. Throw `ledger_corrupt` when a column holds something else. */
export const text = (column: SqlValue | undefined): string => {
  if (typeof column !== 'string') throw corrupt(column)
  return column
}

export const textOrNull = (column: SqlValue | undefined): string | null =>
  column === null || column === undefined ? null : text(column)

export const number = (column: SqlValue | undefined): number => {
  if (typeof column !== 'bigint' && typeof column !== 'number') throw corrupt(column)
  return Number(column)
}

export const numberOrNull = (column: SqlValue | undefined): number | null =>
  column === null || column === undefined ? null : number(column)

export const amount = (column: SqlValue | undefined): Picos => {
  if (typeof column === 'bigint') return column
  if (typeof column === 'number' && Number.isSafeInteger(column)) return BigInt(column)
  if (typeof column === 'string' && /^-?\d+$/.test(column)) return BigInt(column)
  throw corrupt(column)
}

export const amountOrNull = (column: SqlValue | undefined): Picos | null =>
  column === null || column === undefined ? null : amount(column)

const corrupt = (column: unknown): OctroiError =>
  new OctroiError(
    'ledger_corrupt',
    `A column of the ledger holds ${String(column).slice(0, 40)}. Run octroi ledger verify.`,
  )
