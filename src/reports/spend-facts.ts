import type { AccruedRow, CallRow, ImportedRow, SpendRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import type { Meter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { type PromotionRow, promotedOf } from './promotions.ts'
import type { SpendPlace } from './spend-dimensions.ts'

/** One thing to be added to a sum of spend, with where it was spent: what a meter came to; calls, whatever their
 * meters; or how far something was below its list price. */
export type SpendFact = {
  readonly place: SpendPlace
} & (
  | {
      readonly what: 'used'
      readonly meter: Meter
      readonly priced: boolean
      readonly quantity: Quantity
      readonly amount: Picos
      readonly promoted: Picos
    }
  | {
      readonly what: 'calls'
      readonly calls: number
      readonly unpriced: number
      readonly resentTokens: number
      readonly resentAmount: Picos
    }
  | { readonly what: 'promoted'; readonly promoted: Picos }
)

/** What a row of the hourly sums says. */
export const factOfHour = (row: SpendRow): SpendFact => {
  const place = placeOf(row, row.hour, null)
  if (row.meter === null) {
    const { calls, unpriced, resentTokens, resentAmount } = row
    return { what: 'calls', place, calls, unpriced, resentTokens, resentAmount }
  }
  const { meter, priced, quantity, amount } = row
  return { what: 'used', place: { ...place, meter }, meter, priced, quantity, amount, promoted: 0n }
}

/** What promotions took off in an hour. */
export const factOfPromotion = (row: PromotionRow): SpendFact => ({
  what: 'promoted',
  place: { ...placeOf(row, row.hour, null), meter: row.meter },
  promoted: row.promoted,
})

/** What a call says: itself, and each of its meters. */
export const factsOfCall = ({ call, settlement }: CallRow): readonly SpendFact[] => {
  const { model, currency, basis, tier, unpriced, resent } = settlement
  const { endUser, conversation, tags } = call
  const named = { ...call, model, currency, basis }
  const place = placeOf(named, call.at, { tier, endUser, conversation, tags })
  return [
    {
      ...{ what: 'calls', place, calls: 1, unpriced: unpriced.length > 0 ? 1 : 0 },
      ...{ resentTokens: resent?.tokens ?? 0, resentAmount: resent?.amount ?? 0n },
    },
    ...usesOf(place, settlement, promotedOf),
  ]
}

/** What an entry of an accrual says. Its list amount is of all its charges together. */
export const factsOfAccrued = (entry: AccruedRow): readonly SpendFact[] => {
  const { owner, from, conversation, charges, list } = entry
  const detail = { tier: null, endUser: owner.endUser, conversation, tags: owner.tags }
  const place = placeOf({ ...entry, ...owner }, from, detail)
  const promoted = charges.reduce((rest, { amount }) => rest - amount, list)
  const [first] = charges
  return [
    ...usesOf(place, entry, () => 0n),
    ...(first === undefined || promoted === 0n
      ? []
      : [{ what: 'promoted' as const, place: { ...place, meter: first.meter }, promoted }]),
  ]
}

/** What an imported line says: only what did not pass the gateway. */
export const factsOfImported = (line: ImportedRow): readonly SpendFact[] => {
  const { owner, from, tier, calls, unpriced } = line
  const detail = { tier, endUser: owner.endUser, conversation: null, tags: owner.tags }
  const place = placeOf({ ...line, ...owner, basis: 'imported' }, from, detail)
  const counted = { calls, unpriced: unpriced.length > 0 ? calls : 0, resentTokens: 0, resentAmount: 0n }
  return [
    ...(calls === 0 ? [] : [{ what: 'calls' as const, place, ...counted }]),
    ...usesOf(place, line, promotedOf),
  ]
}

/** Where all of a call, of an accrual's entry or of an imported line was spent, whatever its meters. */
const placeOf = (
  named: Omit<SpendPlace, 'at' | 'meter' | 'detail'>,
  at: number,
  detail: SpendPlace['detail'],
): SpendPlace => {
  const { organization, team, project, environment, key, provider, model, endpoint } = named
  const { currency, basis } = named
  return {
    ...{ at, organization, team, project, environment, key, provider, model, endpoint },
    ...{ currency, basis, meter: null, detail },
  }
}

const usesOf = (
  place: SpendPlace,
  { charges, unpriced }: { readonly charges: readonly Charge[]; readonly unpriced: readonly Unpriced[] },
  promoted: (charge: Charge) => Picos,
): readonly SpendFact[] => [
  ...charges.map((charge): SpendFact => {
    const { meter, quantity, amount } = charge
    const used = { meter, quantity, amount, promoted: promoted(charge) }
    return { what: 'used', place: { ...place, meter }, priced: true, ...used }
  }),
  ...unpriced.map(({ meter, quantity }): SpendFact => {
    const used = { meter, quantity, amount: 0n, promoted: 0n }
    return { what: 'used', place: { ...place, meter }, priced: false, ...used }
  }),
]
