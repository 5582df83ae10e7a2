import { OctroiError } from '../errors.ts'
import type { AccruedRow, CallRow, ImportedRow, SpendRow } from '../ledger/reading.ts'
import type { Instant } from '../time.ts'
import type { PromotionRow } from './promotions.ts'
import { type SpendChange, sumOfChanges } from './spend-change.ts'
import { isTime, nameIn, type SpendDimension } from './spend-dimensions.ts'
import {
  factOfHour,
  factOfPromotion,
  factsOfAccrued,
  factsOfCall,
  factsOfImported,
  type SpendFact,
} from './spend-facts.ts'
import {
  addFact,
  addSums,
  changeIn,
  emptySums,
  finished,
  type SpendGroup,
  type SpendSums,
} from './spend-group.ts'
import { fitsWhere, type SpendWhere } from './spend-where.ts'
import { type ZoneNames, zoneNames } from './spend-zone.ts'

/** A stretch of time; null is without end. */
export type SpendPeriod = { readonly from: Instant | null; readonly to: Instant | null }

/** Who spent what. The sums of the groups and of the others are the totals, of which there is one for each currency. */
export type SpendReport = SpendPeriod & {
  readonly by: readonly SpendDimension[]
  readonly where: SpendWhere
  readonly zone: ZoneNames
  /** The period that is compared with. */
  readonly before: { readonly from: Instant; readonly to: Instant } | null
  readonly groups: readonly SpendGroup[]
  /** What is left beside the largest, by currency, and how many groups that is. */
  readonly others: readonly (SpendGroup & { readonly count: number })[]
  /** The changes of a total are the sums of those of its groups: mix is within them. */
  readonly totals: readonly SpendGroup[]
}

/** What a report of spend is asked for: by which dimensions, and which of the spend. Days are those of `timeZone`, UTC
 * unless said. `top`: only the largest groups of each currency, and the others as one. */
export type SpendAsked = Partial<SpendPeriod> & {
  readonly by: readonly SpendDimension[]
  readonly where?: SpendWhere
  readonly timeZone?: string
  readonly top?: number | null
  readonly before?: SpendReport['before']
  /** Puts what is summed into another currency. `where` chooses before it does. */
  readonly convert?: (fact: SpendFact) => SpendFact
}

/** Takes what a period came to, from the hourly sums or else from all calls, accruals and imported lines: both come to
 * the same. */
export type SpendAdder = {
  readonly hours: (rows: readonly SpendRow[]) => void
  readonly promotions: (rows: readonly PromotionRow[]) => void
  readonly calls: (rows: readonly CallRow[]) => void
  readonly accrued: (rows: readonly AccruedRow[]) => void
  readonly imported: (rows: readonly ImportedRow[]) => void
}

/** Sums by the wanted dimensions, of the period and of the one before. */
export type SpendFold = {
  readonly now: SpendAdder
  readonly before: SpendAdder
  /** Takes what is summed already, of one side. */
  readonly facts: (side: 'before' | 'now', facts: readonly SpendFact[]) => void
  /** Takes what all groups came to that are not among the largest, and how many those are, by currency: for who knows the
   * largest, and has no room for the others. */
  readonly others: (facts: readonly SpendFact[], counts: ReadonlyMap<string, number>) => void
  readonly result: () => SpendReport
}

/** How many groups there may be: past this nobody reads them, and they have no room. */
const groupsMax = 50_000

/** An empty fold. It needs room for its groups and nothing else, and throws `bad_input` where they are too many. */
export const createSpendFold = (asked: SpendAsked): SpendFold => {
  const { by, where = [], from = null, to = null, top = null, before = null, timeZone = 'UTC' } = asked
  const zone = zoneNames(timeZone)
  const namers = by.map((dimension) => nameIn(dimension, zone))
  const isMeant = fitsWhere(where, zone)
  const byMeter = [...by, ...where.map(({ dimension }) => dimension)].includes('meter')
  const groups = new Map<string, SpendSums>()
  const sumsOf = (fact: SpendFact): SpendSums => {
    const { currency } = fact.place
    const names = namers.map((nameOf) => nameOf(fact.place))
    const key = JSON.stringify([currency, ...names])
    const known = groups.get(key)
    if (known !== undefined) return known
    if (groups.size >= groupsMax) throw tooManyGroups(by)
    const sums = emptySums(names, currency)
    groups.set(key, sums)
    return sums
  }
  const rest: Rest = new Map()
  const put = (fact: SpendFact, side: 'before' | 'now'): void => {
    if (fact.what === 'calls' && byMeter) return
    if (!isMeant(fact.place)) return
    const shown = asked.convert?.(fact) ?? fact
    addFact(sumsOf(shown), shown, side, before !== null)
  }
  const adder = (side: 'before' | 'now'): SpendAdder => {
    const each =
      <Row>(factsOf: (row: Row) => readonly SpendFact[]) =>
      (rows: readonly Row[]): void => {
        for (const row of rows) for (const fact of factsOf(row)) put(fact, side)
      }
    return {
      hours: each((row: SpendRow) => [factOfHour(row)]),
      promotions: each((row: PromotionRow) => [factOfPromotion(row)]),
      calls: each(factsOfCall),
      accrued: each(factsOfAccrued),
      imported: each(factsOfImported),
    }
  }
  return {
    now: adder('now'),
    before: adder('before'),
    facts: (side, facts) => {
      for (const fact of facts) put(fact, side)
    },
    others: (facts, counts) => {
      for (const fact of facts) {
        const { currency } = fact.place
        const sums =
          rest.get(currency)?.sums ??
          emptySums(
            by.map(() => null),
            currency,
          )
        rest.set(currency, { sums, count: counts.get(currency) ?? 0 })
        addFact(sums, fact, 'now', false)
      }
    },
    result: () => {
      const shown = { by, byMeter, isCompared: before !== null, rest }
      return { ...{ by, where, zone, from, to, before }, ...arranged([...groups.values()], top, shown) }
    },
  }
}

/** Sums rows of the hourly folds by the wanted dimensions. Time runs forward; otherwise the largest come first.
 * `promotions` are those of the same period: without them, list is what was spent. */
export const spend = (
  rows: readonly SpendRow[],
  asked: SpendAsked & { readonly promotions?: readonly PromotionRow[] },
): SpendReport => {
  const fold = createSpendFold(asked)
  fold.now.hours(rows)
  fold.now.promotions(asked.promotions ?? [])
  return fold.result()
}

const tooManyGroups = (by: readonly SpendDimension[]): OctroiError =>
  new OctroiError(
    'bad_input',
    `By ${by.join(', ')} there are more than ${groupsMax} groups. Group by less, choose with where, or ask for a shorter period.`,
  )

/** What is left beside the groups, by currency. */
type Rest = Map<string, { readonly sums: SpendSums; readonly count: number }>

type Shown = {
  readonly rest: Rest
  readonly by: readonly SpendDimension[]
  readonly byMeter: boolean
  readonly isCompared: boolean
}

const arranged = (
  all: readonly SpendSums[],
  top: number | null,
  { by, byMeter, isCompared, rest: left }: Shown,
): Pick<SpendReport, 'groups' | 'others' | 'totals'> => {
  const changes = new Map(isCompared ? all.map((sums) => [sums, changeIn(sums)]) : [])
  const merged = (some: readonly SpendSums[], currency: string): Merged => {
    const sums = emptySums(
      by.map(() => null),
      currency,
    )
    for (const each of some) addSums(sums, each)
    const change = isCompared ? sumOfChanges(some.flatMap((each) => changes.get(each) ?? [])) : null
    const others = left.get(currency)
    if (others !== undefined) addSums(sums, others.sums)
    return { sums, change, count: some.length + (others?.count ?? 0) }
  }
  const byCurrency = [...Map.groupBy(all, ({ currency }) => currency)].map(([currency, some]) => {
    const ordered = some.toSorted((a, b) => order(b.amount, a.amount) || order(nameKey(a), nameKey(b)))
    const kept = top === null ? ordered : ordered.slice(0, top)
    const rest = ordered.slice(kept.length)
    const hasRest = rest.length > 0 || left.has(currency)
    return { kept, total: merged(some, currency), rest: hasRest ? merged(rest, currency) : null }
  })
  const totalOf = new Map(byCurrency.map(({ total: { sums } }) => [sums.currency, sums.amount]))
  const finish = (sums: SpendSums, change: SpendChange | null): SpendGroup =>
    finished(sums, totalOf.get(sums.currency) ?? 0n, { byMeter, change })
  return {
    groups: byCurrency
      .flatMap(({ kept }) => kept.map((sums) => finish(sums, changes.get(sums) ?? null)))
      .sort(byTimeThenAmount(by)),
    others: byCurrency.flatMap(({ rest }) =>
      rest === null ? [] : [{ ...finish(rest.sums, rest.change), count: rest.count }],
    ),
    totals: byCurrency.map(({ total: { sums, change } }) => finish(sums, change)),
  }
}

type Merged = { readonly sums: SpendSums; readonly change: SpendChange | null; readonly count: number }

const nameKey = ({ names, currency }: Pick<SpendGroup, 'names' | 'currency'>): string =>
  JSON.stringify([...names, currency])

const byTimeThenAmount = (by: readonly SpendDimension[]) => {
  const times = by.flatMap((dimension, index) => (isTime(dimension) ? [index] : []))
  const timeKey = ({ names }: SpendGroup): string => times.map((index) => names[index]).join(' ')
  return (a: SpendGroup, b: SpendGroup): number =>
    order(timeKey(a), timeKey(b)) || order(b.amount, a.amount) || order(nameKey(a), nameKey(b))
}

const order = <Value extends string | bigint>(a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0)
