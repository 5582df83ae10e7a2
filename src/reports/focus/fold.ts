import type { AccruedRow, CallRow, ImportedRow } from '../../ledger/reading.ts'
import { type Picos, post } from '../../money/money.ts'
import { add, type Rational, rational } from '../../money/rational.ts'
import { listAmount } from '../../pricing/list-amount.ts'
import type { Charge } from '../../pricing/price.ts'
import type { Instant } from '../../time.ts'
import type { Quantity } from '../../usage/usage.ts'
import type { Posting, Series, SeriesBook } from './series.ts'

/** What one series came to in one period, which is an hour, or what a vendor reports at once. */
export type FocusGroup = {
  readonly series: Series
  readonly from: Instant
  readonly to: Instant
  quantity: Quantity
  /** At list price, as agreed, and as posted. */
  list: Picos
  contracted: Picos
  amount: Picos
  /** Calls that have such a charge. Those of an imported line count on each of its charges. */
  calls: number
  charges: number
}

/** Gathers the calls, accruals and imported lines of a period into the rows of an export. */
export type FocusFold = {
  readonly addCalls: (calls: readonly CallRow[]) => void
  readonly addAccrued: (entries: readonly AccruedRow[]) => void
  readonly addImported: (lines: readonly ImportedRow[]) => void
  /** How many groups it holds. */
  readonly size: () => number
  /** How often something was used that had no price: no row has it. */
  readonly unpriced: () => number
  /** By time, then by series. */
  readonly groups: () => Generator<FocusGroup>
}

const hourMs = 3_600_000

/** An empty fold. No two folds over one book are open at a time. */
export const createFocusFold = (book: SeriesBook): FocusFold => {
  const periods = new Map<Instant, Map<Instant, Map<Series, FocusGroup>>>()
  let [size, unpriced] = [0, 0]
  book.trim()

  const groupOf = (groups: Map<Series, FocusGroup>, series: Series, { from, to }: Period): FocusGroup => {
    const known = groups.get(series)
    if (known !== undefined) return known
    const group: FocusGroup = {
      ...{ series, from, to, quantity: 0, list: 0n, contracted: 0n, amount: 0n, calls: 0, charges: 0 },
    }
    groups.set(series, group)
    size += 1
    return group
  }

  const groupsOf = ({ from, to }: Period): Map<Series, FocusGroup> => {
    const starting = periods.get(from) ?? new Map<Instant, Map<Series, FocusGroup>>()
    periods.set(from, starting)
    const groups = starting.get(to) ?? new Map<Series, FocusGroup>()
    starting.set(to, groups)
    return groups
  }

  const put = (
    posting: Posting,
    entry: { readonly charges: readonly Charge[]; readonly unpriced: readonly unknown[] },
    at: Period & { readonly calls: number },
    listOf: (charge: Charge) => Picos,
  ): void => {
    unpriced += entry.unpriced.length
    if (entry.charges.length === 0) return
    const seriesOf = book.of(posting)
    const groups = groupsOf(at)
    const counted: FocusGroup[] = []
    for (const charge of entry.charges) {
      const group = groupOf(groups, seriesOf(charge), at)
      const list = listOf(charge)
      group.quantity = sum(group.quantity, charge.quantity)
      group.list += list
      group.contracted += group.series.price.contracted === group.series.price.list ? list : charge.amount
      group.amount += charge.amount
      group.charges += 1
      if (counted.includes(group)) continue
      counted.push(group)
      group.calls += at.calls
    }
  }

  return {
    addCalls: (calls) => {
      for (const { call, settlement } of calls) {
        const { provider } = call
        const { model, tier, currency, basis, bookVersion } = settlement
        const from = hourOf(call.at)
        const posting = { owner: call, account: null, provider, model, tier, currency, basis, bookVersion }
        put(posting, settlement, { from, to: from + hourMs, calls: 1 }, listPosted)
      }
    },
    addAccrued: (entries) => {
      for (const entry of entries)
        put({ ...entry, account: null, tier: null }, entry, periodOf(entry), listOfAccrued(entry))
    },
    addImported: (lines) => {
      for (const line of lines) {
        put({ ...line, basis: 'imported' }, line, { ...periodOf(line), calls: line.calls }, listPosted)
      }
    },
    size: () => size,
    unpriced: () => unpriced,
    *groups() {
      for (const [, ending] of [...periods].sort(byTime)) {
        for (const [, groups] of [...ending].sort(byTime)) yield* [...groups.values()].sort(bySeries)
      }
    },
  }
}

type Period = { readonly from: Instant; readonly to: Instant }

const byTime = ([a]: readonly [Instant, unknown], [b]: readonly [Instant, unknown]): number => a - b

const bySeries = ({ series: { key: a } }: FocusGroup, { series: { key: b } }: FocusGroup): number =>
  a < b ? -1 : a > b ? 1 : 0

const hourOf = (at: Instant): Instant => Math.floor(at / hourMs) * hourMs

/** The whole hours that a stretch of time lies in. */
const periodOf = ({ from, to }: Period) => ({
  from: hourOf(from),
  to: Math.max(hourOf(from) + hourMs, hourOf(to + hourMs - 1)),
  calls: 0,
})

const listPosted = (charge: Charge): Picos =>
  charge.list === undefined ? charge.amount : post(listAmount(charge))

/** The list amount of an accrual is rounded to date, as its amount is. It stands on its first charge, less the others. */
const listOfAccrued = ({ charges, list }: AccruedRow) => {
  const others = charges.slice(1).reduce((rest, charge) => rest + listPosted(charge), 0n)
  return (charge: Charge): Picos => (charge === charges[0] ? list - others : listPosted(charge))
}

const sum = (a: Quantity, b: Quantity): Quantity => {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b
  return add(exact(a), exact(b))
}

const exact = (quantity: Quantity): Rational =>
  typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity
