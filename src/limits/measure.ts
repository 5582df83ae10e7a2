import type { Bound } from '../endpoints/bound.ts'
import { formatScaled, parseDecimal, type Rational } from '../money/rational.ts'
import { type Meter, meterFacts, meterNames } from '../usage/meter.ts'
import { exactQuantity, type Usage } from '../usage/usage.ts'

type MeasureFacts = {
  readonly unit: string
  /** Digits after the point of its smallest unit: every amount is a whole number of 10^-places. */
  readonly places: number
  /** The meters it is the sum of; none where it is no sum of meters. */
  readonly meters: readonly Meter[]
  /** Meters that go with a quantity of it which no meter reports: where one of them can be used and none of its own, how
   * much of it there is is unknown. */
  readonly hidden: readonly Meter[]
}

const tokensOf = (...directions: readonly string[]): readonly Meter[] =>
  meterNames.filter((meter) => {
    const { unit, direction } = meterFacts(meter)
    return unit === 'token' && directions.includes(direction)
  })

const none = { meters: [], hidden: [] } as const

/** What a limit can count. Token measures are sums over the table of meters. `cost` is in 10^-12 of a currency,
 * `audio_seconds` in nanoseconds, everything else in whole things. */
export const measures = {
  cost: { unit: 'currency', places: 12, ...none },
  requests: { unit: 'request', places: 0, ...none },
  input_tokens: { unit: 'token', places: 0, meters: tokensOf('input'), hidden: [] },
  output_tokens: { unit: 'token', places: 0, meters: tokensOf('output'), hidden: [] },
  tokens: { unit: 'token', places: 0, meters: tokensOf('input', 'output'), hidden: [] },
  images: { unit: 'image', places: 0, meters: ['image'], hidden: ['output_image_tokens'] },
  audio_seconds: { unit: 'second', places: 9, meters: ['audio_seconds'], hidden: ['input_audio_tokens'] },
  concurrent: { unit: 'call', places: 0, ...none },
} as const satisfies Record<string, MeasureFacts>

export type Measure = keyof typeof measures

/** Every measure, in the order of the table. */
export const measureNames = Object.keys(measures) as readonly Measure[]

/** How much of each measure other than cost a call used. */
export type Used = { readonly [M in Measure]?: bigint }

/** Writes an amount of a measure as a plain decimal. */
export const formatAmount = (measure: Measure, amount: bigint): string =>
  formatScaled(amount, measures[measure].places)

/** Reads a plain decimal as an amount of a measure. Throws `bad_number`; null where it has more decimals than the
 * measure. */
export const parseAmount = (measure: Measure, text: string): bigint | null => {
  const { numerator, denominator } = parseDecimal(text)
  const scaled = numerator * 10n ** BigInt(measures[measure].places)
  return scaled % denominator === 0n ? scaled / denominator : null
}

/** The most of a measure a call can use, by the bounds of its quote. Null where that is unknown. `cost` is not asked
 * here: it is the quote's. */
export const mostOf = (
  measure: Exclude<Measure, 'cost'>,
  bounds: readonly Pick<Bound, 'meters' | 'most'>[] | null,
): bigint | null => {
  if (measure === 'requests' || measure === 'concurrent') return 1n
  if (bounds === null) return null
  const { own, hidden } = sets[measure]
  let [sum, counted, unseen] = [0n, false, false]
  for (const { meters, most } of bounds) {
    if (most === 0) continue
    if (isAny(meters, own)) {
      if (most === null) return null
      sum += BigInt(Math.ceil(most))
      counted = true
    } else if (hidden.size > 0 && isAny(meters, hidden)) unseen = true
  }
  return unseen && !counted ? null : sum * scales[measure]
}

/** How much of each measure a call used, all the usages of its reply together; rounded up to the smallest unit. */
export const usedIn = (usages: readonly Usage[]): Used => ({
  requests: 1n,
  ...Object.fromEntries(sums.map((measure) => [measure, sumOf(measure, usages)])),
})

const sums = ['input_tokens', 'output_tokens', 'tokens', 'images', 'audio_seconds'] as const
type Sum = (typeof sums)[number]

const bySum = <Value>(make: (measure: Sum) => Value) =>
  Object.fromEntries(sums.map((measure) => [measure, make(measure)])) as Record<Sum, Value>

const scales = bySum((measure) => 10n ** BigInt(measures[measure].places))
const sets = bySum((measure) => ({
  own: new Set<string>(measures[measure].meters),
  hidden: new Set<string>(measures[measure].hidden),
}))

const isAny = (meters: readonly Meter[], set: ReadonlySet<string>): boolean => {
  for (const meter of meters) if (set.has(meter)) return true
  return false
}

const sumOf = (measure: Sum, usages: readonly Usage[]): bigint => {
  let sum = 0n
  for (const usage of usages) {
    for (const meter of measures[measure].meters) {
      const quantity = usage[meter]
      if (quantity !== undefined) sum += roundUp(exactQuantity(meter, quantity), scales[measure])
    }
  }
  return sum
}

const roundUp = ({ numerator, denominator }: Rational, scale: bigint): bigint =>
  (numerator * scale + denominator - 1n) / denominator
