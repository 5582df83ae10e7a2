import { OctroiError } from '../../errors.ts'
import type { Instant } from '../../time.ts'
import {
  type BilledCall,
  type BookRow,
  type Books,
  charge,
  decimal,
  type Rate,
  type RawPriceRow,
  rateOf,
} from '../books.ts'
import type { Vendor } from './catalogue.ts'

/** Books that tell vendors apart, and the tiers, context cards and cache lifetimes of a call: a fold of its own
 * over raw price rows. What no single row holds for is unpriced, and named. Throws `bad_price_row`. */
export const openVendorBooks = (prices: readonly RawPriceRow[]): Books => booksWith(priceFinder(prices))

const booksWith = (priceOf: FindPrice): Books => {
  const lines = new Map<string, Line>()
  let calls = 0
  const sorted = (): readonly Line[] =>
    [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
  return {
    add: (call) => {
      calls += 1
      for (const [meter, quantity] of Object.entries(call.usage)) {
        const { attributes, rate } = priceOf(call, meter)
        const provider = providerOf(call)
        const key = [provider, call.model ?? '', meter, ...Object.entries(attributes).flat()].join(' ')
        const line = lines.get(key) ?? {
          ...{ provider, model: call.model ?? '', meter, attributes },
          ...{ calls: 0, quantity: 0, picos: 0n, priced: true },
        }
        lines.set(key, {
          ...line,
          calls: line.calls + 1,
          quantity: line.quantity + quantity,
          picos: line.picos + (rate === null ? 0n : charge(quantity, rate)),
          priced: line.priced && (rate !== null || quantity === 0),
        })
      }
    },
    rows: () =>
      sorted().map(
        ({ picos, priced, ...line }): BookRow => ({
          ...line,
          amount: priced ? decimal(picos) : null,
          currency: 'USD',
        }),
      ),
    total: () => ({
      calls,
      amount: decimal(sorted().reduce((sum, { picos }) => sum + picos, 0n)),
      currency: 'USD',
      unpriced: sorted()
        .filter(({ priced }) => !priced)
        .map(({ provider, model, meter, attributes }) =>
          [provider, model, meter, ...Object.values(attributes)].join(' '),
        ),
    }),
    fresh: () => booksWith(priceOf),
  }
}

type Line = {
  readonly provider: string
  readonly model: string
  readonly meter: string
  readonly attributes: Readonly<Record<string, string>>
  readonly calls: number
  readonly quantity: number
  readonly picos: bigint
  readonly priced: boolean
}

/** The vendor of a call. */
export const providerOf = ({ provider }: BilledCall): string => provider ?? 'openai'

/** The price of a meter of a call, and the attributes that selected it. */
type FindPrice = (
  call: BilledCall,
  meter: string,
) => { readonly rate: Rate | null; readonly attributes: Readonly<Record<string, string>> }

/** Reasoning costs what other output does: no book has a price of its own for it. */
const billedAs: Readonly<Record<string, string>> = { output_reasoning_tokens: 'output_text_tokens' }

/** Finds the price of a meter of a call. A name that any row of a model lists stands for that model in all of its rows,
 * while that row holds. Throws `bad_price_row` when it is made. */
export const priceFinder = (prices: readonly RawPriceRow[]): FindPrice => {
  const cards = new Map<string, Card[]>()
  const aliases = new Map<string, { readonly model: string; readonly rate: Rate }[]>()
  for (const row of prices.filter(isPlain)) {
    const card = cardOf(row)
    const key = [row.provider, row.model ?? '', row.meter].join(' ')
    cards.set(key, [...(cards.get(key) ?? []), card])
    for (const alias of row.aliases ?? []) {
      const name = [row.provider, alias].join(' ')
      aliases.set(name, [...(aliases.get(name) ?? []), { model: row.model ?? '', rate: card.rate }])
    }
  }
  return (call, meter) => {
    const provider = providerOf(call)
    const named = (model: string): readonly Card[] =>
      cards.get([provider, model, billedAs[meter] ?? meter].join(' ')) ?? []
    const model = call.model ?? ''
    const known = aliases.get([provider, model].join(' ')) ?? []
    const models = known.filter(({ rate }) => isInForce(rate, call.at)).map((alias) => alias.model)
    const own = [...new Set([model, ...models])].flatMap(named)
    const fitting = (own.length > 0 ? own : named('')).filter((card) => holds(card, call))
    const [card] = fitting
    const tier = call.attributes?.['tier'] ?? 'standard'
    // Two prices for one thing are none: the books never choose.
    if (card === undefined || fitting.length > 1) return { rate: null, attributes: { tier } }
    return { rate: card.rate, attributes: { tier, ...card.shown } }
  }
}

/** A price with the conditions of its row, read. */
type Card = {
  readonly rate: Rate
  readonly tiers: readonly string[] | null
  readonly context: { readonly isLong: boolean; readonly threshold: number; readonly from: boolean } | null
  /** What the call must say in the same words. */
  readonly same: Readonly<Record<string, string>>
  readonly shown: Readonly<Record<string, string>>
}

const sameWords = ['cache_ttl', 'size', 'quality'] as const

const cardOf = (row: RawPriceRow): Card => {
  const { attributes } = row
  const text = (name: string): string => String(attributes[name])
  const values: unknown = attributes['service_tier_values']
  const same = Object.fromEntries(
    sameWords.filter((name) => name in attributes).map((name) => [name, text(name)]),
  )
  const threshold = Number(attributes['context_threshold_tokens'])
  const inContext = 'context' in attributes
  if (inContext && !Number.isSafeInteger(threshold)) {
    throw new OctroiError('bad_price_row', `The price row of ${row.model} ${row.meter} has no threshold.`)
  }
  return {
    rate: rateOf(row),
    tiers: 'tier' in attributes ? [text('tier'), ...(Array.isArray(values) ? values.map(String) : [])] : null,
    context: inContext
      ? { isLong: text('context') === 'long', threshold, from: text('long_when') === '>=' }
      : null,
    same,
    shown: { ...(inContext && { context: text('context') }), ...same },
  }
}

/** What a row may say without being the price of something other than a plain call; the words of a tool's row
 * tell what it is billed for, which the wires know. */
const knownAttributes: ReadonlySet<string> = new Set([
  ...['tier', 'service_tier_values', 'context', 'context_threshold_tokens', 'long_when', 'threshold_basis'],
  ...['rounding', 'billing', ...sameWords],
  ...['models', 'search_content_tokens', 'content_tokens', 'errors_billed', 'fixed_block_tokens'],
])

const vendors: ReadonlySet<string> = new Set<Vendor>(['openai', 'anthropic', 'google'])

/** Sounds are billed in seconds that are rounded already. Searches are priced for all models or not here. */
const isPlain = (row: RawPriceRow & { readonly kind?: string }): boolean =>
  vendors.has(row.provider) &&
  row.kind !== 'multiplier' &&
  row.supersededOn === undefined &&
  (row.attributes['rounding'] ?? 'nearest_second') === 'nearest_second' &&
  (row.attributes['billing'] ?? 'duration') === 'duration' &&
  (row.attributes['models'] ?? 'all') === 'all' &&
  Object.keys(row.attributes).every((name) => knownAttributes.has(name))

const holds = ({ rate, tiers, context, same }: Card, call: BilledCall): boolean =>
  isInForce(rate, call.at) &&
  (tiers === null || tiers.includes(call.attributes?.['tier'] ?? 'standard')) &&
  (context === null || isLong(context, call.promptTokens ?? 0) === context.isLong) &&
  Object.entries(same).every(([name, value]) => call.attributes?.[name] === value)

const isInForce = ({ from, to }: Rate, at: Instant): boolean => from <= at && at < to

/** The whole call moves to the card of its prompt's length. */
const isLong = ({ threshold, from }: NonNullable<Card['context']>, tokens: number): boolean =>
  from ? tokens >= threshold : tokens > threshold
