import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import { type Asked, askedNames, selectionOf } from './attributes.ts'
import type { Unpriced } from './price.ts'
import type { Cell, Price, PriceBook, Shelf } from './price-book.ts'

/** What fixes a price besides the meter. `asOf`: with what was known then; without it the whole book counts.
 * `currency` is USD unless said. */
export type Asking = Asked & {
  readonly provider: string
  readonly model: string | null
  readonly at: Instant
  readonly asOf?: Instant
  readonly currency?: string
}

/** Why a meter has no price. */
export type NoPrice = Omit<Unpriced, 'quantity'>

/** The one price of a meter, or why there is none. Never a neighbour's price: a model, a date, a tier or a
 * context card the book does not have is said. Reasoning takes the price of output, as vendors bill it, where
 * the book has no row of its own for it. Throws `bad_input` for an attribute no price knows. */
export const priceOf = (meter: Meter, asking: Asking, book: PriceBook): Price | NoPrice =>
  priceOn(shelvesOf(asking, book), meter, asking)

/** The shelves on which prices of a call can stand, first the model's own, then those of the models its name
 * stands for, then what the provider charges whatever the model. */
export type Shelves = {
  readonly shelves: readonly Shelf[]
  /** Whether the book has the model at all. */
  readonly known: boolean
}

/** Throws `bad_input` for an attribute no price knows. */
export const shelvesOf = (asking: Omit<Asking, 'inputTokens'>, book: PriceBook): Shelves => {
  checkAsked(asking.attributes)
  const names = book.shelves.get(asking.provider)
  if (names === undefined) return { shelves: [], known: false }
  const shelves: Shelf[] = []
  const named = asking.model === null ? undefined : names.get(bookName(asking.model))
  if (named !== undefined) {
    shelves.push(named)
    for (const alias of named.aliasOf) {
      const shelf = names.get(alias.model)
      if (shelf !== undefined && alias.from <= asking.at && asking.at < alias.to) shelves.push(shelf)
    }
  }
  const everyModel = names.get(null)
  if (everyModel !== undefined) shelves.push(everyModel)
  return { shelves, known: named !== undefined || asking.model === null || isTunedOf(asking.model, names) }
}

/** The price of a meter on the shelves of a call, or why there is none. */
export const priceOn = (place: Shelves, meter: Meter, asking: Asking): Price | NoPrice => {
  const found = find(place.shelves, meter, asking)
  if (found !== 'none') return typeof found === 'string' ? noPrice(place, meter, asking, found) : found.price
  const { parent, pricedAsParent } = meterFacts(meter)
  if (parent === undefined || !pricedAsParent) return noPrice(place, meter, asking, found)
  const price = priceOn(place, parent, asking)
  return 'code' in price ? { ...price, meter } : price
}

/** `none`: no row of the meter is in force; `missing`: rows are, but none for these attributes; `ambiguous`:
 * several hold and nothing puts one first. */
type NotFound = 'none' | 'missing' | 'ambiguous'

const find = (shelves: readonly Shelf[], meter: Meter, asking: Asking): Cell | NotFound => {
  for (const shelf of shelves) {
    const cells = shelf.own.get(meter)
    const found = cells === undefined ? 'none' : pick(cells, asking)
    if (found !== 'none') return found
  }
  return 'none'
}

const pick = (cells: readonly Cell[], asking: Asking): Cell | NotFound => {
  let best: Cell | NotFound = 'none'
  for (const cell of cells) {
    if (!inForce(cell, asking)) continue
    if (!cell.holds.every((holds) => holds(asking))) best = best === 'none' ? 'missing' : best
    else if (typeof best === 'string') best = best === 'ambiguous' ? best : cell
    else best = first(best, cell)
  }
  return best
}

const inForce = (cell: Cell, { at, asOf = Number.MAX_VALUE, currency = 'USD' }: Asking): boolean =>
  cell.from <= at &&
  at < cell.to &&
  cell.knownSince <= asOf &&
  asOf < cell.supersededOn &&
  cell.price.currency === currency

/** What a call names goes before what it does not name; then the shortest lifetime, which is what a vendor
 * writes to the cache when the call does not ask for a longer one. */
const first = (a: Cell, b: Cell): Cell | 'ambiguous' => {
  if (a.named !== b.named) return a.named > b.named ? a : b
  if (a.lifetime !== b.lifetime) return a.lifetime < b.lifetime ? a : b
  return 'ambiguous'
}

/** A tuned model's id is `ft:base:organization:suffix:id`; the book prices `ft:base`. */
const bookName = (model: string): string => /^(ft:[^:]+):/.exec(model)?.[1] ?? model

const isTunedOf = (model: string, names: ReadonlyMap<string | null, Shelf>): boolean => {
  const base = /^ft:([^:]+)/.exec(model)?.[1]
  return base !== undefined && names.has(base)
}

const checkAsked = (attributes: Asked['attributes']): void => {
  for (const name in attributes) {
    if (askedNames.includes(name) && typeof attributes[name] === 'string') continue
    throw new OctroiError(
      'bad_input',
      `attributes.${name.slice(0, 40)} does not select a price. Use texts under ${askedNames.join(', ')}.`,
    )
  }
}

const noPrice = (place: Shelves, meter: Meter, asking: Asking, why: NotFound): NoPrice => {
  const model = asking.model ?? '(any model)'
  if (!place.known) {
    const message = `The price book has no model "${model.slice(0, 100)}" of provider "${asking.provider.slice(0, 100)}".`
    return { meter, code: 'unknown_model', message }
  }
  const cells = place.shelves.flatMap((shelf) => shelf.own.get(meter) ?? [])
  const message = `${asking.provider} ${model.slice(0, 100)} has no price for ${meter} on ${formatInstant(asking.at)}${said(asking)}: ${reason(cells, asking, why)}.`
  return { meter, code: 'no_price', message }
}

const said = (asking: Asking): string => {
  const parts = Object.entries(asking.attributes).map(([name, value]) => `${name} ${value.slice(0, 40)}`)
  if (asking.currency !== undefined) parts.push(`in ${asking.currency}`)
  if (asking.asOf !== undefined) parts.push(`as known on ${formatInstant(asking.asOf)}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

const reason = (cells: readonly Cell[], asking: Asking, why: NotFound): string => {
  const rows = nearest(
    cells.filter((cell) => inForce(cell, asking)),
    asking,
  ).map((cell) => selectionOf(cell.price.attributes))
  if (why === 'missing') return `with ${asking.inputTokens} input tokens; the nearest are for ${some(rows)}`
  if (why === 'ambiguous') return `several hold, say which: ${some(rows)}`
  if (cells.length === 0) return 'the book has none'
  if (cells.some(({ from, to }) => from <= asking.at && asking.at < to)) {
    return 'the book has it then, but in another currency or known on other days'
  }
  return `the book has it ${some(cells.map(({ price }) => periodOf(price)))}`
}

/** The cells that the fewest attributes keep from holding. */
const nearest = (cells: readonly Cell[], asking: Asking): readonly Cell[] => {
  const misses = cells.map((cell) => cell.holds.filter((holds) => !holds(asking)).length)
  const fewest = Math.min(...misses)
  return cells.filter((_, index) => misses[index] === fewest)
}

const periodOf = ({ from, to }: Price): string =>
  `from ${formatInstant(from)}${to === null ? '' : ` to ${formatInstant(to)}`}`

const some = (texts: readonly string[]): string => {
  const distinct = [...new Set(texts)]
  return distinct.length > 6 ? `${distinct.slice(0, 6).join('; ')}; ...` : distinct.join('; ')
}
