import { OctroiError } from '../errors.ts'
import { format, multiply, rational } from '../money/rational.ts'
import { selectionOf, tiersOf } from '../pricing/attributes.ts'
import type { Price, PriceBook } from '../pricing/price-book.ts'
import { aliasPeriod } from '../pricing/shelf.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'
import { isMeter, type Meter, meterFacts, parseMeter } from '../usage/meter.ts'

import { harmless } from './table.ts'

/** What the commands on the price book share. */

/** A price within the period in which a name had it: the period of the row, or of the name where that is shorter. */
export type NamedPrice = { readonly price: Price; readonly from: Instant; readonly to: Instant | null }

type Options = Readonly<Record<string, unknown>>

/** Which prices are wanted; a filter that is not given lets all pass. Throws `unknown_meter`. */
export const priceFilter = (options: Options): ((price: Price) => boolean) => {
  const { provider, model, meter, tier } = options
  const wantedMeter = meter === undefined ? undefined : parseMeter(String(meter))
  return (price) =>
    (provider === undefined || price.provider === provider) &&
    (model === undefined || matchesName(String(model), price)) &&
    (wantedMeter === undefined || price.meter === wantedMeter) &&
    (tier === undefined || hasTier(price, String(tier)))
}

const matchesName = (pattern: string, { model, row }: Price): boolean =>
  [model ?? '', ...(row.aliases ?? [])].some((name) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )

const hasTier = ({ attributes }: Price, tier: string): boolean =>
  attributes['tier'] === undefined || tiersOf(attributes['tier'], attributes).includes(tier)

/** The instant of an option, or this second. Throws `bad_instant`. */
export const instantOf = (value: unknown, now: Instant): Instant =>
  value === undefined ? now - (now % 1000) : parseInstant(String(value))

/** The prices that hold at an instant, as known at the end: what proved wrong is not among them. */
export const pricesAt = (prices: readonly Price[], at: Instant): readonly Price[] =>
  prices.filter(
    ({ from, to, supersededOn }) => supersededOn === null && from <= at && (to === null || at < to),
  )

/** All prices a name has had, each in the period in which the name had it: those of the model itself, and those of
 * the models the name stood for; or those of a meter that is billed whatever the model. Overlays come last. Throws
 * `bad_input` where several providers have the name, and `unknown_model` where none has it, with names that come near. */
export const pricesOfName = (
  book: PriceBook,
  name: string,
  wanted: unknown,
): {
  readonly provider: string
  readonly prices: readonly NamedPrice[]
  readonly models: readonly string[]
} => {
  const all = [...new Set([...book.shelves.keys(), ...book.overlays.keys()])].filter(
    (each) => wanted === undefined || each === wanted,
  )
  for (const { what, has, read } of waysToRead(name)) {
    const sourced = all.filter((each) => has(book.shelves.get(each)))
    const laidOver = all.filter((each) => has(book.overlays.get(each)))
    const [provider, ...others] = sourced.length > 0 ? sourced : laidOver
    if (provider === undefined) continue
    if (others.length > 0) {
      throw new OctroiError(
        'bad_input',
        `"${name}" is a ${what} of ${[provider, ...others].join(', ')}. Say whose with --provider.`,
      )
    }
    const found = [book.shelves, book.overlays].map((shelves) => read(shelves.get(provider)))
    return {
      provider,
      prices: found.flatMap(({ prices }) => prices),
      models: [...new Set(found.flatMap(({ models }) => models))],
    }
  }
  throw unknownModel(book, name)
}

type Names = NonNullable<ReturnType<PriceBook['shelves']['get']>>

/** How a name is looked for among what a provider has. */
type Way = {
  readonly what: 'model' | 'meter'
  readonly has: (names: Names | undefined) => boolean
  readonly read: (names: Names | undefined) => ReturnType<typeof onShelves>
}

/** As a model first; and where no model has the name, as a meter that is billed whatever the model. */
const waysToRead = (name: string): readonly Way[] => [
  { what: 'model', has: (names) => names?.has(name) === true, read: (names) => onShelves(names, name) },
  ...(isMeter(name) ? [wayOfMeter(name)] : []),
]

const wayOfMeter = (meter: Meter): Way => ({
  what: 'meter',
  has: (names) => names?.get(null)?.own.has(meter) === true,
  read: (names) => {
    const cells = names?.get(null)?.own.get(meter) ?? []
    return { prices: cells.map(({ price }) => ({ price, from: price.from, to: price.to })), models: [] }
  },
})

const onShelves = (
  names: Names | undefined,
  name: string,
): { readonly prices: readonly NamedPrice[]; readonly models: readonly string[] } => {
  const shelf = names?.get(name)
  if (shelf === undefined) return { prices: [], models: [] }
  const own = rowsOf(shelf).map((price) => ({ price, from: price.from, to: price.to }))
  const meant = shelf.aliasOf.flatMap((alias) => {
    const period = aliasPeriod(alias, Number.MAX_VALUE)
    const target = names?.get(alias.model)
    return period === null || target === undefined
      ? []
      : rowsOf(target).flatMap((price) => within(price, period.from, period.to))
  })
  return { prices: [...own, ...meant], models: shelf.aliasOf.map(({ model }) => model) }
}

const rowsOf = ({ own }: NonNullable<ReturnType<Names['get']>>): readonly Price[] =>
  [...own.values()].flat().map(({ price }) => price)

const within = (price: Price, from: Instant, to: Instant): readonly NamedPrice[] => {
  const start = Math.max(price.from, from)
  const end = Math.min(price.to ?? Number.POSITIVE_INFINITY, to)
  return start < end ? [{ price, from: start, to: end === Number.POSITIVE_INFINITY ? null : end }] : []
}

const unknownModel = (book: PriceBook, name: string): OctroiError => {
  const names = [...book.shelves.values(), ...book.overlays.values()].flatMap((shelves) => [
    ...shelves.keys(),
  ])
  const near = [...new Set(names)]
    .filter((each) => each !== null && name.length > 2 && (each.includes(name) || name.includes(each)))
    .sort()
  const hint = near.length === 0 ? 'See octroi book list.' : `Near are: ${near.slice(0, 8).join(', ')}.`
  return new OctroiError('unknown_model', `The price book has no model "${name.slice(0, 100)}". ${hint}`)
}

/** The units that prices are compared by: a million tokens or characters, and of other things as many as the price
 * names. */
export const comparedUnits = ({ meter, rate }: Price): bigint =>
  manyUnits.includes(meterFacts(meter).unit) ? 1_000_000n : BigInt(rate.per)

const manyUnits = ['token', 'character', 'token-hour']

/** A price for so many units, exactly: a decimal, or a fraction where it is no finite one. */
export const comparedPrice = (price: Price, units: bigint): string =>
  format(multiply(price.rate.perUnit, rational(units)))

/** `1 price`, `2 prices`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** A day where an instant is one. */
export const dayOf = (at: Instant): string => formatInstant(at).replace('T00:00:00Z', '')

/** Since when a price holds; `~` where the price is known and the day is not. */
export const sinceOf = ({ from, fromPrecision }: Price): string =>
  `${fromPrecision === 'exact' ? '' : '~'}${dayOf(from)}`

/** Which calls a price is for. */
export const appliesTo = ({ attributes, overlay }: Price): string =>
  `${selectionOf(attributes)}${overlay ? ' (overlay)' : ''}`

/** By provider, model, meter, what it applies to, and date. */
export const byPlace = (a: Price, b: Price): number => order(placeOf(a), placeOf(b))

const placeOf = (price: Price): string =>
  [price.provider, price.model ?? '', price.meter, appliesTo(price), price.currency, dayOf(price.from)].join(
    '\0',
  )

const order = <Value extends string | number>(a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0)

/** Numbers for sources, so that a table names each once: `[2]`, and the lines that explain them. */
export const createFootnotes = () => {
  const sources: string[] = []
  return {
    mark: ({ source }: Price): string => {
      if (!sources.includes(source)) sources.push(source)
      return `[${sources.indexOf(source) + 1}]`
    },
    lines: (): string => sources.map((source, index) => `[${index + 1}] ${harmless(source)}\n`).join(''),
  }
}

/** A price as JSON: the row's facts under their own names, with its id. */
export const priceJson = ({ id, overlay, row }: Price): Readonly<Record<string, unknown>> => ({
  id,
  ...row,
  ...(overlay && { overlay }),
})
