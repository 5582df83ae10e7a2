import { type Instant, parseInstant } from '../../time.ts'
import type { RawPriceRow } from '../books.ts'
import { type Fields, isFields } from '../world.ts'

/** What a vendor serves, by the facts and the prices of the package. */
export type Vendor = 'openai' | 'anthropic' | 'google'

/** A model that is served at an instant. `kinds` are the services of its prices: chat, image, embedding ...;
 * `tiers` those it is priced in; `null` where a size is not known. */
export type LiveModel = {
  readonly id: string
  /** The name in replies: that of the dated snapshot, where one has a price. */
  readonly servedAs: string
  readonly created: number
  readonly contextTokensMax: number | null
  readonly outputTokensMax: number | null
  readonly kinds: ReadonlySet<string>
  readonly tiers: ReadonlySet<string>
  /** Has a price for what it reads from its cache, and the lifetimes it has one for writing. */
  readonly readsCache: boolean
  readonly cacheLifetimes: readonly string[]
}

/** What the vendor knows under a name: a model it serves, one it serves no more, or nothing. */
export type Found = LiveModel | 'retired' | 'unknown'

/** The models of every vendor, as time goes by: one is served from its release until its shutdown, while it has
 * prices. */
export type Catalogue = {
  readonly find: (place: { readonly vendor: Vendor; readonly name: string }, at: Instant) => Found
  readonly list: (vendor: Vendor, at: Instant) => readonly LiveModel[]
  /** Tokens that one web search of a model is billed as, where they are fixed; null where its content is
   * counted. */
  readonly searchTokens: (model: string, at: Instant) => number | null
}

/** Reads model facts (`prices/models/*.json`) and price rows, both raw. What is no model fact is passed over. */
export const openCatalogue = (facts: readonly unknown[], prices: readonly RawPriceRow[]): Catalogue => {
  const entries = facts.flatMap(entriesOf)
  const searches = prices.filter(({ provider }) => provider === 'openai').map(timed)
  const rows = prices
    .filter(({ model, supersededOn }) => model !== null && supersededOn === undefined)
    .map(timed)
  /** The rows of the models that a name stands for. */
  const rowsOf = (vendor: string, name: string, at: Instant): readonly TimedRow[] => {
    const inForce = rows.filter(({ provider, from, to }) => provider === vendor && from <= at && at < to)
    const models = new Set(inForce.filter(({ names }) => names.includes(name)).map(({ model }) => model))
    return inForce.filter(({ model }) => models.has(model))
  }
  const liveOf = (entry: Entry, name: string, at: Instant): LiveModel | null => {
    if (at < entry.released || at >= entry.ends) return null
    const names = [...new Set([name, entry.model, ...entry.aliases])]
    const priced = names
      .map((each) => ({ name: each, rows: rowsOf(entry.vendor, each, at) }))
      .filter((each) => each.rows.length > 0)
    const whole = priced.find((each) => each.name === entry.model) ?? priced[0]
    if (whole === undefined) return null
    // The snapshot that answers is one whose prices have every tier of the model's, or the one that was asked for.
    const tiers = tiersOf(whole.rows)
    const served =
      priced.find((each) => isDated(each.name) && (each.name === name || has(tiersOf(each.rows), tiers))) ??
      whole
    const written = served.rows.filter(({ meter }) => meter === 'cache_write_tokens')
    return {
      id: entry.model,
      servedAs: served.name,
      created: Math.floor(Math.max(0, entry.released) / 1000),
      contextTokensMax: entry.window,
      outputTokensMax: entry.output,
      kinds: new Set(served.rows.map(({ service }) => service)),
      tiers: tiersOf(served.rows),
      readsCache: served.rows.some(({ meter }) => meter === 'cached_input_tokens'),
      cacheLifetimes: [...new Set(written.map(({ attributes }) => String(attributes['cache_ttl'])))],
    }
  }
  return {
    find: ({ vendor, name }, at) => {
      const named = entries.filter(
        (entry) => entry.vendor === vendor && [entry.model, ...entry.aliases].includes(name),
      )
      for (const entry of named) {
        const live = liveOf(entry, name, at)
        if (live !== null) return live
      }
      return named.some(({ ends }) => at >= ends) ? 'retired' : 'unknown'
    },
    list: (vendor, at) =>
      entries
        .filter((entry) => entry.vendor === vendor)
        .flatMap((entry) => liveOf(entry, entry.model, at) ?? []),
    searchTokens: (model, at) => {
      const row = searches.find(({ meter, from, to }) => meter === 'web_search_call' && at >= from && at < to)
      const fixed = row?.attributes['fixed_block_tokens']
      const tokens = isFields(fixed) ? fixed[model] : null
      return typeof tokens === 'number' ? tokens : null
    },
  }
}

const has = (whole: ReadonlySet<string>, part: ReadonlySet<string>): boolean =>
  [...part].every((each) => whole.has(each))

const isDated = (name: string): boolean => /-\d{4}-?\d{2}-?\d{2}$/.test(name)

const tiersOf = (rows: readonly TimedRow[]): ReadonlySet<string> =>
  new Set(rows.map(({ attributes }) => String(attributes['tier'] ?? 'standard')))

type Entry = {
  readonly vendor: string
  readonly model: string
  readonly aliases: readonly string[]
  readonly released: Instant
  readonly ends: Instant
  readonly window: number | null
  readonly output: number | null
}

const entriesOf = (file: unknown): readonly Entry[] => {
  const models: readonly unknown[] = isFields(file) && Array.isArray(file['models']) ? file['models'] : []
  return models.filter(isFields).map((fact) => ({
    vendor: isFields(file) ? String(file['provider']) : '',
    model: String(fact['model']),
    aliases: Array.isArray(fact['aliases']) ? fact['aliases'].map(String) : [],
    released: Math.max(
      dayOf(fact['release']) ?? Number.NEGATIVE_INFINITY,
      instantOf(fact['from']) ?? Number.NEGATIVE_INFINITY,
    ),
    ends: Math.min(endOf(fact['shutdown']), instantOf(fact['to']) ?? Number.POSITIVE_INFINITY),
    window: sizeOf(fact['contextWindow']),
    output: sizeOf(fact['outputTokensMax']),
  }))
}

const instantOf = (value: unknown): Instant | null => (typeof value === 'string' ? parseInstant(value) : null)

const dayOf = (fact: unknown): Instant | null => (isFields(fact) ? instantOf(fact['on']) : null)

/** The earliest end that is possible is none that is announced. */
const endOf = (fact: unknown): Instant =>
  isFields(fact) && fact['earliest'] !== true
    ? (dayOf(fact) ?? Number.POSITIVE_INFINITY)
    : Number.POSITIVE_INFINITY

const sizeOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)

type TimedRow = {
  readonly provider: string
  readonly model: string
  readonly names: readonly string[]
  readonly service: string
  readonly meter: string
  readonly attributes: Fields
  readonly from: Instant
  readonly to: Instant
}

const timed = (row: RawPriceRow & { readonly service?: string }): TimedRow => ({
  provider: row.provider,
  model: row.model ?? '',
  names: [row.model ?? '', ...(row.aliases ?? [])],
  service: row.service ?? '',
  meter: row.meter,
  attributes: row.attributes,
  from: parseInstant(row.effectiveFrom),
  to: row.effectiveTo === null ? Number.POSITIVE_INFINITY : parseInstant(row.effectiveTo),
})
