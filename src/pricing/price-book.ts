import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant } from '../time.ts'
import { type Meter, meterFacts, parseMeter } from '../usage/meter.ts'
import { contentHash } from './content-hash.ts'
import type { Multiplier } from './multiplier.ts'
import { type ReadRow, readRows } from './price-row.ts'
import { parseRate, type Rate } from './rate.ts'
import { type Alias, aliasPeriod, type Cell, type Listing, type Shelf } from './shelf.ts'

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
  /** What the sentences of the row mean, spelled out; the sentences stay beside it. */
  readonly resolved?: Resolved
  readonly [more: string]: unknown
}

/** What sentences of a row mean. `models`: the models they speak of. `windowsOtherThan`: of a band for all other
 * hours, the windows of the other one. `calendar`: the calendar of the file with its holidays. `aliases`: names with
 * the days between which they stand for the model. `free`: meters that the vendor says it does not charge there. */
export type Resolved = {
  readonly models?: readonly string[]
  readonly windowsOtherThan?: readonly string[]
  readonly calendar?: string
  readonly aliases?: readonly { readonly name: string; readonly from?: string; readonly to?: string }[]
  readonly free?: readonly string[]
  readonly [more: string]: unknown
}

/** A file of `prices/`, or of an overlay: the prices of an overlay are asked only where no other book has one. */
export type PriceFile = {
  readonly schema: 'octroi-prices/1'
  readonly provider: string
  readonly overlay?: boolean
  readonly calendars?: Readonly<Record<string, unknown>>
  readonly prices: readonly PriceRow[]
}

/** One row of the open book. `id` is a hash of its key and start. `row` is the row as written. */
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
  readonly fromPrecision: 'exact' | 'inferred' | 'observed'
  readonly to: Instant | null
  readonly knownSince: Instant | null
  readonly supersededOn: Instant | null
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
  readonly overlay: boolean
  readonly row: PriceRow
}

/** All prices. `version` is a hash of everything the rows say, whatever their order.
 * `shelves` finds the prices of a provider's model; `null` is what the provider charges whatever the model.
 * `overlays` are the shelves of overlay files, `multipliers` the factors vendors publish. */
export type PriceBook = {
  readonly version: string
  readonly prices: readonly Price[]
  readonly multipliers: readonly Multiplier[]
  readonly shelves: Shelves
  readonly overlays: Shelves
}

/** Shelves by provider and by the name of a model. */
export type Shelves = ReadonlyMap<string, Names>

/** The shelves of one provider, by the name of a model. */
export type Names = ReadonlyMap<string | null, Shelf>

/** Opens the book: checks every row, finds contradictions, and lays the prices out for finding.
 * Throws `bad_price_row`, `overlapping_prices` or `ambiguous_alias`, naming the rows. */
export const openPriceBook = (given: readonly unknown[]): PriceBook => {
  const files = given.map(readFile)
  const sourced = files.filter(({ overlay }) => overlay !== true).flatMap(readRows)
  const overlaid = files.filter(({ overlay }) => overlay === true).flatMap(readRows)
  const rows = [...sourced, ...overlaid]
  const multipliers = rows.flatMap(({ multiplier }) => multiplier ?? [])
  refuseOverlappingMultipliers(multipliers)
  let version: string | undefined
  return {
    get version() {
      version ??= versionOf(files)
      return version
    },
    prices: rows.flatMap(({ cell }) => cell?.price ?? []),
    multipliers,
    shelves: shelve(sourced),
    overlays: shelve(overlaid),
  }
}

type MutableShelf = {
  readonly own: Map<Meter, Cell[]>
  readonly aliasOf: MutableAlias[]
  readonly currencies: Set<string>
  readonly tiers: Set<string>
  readonly cards: Shelf['cards']
}

type MutableAlias = { -readonly [Field in keyof Alias]: Alias[Field] } & { readonly listings: Listing[] }

/** Looks at the file's frame; its rows are looked at one by one. */
const readFile = (given: unknown): PriceFile => {
  const file = given as Partial<PriceFile> | null | undefined
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
  return file as PriceFile
}

const shelve = (rows: readonly ReadRow[]): Shelves => {
  const shelves = new Map<string, Map<string | null, MutableShelf>>()
  for (const row of rows) place(row, shelves)
  for (const [provider, names] of shelves) {
    for (const { own } of names.values()) own.forEach(refuseOverlaps)
    refuseAmbiguousAliases(provider, names)
  }
  return shelves
}

/** Two rows of one key contradict each other when both hold at one instant as known on one day. */
const refuseOverlaps = (cells: readonly Cell[]): void => {
  cells.forEach((cell, index) => {
    const other = cells.slice(index + 1).find((later) => isSameKey(cell, later) && overlap(cell, later))
    if (other === undefined) return
    const [a, b] = cell.from <= other.from ? [cell, other] : [other, cell]
    throw overlapping(a.price, b.price)
  })
}

const isSameKey = (a: Cell, b: Cell): boolean =>
  a.selection.text === b.selection.text &&
  a.price.currency === b.price.currency &&
  a.price.service === b.price.service

const refuseOverlappingMultipliers = (multipliers: readonly Multiplier[]): void => {
  multipliers.forEach((one, index) => {
    const other = multipliers.slice(index + 1).find((later) => multiplierKey(later) === multiplierKey(one))
    if (other !== undefined && overlap(listingOf(one), listingOf(other))) throw overlapping(one, other)
  })
}

const multiplierKey = ({ provider, name, row }: Multiplier): string =>
  JSON.stringify([provider, name, row.attributes])

const listingOf = ({ from, to, knownSince, supersededOn }: Multiplier): Listing => ({
  from,
  to: to ?? Number.POSITIVE_INFINITY,
  knownSince: knownSince ?? Number.NEGATIVE_INFINITY,
  supersededOn: supersededOn ?? Number.POSITIVE_INFINITY,
})

const overlapping = (one: Price | Multiplier, other: Price | Multiplier): OctroiError => {
  const { provider, model, meter } = one.row
  return new OctroiError(
    'overlapping_prices',
    `${provider} / ${model} / ${meter} has two prices from ${formatInstant(other.from)}: ${one.row.unitPrice} and ${other.row.unitPrice}. End the first period where the second begins.`,
    { ids: [one.id, other.id] },
  )
}

const overlap = (a: Listing, b: Listing): boolean =>
  a.from < b.to && b.from < a.to && a.knownSince < b.supersededOn && b.knownSince < a.supersededOn

const place = ({ cell, names }: ReadRow, shelves: Map<string, Map<string | null, MutableShelf>>): void => {
  if (cell === null) return
  const { provider, model } = cell.price
  const shelvesOfProvider = getOrAdd(shelves, provider, () => new Map())
  const shelf = getOrAdd(shelvesOfProvider, model, emptyShelf)
  shelf.currencies.add(cell.price.currency)
  for (const tier of cell.selection.tiers ?? []) shelf.tiers.add(tier)
  getOrAdd(shelf.own, cell.price.meter, noCells).push(cell)
  for (const free of freeCells(cell)) getOrAdd(shelf.own, free.price.meter, noCells).push(free)
  if (model === null || names.length === 0) return
  const { knownSince, supersededOn } = cell
  for (const { name, from, to } of names) {
    if (from >= to) continue
    list({ from, to, knownSince, supersededOn }, model, getOrAdd(shelvesOfProvider, name, emptyShelf).aliasOf)
  }
}

const list = (listing: Listing, model: string, aliases: MutableAlias[]): void => {
  const { from, to, knownSince, supersededOn } = listing
  const dated = knownSince !== Number.NEGATIVE_INFINITY || supersededOn !== Number.POSITIVE_INFINITY
  const alias = aliases.find((known) => known.model === model)
  if (alias === undefined) {
    aliases.push({ model, listings: [listing], from, to, dated })
    return
  }
  alias.listings.push(listing)
  alias.from = Math.min(alias.from, from)
  alias.to = Math.max(alias.to, to)
  alias.dated ||= dated
}

const noCells = (): Cell[] => []

const emptyShelf = (): MutableShelf => ({
  own: new Map(),
  aliasOf: [],
  currencies: new Set(),
  tiers: new Set(),
  cards: new Map(),
})

/** Where the vendor says that other meters are not charged beside this one, they have the price zero. A meter that
 * takes the price of its parent has it from there: a cell of its own would say that elsewhere it has none. */
const freeCells = (cell: Cell): readonly Cell[] => {
  const free = cell.price.row.resolved?.free?.map((meter) => parseMeter(meter))
  if (free === undefined) return noFreeCells
  const own = free.filter((meter) => {
    const { parent, pricedAsParent } = meterFacts(meter)
    return parent === undefined || !pricedAsParent || !free.includes(parent)
  })
  return own.map((meter) => ({
    ...cell,
    price: { ...cell.price, meter, rate: parseRate('0', cell.price.rate.per) },
  }))
}

const noFreeCells: readonly Cell[] = []

/** A name that is listed by two models at one time, as known on one day, would have two prices. */
const refuseAmbiguousAliases = (provider: string, names: ReadonlyMap<string | null, MutableShelf>): void => {
  for (const [name, { aliasOf }] of names) {
    if (aliasOf.length < 2) continue
    for (const asOf of daysOfKnowledge(aliasOf)) {
      const candidates = aliasOf.flatMap((alias) => {
        const period = aliasPeriod(alias, asOf)
        return period === null ? [] : [{ model: alias.model, from: period.from, to: period.to }]
      })
      const clash = candidates.filter((a) =>
        candidates.some((b) => a !== b && a.from < b.to && b.from < a.to),
      )
      if (clash.length === 0) continue
      const candidatesText = clash.map(({ model, from, to }) => `${model} (${periodText(from, to)})`)
      throw new OctroiError(
        'ambiguous_alias',
        `"${name}" of ${provider} stands for several models at one time: ${candidatesText.join(', ')}. Date the alias on their rows.`,
        { candidates: clash.map(({ model }) => model) },
      )
    }
  }
}

/** The days on which what is known of an alias changes, and the end of days. */
const daysOfKnowledge = (aliases: readonly Alias[]): readonly Instant[] => [
  Number.MAX_VALUE,
  ...new Set(aliases.flatMap(({ listings }) => listings.map(({ knownSince }) => knownSince))),
]

const periodText = (from: Instant, to: Instant): string =>
  `from ${formatInstant(from)}${to === Number.POSITIVE_INFINITY ? '' : ` to ${formatInstant(to)}`}`

const versionOf = (files: readonly PriceFile[]): string => {
  const lines = files.flatMap(({ prices, calendars, overlay }) => [
    ...prices.map((row) => (overlay === true ? `overlay ${JSON.stringify(row)}` : JSON.stringify(row))),
    ...Object.entries(calendars ?? {}).map((calendar) => JSON.stringify(calendar)),
  ])
  return contentHash(lines.sort().join('\n')).slice(0, 32)
}

const getOrAdd = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
