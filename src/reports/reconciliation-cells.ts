import type { AccruedRow, CallRow, ImportedRow } from '../ledger/reading.ts'
import { add, multiply, parseDecimal, type Rational, rational, zero } from '../money/rational.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import {
  type CellGroup,
  type CellKey,
  cellMeter,
  dayOf,
  exact,
  isOfRequest,
  tierName,
} from './reconciliation-cell.ts'
import { type Counted, createCounts } from './reconciliation-counts.ts'

/** Sums both sides by cell. The lines of the bill come first, then those of the usage report, then the ledger's: the
 * bill says which projects are mapped, and what is not told by model. */
export type CellFold = {
  readonly addImported: (rows: readonly ImportedRow[]) => void
  readonly addCalls: (rows: readonly CallRow[]) => void
  readonly addAccrued: (rows: readonly AccruedRow[]) => void
  /** The group of a call and what it used in its cells; null where it is not of this provider or nothing was used. */
  readonly seen: (row: CallRow) => SeenCall | null
  /** The project under which a call of the ledger is matched. */
  readonly projectOf: (project: string | null) => string | null
  /** Whether calls that asked for one model were served by the other. */
  readonly isServedBy: (asked: string, served: string) => boolean
  readonly groups: () => readonly CellGroup[]
}

/** A call as a group counts it. */
export type SeenCall = Pick<CellKey, 'day' | 'project' | 'model'> & {
  readonly used: ReadonlyMap<Meter, Rational>
}

export const createCellFold = (provider: string): CellFold => {
  const counts = createCounts()
  const served = new Set<string>()
  const projectOf = (project: string | null): string | null =>
    project !== null && counts.mapped.has(project) ? project : null
  const placeOf = (at: Instant, project: string | null, model: string | null) => ({
    ...{ day: dayOf(at), project: projectOf(project) },
    modelOf: (meter: Meter) => (counts.isTotal(meter) ? null : model),
  })
  const addUses = (
    row: CallRow['settlement'] | AccruedRow,
    place: ReturnType<typeof placeOf>,
    tier: string,
  ): void => {
    for (const charge of row.charges) {
      const meter = cellMeter(charge.meter)
      const cell = counts.cell({ ...place, model: place.modelOf(meter), meter, lineItem: null })
      addCharge(cell, charge, { tier, currency: row.currency, isEstimated: row.basis === 'estimated' })
    }
    for (const { meter: own, quantity } of row.unpriced) {
      const meter = cellMeter(own)
      const cell = counts.cell({ ...place, model: place.modelOf(meter), meter, lineItem: null })
      cell.quantity = add(cell.quantity, exact(quantity))
      cell.charges += 1
      if (row.basis === 'estimated') cell.estimated = add(cell.estimated, exact(quantity))
    }
  }
  return {
    addImported: (rows) => counts.addLines(rows.filter((row) => row.provider === provider)),
    addCalls: (rows) => {
      for (const { call, settlement } of rows) {
        if (call.provider !== provider || settlement.basis === 'imported') continue
        served.add(`${call.model}\n${settlement.model}`)
        const place = placeOf(call.at, call.project, settlement.model)
        addUses(settlement, place, tierName(settlement.tier))
        if (!usesOf(settlement).some(({ meter }) => isOfRequest(meter))) continue
        const group = counts.group({ ...place, model: settlement.model })
        group.ledger += 1
        if (settlement.basis === 'estimated') group.estimated += 1
      }
    },
    addAccrued: (rows) => {
      for (const row of rows) {
        if (row.provider !== provider || row.basis === 'imported') continue
        addUses(row, placeOf(row.from, row.owner.project, row.model), tierName(null))
      }
    },
    seen: ({ call, settlement }) => {
      const used = new Map<Meter, Rational>()
      if (call.provider !== provider || settlement.basis === 'imported') return null
      for (const { meter: own, quantity } of usesOf(settlement)) {
        const meter = cellMeter(own)
        if (!counts.isTotal(meter)) used.set(meter, add(used.get(meter) ?? zero, exact(quantity)))
      }
      const { day, project } = placeOf(call.at, call.project, null)
      return used.size === 0 ? null : { day, project, model: settlement.model, used }
    },
    projectOf,
    isServedBy: (asked, model) => asked === model || served.has(`${asked}\n${model}`),
    groups: counts.groups,
  }
}

const usesOf = ({ charges, unpriced }: CallRow['settlement']): readonly (Charge | Unpriced)[] => [
  ...charges,
  ...unpriced,
]

const addCharge = (
  cell: Counted,
  charge: Charge,
  { tier, currency, isEstimated }: { tier: string; currency: string; isEstimated: boolean },
): void => {
  const quantity = exact(charge.quantity)
  cell.quantity = add(cell.quantity, quantity)
  cell.charges += 1
  if (isEstimated) cell.estimated = add(cell.estimated, quantity)
  cell.ledgerAmounts.set(currency, (cell.ledgerAmounts.get(currency) ?? 0n) + charge.amount)
  const multipliers = charge.multipliers ?? []
  const name = [tier, charge.price, ...multipliers.map(({ factor }) => factor)].join('\n')
  const before = cell.rated.get(name)
  cell.rated.set(name, {
    ...{ tier, price: charge.price, unitPrice: charge.unitPrice, per: charge.per },
    factor: multipliers.reduce((product, each) => multiply(product, parseDecimal(each.factor)), rational(1n)),
    quantity: add(before?.quantity ?? zero, quantity),
    amount: (before?.amount ?? 0n) + charge.amount,
  })
}
