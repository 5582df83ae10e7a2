import { type Picos, post } from '../money/money.ts'
import {
  add,
  divide,
  format,
  multiply,
  parseDecimal,
  type Rational,
  rational,
  zero,
} from '../money/rational.ts'
import { price } from '../pricing/price.ts'
import type { Price, PriceBook } from '../pricing/price-book.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import { dayMs, type RatedPart, type ReconciliationCell, tierName } from './reconciliation-cell.ts'

/** What a cell's quantities come to at prices that were not the ledger's. All amounts are in the currency of the rows,
 * which is the ledger's. */
export type OtherPrices = {
  /** What one unit of a cell may cost: by what the ledger priced it, and with `anyTier` by every row of the book for
   * the same meter on that day. */
  readonly unitsOf: (cell: ReconciliationCell, options: { readonly anyTier: boolean }) => readonly Rational[]
  /** The cell with the calls of one tier (null: of all) priced at another: what it comes to. */
  readonly atOtherTiers: (cell: ReconciliationCell) => readonly TierChange[]
  /** The cell priced at the tiers under which the vendor's usage report has it; null where a row is missing. */
  readonly atVendorTiers: (cell: ReconciliationCell) => TierChange | null
}

export type TierChange = { readonly from: string; readonly to: string; readonly amount: Picos }

/** Lays the rows of a book out for a reconciliation. `provider`: whose prices hold. */
export const createOtherPrices = (book: PriceBook, provider: string): OtherPrices => {
  const byId = new Map(book.prices.map((row) => [row.id, row]))
  const byMeter = Map.groupBy(book.prices, keyOf)
  const standsFor = aliasesOf(book)
  /** The rows of the same meter in force at noon of the day, as known now: of the same model, and of those for which
   * its name stands. */
  const family = (id: string, day: number): readonly Price[] => {
    const row = byId.get(id)
    if (row === undefined) return []
    const at = day + dayMs / 2
    const models = standsFor.get(`${row.provider}\n${row.model ?? ''}`)
    return (byMeter.get(keyOf(row)) ?? []).filter(
      ({ model, from, to, supersededOn }) =>
        (model === row.model || (model !== null && models?.has(model) === true)) &&
        from <= at &&
        (to === null || at < to) &&
        supersededOn === null,
    )
  }
  const siblings = (part: RatedPart, day: number): ReadonlyMap<string, Rational> => {
    const row = byId.get(part.price)
    const own = row === undefined ? '' : restOf(row)
    const same = family(part.price, day).filter((each) => restOf(each) === own)
    return new Map(same.map((each) => [tierOfRow(each), each.rate.perUnit]))
  }
  const costAt = (part: RatedPart, day: number, tier: string): Rational | null => {
    const unit = siblings(part, day).get(tier)
    return unit === undefined ? null : multiply(multiply(part.quantity, unit), part.factor)
  }
  return {
    unitsOf: ({ day, model, meter, ledger: { rated } }, { anyTier }) => {
      const own = rated.map(unitOf)
      if (!anyTier || meter === null) return own
      const ids =
        rated.length > 0 ? rated.map((part) => part.price) : bookRow(book, provider, { day, model, meter })
      return [...own, ...ids.flatMap((id) => family(id, day).map(({ rate }) => rate.perUnit))]
    },
    atOtherTiers: ({ day, ledger: { rated } }) => {
      const tiers = new Set(rated.flatMap((part) => [...siblings(part, day).keys()]))
      const own = [...new Set(rated.map(({ tier }) => tier))]
      return [...own, ...(own.length > 1 ? [null] : [])].flatMap((from) =>
        [...tiers].flatMap((to) => {
          if (to === from) return []
          const costs = rated.map((part) =>
            from === null || part.tier === from
              ? costAt(part, day, to)
              : multiply(
                  multiply(part.quantity, divide(parseDecimal(part.unitPrice), perOf(part))),
                  part.factor,
                ),
          )
          const amount = sum(costs)
          return amount === null ? [] : [{ from: from ?? own.join(' and '), to, amount: post(amount) }]
        }),
      )
    },
    atVendorTiers: ({ day, vendor: { usedByTier }, ledger: { rated } }) => {
      const [first] = rated
      if (first === undefined || usedByTier.size === 0) return null
      const amount = sum([...usedByTier].map(([tier, quantity]) => costAt({ ...first, quantity }, day, tier)))
      const own = [...new Set(rated.map(({ tier }) => tier))]
      const to = [...usedByTier.keys()].join(' and ')
      return amount === null ? null : { from: own.join(' and '), to, amount: post(amount) }
    },
  }
}

/** What one unit of a part cost, with its multipliers. */
const unitOf = (part: RatedPart): Rational =>
  multiply(divide(parseDecimal(part.unitPrice), perOf(part)), part.factor)

/** The unit price that a vendor's amount comes to, where it is one: a plain decimal of at most three places more than
 * the ledger's, or a plain multiple (of at most three places) of what the ledger has. Null for what no price makes of
 * this quantity. */
export const impliedPrice = (
  cell: ReconciliationCell,
  amounts: { readonly vendor: Picos; readonly ledger: Picos },
): string | null => {
  const { meter, ledger } = cell
  if (ledger.quantity.numerator === 0n || meter === null) return null
  const [first, ...others] = ledger.rated
  const isOne = first !== undefined && others.every((part) => isSamePrice(part, first))
  const per = first?.per ?? (meterFacts(meter).unit === 'token' ? 1_000_000 : 1)
  const implied = divide(
    multiply(rational(amounts.vendor, picosOfOne), rational(BigInt(per))),
    ledger.quantity,
  )
  const places = first === undefined ? 4 : placesOf(parseDecimal(first.unitPrice)) + 3
  if ((isOne || first === undefined) && placesOf(implied) <= places) {
    return `${format(implied)} per ${per.toLocaleString('en-US')}`
  }
  if (amounts.ledger <= 0n) return null
  const ratio = rational(amounts.vendor, amounts.ledger)
  return placesOf(ratio) <= 3 ? `${format(ratio)} times the ledger's` : null
}

const picosOfOne = 10n ** 12n

const isSamePrice = (a: RatedPart, b: RatedPart): boolean =>
  a.unitPrice === b.unitPrice && a.per === b.per && format(a.factor) === format(b.factor)

/** Digits after the point; infinite where the decimal never ends. */
const placesOf = (value: Rational): number => {
  const [, fraction = ''] = format(value).split('.')
  return format(value).includes('/') ? Number.POSITIVE_INFINITY : fraction.length
}

const perOf = ({ per }: RatedPart): Rational => rational(BigInt(per))

const sum = (costs: readonly (Rational | null)[]): Rational | null =>
  costs.reduce<Rational | null>(
    (total, cost) => (total === null || cost === null ? null : add(total, cost)),
    zero,
  )

const keyOf = ({ provider, service, meter, currency }: Price): string =>
  JSON.stringify([provider, service, meter, currency])

/** The models for which a name stands, by provider and name. */
const aliasesOf = (book: PriceBook): ReadonlyMap<string, ReadonlySet<string>> => {
  const models = new Map<string, Set<string>>()
  for (const { provider, model, row } of book.prices) {
    const names = [...(row.aliases ?? []), ...(row.resolved?.aliases ?? []).map(({ name }) => name)]
    for (const name of model === null ? [] : names) {
      const key = `${provider}\n${name}`
      models.set(key, (models.get(key) ?? new Set()).add(model ?? ''))
    }
  }
  return models
}

const tierOfRow = ({ attributes }: Price): string => tierName(String(attributes['tier'] ?? 'standard'))

/** What selects a row beside its tier. */
const restOf = ({ attributes }: Price): string => {
  const { tier, service_tier_values, ...rest } = attributes
  return JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The row of the book for a standard call of a model that the ledger has not. */
const bookRow = (
  book: PriceBook,
  provider: string,
  { day, model, meter }: { readonly day: number; readonly model: string | null; readonly meter: Meter },
): readonly string[] => {
  const at = day + dayMs / 2
  const { charges } = price({ [meter]: 1 }, { provider, model, at, attributes: {}, contextTokens: 1 }, book)
  return charges.filter((charge) => charge.broughtBy === undefined).map((charge) => charge.price)
}
