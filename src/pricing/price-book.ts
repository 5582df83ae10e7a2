import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import { type Holds, lifetimeOf } from './attributes.ts'
import { contentHash } from './content-hash.ts'
import { type ReadRow, readRow } from './price-row.ts'
import type { Rate } from './rate.ts'

/** One price as written in `prices/*.json` (DESIGN 5.1). Dates are RFC 3339 instants or days (midnight UTC);
 * the period is half-open. */
export type PriceRow = {
  readonly provider: string
  readonly model: string | null
  readonly aliases?: readonly string[]
  readonly service: string
  readonly meter: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly unitPrice: string
  readonly per: number
  readonly currency: string
  readonly effectiveFrom: string
  readonly fromPrecision: 'exact' | 'inferred' | 'observed'
  readonly effectiveTo: string | null
  readonly knownSince?: string
  readonly supersededOn?: string
  readonly endReason?: string
  readonly scheduledEnd?: string
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
  readonly note?: string
  readonly [more: string]: unknown
}

/** A file of `prices/`. */
export type PriceFile = {
  readonly schema: 'octroi-prices/1'
  readonly provider: string
  readonly prices: readonly PriceRow[]
}

/** One row of the open book. `id` is a hash of its key and start. */
export type Price = {
  readonly id: string
  readonly provider: string
  readonly model: string | null
  readonly service: string
  readonly meter: Meter
  readonly attributes: Readonly<Record<string, unknown>>
  readonly rate: Rate
  readonly currency: string
  readonly from: Instant
  readonly to: Instant | null
  readonly knownSince: Instant | null
  readonly supersededOn: Instant | null
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
}

/** All prices. `version` is a hash of everything the rows say, whatever their order.
 * `shelves` finds the prices of a provider's model; `null` is what the provider charges whatever the model. */
export type PriceBook = {
  readonly version: string
  readonly prices: readonly Price[]
  readonly shelves: ReadonlyMap<string, ReadonlyMap<string | null, Shelf>>
}

/** What the book has under one name: its own prices by meter, and the models it stood for, and when. */
export type Shelf = {
  readonly own: ReadonlyMap<Meter, readonly Cell[]>
  readonly aliasOf: readonly Alias[]
}

/** A period in which a name stood for a model: the one in which the model's rows list it. */
type Alias = { readonly model: string; readonly from: Instant; readonly to: Instant }

/** A price and what selects it: periods with open ends as infinities, so that they compare. */
export type Cell = {
  readonly price: Price
  readonly from: Instant
  readonly to: Instant
  readonly knownSince: Instant
  readonly supersededOn: Instant
  readonly holds: readonly Holds[]
  readonly named: number
  readonly lifetime: number
}

/** Opens the book: checks every row, finds contradictions, and lays the prices out for finding.
 * Throws `bad_price_row` or `overlapping_prices`, naming the row. */
export const openPriceBook = (files: readonly PriceFile[]): PriceBook => {
  const rows = files.flatMap((file) => {
    checkFile(file)
    return file.prices.map((row) => readRow(row, file))
  })
  refuseOverlaps(rows)
  const shelves = new Map<string, Map<string | null, MutableShelf>>()
  for (const row of rows) place(row, shelves)
  for (const names of shelves.values()) refuseAmbiguousAliases(names)
  return { version: versionOf(files), prices: rows.map((row) => row.price), shelves }
}

type MutableShelf = { readonly own: Map<Meter, Cell[]>; readonly aliasOf: Alias[] }

const checkFile = (file: PriceFile): void => {
  if (
    file?.schema !== 'octroi-prices/1' ||
    typeof file.provider !== 'string' ||
    !Array.isArray(file.prices)
  ) {
    throw new OctroiError(
      'bad_price_row',
      'A price file needs schema "octroi-prices/1", provider and prices.',
    )
  }
}

/** Two rows of one key contradict each other when both hold at one instant as known on one day. */
const refuseOverlaps = (rows: readonly ReadRow[]): void => {
  for (const row of rows.length === 0 ? [] : Map.groupBy(rows, ({ key }) => key).values()) {
    const cells = row.map(cellOf).sort((a, b) => a.from - b.from)
    cells.forEach((cell, index) => {
      const other = cells.slice(index + 1).find((later) => overlap(cell, later))
      if (other === undefined) return
      const { provider, model, meter } = cell.price
      throw new OctroiError(
        'overlapping_prices',
        `${provider} / ${model} / ${meter} has two prices from ${formatInstant(other.from)}: ${cell.price.rate.unitPrice} and ${other.price.rate.unitPrice}. End the first period where the second begins.`,
        { ids: [cell.price.id, other.price.id] },
      )
    })
  }
}

const overlap = (a: Cell, b: Cell): boolean =>
  a.from < b.to && b.from < a.to && a.knownSince < b.supersededOn && b.knownSince < a.supersededOn

const place = (row: ReadRow, shelves: Map<string, Map<string | null, MutableShelf>>): void => {
  const { provider, model, meter } = row.price
  const names = getOrAdd(shelves, provider, () => new Map())
  const own = getOrAdd(names, model, emptyShelf).own
  const cell = cellOf(row)
  getOrAdd(own, meter, (): Cell[] => []).push(cell)
  if (model === null) return
  for (const alias of row.aliases)
    widen(getOrAdd(names, alias, emptyShelf).aliasOf, { model, ...period(cell) })
}

const emptyShelf = (): MutableShelf => ({ own: new Map(), aliasOf: [] })

const period = ({ from, to }: Cell): { from: Instant; to: Instant } => ({ from, to })

/** A name stands for a model from the first to the last day on which any row of the model lists it. */
const widen = (aliases: Alias[], alias: Alias): void => {
  const index = aliases.findIndex(({ model }) => model === alias.model)
  const known = aliases[index]
  if (known === undefined) aliases.push(alias)
  else {
    aliases[index] = {
      model: alias.model,
      from: Math.min(known.from, alias.from),
      to: Math.max(known.to, alias.to),
    }
  }
}

const refuseAmbiguousAliases = (names: ReadonlyMap<string | null, MutableShelf>): void => {
  for (const [name, { aliasOf }] of names) {
    aliasOf.forEach((a, index) => {
      const b = aliasOf.slice(index + 1).find((other) => a.from < other.to && other.from < a.to)
      if (b === undefined) return
      throw new OctroiError(
        'overlapping_prices',
        `"${name}" stands for both ${a.model} and ${b.model} at one time. Date the alias on their rows.`,
      )
    })
  }
}

const cellOf = ({ price, holds, named }: ReadRow): Cell => ({
  price,
  from: price.from,
  to: price.to ?? Number.POSITIVE_INFINITY,
  knownSince: price.knownSince ?? Number.NEGATIVE_INFINITY,
  supersededOn: price.supersededOn ?? Number.POSITIVE_INFINITY,
  holds,
  named,
  lifetime: lifetimeOf(price.attributes),
})

const versionOf = (files: readonly PriceFile[]): string => {
  const lines = files.flatMap((file) => file.prices.map((row) => JSON.stringify(row)))
  return contentHash(lines.sort().join('\n')).slice(0, 32)
}

const getOrAdd = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
