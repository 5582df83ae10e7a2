import type { AccruedRow, CallRow, ImportedRow, SpendScope } from '../ledger/reading.ts'
import { type Picos, post } from '../money/money.ts'
import { listAmount } from '../pricing/list-amount.ts'
import type { Charge } from '../pricing/price.ts'
import type { Meter } from '../usage/meter.ts'

/** How far below its list price was what was used of a meter in an hour, by promotions and discounts. */
export type PromotionRow = SpendScope & { readonly meter: Meter; readonly promoted: Picos }

/** How far a posted charge is below its list price. */
export const promotedOf = (charge: Charge): Picos =>
  charge.list === undefined ? 0n : post(listAmount(charge)) - charge.amount

/** Gathers calls, accruals and imported lines, a page at a time, into rows as few as the hours of the ledger. */
export type PromotionFold = {
  readonly add: (calls: readonly CallRow[]) => void
  readonly addAccrued: (entries: readonly AccruedRow[]) => void
  readonly addImported: (lines: readonly ImportedRow[]) => void
  readonly rows: () => readonly PromotionRow[]
}

/** An empty fold. */
export const createPromotionFold = (): PromotionFold => {
  const sums = new Map<string, { readonly place: Place; promoted: Picos }>()
  const put = (place: Place, promoted: Picos): void => {
    if (promoted === 0n) return
    const key = JSON.stringify(place)
    const sum = sums.get(key) ?? { place, promoted: 0n }
    sum.promoted += promoted
    sums.set(key, sum)
  }
  return {
    add: (calls) => {
      for (const { call, settlement } of calls) {
        const { model, currency, basis, charges } = settlement
        for (const charge of charges) {
          const { meter } = charge
          put(placeOf(call.at, { ...call, model, currency, basis, meter }), promotedOf(charge))
        }
      }
    },
    addAccrued: (entries) => {
      for (const { owner, charges, list, from, ...entry } of entries) {
        const promoted = charges.reduce((rest, { amount }) => rest - amount, list)
        const [charge] = charges
        if (charge !== undefined) put(placeOf(from, { ...entry, ...owner, meter: charge.meter }), promoted)
      }
    },
    addImported: (lines) => {
      for (const { owner, charges, from, ...line } of lines) {
        for (const charge of charges) {
          const { meter } = charge
          put(placeOf(from, { ...line, ...owner, basis: 'imported', meter }), promotedOf(charge))
        }
      }
    },
    rows: () => [...sums.values()].map(({ place, promoted }) => ({ ...place, promoted })),
  }
}

type Place = Omit<PromotionRow, 'promoted'>

const placeOf = (at: number, named: Omit<Place, 'hour'>): Place => {
  const { organization, team, project, environment, key, provider, model, endpoint } = named
  const { currency, basis, meter } = named
  const hour = Math.floor(at / hourMs) * hourMs
  return {
    ...{ hour, organization, team, project, environment, key, provider, model, endpoint },
    ...{ currency, basis, meter },
  }
}

const hourMs = 3_600_000
