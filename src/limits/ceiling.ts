import { OctroiError } from '../errors.ts'
import { type Picos, postedPlaces } from '../money/money.ts'
import { compare, divide, multiply, parseDecimal, type Rational, rational } from '../money/rational.ts'
import type { Quote } from '../planning/quote.ts'
import { isMeter, type Meter, meterFacts } from '../usage/meter.ts'
import { exactQuantity, type Quantity } from '../usage/usage.ts'

/** What an operator takes the price of something unpriced to be at most, in the currency of the limit. `rates` are of
 * one unit: those of a meter, and those of every input and every output token. `perCall` is what a call is held at
 * for what has no rate here, or no bound. */
export type Ceiling = {
  readonly meters: ReadonlyMap<Meter, Rational>
  readonly inputToken: Rational | null
  readonly outputToken: Rational | null
  readonly perCall: Picos | null
}

/** What a quote says that a ceiling is asked about. */
export type CeilingAsked = Pick<Quote, 'usage' | 'unpriced' | 'pricedMost'>

/** The most a call can cost by its prices and, for what has none, by the ceiling; rounded up. Null where something has
 * neither, or no bound, and the ceiling names no amount for a call. */
export const mostAtCeiling = (
  { usage, unpriced, pricedMost }: CeilingAsked,
  ceiling: Ceiling,
): Picos | null => {
  const without = new Set(unpriced.map(({ meter }) => meter))
  let most = pricedMost
  let isOpen = false
  for (const bound of usage) {
    if (bound.most === 0) continue
    const [first] = bound.meters
    if (!without.has(first)) {
      isOpen ||= bound.most === null
      continue
    }
    const rates = bound.meters.map((meter) => rateOf(meter, ceiling))
    const known = rates.filter((rate) => rate !== null)
    if (bound.most === null || rates[0] === null || known.length === 0) isOpen = true
    else most += roundUp(multiply(known.reduce(greater), rational(BigInt(Math.ceil(bound.most)))))
  }
  if (!isOpen) return most
  return ceiling.perCall === null ? null : most + ceiling.perCall
}

/** What unpriced usage counts for against a limit until its price is known; rounded up. */
export const amountAtCeiling = (
  unpriced: readonly { readonly meter: Meter; readonly quantity: Quantity }[],
  ceiling: Ceiling,
): Picos => {
  let amount = 0n
  let isOpen = false
  for (const { meter, quantity } of unpriced) {
    const rate = rateOf(meter, ceiling)
    if (rate === null) isOpen = true
    else amount += roundUp(multiply(rate, exactQuantity(meter, quantity)))
  }
  return isOpen ? amount + (ceiling.perCall ?? 0n) : amount
}

/** Reads `{perMillionInputTokens?, perMillionOutputTokens?, perUnit?: {meter: amount}, perCall?}`, all of them decimal
 * strings. Throws `bad_input` naming the field; at least one amount must be there. */
export const parseCeiling = (json: unknown): Ceiling => {
  const fields = objectOf(json, 'unpriced.ceiling')
  const stranger = Object.keys(fields).find((field) => !ceilingFields.includes(field))
  if (stranger !== undefined)
    throw bad(`unpriced.ceiling.${stranger}`, `Known are ${ceilingFields.join(', ')}.`)
  if (Object.keys(fields).length === 0) {
    throw bad('unpriced.ceiling', `Give at least one of ${ceilingFields.join(', ')}.`)
  }
  const million = (field: string): Rational | null => {
    const amount = readAmount(fields[field], `unpriced.ceiling.${field}`)
    return amount === null ? null : divide(amount, rational(1_000_000n))
  }
  const perCall = readAmount(fields['perCall'], 'unpriced.ceiling.perCall')
  return {
    meters: readMeters(fields['perUnit']),
    inputToken: million('perMillionInputTokens'),
    outputToken: million('perMillionOutputTokens'),
    perCall: perCall === null ? null : roundUp(perCall),
  }
}

const ceilingFields = ['perMillionInputTokens', 'perMillionOutputTokens', 'perUnit', 'perCall']

const rateOf = (meter: Meter, { meters, inputToken, outputToken }: Ceiling): Rational | null => {
  const own = meters.get(meter)
  if (own !== undefined) return own
  const { unit, direction } = meterFacts(meter)
  if (unit !== 'token') return null
  return direction === 'input' ? inputToken : outputToken
}

const readMeters = (json: unknown): ReadonlyMap<Meter, Rational> => {
  const rates = new Map<Meter, Rational>()
  if (json === undefined) return rates
  for (const [name, value] of Object.entries(objectOf(json, 'unpriced.ceiling.perUnit'))) {
    const field = `unpriced.ceiling.perUnit.${name.slice(0, 60)}`
    if (!isMeter(name)) throw bad(field, 'There is no such meter.')
    const amount = readAmount(value, field)
    if (amount !== null) rates.set(name, amount)
  }
  return rates
}

/** 10^9 units of a currency: far above any price, and safe in every sum. */
const amountMax = rational(1_000_000_000n)

const readAmount = (json: unknown, field: string): Rational | null => {
  if (json === undefined) return null
  if (typeof json !== 'string') throw bad(field, 'Write the amount as a string, as in "12.50".')
  const amount = decimalOf(json, field)
  if (amount.numerator < 0n || compare(amount, amountMax) > 0) throw bad(field, 'It is from 0 to 10^9.')
  return amount
}

const decimalOf = (text: string, field: string): Rational => {
  try {
    return parseDecimal(text)
  } catch {
    throw bad(field, 'Write a plain decimal, as in "12.50".')
  }
}

const objectOf = (json: unknown, field: string): Readonly<Record<string, unknown>> => {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json }
  throw bad(field, 'Write an object.')
}

const bad = (field: string, remedy: string): OctroiError =>
  new OctroiError('bad_input', `The field "${field}" of a limit cannot be used. ${remedy}`, { field })

const greater = (a: Rational, b: Rational): Rational => (compare(a, b) >= 0 ? a : b)

const roundUp = ({ numerator, denominator }: Rational): Picos =>
  (numerator * 10n ** BigInt(postedPlaces) + denominator - 1n) / denominator
