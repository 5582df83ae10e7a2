import type { ImportedRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, zero } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import {
  type CellGroup,
  type CellKey,
  cellMeter,
  dayMs,
  dayOf,
  exact,
  isOfRequest,
  type RatedPart,
  type ReconciliationCell,
  tierName,
} from './reconciliation-cell.ts'
import { meterInWords } from './reconciliation-words.ts'

/** A cell while it is summed. */
export type Counted = {
  readonly key: CellKey
  lines: number
  billed: Rational | null
  /** A line of the bill does not say how much. */
  isUnsaid: boolean
  used: Rational
  readonly usedByTier: Map<string, Rational>
  readonly amounts: Map<string, Picos>
  readonly credits: Map<string, Picos>
  quantity: Rational
  estimated: Rational
  charges: number
  readonly ledgerAmounts: Map<string, Picos>
  readonly rated: Map<string, RatedPart>
}

type GroupKey = Pick<CellKey, 'day' | 'project' | 'model'>
type CountedGroup = { vendor: number | null; ledger: number; estimated: number }

/** The sums of a reconciliation. */
export type Counts = {
  readonly addLines: (rows: readonly ImportedRow[]) => void
  readonly cell: (key: CellKey) => Counted
  readonly group: (key: GroupKey) => CountedGroup
  /** Our projects to which those of the bill are mapped. */
  readonly mapped: ReadonlySet<string>
  /** Whether the vendor tells a meter for all models together. */
  readonly isTotal: (meter: Meter) => boolean
  readonly groups: () => readonly CellGroup[]
}

export const createCounts = (): Counts => {
  const cells = new Map<string, Counted>()
  const groups = new Map<string, CountedGroup>()
  const mapped = new Set<string>()
  /** Of each role, the meters told by model, and in total. */
  const told = {
    bill: { byModel: new Set<Meter>(), inTotal: new Set<Meter>() },
    usage: { byModel: new Set<Meter>(), inTotal: new Set<Meter>() },
  }
  const isTotal = (meter: Meter): boolean => {
    const { byModel, inTotal } =
      [told.bill, told.usage].find((each) => each.byModel.has(meter) || each.inTotal.has(meter)) ?? told.usage
    return inTotal.has(meter) && !byModel.has(meter)
  }
  /** Days that a usage report covers; whether bills say quantities at all. */
  const usageDays = new Set<Instant>()
  let billsSayHowMuch = false
  const cell = (key: CellKey): Counted => {
    const { day, project, model, meter, lineItem } = key
    return getOrAdd(cells, JSON.stringify([day, project, model, meter, lineItem]), () => emptyCell(key))
  }
  const group = ({ day, project, model }: GroupKey): CountedGroup =>
    getOrAdd(groups, JSON.stringify([day, project, model]), () => ({ vendor: null, ledger: 0, estimated: 0 }))

  const addUsage = (
    { reported, model, tier: said }: ImportedRow,
    place: Pick<CellKey, 'day' | 'project'>,
  ): void => {
    usageDays.add(place.day)
    const tier = tierName(said)
    for (const { meter: own, quantity } of reported.usage) {
      const meter = cellMeter(own)
      told.usage[model === null ? 'inTotal' : 'byModel'].add(meter)
      const into = cell({ ...place, model, meter, lineItem: null })
      into.used = add(into.used, exact(quantity))
      into.usedByTier.set(tier, add(into.usedByTier.get(tier) ?? zero, exact(quantity)))
    }
    if (reported.requests !== null && reported.usage.some(({ meter }) => isOfRequest(meter))) {
      const its = group({ ...place, model })
      its.vendor = (its.vendor ?? 0) + reported.requests
    }
  }

  const addLine = (row: ImportedRow): void => {
    const { reported, model, from, currency } = row
    const { project } = row.owner
    if (project !== null && (row.role === 'bill' || reported.amount !== null)) mapped.add(project)
    const place = { day: dayOf(from), project: project !== null && mapped.has(project) ? project : null }
    if (row.role === 'usage') addUsage(row, place)
    if (row.role === 'usage' && reported.amount === null) return
    const [only, ...more] = reported.usage
    const isOfDay = row.to - from <= dayMs
    const worded = only === undefined ? meterInWords(reported.lineItem, model) : cellMeter(only.meter)
    const meter = more.length === 0 && isOfDay ? worded : null
    if (meter !== null) told.bill[model === null ? 'inTotal' : 'byModel'].add(meter)
    const into = cell({ ...place, model, meter, lineItem: meter === null ? (reported.lineItem ?? '') : null })
    const amount = reported.amount ?? 0n
    into.lines += 1
    into.amounts.set(currency, (into.amounts.get(currency) ?? 0n) + amount)
    if (amount < 0n) {
      into.credits.set(currency, (into.credits.get(currency) ?? 0n) + amount)
      return
    }
    if (only === undefined || meter === null || (only.quantity === 0 && amount !== 0n)) {
      into.isUnsaid = true
      return
    }
    billsSayHowMuch = true
    into.billed = add(into.billed ?? zero, exact(only.quantity))
  }

  /** What a usage report tells by model of a meter that is billed in total counts in total. */
  const gatherTotals = (): void => {
    for (const [name, { key, used, usedByTier }] of [...cells]) {
      if (key.model === null || key.meter === null || usedByTier.size === 0 || !isTotal(key.meter)) continue
      const into = cell({ ...key, model: null })
      into.used = add(into.used, used)
      for (const [tier, part] of usedByTier) {
        into.usedByTier.set(tier, add(into.usedByTier.get(tier) ?? zero, part))
      }
      cells.delete(name)
    }
  }

  const finish = (counted: Counted, requestsKnown: boolean): ReconciliationCell => {
    const { key, lines, billed, isUnsaid, used, usedByTier, amounts, credits } = counted
    const { quantity, estimated, charges, ledgerAmounts, rated } = counted
    const isUsed = key.meter !== null && (usedByTier.size > 0 || (requestsKnown && usageDays.has(key.day)))
    return {
      ...key,
      vendor: {
        ...{ lines, usedByTier, amounts, credits, used: isUsed ? used : null },
        billed: isUnsaid ? null : (billed ?? (billsSayHowMuch && key.meter !== null ? zero : null)),
      },
      ledger: { quantity, estimated, charges, amounts: ledgerAmounts, rated: [...rated.values()] },
    }
  }

  return {
    addLines: (rows) => rows.forEach(addLine),
    ...{ cell, group, mapped },
    isTotal,
    groups: () => {
      gatherTotals()
      const together = Map.groupBy(cells.values(), ({ key: { day, project, model } }) =>
        JSON.stringify([day, project, model]),
      )
      for (const name of groups.keys()) if (!together.has(name)) together.set(name, [])
      return [...together].map(([name, its]) => {
        const [day, project, model] = JSON.parse(name) as [Instant, string | null, string | null]
        const { vendor, ledger, estimated } = groups.get(name) ?? { vendor: null, ledger: 0, estimated: 0 }
        // A report that covers the day and does not name the model says that it was not asked.
        const requests = vendor ?? (anyRequests(groups) && usageDays.has(day) ? 0 : null)
        return {
          ...{ day, project, model, requests: { vendor: requests, ledger }, estimatedCalls: estimated },
          cells: its.map((counted) => finish(counted, model !== null)),
        }
      })
    },
  }
}

const anyRequests = (groups: ReadonlyMap<string, CountedGroup>): boolean =>
  [...groups.values()].some(({ vendor }) => vendor !== null)

const emptyCell = (key: CellKey): Counted => ({
  key: { day: key.day, project: key.project, model: key.model, meter: key.meter, lineItem: key.lineItem },
  ...{
    lines: 0,
    billed: null,
    isUnsaid: false,
    used: zero,
    usedByTier: new Map(),
    amounts: new Map(),
    credits: new Map(),
  },
  ...{ quantity: zero, estimated: zero, charges: 0, ledgerAmounts: new Map(), rated: new Map() },
})

const getOrAdd = <Value>(map: Map<string, Value>, key: string, make: () => Value): Value => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
