import { type CalendarWindow, windowOf } from '../limits/window.ts'
import type { Picos } from '../money/money.ts'
import { add, divide, multiply, type Rational, rational, subtract, zero } from '../money/rational.ts'
import type { Instant } from '../time.ts'

/** What a group came to in the period before, and why it changed. `price + volume + mix = delta`, to the last unit. */
export type SpendChange = {
  readonly before: Picos
  readonly delta: Picos
  readonly price: Picos
  readonly volume: Picos
  readonly mix: Picos
}

/** What one meter of one model came to, before and now. `unit` is that of its meter. */
export type ChangedItem = {
  readonly unit: string
  readonly before: { readonly quantity: Rational; readonly amount: Picos }
  readonly now: { readonly quantity: Rational; readonly amount: Picos }
}

/** Splits a change into price, volume and mix, as variance analysis does, over items of which each has a quantity q and
 * an amount a, and so a unit price p = a / q, before (0) and now (1):
 *
 * - price: what of today's quantities is dearer. The sum of `(p1 - p0) q1`.
 * - volume: what all of it would have cost more, had only the whole quantity grown, by unit, and its shares stayed as
 *   they were. With `Q` the sum of q in a unit: the sum of `a0 (Q1 - Q0) / Q0`; and all of an item that is new or gone,
 *   which has but one price.
 * - mix: that the shares moved to dearer or cheaper items. The rest: the sum of `p0 (q1 - q0 Q1 / Q0)`.
 *
 * Their sum is the change exactly. Each is rounded down to the ledger's unit, and the units that are left go one each to
 * those that lost most by it (largest remainder). */
export const changeOf = (items: Iterable<ChangedItem>): SpendChange => {
  let [before, now, oneSided] = [0n, 0n, 0n]
  const kept: ChangedItem[] = []
  for (const item of items) {
    before += item.before.amount
    now += item.now.amount
    if (isPositive(item.before.quantity) && isPositive(item.now.quantity)) kept.push(item)
    else oneSided += item.now.amount - item.before.amount
  }
  const growth = growthOf(kept)
  let [price, volume, mix] = [zero, rational(oneSided), zero]
  for (const item of kept) {
    const [a0, a1] = [rational(item.before.amount), rational(item.now.amount)]
    const atOldPrice = multiply(a0, divide(item.now.quantity, item.before.quantity))
    const grown = multiply(a0, growth.get(item.unit) ?? rational(1n))
    price = add(price, subtract(a1, atOldPrice))
    volume = add(volume, subtract(grown, a0))
    mix = add(mix, subtract(atOldPrice, grown))
  }
  const delta = now - before
  const [wholePrice = 0n, wholeVolume = 0n, wholeMix = 0n] = wholes([price, volume, mix], delta)
  return { before, delta, price: wholePrice, volume: wholeVolume, mix: wholeMix }
}

/** The sum of changes, part by part. */
export const sumOfChanges = (changes: readonly SpendChange[]): SpendChange => {
  const sum = (part: keyof SpendChange): Picos => changes.reduce((total, change) => total + change[part], 0n)
  return {
    ...{ before: sum('before'), delta: sum('delta') },
    ...{ price: sum('price'), volume: sum('volume'), mix: sum('mix') },
  }
}

/** The period before another, in a zone: as many months where it is of whole months, as many days where it is of whole
 * days (of which some have 23 or 25 hours), else as many milliseconds. */
export const periodBefore = (
  { from, to }: { readonly from: Instant; readonly to: Instant },
  timeZone: string,
): { readonly from: Instant; readonly to: Instant } => {
  for (const calendar of ['month', 'day'] as const) {
    const window = { calendar, timeZone }
    if (windowOf(window, from).start !== from || windowOf(window, to).start !== to) continue
    return { from: backFrom(window, from, countIn(window, from, to)), to: from }
  }
  return { from: from - (to - from), to: from }
}

const countIn = (window: CalendarWindow, from: Instant, to: Instant): number => {
  let count = 0
  for (let at = from; at < to; count += 1) at = windowOf(window, at).end ?? to
  return count
}

const backFrom = (window: CalendarWindow, from: Instant, count: number): Instant => {
  let at = from
  for (let back = 0; back < count; back += 1) at = windowOf(window, at - 1).start
  return at
}

const isPositive = ({ numerator }: Rational): boolean => numerator > 0n

/** `Q1 / Q0` by unit. */
const growthOf = (items: readonly ChangedItem[]): ReadonlyMap<string, Rational> => {
  const sums = new Map<string, { before: Rational; now: Rational }>()
  for (const { unit, before, now } of items) {
    const sum = sums.get(unit) ?? { before: zero, now: zero }
    sums.set(unit, { before: add(sum.before, before.quantity), now: add(sum.now, now.quantity) })
  }
  return new Map([...sums].map(([unit, { before, now }]) => [unit, divide(now, before)]))
}

/** Whole numbers near parts whose sum is `whole`: each rounded down, and one more for those that lost most by it. */
const wholes = (parts: readonly Rational[], whole: bigint): readonly bigint[] => {
  const floors = parts.map(({ numerator, denominator }) => {
    const rest = ((numerator % denominator) + denominator) % denominator
    return { floor: (numerator - rest) / denominator, lost: rational(rest, denominator) }
  })
  const left = Number(whole - floors.reduce((sum, { floor }) => sum + floor, 0n))
  const byLoss = floors
    .map(({ lost }, index) => ({ lost, index }))
    .sort(
      (a, b) => Number(isPositive(subtract(b.lost, a.lost))) - Number(isPositive(subtract(a.lost, b.lost))),
    )
  const raised = new Set(byLoss.slice(0, left).map(({ index }) => index))
  return floors.map(({ floor }, index) => floor + (raised.has(index) ? 1n : 0n))
}
