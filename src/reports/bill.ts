import type { ClosedRow } from '../ledger/reading.ts'
import { type Period, windowOf } from '../limits/window.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { createSpendFold, type SpendAdder, type SpendFold, type SpendReport } from './spend.ts'
import type { SpendDimension } from './spend-dimensions.ts'
import type { SpendWhere } from './spend-where.ts'
import type { ZoneNames } from './spend-zone.ts'

/** What a bill is asked for: a period of a zone, by whom, and how long its lists are. */
export type BillAsked = BillPeriod & {
  readonly before: BillPeriod
  readonly timeZone: string
  readonly by: SpendDimension
  readonly where: SpendWhere
  /** How many groups a list names; the others are one. */
  readonly top: number
}

/** From an instant up to but not including another. */
export type BillPeriod = { readonly from: Instant; readonly to: Instant }

/** How far the figures are from their last word: the period still runs; it has ended; or whoever answers for it has closed
 * all of it, for every provider of the bill. */
export type BillState = 'running' | 'ended' | 'closed'

/** A day or a month of a bill in one currency, and what of it the largest groups spent. */
export type BillStretch = BillPeriod & {
  readonly name: string
  readonly currency: string
  readonly calls: number
  readonly amount: Picos
  /** In the order of `groups`, those with nothing included. */
  readonly parts: readonly { readonly name: string | null; readonly amount: Picos }[]
  /** What all others spent. */
  readonly rest: Picos
}

/** A period as one bill: reports of spend side by side, all of the same rows, so that each comes to the same total. */
export type BillReport = BillAsked & {
  readonly zone: ZoneNames
  readonly madeAt: Instant
  readonly state: BillState
  /** The closed periods that overlap it. */
  readonly closed: readonly ClosedRow[]
  /** When the last hour ends in which something was spent. */
  readonly knownUntil: Instant | null
  readonly total: SpendReport
  readonly groups: SpendReport
  readonly models: SpendReport
  readonly meters: SpendReport
  readonly keys: SpendReport
  readonly projects: SpendReport
  /** Days, or months where there are too many days to look at. */
  readonly every: 'day' | 'month'
  readonly stretches: readonly BillStretch[]
}

/** Takes what the period of a bill and the one before came to. */
export type BillFold = {
  /** Every dimension it asks for. */
  readonly dimensions: readonly SpendDimension[]
  readonly now: SpendAdder
  readonly before: SpendAdder
  readonly result: (made: { readonly madeAt: Instant; readonly closed: readonly ClosedRow[] }) => BillReport
}

/** Past so many days a bill is by months. */
const daysMax = 93
const dayMs = 86_400_000
const hourMs = 3_600_000

/** An empty bill. */
export const createBillFold = (asked: BillAsked): BillFold => {
  const { from, to, by, top, where, timeZone, before } = asked
  const every = to - from > daysMax * dayMs ? 'month' : 'day'
  const listed = { from, to, where, timeZone, before, top }
  const lists = {
    total: createSpendFold({ ...listed, by: [] }),
    groups: createSpendFold({ ...listed, by: [by] }),
    models: createSpendFold({ ...listed, by: ['provider', 'model'] }),
    meters: createSpendFold({ ...listed, by: ['provider', 'model', 'meter'], top: top * 3 }),
    keys: createSpendFold({ ...listed, by: ['key'] }),
    projects: createSpendFold({ ...listed, by: ['project'] }),
  }
  const times = createSpendFold({ from, to, where, timeZone, by: [every, by] })
  let lastHour: Instant | null = null
  const seen = (at: Instant): void => {
    lastHour = Math.max(lastHour ?? at, at)
  }
  const now = toAll([...Object.values(lists), times].map((fold) => fold.now))
  return {
    dimensions: [...new Set<SpendDimension>([every, by, 'provider', 'model', 'meter', 'key', 'project'])],
    now: {
      ...now,
      hours: (rows) => {
        for (const { hour } of rows) seen(hour)
        now.hours(rows)
      },
      calls: (rows) => {
        for (const { call } of rows) seen(call.at)
        now.calls(rows)
      },
      accrued: (rows) => {
        for (const entry of rows) seen(entry.from)
        now.accrued(rows)
      },
      imported: (rows) => {
        for (const line of rows) if (line.charges.length > 0) seen(line.from)
        now.imported(rows)
      },
    },
    before: toAll(Object.values(lists).map((fold) => fold.before)),
    result: ({ madeAt, closed }) => {
      const [reports, timed] = [resultsOf(lists), times.result()]
      const overlapping = closed.filter((each) => each.from < to && from < each.to)
      const isClosed = isAllClosed(reports.models, overlapping, asked)
      return {
        ...{ ...asked, ...reports, madeAt, closed: overlapping, every },
        zone: timed.zone,
        state: isClosed ? 'closed' : madeAt < to ? 'running' : 'ended',
        knownUntil: lastHour === null ? null : Math.floor(lastHour / hourMs) * hourMs + hourMs,
        stretches: stretchesOf(timed, reports, { ...asked, every }),
      }
    },
  }
}

const resultsOf = <Name extends string>(
  folds: Readonly<Record<Name, SpendFold>>,
): Record<Name, SpendReport> =>
  Object.fromEntries(Object.entries<SpendFold>(folds).map(([name, fold]) => [name, fold.result()])) as Record<
    Name,
    SpendReport
  >

const toAll = (adders: readonly SpendAdder[]): SpendAdder => ({
  hours: (rows) => {
    for (const adder of adders) adder.hours(rows)
  },
  promotions: (rows) => {
    for (const adder of adders) adder.promotions(rows)
  },
  calls: (rows) => {
    for (const adder of adders) adder.calls(rows)
  },
  accrued: (rows) => {
    for (const adder of adders) adder.accrued(rows)
  },
  imported: (rows) => {
    for (const adder of adders) adder.imported(rows)
  },
})

/** True where closed periods cover all of the bill, for each of its providers. A bill of nothing is never closed. The list
 * of models may leave providers out: then it is not known, and not said. */
const isAllClosed = (
  { groups, others }: SpendReport,
  closed: readonly ClosedRow[],
  { from, to }: BillPeriod,
): boolean => {
  const providers = [...new Set(groups.map(({ names }) => names[0] ?? null))]
  return (
    providers.length > 0 &&
    others.length === 0 &&
    providers.every((provider) => {
      let until = from
      const own = closed.filter((each) => each.provider === null || each.provider === provider)
      for (const each of own.toSorted((a, b) => a.from - b.from)) {
        if (each.from <= until) until = Math.max(until, each.to)
      }
      return until >= to
    })
  )
}

/** Every stretch of the period in each currency, those without spend included. */
const stretchesOf = (
  { groups, zone }: SpendReport,
  { total, groups: named }: { readonly total: SpendReport; readonly groups: SpendReport },
  { from, to, every }: BillPeriod & { readonly every: 'day' | 'month' },
): readonly BillStretch[] => {
  const found = Map.groupBy(groups, ({ names, currency }) => JSON.stringify([names[0], currency]))
  return total.totals.flatMap(({ currency }) => {
    const largest = named.groups.filter((group) => group.currency === currency).map(({ names }) => names[0])
    return periodsOf({ calendar: every, timeZone: zone.timeZone }, { from, to }).map((period) => {
      const name = zone.nameOf(every, period.start)
      const some = found.get(JSON.stringify([name, currency])) ?? []
      const amounts = new Map(some.map(({ names, amount }) => [names[1], amount]))
      const parts = largest.map((each) => ({ name: each ?? null, amount: amounts.get(each ?? null) ?? 0n }))
      const amount = some.reduce((sum, group) => sum + group.amount, 0n)
      return {
        ...{ name, currency, amount, parts },
        from: Math.max(period.start, from),
        to: Math.min(period.end ?? to, to),
        calls: some.reduce((sum, { calls }) => sum + (calls ?? 0), 0),
        rest: parts.reduce((left, part) => left - part.amount, amount),
      }
    })
  })
}

const periodsOf = (
  window: { readonly calendar: 'day' | 'month'; readonly timeZone: string },
  { from, to }: BillPeriod,
): readonly Period[] => {
  const periods: Period[] = []
  for (let at = from; at < to; ) {
    const period = windowOf(window, at)
    periods.push(period)
    at = period.end ?? to
  }
  return periods
}
