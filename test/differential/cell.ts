import { format, multiply, type Rational, rational } from '../../src/money/rational.ts'
import type { PriceBook } from '../../src/pricing/price-book.ts'
import { placeOf, priceOn } from '../../src/pricing/price-of.ts'
import { formatInstant, type Instant, parseInstant } from '../../src/time.ts'
import { type Meter, meterFacts } from '../../src/usage/meter.ts'

/** One price as another database has it: of a model's meter, for a tier, for a call of so many input tokens, at an
 * instant. `rate` is the amount in USD of one unit, exact. `meters`: the names the meter can have in our book; the
 * first that has a price is compared. */
export type PeerCell = {
  readonly peer: string
  readonly provider: string
  readonly model: string
  readonly meters: readonly Meter[]
  readonly tier: string
  readonly inputTokens: number
  readonly cacheTtl?: string
  readonly at: string
  readonly rate: Rational
}

/** A cell that both have, with both rates as people read them. */
export type Compared = {
  readonly peer: string
  readonly cell: string
  readonly ours: string
  readonly theirs: string
  readonly equal: boolean
  /** The row of our book, and whether it was itself taken from a public database, this one among others: then an
   * agreement proves little. */
  readonly price: string
  readonly borrowed: boolean
}

/** What a comparison came to: `onlyOurs` counts the rows of the providers in force at the instants that no cell of
 * the peer asked for. */
export type Comparison = {
  readonly compared: readonly Compared[]
  readonly onlyTheirs: readonly string[]
  readonly onlyOurs: number
}

/** Compares every cell of a peer with the price the engine finds for the same call. */
export const compareCells = (cells: readonly PeerCell[], book: PriceBook): Comparison => {
  const compared: Compared[] = []
  const onlyTheirs: string[] = []
  const seen = new Set<string>()
  for (const cell of cells) {
    const ours = oursOf(cell, book)
    if (ours === null) {
      onlyTheirs.push(nameOf(cell))
      continue
    }
    const [own, theirs] = [rateText(ours.meter, ours.rate), rateText(ours.meter, cell.rate)]
    const name = nameOf({ ...cell, at: formatInstant(ours.at) }, ours.meter)
    const { peer } = cell
    if (seen.has(`${name} ${theirs}`)) continue
    seen.add(`${name} ${theirs}`)
    compared.push({
      peer,
      cell: name,
      ours: own,
      theirs,
      equal: own === theirs,
      price: ours.price,
      borrowed: ours.borrowed,
    })
  }
  return { compared, onlyTheirs, onlyOurs: leftOver(cells, compared, book) }
}

type Ours = {
  readonly meter: Meter
  readonly at: Instant
  readonly rate: Rational
  readonly price: string
  readonly borrowed: boolean
}

/** The price of the call; of a model that has ended by then, the price in the last second of its life, since the peers
 * keep the last price of a model for ever. */
const oursOf = (cell: PeerCell, book: PriceBook): Ours | null => {
  const at = parseInstant(cell.at)
  const found = oursAt(cell, at, book)
  if (found !== null) return found
  const end = lastEnd(cell, at, book)
  return end === null ? null : oursAt(cell, end - 1000, book)
}

const oursAt = (cell: PeerCell, at: Instant, book: PriceBook): Ours | null => {
  const { provider, model, meters, tier, cacheTtl } = cell
  const attributes = { tier, ...(cacheTtl !== undefined && { cache_ttl: cacheTtl }) }
  const place = placeOf({ provider, model, at, attributes }, cell.inputTokens, book)
  for (const meter of meters) {
    const found = priceOn(place, meter)
    if ('code' in found) continue
    const { id, rate, source } = found.cell.price
    return { meter, at, rate: rate.perUnit, price: id, borrowed: /litellm|genai-prices/i.test(source) }
  }
  return null
}

/** When the last price of the cell ended, if it had by then. */
const lastEnd = ({ provider, model, meters }: PeerCell, at: Instant, book: PriceBook): Instant | null => {
  const names = book.shelves.get(provider)
  const shelf = names?.get(model)
  const shelves = [shelf, ...(shelf?.aliasOf ?? []).map((alias) => names?.get(alias.model))]
  const ends = shelves
    .flatMap((each) => meters.flatMap((meter) => each?.own.get(meter) ?? []))
    .flatMap(({ to }) => (to <= at ? [to] : []))
  return ends.length === 0 ? null : Math.max(...ends)
}

const leftOver = (
  cells: readonly PeerCell[],
  compared: readonly Compared[],
  { prices }: PriceBook,
): number => {
  const asked = new Set(compared.map(({ price }) => price))
  const providers = new Set(cells.map(({ provider }) => provider))
  const instants = [...new Set(cells.map(({ at }) => at))].map(parseInstant)
  return prices.filter(
    ({ id, provider, currency, from, to }) =>
      currency === 'USD' &&
      providers.has(provider) &&
      instants.some((at) => from <= at && at < (to ?? Number.POSITIVE_INFINITY)) &&
      !asked.has(id),
  ).length
}

const nameOf = (cell: PeerCell, meter = cell.meters[0]): string =>
  [
    cell.provider,
    cell.model,
    meter,
    ...(cell.cacheTtl === undefined ? [] : [`kept ${cell.cacheTtl}`]),
    ...(cell.tier === 'standard' ? [] : [cell.tier]),
    ...(cell.inputTokens <= 1 ? [] : [`${cell.inputTokens} input tokens`]),
    cell.at,
  ].join(' / ')

/** Rates as vendors print them: of a million tokens, of a thousand calls or pages, of an hour. */
const rateText = (meter: Meter, rate: Rational): string => {
  const { unit } = meterFacts(meter)
  if (unit === 'token') return `${format(multiply(rate, rational(1_000_000n)))} per 1M`
  if (unit === 'second') return `${format(multiply(rate, rational(3600n)))} per hour`
  return `${format(multiply(rate, rational(1000n)))} per 1K`
}
