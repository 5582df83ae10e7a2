import type { Instant } from '../time.ts'
import type { Calendar } from './calendar.ts'
import { bandHolds } from './time-band.ts'

/** The attributes of a price row, as written in the data. */
export type RowAttributes = Readonly<Record<string, unknown>>

/** What a call says of itself, as far as it selects among rows. */
export type Asked = {
  readonly attributes: Readonly<Record<string, string>>
  /** All input tokens of the call, cached and written ones too: they choose the context card. */
  readonly inputTokens: number
  /** The instant that rates the call: it chooses the time band. */
  readonly at: Instant
  /** The names the model goes by in the book; none where a call is priced whatever the model. */
  readonly names: readonly string[]
}

/** Whether a row holds for a call, as far as one attribute decides. */
export type Holds = (asked: Asked) => boolean

/** What a row says that decides which calls it holds for: its attributes, what their sentences were resolved to,
 * and the calendars of its file. */
export type RowSelection = {
  readonly attributes: RowAttributes
  readonly resolved: RowAttributes
  readonly calendars: ReadonlyMap<string, Calendar>
}

/** What one attribute of a row does.
 * `read` takes the value out of a row: `null` says that it selects nothing; it throws a plain `Error` with the
 * reason when the value is not one the engine knows.
 * `asked`: a call may say it. Where a row does not have the attribute, the row holds whatever the call says.
 * `named`: the row holds only for a call that names it, and then goes before the rows without it. */
type AttributeRule = {
  readonly read: (value: unknown, row: RowSelection) => Holds | null
  readonly asked?: true
  readonly named?: true
}

/** Every attribute that selects among rows. A row with one that is neither here nor among the billing rules is
 * refused, so that a price which depends on something unknown is never taken for one that does not. */
export const attributeRules: Readonly<Record<string, AttributeRule>> = {
  tier: { asked: true, read: (value, row) => tierHolds(tiersOf(value, row.attributes)) },
  service_tier_values: partOf('tier'),
  context: { read: (value, { attributes }) => contextHolds(value, attributes) },
  context_threshold_tokens: partOf('context'),
  long_when: partOf('context'),
  threshold_basis: partOf('context'),
  time_band: { read: (_value, row) => bandHolds(row) },
  time_zone: partOf('time_band'),
  windows: partOf('time_band'),
  days: partOf('time_band'),
  calendar_zone: partOf('time_band'),
  holidays: partOf('time_band'),
  cache_ttl: { asked: true, read: (value) => lifetimeHolds(text(value)) },
  size: { asked: true, read: (value) => equals('size', text(value)) },
  quality: { asked: true, read: (value) => equals('quality', text(value)) },
  resolution: { asked: true, read: (value, row) => resolutionHolds(text(value), row.attributes['sizes']) },
  sizes: partOf('resolution'),
  memory_gib: { asked: true, read: (value) => equals('memory_gib', String(count(value))) },
  search_context_size: { asked: true, read: (value) => equals('search_context_size', text(value)) },
  mode: { asked: true, read: (value) => equals('mode', text(value)) },
  models: { read: (value, { resolved }) => modelsHold(text(value), resolved['models']) },
  api: { asked: true, read: (value) => equalsWhereSaid('api', text(value)) },
  endpoint: { asked: true, named: true, read: (value) => equals('endpoint', text(value)) },
  data_sharing: { asked: true, named: true, read: (value) => equals('data_sharing', String(flag(value))) },
  promotion: { asked: true, read: (value) => equalsWhereSaid('promotion', text(value)) },
}

/** The tier a call asks for, under the name the book has for it. OpenAI's API says `default` and `auto` for
 * what its price list calls standard; a call that names no tier is standard. */
export const tierOf = (attributes: Asked['attributes']): string => {
  const tier = attributes['tier']
  return tier === undefined || tier === 'default' || tier === 'auto' ? 'standard' : tier
}

/** The tiers a row holds for: its own and the API values that mean it. Throws an `Error` with the reason. */
export const tiersOf = (tier: unknown, attributes: RowAttributes): readonly string[] => {
  const values = attributes['service_tier_values']
  return [text(tier), ...(values === undefined ? [] : texts(values))]
}

/** What selects a row, for people: `tier standard, context long`. */
export const selectionOf = (row: RowAttributes): string =>
  Object.entries(row)
    .filter(([name]) => described.has(name))
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ') || 'every call'

/** The milliseconds of a lifetime such as `30m` or `12h`; infinite where a row names none. */
export const lifetimeOf = (row: RowAttributes): number => {
  const ttl = row['cache_ttl']
  return typeof ttl === 'string' ? parseLifetime(ttl) : Number.POSITIVE_INFINITY
}

const described: ReadonlySet<string> = new Set([
  'context',
  'time_band',
  'models',
  ...Object.entries(attributeRules).flatMap(([name, rule]) => (rule.asked ? [name] : [])),
])

const tierHolds = (tiers: readonly string[]): Holds => {
  const names = new Set(tiers)
  return ({ attributes }) => names.has(tierOf(attributes))
}

const contextHolds = (context: unknown, row: RowAttributes): Holds => {
  const threshold = row['context_threshold_tokens']
  const when = row['long_when']
  const basis = row['threshold_basis']
  if (context !== 'short' && context !== 'long') throw new Error('context must be "short" or "long"')
  if (!Number.isSafeInteger(threshold)) throw new Error('context needs context_threshold_tokens')
  if (when !== '>' && when !== '>=') throw new Error('long_when must be ">" or ">="')
  if (basis !== undefined && basis !== 'input + cache reads + cache writes') {
    throw new Error(`threshold_basis "${String(basis)}" is not known`)
  }
  const limit = Number(threshold)
  const isLong = when === '>' ? (tokens: number) => tokens > limit : (tokens: number) => tokens >= limit
  return context === 'long'
    ? ({ inputTokens }) => isLong(inputTokens)
    : ({ inputTokens }) => !isLong(inputTokens)
}

/** A call that names no lifetime holds with any; the shortest published one then goes first. */
const lifetimeHolds = (lifetime: string): Holds => {
  parseLifetime(lifetime)
  return equalsWhereSaid('cache_ttl', lifetime)
}

const lifetimeUnits: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const parseLifetime = (lifetime: string): number => {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(lifetime) ?? []
  const milliseconds = lifetimeUnits[unit]
  if (milliseconds === undefined) throw new Error('cache_ttl must be a lifetime such as "30m"')
  return Number(count) * milliseconds
}

/** A call says the resolution, or one of the sizes that have it; where it says both they must agree. */
const resolutionHolds = (resolution: string, sizes: unknown): Holds => {
  const named = new Set(sizes === undefined ? [] : texts(sizes))
  return ({ attributes: { resolution: said, size } }) =>
    said === undefined
      ? size !== undefined && named.has(size)
      : said === resolution && (size === undefined || named.size === 0 || named.has(size))
}

/** A sentence about models was resolved into their names; "all" needs no resolving. */
const modelsHold = (sentence: string, resolved: unknown): Holds | null => {
  if (sentence === 'all') return null
  if (resolved === undefined) throw new Error(`"${sentence}" needs resolved.models, the names it means`)
  const models = new Set(texts(resolved))
  return ({ names }) => names.some((name) => models.has(name))
}

const equals =
  (name: string, value: string): Holds =>
  ({ attributes }) =>
    attributes[name] === value

const equalsWhereSaid =
  (name: string, value: string): Holds =>
  ({ attributes }) =>
    attributes[name] === undefined || attributes[name] === value

/** Read together with another attribute; alone it means nothing. */
function partOf(name: string): AttributeRule {
  return {
    read: (_value, { attributes }) => {
      if (attributes[name] === undefined) throw new Error(`needs ${name} beside it`)
      return null
    },
  }
}

const text = (value: unknown): string => {
  if (typeof value !== 'string' || value === '') throw new Error('must be a text')
  return value
}

const flag = (value: unknown): boolean => {
  if (typeof value !== 'boolean') throw new Error('must be true or false')
  return value
}

const count = (value: unknown): number => {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw new Error('must be a whole number')
  return Number(value)
}

const texts = (value: unknown): readonly string[] => {
  if (!Array.isArray(value)) throw new Error('must be a list of texts')
  return value.map(text)
}
