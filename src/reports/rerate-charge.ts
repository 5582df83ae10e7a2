import { OctroiError } from '../errors.ts'
import type { CallRow } from '../ledger/reading.ts'
import { attributeRules } from '../pricing/attributes.ts'
import type { Multiplier } from '../pricing/multiplier.ts'
import { type Charge, type Cost, type PricedCall, price, type Unpriced } from '../pricing/price.ts'
import type { Price, PriceBook } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import { exactQuantity, type Quantity } from '../usage/usage.ts'

/** Why something keeps the price it has. `vendor_stated`: the vendor itself said the amount. `unknown_row`: no book at
 * hand has the row that priced it. `not_recovered`: what was asked for beside the model (a size, a lifetime, a free
 * allowance) selected the price, and the ledger does not tell it. `no_price`: the corrected book has none. */
export type KeptReason = 'vendor_stated' | 'unknown_row' | 'not_recovered' | 'no_price'

/** Something that was priced, or had no price, as far as it is priced anew: a call, an accrual or an imported line. */
export type Priced = {
  readonly at: Instant
  readonly completedAt: Instant
  readonly provider: string
  readonly model: string | null
  readonly tier: string | null
  readonly currency: string
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
}

/** The books a charge is priced by: as it is without the correction, and with it. */
export type RerateBooks = {
  readonly before: PriceBook
  readonly after: PriceBook
  readonly rows: ReadonlyMap<string, Price>
  readonly multipliers: ReadonlyMap<string, Multiplier>
  /** Whether the books may differ about a meter of a provider. Where they cannot, a charge is right as it is. */
  readonly touches: (provider: string, meter: Meter) => boolean
}

/** What one charge, with the charges it brought along, or one usage without a price becomes. */
export type Repriced =
  | { readonly kind: 'same'; readonly charges: readonly Charge[] }
  | { readonly kind: 'changed'; readonly was: readonly Charge[]; readonly charges: readonly Charge[] }
  | {
      readonly kind: 'kept'
      readonly charges: readonly Charge[]
      readonly meter: Meter
      readonly why: KeptReason
    }

/** Prepares two books, of which the second has the correction. Where they are one, every charge is held against it. */
export const rerateBooks = (before: PriceBook, after: PriceBook): RerateBooks => {
  const { meters, providers } = differences(before, after)
  return {
    ...{ before, after },
    rows: new Map([...before.prices, ...after.prices].map((row) => [row.id, row])),
    multipliers: new Map([...before.multipliers, ...after.multipliers].map((row) => [row.id, row])),
    touches: (provider, meter) =>
      before === after || providers.has(provider) || meters.has(`${provider} ${meter}`),
  }
}

/** The meters whose prices differ, and the providers whose factors do. */
const differences = (before: PriceBook, after: PriceBook) => {
  const only = <Row extends Price | Multiplier>(
    some: readonly Row[],
    others: readonly Row[],
  ): readonly Row[] => {
    // Rows that a correction leaves alone are the same objects; one that is equal to another at worst is looked at in vain.
    const written = new Set(others.map(({ row }) => row))
    return some.filter(({ row }) => !written.has(row))
  }
  const prices = [...only(before.prices, after.prices), ...only(after.prices, before.prices)]
  const factors = [
    ...only(before.multipliers, after.multipliers),
    ...only(after.multipliers, before.multipliers),
  ]
  return {
    meters: new Set(prices.map(({ provider, meter }) => `${provider} ${meter}`)),
    providers: new Set(factors.map(({ provider }) => provider)),
  }
}

/** A call as it is priced anew. */
export const pricedOfCall = ({ call, settlement }: CallRow): Priced => ({
  ...{ at: call.at, completedAt: settlement.at, provider: call.provider },
  ...{ model: settlement.model, tier: settlement.tier, currency: settlement.currency },
  ...{ charges: settlement.charges, unpriced: settlement.unpriced },
})

/** Prices one charge anew. What selected its price is recovered from the row that it names, and held to the proof: one
 * of the two books must come, by what was recovered, to the same row, quantity and factors. */
export const repriceCharge = (charge: Charge, of: Priced, books: RerateBooks): Repriced => {
  const brought = broughtBy(charge, of)
  const was = [...brought, charge]
  const kept = (why: KeptReason): Repriced => ({ kind: 'kept', charges: was, meter: charge.meter, why })
  if (charge.source === 'vendor-reported') return kept('vendor_stated')
  const row = books.rows.get(charge.price)
  if (!isTouched(was, of, books)) return { kind: 'same', charges: was }
  if (row === undefined) return kept('unknown_row')
  if (
    of.charges.filter((other) => isOwn(other) && other.meter === charge.meter).length > 1 &&
    brought.length > 0
  ) {
    return kept('not_recovered')
  }
  const usage = { [charge.meter]: charge.measured ?? charge.quantity }
  for (const call of recoveries(charge, row, of, books)) {
    const costs = [books.before, books.after].map((book) => priceIfPossible(usage, call, book))
    if (!costs.some((cost) => cost !== null && isProof(cost, charge))) continue
    const [, after] = costs
    if (after === null || after === undefined || after.unpriced.length > 0) return kept('no_price')
    return isSame(was, after.charges)
      ? { kind: 'same', charges: was }
      : { kind: 'changed', was, charges: after.charges }
  }
  return kept('not_recovered')
}

/** Prices anew what had no price: by a row that asks for nothing but the model and the tier, since the ledger keeps
 * nothing else of it. */
export const repriceUnpriced = (
  unpriced: Unpriced,
  of: Priced,
  { after, rows }: RerateBooks,
): Repriced | null => {
  const { meter, quantity } = unpriced
  // Stands for a part of a reply whose usage is not known; it is no request.
  if (unpriced.message.startsWith('No usage is reported')) return null
  // Prices may be those of another provider, which then stands on what else the call was charged.
  const lender = of.charges
    .map(({ price }) => rows.get(price)?.provider)
    .find((provider) => provider !== undefined)
  const call = {
    ...callOf(of, of.model, lender ?? of.provider),
    ...(of.tier !== null && { attributes: { tier: of.tier } }),
  }
  const cost = priceIfPossible({ [meter]: quantity }, { ...call, contextTokens: contextOf(of) }, after)
  if (cost === null || cost.unpriced.length > 0) return null
  const asksMore = cost.charges.some((charge) => {
    const row = rows.get(charge.price)
    return (
      row === undefined ||
      Object.keys(row.attributes).some((name) => asked(name) && name !== 'tier' && name !== 'promotion')
    )
  })
  return asksMore
    ? { kind: 'kept', charges: [], meter, why: 'not_recovered' }
    : { kind: 'changed', was: [], charges: cost.charges }
}

const isTouched = (charges: readonly Charge[], of: Priced, { rows, touches }: RerateBooks): boolean =>
  charges.some(({ meter, price }) => {
    const row = rows.get(price)
    const providers = [of.provider, ...(row === undefined ? [] : [row.provider])]
    // A meter may be priced as its parent is.
    const meters = [meter, ...(row === undefined ? [] : [row.meter])]
    return providers.some((provider) => meters.some((each) => touches(provider, each)))
  })

/** A charge that another did not bring along. */
export const isOwn = ({ broughtBy }: Charge): boolean => broughtBy === undefined

const broughtBy = (charge: Charge, { charges }: Priced): readonly Charge[] =>
  charges.filter((other) => other.broughtBy === charge.meter)

const asked = (name: string): boolean =>
  Object.hasOwn(attributeRules, name) && attributeRules[name]?.asked === true

/** What a charge may have been priced by, the likeliest first. */
const recoveries = (charge: Charge, row: Price, of: Priced, books: RerateBooks): readonly PricedCall[] => {
  const own = attributesOf(charge, row, of.tier, books)
  const attributes =
    row.attributes['eligible_sessions'] === undefined ? [own] : [own, { ...own, eligible_sessions: 'true' }]
  const models = [...new Set([of.model, row.model])]
  const contexts = [...new Set([contextOf(of), contextOf({ ...of, charges: [charge], unpriced: [] })])]
  const calls = models.flatMap((model) =>
    contexts.flatMap((contextTokens) =>
      attributes.map((each) => ({
        ...callOf(of, model, charge.borrowedFrom === undefined ? row.provider : of.provider),
        ...(charge.borrowedFrom !== undefined && { pricesFrom: charge.borrowedFrom }),
        ...{ contextTokens, attributes: each },
      })),
    ),
  )
  return [...calls, ...calls.map((call) => ({ ...call, completedAt: of.completedAt }))]
}

const callOf = ({ at, currency }: Priced, model: string | null, provider: string): PricedCall => ({
  ...{ provider, model, at, currency },
})

/** What a call must have said for this row and these factors to hold. */
const attributesOf = (
  charge: Charge,
  row: Price,
  tier: string | null,
  { multipliers }: RerateBooks,
): Readonly<Record<string, string>> => {
  const said = Object.entries(row.attributes).flatMap(([name, value]) =>
    asked(name) && name !== 'promotion' ? [[name, String(value)] as const] : [],
  )
  const factors = (charge.multipliers ?? []).flatMap(({ price }) => {
    const multiplier = multipliers.get(price)
    return multiplier === undefined
      ? []
      : [factorAsked[multiplier.name] ?? []].filter((pair) => pair.length === 2)
  })
  return { ...(tier !== null && { tier }), ...Object.fromEntries([...said, ...factors]) }
}

/** A call that asks for each multiplier. */
const factorAsked: Readonly<Record<string, readonly string[]>> = {
  regional_processing: ['residency', 'eu'],
  fedramp: ['fedramp', 'true'],
  inference_geo_us: ['inference_geo', 'us'],
  vertex_regional_endpoint: ['vertex_endpoint', 'regional'],
}

/** All input tokens of a call, without those that something brought along. */
const contextOf = ({ charges, unpriced }: Pick<Priced, 'charges' | 'unpriced'>): number =>
  [...charges.filter(isOwn), ...unpriced].reduce((sum, use) => {
    const { unit, direction } = meterFacts(use.meter)
    const quantity = 'measured' in use ? (use.measured ?? use.quantity) : use.quantity
    return unit === 'token' && direction === 'input' && typeof quantity === 'number' ? sum + quantity : sum
  }, 0)

/** Null where the book refuses what was recovered. */
const priceIfPossible = (
  usage: { readonly [meter: string]: Quantity },
  call: PricedCall,
  book: PriceBook,
): Cost | null => {
  try {
    return price(usage, call, book)
  } catch (error) {
    if (error instanceof OctroiError) return null
    throw error
  }
}

const isProof = ({ charges }: Cost, charge: Charge): boolean => {
  const own = charges.find(isOwn)
  return (
    own !== undefined &&
    own.price === charge.price &&
    isEqual(charge.meter, own.quantity, charge.quantity) &&
    namesOf(own) === namesOf(charge)
  )
}

const namesOf = ({ multipliers = [] }: Charge): string => multipliers.map(({ name }) => name).join()

const isEqual = (meter: Meter, a: Quantity, b: Quantity): boolean => {
  const [one, other] = [exactQuantity(meter, a), exactQuantity(meter, b)]
  return one.numerator * other.denominator === other.numerator * one.denominator
}

/** Whether the same is billed at the same amounts, whatever rows say so. */
const isSame = (a: readonly Charge[], b: readonly Charge[]): boolean => {
  const amounts = (charges: readonly Charge[]): string =>
    charges
      .map(({ meter, broughtBy, amount }) => `${meter} ${broughtBy ?? ''} ${amount}`)
      .sort()
      .join()
  return amounts(a) === amounts(b)
}
