import type { AccrualOwner } from '../../ledger/accrual.ts'
import type { Basis } from '../../ledger/entry.ts'
import type { Charge } from '../../pricing/price.ts'
import type { Meter } from '../../usage/meter.ts'

/** Whose spend it is, and of what: all that the rows of an export are told apart by, but for the hour. */
export type Series = {
  readonly key: string
  readonly account: string
  readonly team: string | null
  readonly project: string | null
  readonly provider: string
  readonly model: string | null
  readonly meter: Meter
  readonly tier: string | null
  readonly currency: string
  readonly basis: Basis
  readonly bookVersion: string
  /** A charge that took something back, as a vendor's credit does. */
  readonly isCredit: boolean
  readonly price: SeriesPrice
  readonly tags: readonly (readonly [name: string, value: string])[]
}

/** What a unit costs at list price, and as agreed. `unitPrice` is null where the vendor stated an amount and no price. */
export type SeriesPrice = {
  readonly id: string
  readonly source: string
  readonly list: UnitPrice | null
  readonly contracted: UnitPrice | null
  readonly factors: readonly { readonly name: string; readonly factor: string }[]
}

export type UnitPrice = { readonly unitPrice: string; readonly per: number }

/** What posted a charge. */
export type Posting = {
  readonly owner: AccrualOwner
  /** The vendor's account of an imported line. */
  readonly account: string | null
  readonly provider: string
  readonly model: string | null
  readonly tier: string | null
  readonly currency: string
  readonly basis: Basis
  readonly bookVersion: string
}

/** How charges become series. */
export type SeriesAsked = {
  /** The billing account of what no organization and no imported account is known of. */
  readonly billingAccount: string
  /** Names of tags by which rows are told apart; those of an owner (`environment`, `key`) count as tags. */
  readonly tags: readonly string[]
  /** True for the id of a price that a vendor's own promotion made, which all of its customers have. */
  readonly isPromotion: (price: string) => boolean
}

/** Finds the series of a charge: the same object for the same, until it is trimmed. */
export type SeriesBook = {
  readonly of: (posting: Posting) => (charge: Charge) => Series
  /** Forgets all series where there are many, so that memory ends. */
  readonly trim: () => void
}

const keptMax = 20_000

/** An empty book. */
export const createSeriesBook = (asked: SeriesAsked): SeriesBook => {
  const kept = new Map<string, Map<string, Series>>()
  let count = 0
  return {
    of: (posting) => {
      const { owner, account, provider, model, tier, currency, basis, bookVersion } = posting
      const tags = tagsOf(owner, asked.tags)
      const billed = owner.organization ?? account ?? asked.billingAccount
      const common = JSON.stringify([
        ...[billed, owner.team, owner.project, provider, model, tier],
        ...[currency, basis, bookVersion, tags],
      ])
      const here = kept.get(common) ?? new Map<string, Series>()
      kept.set(common, here)
      return (charge) => {
        const isCredit = charge.amount < 0n && basis === 'imported'
        const isStated = charge.price === statedPrice
        const { price, unitPrice, per, list, multipliers } = charge
        const rate = isStated ? '' : `${unitPrice} ${per}`
        const more =
          list === undefined && multipliers === undefined ? '' : JSON.stringify([list, multipliers])
        const key = `${charge.meter} ${price} ${rate} ${isCredit ? '-' : ''}${more}`
        const known = here.get(key)
        if (known !== undefined) return known
        const series: Series = {
          ...{ key: `${common} ${key}`, account: billed, team: owner.team, project: owner.project },
          ...{ provider, model, meter: charge.meter, tier, currency, basis, bookVersion, isCredit, tags },
          price: priceOf(charge, isStated, asked),
        }
        here.set(key, series)
        count += 1
        return series
      }
    },
    trim: () => {
      if (count <= keptMax) return
      kept.clear()
      count = 0
    },
  }
}

/** The price of a charge that is an amount which a vendor stated. */
const statedPrice = 'vendor-reported'

const priceOf = (charge: Charge, isStated: boolean, { isPromotion }: SeriesAsked): SeriesPrice => {
  const { price: id, source, unitPrice, per, multipliers = [] } = charge
  const factors = multipliers.map(({ name, factor }) => ({ name, factor }))
  if (isStated) return { id, source, list: null, contracted: null, factors }
  const billed = { unitPrice, per }
  const list = charge.list === undefined ? billed : { unitPrice: charge.list.unitPrice, per: charge.list.per }
  return { id, source, list, contracted: isPromotion(id) ? list : billed, factors }
}

const ownerNames = ['organization', 'team', 'project', 'environment', 'key'] as const

const tagsOf = (owner: AccrualOwner, names: readonly string[]): Series['tags'] => {
  if (names.length === 0) return []
  return names.flatMap((name) => {
    const own = ownerNames.find((each) => each === name)
    const value = (own === undefined ? null : owner[own]) ?? owner.tags[name]
    return value === undefined ? [] : [[name, value] as const]
  })
}
