import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Holds } from './attributes.ts'
import type { Billing } from './billing.ts'
import type { Price } from './price-book.ts'

/** A price and what selects it: periods with open ends as infinities, so that they compare. */
export type Cell = {
  readonly price: Price
  readonly from: Instant
  readonly to: Instant
  readonly knownSince: Instant
  readonly supersededOn: Instant
  readonly selection: Selection
}

/** Which calls a price holds for, and how it is billed. `holds`: all tests of its attributes; `rest`: those other than
 * of the tier. `tiers`: those it is for, null where it is for all. `named`: how many attributes a call must name. */
export type Selection = {
  /** The attributes as a text, whatever their order: prices of one text, service and currency follow each other. */
  readonly text: string
  readonly tiers: readonly string[] | null
  readonly holds: readonly Holds[]
  readonly rest: readonly Holds[]
  readonly named: number
  readonly lifetime: number
  /** A promotion lies over the list price; it never stands in for another price. */
  readonly isPromotion: boolean
  readonly billing: Billing | null
  readonly assumption: ((at: Instant) => string | null) | null
}

/** What the book has under one name: its own prices by meter, and the models it stood for, and when. */
export type Shelf = {
  readonly own: ReadonlyMap<Meter, readonly Cell[]>
  readonly aliasOf: readonly Alias[]
  readonly currencies: ReadonlySet<string>
  readonly tiers: ReadonlySet<string>
  /** The cards laid out so far, by currency and tier. */
  readonly cards: Map<string, Map<string, Card>>
}

/** A model that a name stood for, by the rows that list the name. `from` and `to`: the first and the last day on which
 * any of them does; `dated`: whether some of them were known at some times only. */
export type Alias = {
  readonly model: string
  readonly listings: readonly Listing[]
  readonly from: Instant
  readonly to: Instant
  readonly dated: boolean
}

/** When a row listed an alias, and from when to when one knew it. */
export type Listing = Pick<Cell, 'from' | 'to' | 'knownSince' | 'supersededOn'>

/** The period in which a name stood for a model, with what was known then; null where nothing was. */
export const aliasPeriod = (alias: Alias, asOf: Instant): Pick<Alias, 'from' | 'to'> | null => {
  if (!alias.dated) return alias
  const known = alias.listings.filter((listing) => isKnown(listing, asOf))
  if (known.length === 0) return null
  return {
    from: Math.min(...known.map(({ from }) => from)),
    to: Math.max(...known.map(({ to }) => to)),
  }
}

export const isKnown = ({ knownSince, supersededOn }: Listing, asOf: Instant): boolean =>
  knownSince <= asOf && asOf < supersededOn

/** The prices of one currency and tier, laid out by time: between two turns nothing changes. */
export type Card = {
  readonly turns: readonly Instant[]
  readonly pages: Map<number, Page>
}

/** The prices in force at one time, by meter. */
export type Page = ReadonlyMap<Meter, Slot>

/** The prices of one meter in force at one time. `elsewhere`: those of other tiers, which say that the meter has a
 * price then, but not this one. `only`: the price that holds for every call, where there is just one. */
export type Slot = {
  readonly list: readonly Cell[]
  readonly promotions: readonly Cell[]
  readonly elsewhere: readonly Cell[]
  readonly only: Found | null
}

/** The price of a meter: the cell that sets the amount, and under a promotion the one of the list price. */
export type Found = { readonly cell: Cell; readonly list: Cell | null }

/** What chooses a page of a shelf. */
export type PageAsked = { readonly currency: string; readonly tier: string; readonly at: Instant }

/** The page of a shelf for a currency, a tier and an instant. Cards are laid out when they are first asked for: of a
 * currency or tier that the shelf does not have there is one card, whatever its name. */
export const pageOf = (shelf: Shelf, asked: PageAsked): Page => {
  const { currency, at } = asked
  if (!shelf.currencies.has(currency)) return emptyPage
  const tier = shelf.tiers.has(asked.tier) ? asked.tier : noTier
  const card = shelf.cards.get(currency)?.get(tier) ?? layOut(shelf, currency, tier)
  const turn = lastTurn(card.turns, at)
  const page = card.pages.get(turn)
  if (page !== undefined) return page
  const filled = fill(shelf, { currency, tier, at })
  card.pages.set(turn, filled)
  return filled
}

const emptyPage: Page = new Map()
const noTier = ''

const layOut = (shelf: Shelf, currency: string, tier: string): Card => {
  const cells = [...shelf.own.values()].flat().filter(({ price }) => price.currency === currency)
  const turns = [...new Set(cells.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b)
  const card: Card = { turns, pages: new Map() }
  const tiers = shelf.cards.get(currency) ?? new Map<string, Card>()
  shelf.cards.set(currency, tiers.set(tier, card))
  return card
}

const lastTurn = (turns: readonly Instant[], at: Instant): number => {
  let [low, high] = [0, turns.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((turns[middle] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low
}

const fill = (shelf: Shelf, { currency, tier, at }: PageAsked): Page => {
  const page = new Map<Meter, Slot>()
  for (const [meter, cells] of shelf.own) {
    const inForce = cells.filter(
      ({ price, from, to }) => price.currency === currency && from <= at && at < to,
    )
    if (inForce.length > 0) page.set(meter, slotOf(inForce, tier))
  }
  return page
}

const slotOf = (cells: readonly Cell[], tier: string): Slot => {
  const here = cells.filter(({ selection: { tiers } }) => tiers === null || tiers.includes(tier))
  const list = here.filter(({ selection }) => !selection.isPromotion)
  const [first] = list
  return {
    list,
    promotions: here.filter(({ selection }) => selection.isPromotion),
    elsewhere: cells.filter((cell) => !here.includes(cell)),
    only: here.length === 1 && first !== undefined && isPlain(first) ? { cell: first, list: null } : null,
  }
}

const isPlain = ({ selection: { rest }, knownSince, supersededOn }: Cell): boolean =>
  rest.length === 0 && knownSince === Number.NEGATIVE_INFINITY && supersededOn === Number.POSITIVE_INFINITY
