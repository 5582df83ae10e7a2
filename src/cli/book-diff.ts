import {
  compare,
  divide,
  formatScaled,
  multiply,
  type Rational,
  rational,
  roundHalfEven,
  subtract,
} from '../money/rational.ts'
import type { Price } from '../pricing/price-book.ts'
import { formatInstant, type Instant } from '../time.ts'
import { appliesTo, byPlace, comparedPrice, comparedUnits, dayOf, priceJson } from './book-prices.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'

/** One thing whose price is not the same on two days. */
export type Change = {
  readonly kind: 'added' | 'removed' | 'up' | 'down'
  readonly before: Price | null
  readonly after: Price | null
  /** By how much, as a share of the earlier price; null where there was none, or it was zero. */
  readonly by: Rational | null
}

/** What moved between two lists of prices: what is in one only, and what has another price, compared exactly. */
export const changesBetween = (before: readonly Price[], after: readonly Price[]): readonly Change[] => {
  const earlier = new Map(before.map((price) => [keyOf(price), price]))
  const changes: Change[] = []
  for (const price of after) {
    const old = earlier.get(keyOf(price))
    earlier.delete(keyOf(price))
    if (old === undefined) changes.push({ kind: 'added', before: null, after: price, by: null })
    else changes.push(...change(old, price))
  }
  for (const price of earlier.values())
    changes.push({ kind: 'removed', before: price, after: null, by: null })
  return changes.sort((a, b) => order[a.kind] - order[b.kind] || byPlace(priceOf(a), priceOf(b)))
}

const order = { up: 0, down: 1, added: 2, removed: 3 } as const

const keyOf = (price: Price): string =>
  JSON.stringify([price.provider, price.model, price.service, price.meter, appliesTo(price), price.currency])

const change = (before: Price, after: Price): readonly Change[] => {
  const [was, is] = [before.rate.perUnit, after.rate.perUnit]
  const sign = compare(is, was)
  if (sign === 0) return []
  const by = was.numerator === 0n ? null : divide(subtract(is, was), was)
  return [{ kind: sign > 0 ? 'up' : 'down', before, after, by }]
}

const priceOf = ({ before, after }: Change): Price => {
  const price = after ?? before
  if (price === null) throw new Error('A change has a price.')
  return price
}

type Days = { readonly from: Instant; readonly to: Instant }

/** Lays changes out for people, and counts them below. */
export const formatChanges = (
  changes: readonly Change[],
  { from, to, color }: Days & { readonly color: boolean },
): string => {
  const days = `from ${dayOf(from)} to ${dayOf(to)}`
  if (changes.length === 0) return `Nothing moved ${days}.\n`
  const rows = changes.map((each) => {
    const price = priceOf(each)
    const { kind, before, after, by } = each
    const units = comparedUnits(price)
    return [
      kind,
      price.provider,
      price.model ?? '(any)',
      price.meter,
      appliesTo(price),
      before === null ? '' : comparedPrice(before, units),
      after === null ? '' : comparedPrice(after, units),
      `${price.currency}${units === 1n ? '' : ` / ${units}`}`,
      by === null ? '' : percent(by),
    ]
  })
  const counts = (['up', 'down', 'added', 'removed'] as const)
    .map((kind) => `${changes.filter((each) => each.kind === kind).length} ${kind}`)
    .join(', ')
  return `${formatTable(columns, rows, { color })}\n${days}: ${counts}\n`
}

const columns = [
  { title: '' },
  { title: 'provider' },
  { title: 'model' },
  { title: 'meter' },
  { title: 'for' },
  { title: 'was', align: 'right' },
  { title: 'is', align: 'right' },
  { title: '' },
  { title: 'change', align: 'right' },
] as const

const percent = (by: Rational): string => {
  const rounded = formatScaled(roundHalfEven(multiply(by, rational(100n)), 1), 1)
  return `${rounded.startsWith('-') ? '' : '+'}${rounded} %`
}

/** Changes as `octroi book diff --json` prints them. `by` is a decimal of at most six places. */
export const formatChangesJson = (
  changes: readonly Change[],
  { from, to, version }: Days & { readonly version: string },
): string =>
  `${formatJson({
    schema: 'octroi-book-diff/1',
    version,
    from: formatInstant(from),
    to: formatInstant(to),
    changes: changes.map(({ kind, before, after, by }) => ({
      kind,
      before: before === null ? null : priceJson(before),
      after: after === null ? null : priceJson(after),
      by: by === null ? null : formatScaled(roundHalfEven(by, 6), 6),
    })),
  })}\n`
