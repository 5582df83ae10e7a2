import { OctroiError } from '../errors.ts'
import { type Rational, rational } from '../money/rational.ts'
import { type Meter, meterFacts, meterNames, parseMeter } from './meter.ts'

/** How much of one meter: a safe whole number, or an exact rational for fractional meters (seconds,
 * gigabyte-days). Never negative. */
export type Quantity = number | Rational

/** How much of each meter one call consumed. Meters are disjoint: what is counted under one is counted
 * under no other. A meter that is absent was not used. */
export type Usage = { readonly [M in Meter]?: Quantity }

/** A quantity as a plain number where it is a safe whole one. */
export const toQuantity = (quantity: Rational): Quantity =>
  quantity.denominator === 1n && quantity.numerator <= maxWhole ? Number(quantity.numerator) : quantity

/** The meters of a usage and how much of each, exactly. Throws `unknown_meter`, and `bad_number` for a quantity
 * that is negative, beyond 2^53, or not whole where the meter counts whole things. */
export const quantities = (usage: Usage): readonly (readonly [Meter, Rational])[] =>
  Object.entries(usage).map(([name, quantity]) => {
    const meter = parseMeter(name)
    return [meter, exactQuantity(meter, quantity)]
  })

/** A quantity of a meter as an exact number. Throws `bad_number` as `quantities` does. */
export const exactQuantity = (meter: Meter, quantity: Quantity): Rational => {
  const { whole } = meterFacts(meter)
  const exact = typeof quantity === 'number' ? fromNumber(quantity) : fromRational(quantity)
  if (exact !== null && (!whole || (exact.denominator === 1n && exact.numerator <= maxWhole))) return exact
  const expected = `a whole number from 0 to 2^53 - 1${whole ? '' : ', or an exact rational that is not negative'}`
  throw new OctroiError('bad_number', `${meter}: a quantity must be ${expected}.`, { meter })
}

const maxWhole = BigInt(Number.MAX_SAFE_INTEGER)

const fromNumber = (quantity: number): Rational | null =>
  Number.isSafeInteger(quantity) && quantity >= 0 ? rational(BigInt(quantity)) : null

const fromRational = (quantity: Rational): Rational | null =>
  typeof quantity?.numerator === 'bigint' &&
  typeof quantity.denominator === 'bigint' &&
  quantity.numerator >= 0n &&
  quantity.denominator > 0n
    ? quantity
    : null

/** All input tokens of a usage, whatever their class: fresh, cached, written, of any modality. */
export const inputTokens = (usage: Usage): number => {
  let sum = 0
  for (const name of Object.keys(usage)) {
    if (!inputTokenMeters.has(name)) continue
    const quantity = usage[name as Meter]
    if (typeof quantity === 'number') sum += quantity
  }
  return sum
}

const inputTokenMeters: ReadonlySet<string> = new Set(
  meterNames.filter((meter) => {
    const { direction, unit } = meterFacts(meter)
    return direction === 'input' && unit === 'token'
  }),
)
