import type { Rational } from '../../money/rational.ts'
import { format } from '../../money/rational.ts'
import { formatInstant, type Instant } from '../../time.ts'
import type { Meter } from '../../usage/meter.ts'
import type { PriceFile, PriceRow } from '../price-book.ts'
import { perMillion } from './exact-json.ts'

/** What came of another database: files of low-confidence rows, and what was left out of them. */
export type Converted = { readonly files: readonly PriceFile[]; readonly leftOut: readonly LeftOut[] }

/** Something that was not taken over, why, and from which models. */
export type LeftOut = { readonly what: string; readonly why: string; readonly models: readonly string[] }

/** Where rows come from: `title` names the database, `from` the file or address, `at` when it was read. The prices
 * hold from `since` on. */
export type Reading = {
  readonly title: string
  readonly from: string
  readonly at: Instant
  readonly since: Instant
}

/** A model as another database lists it, its names already ours. */
export type ForeignModel = {
  readonly provider: string
  readonly model: string
  readonly service: string
  readonly scheduledEnd?: string
  readonly cells: readonly ForeignCell[]
}

/** One price of it. `above`: it holds only above so many input tokens; null: the ordinary price. */
export type ForeignCell = {
  readonly meter: Meter
  readonly tier: string
  readonly above: number | null
  readonly cacheTtl?: string
  readonly price: Rational
}

/** Collects what is left out, by what and why. */
export const createLeftOut = () => {
  const found = new Map<string, { what: string; why: string; models: string[] }>()
  return {
    add: (what: string, why: string, model: string): void => {
      const key = `${what}\n${why}`
      const entry = found.get(key) ?? { what, why, models: [] }
      entry.models.push(model)
      found.set(key, entry)
    },
    list: (): readonly LeftOut[] => [...found.values()].sort((a, b) => b.models.length - a.models.length),
  }
}

/** Writes models as price files, one a provider. A model with a price above a threshold has all its ordinary prices
 * below it: whether another of them still holds above is not known. A model with two thresholds, or listed twice
 * with different prices, is left out whole. */
export const toPriceFiles = (models: readonly ForeignModel[], reading: Reading): Converted => {
  const leftOut = createLeftOut()
  const rows = new Map<string, PriceRow[]>()
  const byName = Map.groupBy(models, ({ provider, model }) => `${provider} / ${model}`)
  for (const [name, [first, ...others]] of byName) {
    if (first === undefined) continue
    if (others.some((other) => priceList(other) !== priceList(first))) {
      leftOut.add('a model', 'listed twice, with different prices', name)
      continue
    }
    const thresholds = new Set(first.cells.flatMap(({ above }) => (above === null ? [] : [above])))
    if (thresholds.size > 1) {
      leftOut.add('a model', 'priced in more than two steps of context', name)
      continue
    }
    const [threshold = null] = thresholds
    if (first.cells.length === 0) continue
    if (!isName.test(first.provider) || !isName.test(first.model)) {
      leftOut.add('a model', 'named with what no name has', name)
      continue
    }
    const own = rows.get(first.provider) ?? []
    own.push(...first.cells.map((cell) => rowOf(first, cell, threshold, reading)))
    rows.set(first.provider, own)
  }
  const files = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([provider, prices]) => ({
      schema: 'octroi-prices/1' as const,
      provider,
      overlay: true,
      prices,
    }))
  return { files, leftOut: leftOut.list() }
}

/** Up to 200 characters, none of them a space or one that drives a terminal. */
const isName = /^[^\p{Cc}\s]{1,200}$/u

const priceList = ({ cells }: ForeignModel): string =>
  cells
    .map(({ price, ...cell }) =>
      JSON.stringify([cell.meter, cell.tier, cell.above, cell.cacheTtl, format(price)]),
    )
    .sort()
    .join()

const rowOf = (
  { provider, model, service, scheduledEnd }: ForeignModel,
  { meter, tier, above, cacheTtl, price }: ForeignCell,
  threshold: number | null,
  { title, from, at, since }: Reading,
): PriceRow => ({
  provider,
  model,
  service,
  meter,
  attributes: {
    tier,
    ...(tier === 'priority' && provider === 'openai' && { service_tier_values: ['priority', 'fast'] }),
    ...(threshold !== null && {
      context: above === null ? 'short' : 'long',
      context_threshold_tokens: threshold,
      long_when: atThreshold.has(provider) ? '>=' : '>',
    }),
    ...(cacheTtl !== undefined && { cache_ttl: cacheTtl }),
  },
  unitPrice: perMillion(price),
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: dayOrInstant(since),
  fromPrecision: 'observed',
  effectiveTo: null,
  knownSince: dayOrInstant(since < at ? at - (at % dayMs) : since),
  ...(scheduledEnd !== undefined && { scheduledEnd }),
  confidence: 'low',
  source: `${title}, ${from}, read ${formatInstant(at).slice(0, 10)}`,
})

/** Vendors whose long context begins at the threshold, not above it: our own rows of xAI say so. */
const atThreshold: ReadonlySet<string> = new Set(['xai'])

const dayMs = 86_400_000

/** An instant as rows write it: a day where it is midnight. */
const dayOrInstant = (at: Instant): string =>
  at % dayMs === 0 ? formatInstant(at).slice(0, 10) : formatInstant(at)
