import type { Bound } from '../endpoints/bound.ts'
import { type Picos, postedPlaces } from '../money/money.ts'
import { compare, multiply, type Rational, rational } from '../money/rational.ts'
import { billedQuantity, type PricedCall, price, type Unpriced } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { placeOf, priceIfAny, priceOn, unitAmount, withInputTokens } from '../pricing/price-of.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'

/** What a call can cost before it is sent. `least` and `most` hold for every usage within the bounds; null
 * where that is unknown, and `reasons` then says why. `expected` is null unless a usage was expected. */
export type Quote = {
  readonly currency: string
  readonly least: Picos | null
  readonly expected: Picos | null
  readonly most: Picos | null
  /** The most of the parts that have a price and a bound; what the others can cost is not in it. */
  readonly pricedMost: Picos
  readonly usage: readonly Pick<Bound, 'meters' | 'least' | 'most'>[]
  readonly reasons: readonly string[]
  readonly unpriced: readonly Unpriced[]
}

/** Quotes a call from what it can use at least and at most. Of the meters that a part of the usage can fall
 * under, `most` takes the dearest and `least` the cheapest, on every context card that the total input can
 * reach. A meter without a price is passed over (no model charges for all of them), but never the first of a
 * bound, which the usage falls under when nothing else is known: without its price the call is unpriced. */
export const quote = (
  bounds: readonly Bound[],
  call: PricedCall,
  book: PriceBook,
  expected?: Usage,
): Quote => {
  const used = bounds.filter(({ most }) => most !== 0)
  const input = inputRange(used)
  const plain = finderOf(input, call, book)
  const parts = used.map((bound) => {
    if (bound.attributes === undefined) return quotePart(bound, ratesOf(bound, plain))
    const attributes = { ...call.attributes, ...bound.attributes }
    return quotePart(bound, ratesOf(bound, finderOf(input, { ...call, attributes }, book)))
  })
  const expectation = expected === undefined ? null : price(expected, call, book)
  const unpriced = [...parts.flatMap((part) => part.unpriced), ...(expectation?.unpriced ?? [])]
  const reasons = [
    ...used
      .filter(({ most }) => most === null)
      .map(({ meters, reason }) => reason ?? `${meters[0]} has no bound`),
    ...unpriced.map(({ message }) => message),
  ]
  return {
    currency: call.currency ?? 'USD',
    least: sumOf(parts.map(({ least }) => least)),
    expected: expectation === null ? null : expectation.total,
    most: sumOf(parts.map(({ most }) => most)),
    pricedMost: parts.reduce((sum, { most }) => sum + (most ?? 0n), 0n),
    usage: bounds.map(({ meters, least, most }) => ({ meters, least, most })),
    reasons: [...new Set(reasons)],
    unpriced,
  }
}

type Range = { readonly least: number; readonly most: number }

/** The prices of one unit of a bound: the cheapest and the dearest that can hold, with the quantities billed at
 * the least and at the most, which minimums and rounding can raise. `charges`: under how many meters it can be
 * charged; `whole`: whether every price is a whole number of posted units. */
type Rates = {
  readonly cheapest: Rational
  readonly dearest: Rational
  readonly fewest: Rational
  readonly most: Rational
  readonly charges: number
  readonly whole: boolean
}

type Part = {
  readonly least: Picos | null
  readonly most: Picos | null
  readonly unpriced: readonly Unpriced[]
}

const quotePart = ({ most }: Bound, rates: Rates | Unpriced): Part => {
  if ('code' in rates) return { least: null, most: null, unpriced: [rates] }
  // Each charge is rounded to its nearest posted unit: two charges can be one unit above their exact sum.
  const slack = rates.whole ? 0n : BigInt(Math.floor(rates.charges / 2))
  const atLeast = floorPicos(multiply(rates.cheapest, rates.fewest)) - slack
  return {
    least: atLeast < 0n ? 0n : atLeast,
    most: most === null ? null : ceilPicos(multiply(rates.dearest, rates.most)) + slack,
    unpriced: [],
  }
}

/** How many input tokens the whole call has: they choose the context card. */
const inputRange = (bounds: readonly Bound[]): Range => {
  const inputs = bounds.filter(({ meters: [meter] }) => {
    const { direction, unit } = meterFacts(meter)
    return direction === 'input' && unit === 'token'
  })
  const most = inputs.reduce((sum, bound) => sum + (bound.most ?? Number.POSITIVE_INFINITY), 0)
  return {
    least: inputs.reduce((sum, bound) => sum + Math.floor(bound.least), 0),
    most: Math.min(Math.ceil(most), Number.MAX_SAFE_INTEGER),
  }
}

/** A price a meter can have: of one unit, and how a measured quantity is billed. */
type Candidate = {
  readonly unit: Rational
  readonly billed: (measured: Rational) => Rational
  readonly isPlain: boolean
  readonly threshold: number | null
}

/** Finds the prices a meter can have: those at both ends of the input range, and on either side of every
 * threshold between them. Or why it has none at one of them, where the meter `isNeeded`. */
type Finder = (meter: Meter, isNeeded: boolean) => readonly Candidate[] | Omit<Unpriced, 'quantity'>

const finderOf = (input: Range, call: PricedCall, book: PriceBook): Finder => {
  const place = placeOf(call, input.least, book)
  return (meter, isNeeded) => {
    let gap: Omit<Unpriced, 'quantity'> | null = null
    const at = (inputTokens: number): Candidate[] => {
      const there = withInputTokens(place, inputTokens)
      const found = isNeeded ? priceOn(there, meter) : priceIfAny(there, meter)
      if (found === null) return []
      if ('code' in found) {
        gap ??= found
        return []
      }
      const threshold = found.cell.price.attributes.context_threshold_tokens
      return [
        {
          unit: unitAmount(there, meter, found),
          billed: (measured) => billedQuantity(measured, found, there),
          isPlain: found.cell.selection.billing === null,
          threshold: typeof threshold === 'number' ? threshold : null,
        },
      ]
    }
    const ends = input.least === input.most ? at(input.most) : [...at(input.least), ...at(input.most)]
    const between = ends
      .flatMap(({ threshold }) => (threshold === null ? [] : [threshold, threshold + 1]))
      .filter((tokens) => tokens > input.least && tokens < input.most)
    const found = between.length === 0 ? ends : [...ends, ...[...new Set(between)].flatMap(at)]
    return gap ?? found
  }
}

const ratesOf = (bound: Bound, find: Finder): Rates | Unpriced => {
  const [first] = bound.meters
  const priced: Candidate[] = []
  let charges = 0
  for (const meter of bound.meters) {
    const found = find(meter, meter === first)
    if ('code' in found) return { ...found, quantity: bound.most ?? bound.least }
    priced.push(...found)
    if (found.length > 0) charges += 1
  }
  const least = quantity(Math.floor(bound.least))
  const most = quantity(Math.ceil(bound.most ?? bound.least))
  return {
    cheapest: priced.map(({ unit }) => unit).reduce(lesser),
    dearest: priced.map(({ unit }) => unit).reduce(greater),
    // What is not used is not charged, whatever the minimum.
    fewest: least.numerator === 0n ? least : priced.map(({ billed }) => billed(least)).reduce(lesser),
    most: priced.map(({ billed }) => billed(most)).reduce(greater),
    charges,
    whole: priced.every(
      ({ unit, isPlain }) => isPlain && (unit.numerator * picosPerUnit) % unit.denominator === 0n,
    ),
  }
}

const lesser = (a: Rational, b: Rational): Rational => (compare(a, b) <= 0 ? a : b)
const greater = (a: Rational, b: Rational): Rational => (compare(a, b) >= 0 ? a : b)

const sumOf = (amounts: readonly (Picos | null)[]): Picos | null =>
  amounts.reduce((sum, amount) => (sum === null || amount === null ? null : sum + amount), 0n)

const quantity = (units: number): Rational => rational(BigInt(units))

const picosPerUnit = 10n ** BigInt(postedPlaces)

const floorPicos = ({ numerator, denominator }: Rational): Picos => (numerator * picosPerUnit) / denominator

const ceilPicos = ({ numerator, denominator }: Rational): Picos =>
  (numerator * picosPerUnit + denominator - 1n) / denominator
