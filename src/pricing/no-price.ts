import { formatInstant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import { selectionOf } from './attributes.ts'
import type { Price } from './price-book.ts'
import type { Place } from './price-of.ts'
import { type Cell, isKnown } from './shelf.ts'

/** Why a meter has no price. */
export type NoPrice = {
  readonly meter: Meter
  readonly code: 'no_price' | 'unknown_model'
  readonly message: string
}

/** `none`: no row of the meter is in force; `missing`: rows are, but none for these attributes; `ambiguous`:
 * several hold and nothing puts one first. */
export type NotFound = 'none' | 'missing' | 'ambiguous'

/** Says why a meter has no price at a place: what was asked, and what the book has that is nearest to it. */
export const noPrice = (place: Place, meter: Meter, why: NotFound): NoPrice => {
  const { provider, model: named } = place.call
  const model = (named ?? '(any model)').slice(0, 100)
  if (!place.known) {
    const asOf = place.call.asOf === undefined ? '' : ` as known on ${formatInstant(place.call.asOf)}`
    const message = `The price book has no model "${model}" of provider "${provider.slice(0, 100)}"${asOf}.`
    return { meter, code: 'unknown_model', message }
  }
  const cells = place.shelves.flatMap((shelf) => shelf.own.get(meter) ?? [])
  const message = `${provider} ${model} has no price for ${meter} on ${formatInstant(place.asked.at)}${said(place)}: ${reason(cells, place, why)}.`
  return { meter, code: 'no_price', message }
}

const said = ({ asked, call }: Place): string => {
  const parts = Object.entries(asked.attributes).map(([name, value]) => `${name} ${value.slice(0, 40)}`)
  if (call.currency !== undefined) parts.push(`in ${call.currency}`)
  if (call.asOf !== undefined) parts.push(`as known on ${formatInstant(call.asOf)}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

const reason = (cells: readonly Cell[], place: Place, why: NotFound): string => {
  const { at, inputTokens } = place.asked
  const inForce = cells.filter((cell) => isInForce(cell, place))
  const rows = nearest(inForce, place).map((cell) => selectionOf(cell.price.attributes))
  if (why === 'missing') return `with ${inputTokens} input tokens; the nearest are for ${some(rows)}`
  if (why === 'ambiguous') return `several hold, say which: ${some(rows)}`
  if (cells.length === 0) return 'the book has none'
  if (cells.some(({ from, to }) => from <= at && at < to)) {
    return 'the book has it then, but in another currency or known on other days'
  }
  return `the book has it ${some(cells.map(({ price }) => periodOf(price)))}`
}

const isInForce = (cell: Cell, { asked: { at }, asOf, currency }: Place): boolean =>
  cell.from <= at && at < cell.to && isKnown(cell, asOf) && cell.price.currency === currency

/** The cells that the fewest attributes keep from holding. */
const nearest = (cells: readonly Cell[], { asked }: Place): readonly Cell[] => {
  const misses = cells.map((cell) => cell.selection.holds.filter((holds) => !holds(asked)).length)
  const fewest = Math.min(...misses)
  return cells.filter((_, index) => misses[index] === fewest)
}

const periodOf = ({ from, to }: Price): string =>
  `from ${formatInstant(from)}${to === null ? '' : ` to ${formatInstant(to)}`}`

const some = (texts: readonly string[]): string => {
  const distinct = [...new Set(texts)]
  return distinct.length > 6 ? `${distinct.slice(0, 6).join('; ')}; ...` : distinct.join('; ')
}
