import { type Picos, postedPlaces } from '../../money/money.ts'
import { divide, multiply, parseDecimal, type Rational, rational } from '../../money/rational.ts'
import { formatInstant, type Instant } from '../../time.ts'
import { meterFacts } from '../../usage/meter.ts'
import type { Quantity } from '../../usage/usage.ts'
import type { FocusVersion } from './columns.ts'
import { decimalText, fineText, millionthsText } from './decimal.ts'
import type { FocusGroup } from './fold.ts'
import {
  type ChangingColumn,
  changingColumns,
  type ExportedColumn,
  exportedColumns,
  type FocusRow,
} from './layout.ts'
import { namesOf } from './meter-names.ts'
import type { Series, SeriesPrice, UnitPrice } from './series.ts'
import { serviceOf } from './services.ts'

/** Makes the rows of an export of a version. */
export const rowMaker = (version: FocusVersion): ((group: FocusGroup) => FocusRow) => {
  const columns = exportedColumns(version)
  const at = placesIn(columns)
  const kept = new WeakMap<Series, SeriesCells>()
  const billingPeriod = keepLast(billingPeriodOf)
  const instant = keepLast(formatInstant)
  const [start, end] = [keepLast(formatInstant), keepLast(formatInstant)]

  const cellsOf = (series: Series): SeriesCells => {
    const known = kept.get(series)
    if (known !== undefined) return known
    const named = namedCells(series)
    const made = { cells: columns.map((column) => named[column] ?? null), ...scaleOf(series) }
    kept.set(series, made)
    return made
  }

  return (group) => {
    const { series, from, to } = group
    const { cells, per, consumedAs } = cellsOf(series)
    const row = cells.slice()
    const month = billingPeriod(from)
    const amount = picosText(group.amount)
    row[at.BilledCost] = series.basis === 'estimated' ? nothing : amount
    row[at.BillingPeriodStart] = month.start
    row[at.BillingPeriodEnd] = to <= month.to ? month.end : instant(monthAfter(to - 1))
    row[at.ChargePeriodStart] = start(from)
    row[at.ChargePeriodEnd] = end(to)
    row[at.ContractedCost] = group.contracted === group.amount ? amount : picosText(group.contracted)
    row[at.EffectiveCost] = amount
    row[at.ListCost] = group.list === group.amount ? amount : picosText(group.list)
    row[at.x_CallCount] = `${group.calls}`
    row[at.x_ChargeCount] = `${group.charges}`
    if (consumedAs === null) return row
    row[at.ConsumedQuantity] = quantityText(group.quantity, 1)
    row[at.PricingQuantity] = quantityText(group.quantity, per)
    if (series.price.list === null) {
      const unitPrice = statedUnitPrice(group, per)
      row[at.ListUnitPrice] = unitPrice
      row[at.ContractedUnitPrice] = unitPrice
    }
    return row
  }
}

const placesIn = (columns: readonly ExportedColumn[]): Readonly<Record<ChangingColumn, number>> => {
  const places = changingColumns.map((column) => [column, columns.indexOf(column)])
  return Object.fromEntries(places) as Readonly<Record<ChangingColumn, number>>
}

const nothing = '0.0'

/** The cells of a series: null where a row has its own. `per`: how many of the meter one PricingQuantity is.
 * `consumedAs`: null where nothing is consumed. */
type SeriesCells = { readonly cells: readonly (string | null)[] } & Scale

type Scale = { readonly per: number; readonly consumedAs: string | null }

const tokensPer = 1_000_000

/** Tokens are priced by the million; anything else as the vendor says. */
const scaleOf = ({ meter, price, isCredit }: Series): Scale => ({
  per: meterFacts(meter).unit === 'token' ? tokensPer : (price.list?.per ?? 1),
  consumedAs: isCredit ? null : namesOf(meter).unit,
})

const namedCells = (series: Series): Partial<Record<ExportedColumn, string | null>> => {
  const { meter, model, team, project, provider, price } = series
  const names = namesOf(meter)
  const { service, provider: seller, host } = serviceOf(provider)
  return {
    BillingAccountId: series.account,
    BillingCurrency: series.currency,
    ChargeDescription: [model ?? service, series.isCredit ? 'Credit' : names.meter].join(': '),
    HostProviderName: host,
    InvoiceIssuerName: seller,
    ProviderName: seller,
    PublisherName: seller,
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: service,
    ServiceProviderName: seller,
    ServiceSubcategory: 'Generative AI',
    SubAccountId: subAccountId(team, project),
    SubAccountName: project ?? team,
    Tags: series.tags.length === 0 ? null : JSON.stringify(Object.fromEntries(series.tags)),
    ...(series.isCredit
      ? { ChargeCategory: 'Credit', ChargeFrequency: 'One-Time' }
      : { ChargeCategory: 'Usage', ChargeFrequency: 'Usage-Based', ...pricedCells(series) }),
    x_Basis: series.basis,
    x_BookVersion: series.bookVersion,
    x_Meter: meter,
    x_ModelId: model,
    x_PriceSource: price.source,
    x_Project: project,
    x_ProviderId: provider,
    x_ServiceTier: series.tier,
    x_Team: team,
    x_TokenCacheAction: names.cacheAction,
    x_TokenDirection: names.direction,
  }
}

const pricedCells = (series: Series): Partial<Record<ExportedColumn, string | null>> => {
  const { meter, model, provider, price, tier } = series
  const names = namesOf(meter)
  const { per } = scaleOf(series)
  const skuId = [provider, model ?? '', meter].join('/')
  return {
    ConsumedUnit: names.unit,
    ContractedUnitPrice: price.contracted === null ? null : unitPriceText(price.contracted, price, per),
    ListUnitPrice: price.list === null ? null : unitPriceText(price.list, price, per),
    PricingCategory: meter === 'ptu_hours' ? 'Committed' : tier === 'flex' ? 'Dynamic' : 'Standard',
    PricingUnit: per === 1 ? names.unit : `${per} ${names.unit}`,
    SkuId: skuId,
    SkuMeter: names.meter,
    SkuPriceDetails: JSON.stringify({
      ...(model !== null && { x_ModelId: model }),
      ...(names.direction !== null && { x_TokenDirection: names.direction }),
      ...(names.cacheAction !== null && { x_TokenCacheAction: names.cacheAction }),
      ...(names.modality !== null && { x_Modality: names.modality }),
    }),
    SkuPriceId: [skuId, price.id, ...price.factors.map(({ name, factor }) => `${name} x ${factor}`)].join(
      '/',
    ),
  }
}

/** A team with its project, so that two teams may each have a project of one name. */
const subAccountId = (team: string | null, project: string | null): string | null => {
  if (project === null) return team
  return [team ?? '', project].map((part) => part.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/')
}

/** The price of `per` units, with the factors on it. */
const unitPriceText = (price: UnitPrice, { factors }: SeriesPrice, per: number): string => {
  const scaled = multiply(parseDecimal(price.unitPrice), rational(BigInt(per), BigInt(price.per)))
  return fineText(factors.reduce((product, { factor }) => multiply(product, parseDecimal(factor)), scaled))
}

/** What an amount that a vendor stated comes to for each `per` units. */
const statedUnitPrice = ({ quantity, amount }: FocusGroup, per: number): string => {
  const units = divide(exact(quantity), rational(BigInt(per)))
  if (units.numerator === 0n) return nothing
  return fineText(divide(rational(amount, 10n ** BigInt(postedPlaces)), units))
}

const exact = (quantity: Quantity): Rational =>
  typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity

const quantityText = (quantity: Quantity, per: number): string => {
  if (typeof quantity === 'number') {
    if (per === 1) return `${quantity}.0`
    if (per === tokensPer) return millionthsText(quantity)
  }
  return fineText(divide(exact(quantity), rational(BigInt(per))))
}

const picosText = (amount: Picos): string => decimalText(amount, postedPlaces)

/** A month in UTC. FOCUS calls it the billing period. */
const billingPeriodOf = (at: Instant) => {
  const day = new Date(at)
  const from = Date.UTC(day.getUTCFullYear(), day.getUTCMonth())
  const to = monthAfter(at)
  return { start: formatInstant(from), end: formatInstant(to), to }
}

const monthAfter = (at: Instant): Instant => {
  const day = new Date(at)
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1)
}

/** Rows come by time: what holds for one holds for the next. */
const keepLast = <Value>(make: (at: Instant) => Value): ((at: Instant) => Value) => {
  let last: { readonly at: Instant; readonly value: Value } | null = null
  return (at) => {
    last = last?.at === at ? last : { at, value: make(at) }
    return last.value
  }
}
