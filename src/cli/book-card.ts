import type { Price, PriceBook } from '../pricing/price-book.ts'
import { formatInstant, type Instant } from '../time.ts'
import {
  appliesTo,
  byPlace,
  createFootnotes,
  dayOf,
  priceJson,
  pricesAt,
  pricesOfName,
  sinceOf,
} from './book-prices.ts'
import { formatJson } from './json.ts'
import { formatTable, harmless } from './table.ts'

/** The prices of a name on a day. `models`: what else the name has stood for. `last`: where no price holds then, the
 * day on which the last one ended or the first begins. */
export type Card = {
  readonly name: string
  readonly provider: string
  readonly models: readonly string[]
  readonly at: Instant
  readonly version: string
  readonly prices: readonly Price[]
  readonly otherwise: string | null
}

/** Reads the card of a name. Throws `unknown_model`, and `bad_input` where several providers have the name. */
export const cardOf = (
  book: PriceBook,
  asked: {
    readonly name: string
    readonly provider: unknown
    readonly at: Instant
    readonly filter: (price: Price) => boolean
  },
): Card => {
  const { name, at, filter } = asked
  const { provider, prices: named } = pricesOfName(book, name, asked.provider)
  const held = named
    .filter(({ from, to }) => from <= at && (to === null || at < to))
    .map(({ price }) => price)
  const prices = pricesAt(held, at).filter(filter).toSorted(byPlace)
  const models = [...new Set(prices.flatMap(({ model }) => model ?? []))].filter((model) => model !== name)
  return { name, provider, models, at, version: book.version, prices, otherwise: otherwise(named, at) }
}

const otherwise = (
  named: readonly { readonly from: Instant; readonly to: Instant | null }[],
  at: Instant,
): string | null => {
  const first = Math.min(...named.map(({ from }) => from))
  const last = Math.max(...named.map(({ to }) => to ?? Number.POSITIVE_INFINITY))
  if (at < first) return `the first begins on ${dayOf(first)}`
  return last <= at ? `the last ended on ${dayOf(last)}` : null
}

/** Lays a card out for people. Sources stand below the table, each once, under a number. */
export const formatCard = (card: Card, { color }: { readonly color: boolean }): string => {
  const { name, provider, models, at, prices } = card
  const stands = models.length === 0 ? '' : `, which is ${models.join(', ')}`
  const title = `${name} (${provider})${stands}, on ${dayOf(at)}\n\n`
  if (prices.length === 0) {
    return `${title}No such price holds on that day${card.otherwise === null ? '' : `: ${card.otherwise}`}.\n`
  }
  const footnotes = createFootnotes()
  const rows = prices.map((price) => [
    price.meter,
    appliesTo(price),
    `${price.rate.unitPrice} / ${price.rate.per}`,
    price.currency,
    sinceOf(price),
    price.to === null ? '' : dayOf(price.to),
    price.confidence,
    footnotes.mark(price),
  ])
  const notes = [...new Set(prices.flatMap(({ row }) => row.note ?? []))].map(
    (note) => `Note: ${harmless(note)}\n`,
  )
  return [
    title,
    formatTable(columns, rows, { color }),
    '\n',
    footnotes.lines(),
    ...notes,
    ...(prices.some(({ fromPrecision }) => fromPrecision !== 'exact')
      ? ['~ The price is known, its first day is not.\n']
      : []),
  ].join('')
}

const columns = [
  { title: 'meter' },
  { title: 'for' },
  { title: 'price / units', align: 'right' },
  { title: '' },
  { title: 'since' },
  { title: 'until' },
  { title: 'confidence' },
  { title: 'source' },
] as const

/** A card as `octroi book show --json` prints it. */
export const formatCardJson = ({ name, provider, models, at, version, prices }: Card): string =>
  `${formatJson({
    schema: 'octroi-book-show/1',
    version,
    name,
    provider,
    models,
    at: formatInstant(at),
    prices: prices.map(priceJson),
  })}\n`
