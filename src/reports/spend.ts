import type { Basis } from '../ledger/entry.ts'
import type { SpendRow, SpendScope } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, rational } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import type { PromotionRow } from './promotions.ts'
import { shareOf } from './share.ts'

/** What spend can be grouped by, and how a row is named in it. Hours and days are those of UTC. */
export const spendDimensions = {
  organization: (row) => row.organization,
  team: (row) => row.team,
  project: (row) => row.project,
  environment: (row) => row.environment,
  key: (row) => row.key,
  provider: (row) => row.provider,
  model: (row) => row.model,
  endpoint: (row) => row.endpoint,
  meter: (row) => row.meter,
  basis: (row) => row.basis,
  hour: (row) => formatInstant(row.hour),
  day: (row) => formatInstant(row.hour).slice(0, 10),
} as const satisfies Record<string, (row: Named) => string | null>

type Named = SpendScope & { readonly meter: Meter | null }

export type SpendDimension = keyof typeof spendDimensions

/** What one group came to, in one currency. */
export type SpendGroup = {
  /** One name for each dimension of the report; null where there is none. */
  readonly names: readonly (string | null)[]
  readonly currency: string
  /** Calls, and calls of which something had no price. Null in a report by meter: a call has several. */
  readonly calls: number | null
  readonly unpriced: number | null
  /** The meters that were used and had no price; the amount leaves them out. */
  readonly unpricedMeters: readonly Meter[]
  /** How much was used, when all of it is counted in one unit. */
  readonly quantity: { readonly amount: Rational; readonly unit: string } | null
  /** Tokens of every kind that went in, and that came out. */
  readonly inputTokens: bigint
  readonly outputTokens: bigint
  readonly amount: Picos
  /** The amount without promotions and discounts; what has no price is left out of it, too. */
  readonly list: Picos
  /** Of all that was spent in this currency; null when that is nothing. */
  readonly share: Rational | null
  /** The amount by how sure it is. */
  readonly basis: Readonly<Record<Basis, Picos>>
  /** Conversation history that was sent again, and its share of the group's amount. Null in a report by meter. */
  readonly resent: {
    readonly tokens: number
    readonly amount: Picos
    readonly share: Rational | null
  } | null
}

/** Who spent what. The sums of the groups are the totals, of which there is one for each currency. */
export type SpendReport = {
  readonly by: readonly SpendDimension[]
  readonly from: Instant | null
  readonly to: Instant | null
  readonly groups: readonly SpendGroup[]
  readonly totals: readonly SpendGroup[]
}

/** Folds rows of the ledger by the wanted dimensions. Time runs forward; otherwise the largest come first. `promotions`
 * are those of the same period: without them, list is what was spent. */
export const spend = (
  rows: readonly SpendRow[],
  asked: {
    readonly by: readonly SpendDimension[]
    readonly from?: Instant | null
    readonly to?: Instant | null
    readonly promotions?: readonly PromotionRow[]
  },
): SpendReport => {
  const { by, from = null, to = null, promotions = [] } = asked
  const sums = group(rows, promotions, by)
  const totals = group(rows, promotions, [])
  const totalOf = new Map([...totals.values()].map((total) => [total.currency, total.amount]))
  const finish = (sum: Sums): SpendGroup => finished(sum, totalOf.get(sum.currency) ?? 0n, by)
  return {
    by,
    from,
    to,
    groups: [...sums.values()].map(finish).sort(byTimeThenAmount(by)),
    totals: [...totals.values()].map((sum) => ({ ...finish(sum), names: by.map(() => null) })),
  }
}

type Sums = {
  readonly names: readonly (string | null)[]
  readonly currency: string
  calls: number
  unpriced: number
  readonly unpricedMeters: Set<Meter>
  readonly quantities: Map<string, Rational>
  inputTokens: bigint
  outputTokens: bigint
  amount: Picos
  promoted: Picos
  readonly basis: Record<Basis, Picos>
  resentTokens: number
  resentAmount: Picos
}

const group = (
  rows: readonly SpendRow[],
  promotions: readonly PromotionRow[],
  by: readonly SpendDimension[],
): ReadonlyMap<string, Sums> => {
  const groups = new Map<string, Sums>()
  const sumsOf = (row: Named): Sums => {
    const names = by.map((dimension) => spendDimensions[dimension](row))
    const key = JSON.stringify([row.currency, ...names])
    const sums = groups.get(key) ?? emptySums(names, row.currency)
    groups.set(key, sums)
    return sums
  }
  for (const row of rows) {
    if (row.meter === null && by.includes('meter')) continue
    addRow(sumsOf(row), row)
  }
  for (const row of promotions) sumsOf(row).promoted += row.promoted
  return groups
}

const emptySums = (names: readonly (string | null)[], currency: string): Sums => ({
  names,
  currency,
  calls: 0,
  unpriced: 0,
  unpricedMeters: new Set(),
  quantities: new Map(),
  inputTokens: 0n,
  outputTokens: 0n,
  amount: 0n,
  promoted: 0n,
  basis: { measured: 0n, estimated: 0n, imported: 0n, reconciled: 0n },
  resentTokens: 0,
  resentAmount: 0n,
})

const addRow = (sums: Sums, row: SpendRow): void => {
  if (row.meter === null) {
    sums.calls += row.calls
    sums.unpriced += row.unpriced
    sums.resentTokens += row.resentTokens
    sums.resentAmount += row.resentAmount
    return
  }
  const { unit, direction } = meterFacts(row.meter)
  const quantity = exact(row.quantity)
  if (!row.priced) sums.unpricedMeters.add(row.meter)
  sums.quantities.set(unit, add(sums.quantities.get(unit) ?? rational(0n), quantity))
  if (unit === 'token' && direction === 'input') sums.inputTokens += quantity.numerator
  if (unit === 'token' && direction === 'output') sums.outputTokens += quantity.numerator
  sums.amount += row.amount
  sums.basis[row.basis] += row.amount
}

const exact = (quantity: Quantity): Rational =>
  typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity

const finished = (sums: Sums, total: Picos, by: readonly SpendDimension[]): SpendGroup => {
  const { names, currency, calls, unpriced, quantities, inputTokens, outputTokens, amount, basis } = sums
  const [only, ...others] = quantities
  const byMeter = by.includes('meter')
  return {
    names,
    currency,
    calls: byMeter ? null : calls,
    unpriced: byMeter ? null : unpriced,
    unpricedMeters: [...sums.unpricedMeters].sort(),
    quantity: only === undefined || others.length > 0 ? null : { unit: only[0], amount: only[1] },
    inputTokens,
    outputTokens,
    amount,
    list: amount + sums.promoted,
    share: shareOf(amount, total),
    basis,
    resent: byMeter
      ? null
      : {
          tokens: sums.resentTokens,
          amount: sums.resentAmount,
          share: shareOf(sums.resentAmount, amount),
        },
  }
}

const byTimeThenAmount = (by: readonly SpendDimension[]) => {
  const times = by.flatMap((dimension, index) => (dimension === 'hour' || dimension === 'day' ? [index] : []))
  const nameKey = ({ names, currency }: SpendGroup): string => JSON.stringify([...names, currency])
  const timeKey = ({ names }: SpendGroup): string => times.map((index) => names[index]).join(' ')
  return (a: SpendGroup, b: SpendGroup): number =>
    order(timeKey(a), timeKey(b)) || order(b.amount, a.amount) || order(nameKey(a), nameKey(b))
}

const order = <Value extends string | bigint>(a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0)
