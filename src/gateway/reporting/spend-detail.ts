import { readHasPromotions } from '../../ledger/reading.ts'
import { ownerParts, serviceParts } from '../../ledger/rollup.ts'
import { dayMs, openSeals } from '../../ledger/seal.ts'
import type { FactGroup } from '../../ledger/sealed/group-reading.ts'
import type { Dimension, GroupsAsked } from '../../ledger/sealed/grouping.ts'
import type { GroupSource } from '../../ledger/sealed/groups.ts'
import { createSpendFold, type SpendAsked, type SpendReport } from '../../reports/spend.ts'
import { isTime, type SpendDimension, type SpendPlace } from '../../reports/spend-dimensions.ts'
import type { SpendFact } from '../../reports/spend-facts.ts'
import { patternsOf } from '../../reports/spend-where.ts'
import type { Instant } from '../../time.ts'
import { parseMeter } from '../../usage/meter.ts'
import type { ReportSource } from './report-route.ts'

/** A report of spend by what only calls know, asked of sealed days as groups: by DuckDB, from sums where they know it. */

/** From this instant on, up to but not including that one. */
type Bounds = { readonly from: Instant; readonly to: Instant }

type DetailAsked = Omit<Required<SpendAsked>, 'before' | 'convert' | 'from' | 'to'> &
  Pick<SpendAsked, 'convert' | 'from' | 'to'> & { readonly isCompared: boolean }

/** How a report is asked as groups. */
export type DetailQuestion = {
  readonly source: GroupSource
  readonly by: readonly Dimension[]
  readonly only: NonNullable<GroupsAsked['only']>
  /** How many groups are told apart; null: all. */
  readonly top: number | null
}

/** How a report is asked of sealed days; null where they cannot answer it, or none is there: for hours of another zone, a
 * choice by time or meter, amounts that are converted each by itself, and prices below their list price. */
export const detailQuestion = async (
  { database, sealed, onProgress }: Pick<ReportSource, 'database' | 'sealed' | 'onProgress'>,
  { by, where, top, timeZone, convert, isCompared }: DetailAsked,
  { from, to }: Bounds,
): Promise<DetailQuestion | null> => {
  if (sealed === null || convert !== undefined) return null
  if (where.some(({ dimension }) => isTime(dimension) || dimension === 'meter')) return null
  const times = by.filter(isTime)
  if (times.length > 0 && timeZone !== 'UTC') return null
  const seals = await openSeals(database).list()
  if (!seals.some(({ day }) => day * dayMs < to && from < (day + 1) * dayMs)) return null
  if (await readHasPromotions(database)) return null
  const time: readonly Dimension[] = times.length === 0 ? [] : [times.includes('hour') ? 'hour' : 'day']
  const compared: readonly Dimension[] = isCompared ? ['provider', 'model'] : []
  const isRanked = times.length === 0 && !isCompared && !by.includes('meter')
  return {
    source: { database, folder: sealed, onProgress },
    by: [...new Set([...by.flatMap((dimension) => plain(dimension) ?? []), ...time, ...compared])],
    only: where.flatMap(({ dimension, anyOf }) => {
      const of = plain(dimension)
      return of === null ? [] : [{ dimension: of, anyOf: patternsOf(anyOf) }]
    }),
    top: isRanked ? top : null,
  }
}

/** A dimension of groups; null for one of time, and for the meter, which every fact has. */
const plain = (dimension: SpendDimension): Exclude<Dimension, 'meter'> | null =>
  isTime(dimension) || dimension === 'meter' ? null : dimension

/** Reads a report as groups of sealed days and of what no sealed day has. */
export const readSpendDetail = async (
  question: DetailQuestion,
  asked: DetailAsked,
  { now, before }: { readonly now: Bounds; readonly before: Bounds | null },
): Promise<SpendReport> => {
  const { where } = asked
  const { groupFacts } = await import('../../ledger/sealed/groups.ts')
  const fold = createSpendFold({ ...asked, where: [], before })
  const { source, ...groups } = question
  const factsOf = (some: readonly FactGroup[], at: Instant): readonly SpendFact[] =>
    some.flatMap((group) => factOf(group, question.by, at) ?? [])
  const { facts, counts } = await groupFacts(source, { ...groups, ...now })
  fold.facts(
    'now',
    factsOf(
      facts.filter(({ isOther }) => !isOther),
      now.from,
    ),
  )
  if (question.top !== null) {
    const { top } = question
    const left = [...counts].map(([currency, count]) => [currency, Math.max(0, count - top)] as const)
    const others = facts.filter(({ isOther }) => isOther)
    fold.others(factsOf(others, now.from), new Map(left))
  }
  if (before !== null) {
    const earlier = await groupFacts(source, { ...groups, ...before, top: null })
    fold.facts('before', factsOf(earlier.facts, before.from))
  }
  return { ...fold.result(), where }
}

/** What a group says; null where it is of no call and no meter. `at`: an instant of the period, where no time is asked for. */
const factOf = (group: FactGroup, by: readonly Dimension[], at: Instant): SpendFact | null => {
  const place = placeOf(group, by, at)
  if (group.meter === null) {
    if (group.calls === 0n) return null
    return {
      ...{ what: 'calls', place, calls: Number(group.calls), unpriced: Number(group.unpriced) },
      ...{ resentTokens: Number(group.resentTokens), resentAmount: group.resentAmount },
    }
  }
  const { amount, quantity, isPriced: priced } = group
  const meter = parseMeter(group.meter)
  return { what: 'used', place: { ...place, meter }, meter, priced, quantity, amount, promoted: 0n }
}

const placeOf = (
  { names, currency, basis }: FactGroup,
  by: readonly Dimension[],
  at: Instant,
): SpendPlace => {
  const named = (dimension: Dimension): string | null => names[by.indexOf(dimension)] ?? null
  const tags = by.flatMap((dimension, index) => {
    const value = names[index] ?? null
    return dimension.startsWith('tag:') && value !== null ? [[dimension.slice('tag:'.length), value]] : []
  })
  const time = named('hour') === null ? named('day') : `${named('hour')}:00:00Z`
  const [organization, team, project, environment, key] = ownerParts.map(named)
  const [provider, model, endpoint] = serviceParts.map(named)
  return {
    at: time === null ? at : Date.parse(time),
    ...{ organization: organization ?? null, team: team ?? null, project: project ?? null },
    ...{ environment: environment ?? null, key: key ?? null },
    ...{ provider: provider ?? '', model: model ?? null, endpoint: endpoint ?? '' },
    ...{ currency, basis, meter: null },
    detail: {
      ...{ tier: named('tier'), endUser: named('endUser'), conversation: named('conversation') },
      tags: Object.fromEntries(tags),
    },
  }
}
