import { OctroiError } from '../errors.ts'
import { add, multiply, type Rational, rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { type Asked, attributeRules, tierOf } from './attributes.ts'
import { billingAskedNames } from './billing.ts'
import { type Multiplier, multiplierAskedNames, multipliersFor } from './multiplier.ts'
import { type NoPrice, type NotFound, noPrice } from './no-price.ts'
import type { Names, PriceBook } from './price-book.ts'
import { ratedAt } from './rated-at.ts'
import {
  aliasPeriod,
  type Cell,
  type Found,
  isKnown,
  type Page,
  pageOf,
  type Shelf,
  type Slot,
} from './shelf.ts'

/** What fixes the prices of a usage, besides the usage itself. `model` is null for what a provider charges
 * whatever the model. `asOf`: price with what was known then. `currency` is USD unless said. */
export type PricedCall = {
  readonly provider: string
  readonly model: string | null
  readonly at: Instant
  /** When the reply was complete, for the providers that rate a call by it; `at` stands in for it. */
  readonly completedAt?: Instant
  readonly asOf?: Instant
  readonly attributes?: Readonly<Record<string, string>>
  readonly currency?: string
  /** The provider whose prices hold for a model of which `provider` has none. */
  readonly pricesFrom?: string
  /** What the account used before of each meter, as billed, since its free allowance was last renewed. Without it no
   * allowance is taken off: nothing is free by accident. */
  readonly earlier?: { readonly [M in Meter]?: Quantity }
  /** How many days a stored quantity covers, where so much is free at every instant; one unless said. */
  readonly days?: Quantity
  /** All input tokens of the call, where the usage is a part of it alone: they choose the context card. */
  readonly contextTokens?: number
}

/** Where the prices of a call can stand, and what selects among them there. */
export type Place = {
  readonly call: PricedCall
  readonly asked: Asked
  readonly asOf: Instant
  readonly currency: string
  /** First the model's own shelf, then those of the models its name stands for, then what the provider charges
   * whatever the model; `pages` are these shelves at the instant of the call. */
  readonly shelves: readonly Shelf[]
  readonly pages: readonly Page[]
  readonly overlayPages: readonly Page[]
  /** Whether the book has the model at all. */
  readonly known: boolean
  readonly multipliers: readonly Multiplier[]
}

/** The place of a call whose input tokens choose the context card. Throws `bad_input` for an attribute no price
 * knows. */
export const placeOf = (call: PricedCall, inputTokens: number, book: PriceBook): Place => {
  const attributes = call.attributes ?? nothingSaid
  checkAsked(attributes)
  const at = ratedAt(call)
  const asOf = call.asOf ?? Number.MAX_VALUE
  const currency = call.currency ?? 'USD'
  const shelves: Shelf[] = []
  const names: string[] = []
  const known = gather(call, book.shelves, { at, asOf, shelves, names })
  const sourced = shelves.length
  const knownOverlay = book.overlays.size > 0 && gather(call, book.overlays, { at, asOf, shelves, names })
  const pages: Page[] = []
  const overlayPages: Page[] = []
  const page = { currency, tier: tierOf(attributes), at }
  shelves.forEach((shelf, index) => {
    const target = index < sourced ? pages : overlayPages
    target.push(pageOf(shelf, page))
  })
  return {
    call,
    asked: { attributes, inputTokens, at, names },
    asOf,
    currency,
    shelves,
    pages,
    overlayPages,
    known: known || knownOverlay,
    multipliers:
      attributes === nothingSaid
        ? noMultipliers
        : multipliersFor(book.multipliers, { provider: call.provider, attributes, names, at, asOf }),
  }
}

/** The same place for another number of input tokens. */
export const withInputTokens = (place: Place, inputTokens: number): Place => ({
  ...place,
  asked: { ...place.asked, inputTokens },
})

/** The one price of a meter, or why there is none. Never a neighbour's price: a model, a date, a tier or a
 * context card the book does not have is said. Reasoning takes the price of output, as vendors bill it, where
 * the book has no row of its own for it. An overlay is asked only where the book itself has no price. */
export const priceOn = (place: Place, meter: Meter): Found | NoPrice => {
  const found = search(place, meter)
  return typeof found === 'string' ? missing(place, meter, found) : found
}

/** The same where nobody asks why there is none: null then. */
export const priceIfAny = (place: Place, meter: Meter): Found | null => {
  const found = search(place, meter)
  return typeof found === 'string' ? null : found
}

const search = (place: Place, meter: Meter): Found | NotFound => {
  const found = findOrParent(place.pages, meter, place)
  if (typeof found !== 'string' || place.overlayPages.length === 0) return found
  const overlaid = findOrParent(place.overlayPages, meter, place)
  return typeof overlaid === 'string' ? found : overlaid
}

/** Where the price of a parent would do, it is the parent's that is missing. */
const missing = (place: Place, meter: Meter, why: NotFound): NoPrice => {
  const { parent, pricedAsParent } = meterFacts(meter)
  if (why !== 'none' || parent === undefined || !pricedAsParent) return noPrice(place, meter, why)
  return { ...missing(place, parent, why), meter }
}

/** The multipliers that stand on a meter of the call. */
export const multipliersOn = (place: Place, meter: Meter): readonly Multiplier[] =>
  place.multipliers.length === 0
    ? noMultipliers
    : place.multipliers.filter(({ scope }) => scope(meter, place.asked.attributes))

/** What one unit comes to with all multipliers that stand on it, and with the tokens it brings along. */
export const unitAmount = (place: Place, meter: Meter, { cell }: Found): Rational => {
  const amount = multipliersOn(place, meter).reduce(
    (product, { value }) => multiply(product, value),
    cell.price.rate.perUnit,
  )
  const block = blockOn(place, cell)
  const brought = block === null ? null : priceOn(place, block.meter)
  if (block === null || brought === null || 'code' in brought) return amount
  return add(amount, multiply(rational(BigInt(block.tokens)), unitAmount(place, block.meter, brought)))
}

/** The tokens that each unit of a price adds as input, for the model of the call; null where there are none. */
export const blockOn = (
  { asked }: Place,
  { selection: { billing } }: Cell,
): { readonly meter: Meter; readonly tokens: number } | null => {
  if (billing === null || billing.block === null) return null
  const { meter, tokens } = billing.block
  const named = asked.names.find((name) => tokens.has(name))
  return named === undefined ? null : { meter, tokens: tokens.get(named) ?? 0 }
}

const nothingSaid: Asked['attributes'] = {}
const noMultipliers: readonly Multiplier[] = []

type Gathering = {
  readonly at: Instant
  readonly asOf: Instant
  readonly shelves: Shelf[]
  readonly names: string[]
}

/** Gathers the shelves of a call, and says whether they have its model. A model that the provider's shelves do not
 * have is looked for on those of the provider it borrows from. */
const gather = (call: PricedCall, shelves: PriceBook['shelves'], into: Gathering): boolean => {
  const own = shelves.get(call.provider)
  const known = own !== undefined && gatherModel(call.model, own, into)
  const lent = known || call.pricesFrom === undefined ? undefined : shelves.get(call.pricesFrom)
  const borrowed = lent !== undefined && gatherModel(call.model, lent, into)
  for (const names of [own, lent]) {
    const everyModel = names?.get(null)
    if (everyModel !== undefined) into.shelves.push(everyModel)
  }
  return known || borrowed
}

const gatherModel = (model: string | null, names: Names, into: Gathering): boolean => {
  if (model === null) return true
  const name = bookName(model)
  if (!into.names.includes(name)) into.names.push(name)
  const named = names.get(name)
  if (named === undefined) return isTunedOf(model, names)
  into.shelves.push(named)
  for (const alias of named.aliasOf) {
    const period = aliasPeriod(alias, into.asOf)
    const shelf = names.get(alias.model)
    if (period === null || shelf === undefined || into.at < period.from || period.to <= into.at) continue
    into.names.push(alias.model)
    into.shelves.push(shelf)
  }
  return into.asOf === Number.MAX_VALUE || wasKnown(named, into.asOf)
}

const wasKnown = ({ own, aliasOf }: Shelf, asOf: Instant): boolean =>
  aliasOf.some((alias) => aliasPeriod(alias, asOf) !== null) ||
  [...own.values()].some((cells) => cells.some((cell) => isKnown(cell, asOf)))

const findOrParent = (pages: readonly Page[], meter: Meter, place: Place): Found | NotFound => {
  const found = find(pages, meter, place)
  if (found !== 'none') return found
  const { parent, pricedAsParent } = meterFacts(meter)
  return parent === undefined || !pricedAsParent ? found : findOrParent(pages, parent, place)
}

const find = (pages: readonly Page[], meter: Meter, place: Place): Found | NotFound => {
  for (const page of pages) {
    const slot = page.get(meter)
    if (slot === undefined) continue
    if (slot.only !== null) return slot.only
    const found = pick(slot, place)
    if (found !== 'none') return found
  }
  return 'none'
}

const pick = (slot: Slot, place: Place): Found | NotFound => {
  const list = best(slot.list, place)
  const promotion = slot.promotions.length === 0 ? 'none' : best(slot.promotions, place)
  if (typeof promotion !== 'string') return { cell: promotion, list: typeof list === 'string' ? null : list }
  if (promotion === 'ambiguous') return promotion
  if (typeof list !== 'string') return { cell: list, list: null }
  if (list !== 'none') return list
  const elsewhere = promotion === 'missing' || slot.elsewhere.some((cell) => isKnown(cell, place.asOf))
  return elsewhere ? 'missing' : 'none'
}

const best = (cells: readonly Cell[], { asked, asOf }: Place): Cell | NotFound => {
  let found: Cell | NotFound = 'none'
  for (const cell of cells) {
    if (!isKnown(cell, asOf)) continue
    if (!holdsFor(cell, asked)) found = found === 'none' ? 'missing' : found
    else if (typeof found === 'string') found = found === 'ambiguous' ? found : cell
    else found = first(found, cell)
  }
  return found
}

const holdsFor = ({ selection: { rest } }: Cell, asked: Asked): boolean => {
  for (const holds of rest) if (!holds(asked)) return false
  return true
}

/** What a call names goes before what it does not name; then the shortest lifetime, which is what a vendor
 * writes to the cache when the call does not ask for a longer one. */
const first = (a: Cell, b: Cell): Cell | 'ambiguous' => {
  const [one, other] = [a.selection, b.selection]
  if (one.named !== other.named) return one.named > other.named ? a : b
  if (one.lifetime !== other.lifetime) return one.lifetime < other.lifetime ? a : b
  return 'ambiguous'
}

/** A tuned model's id is `ft:base:organization:suffix:id`; the book prices `ft:base`. */
const bookName = (model: string): string =>
  model.startsWith('ft:') ? (/^(ft:[^:]+):/.exec(model)?.[1] ?? model) : model

const isTunedOf = (model: string, names: Names): boolean => {
  const base = /^ft:([^:]+)/.exec(model)?.[1]
  return base !== undefined && names.has(base)
}

/** The attributes a call may say. */
const askedNames: ReadonlySet<string> = new Set([
  ...Object.entries(attributeRules).flatMap(([name, rule]) => (rule.asked ? [name] : [])),
  ...billingAskedNames,
  ...multiplierAskedNames,
])

const checkAsked = (attributes: Asked['attributes']): void => {
  for (const name in attributes) {
    if (askedNames.has(name) && typeof attributes[name] === 'string') continue
    throw new OctroiError(
      'bad_input',
      `attributes.${name.slice(0, 40)} does not select a price. Use texts under ${[...askedNames].join(', ')}.`,
    )
  }
}
