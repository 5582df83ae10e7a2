import type { Rational } from '../money/rational.ts'

/** The attributes of a price row, as written in the data. */
export type RowAttributes = Readonly<Record<string, unknown>>

/** What a call says of itself, as far as it selects among rows. */
export type Asked = {
  readonly attributes: Readonly<Record<string, string>>
  /** All input tokens of the call, cached and written ones too: they choose the context card. */
  readonly inputTokens: number
}

/** Whether a row holds for a call, as far as one attribute decides. */
export type Holds = (asked: Asked) => boolean

/** What one attribute of a row does.
 * `read` takes the value out of a row: `null` says that it selects nothing; it throws a plain `Error` with the
 * reason when the value is not one the engine knows.
 * `asked`: a call may say it. Where a row does not have the attribute, the row holds whatever the call says.
 * `named`: the row holds only for a call that names it, and then goes before the rows without it. */
type AttributeRule = {
  readonly read: (value: unknown, row: RowAttributes) => Holds | null
  readonly asked?: true
  readonly named?: true
}

/** Every attribute the engine honours. A row with any other is refused, so that a price which depends on
 * something unknown is never taken for one that does not. */
export const attributeRules: Readonly<Record<string, AttributeRule>> = {
  tier: { asked: true, read: (value, row) => tierHolds(text(value), row['service_tier_values']) },
  service_tier_values: partOf('tier'),
  context: { read: (value, row) => contextHolds(value, row) },
  context_threshold_tokens: partOf('context'),
  long_when: partOf('context'),
  threshold_basis: partOf('context'),
  cache_ttl: { asked: true, read: (value) => lifetimeHolds(text(value)) },
  size: { asked: true, read: (value) => equals('size', text(value)) },
  quality: { asked: true, read: (value) => equals('quality', text(value)) },
  api: { asked: true, read: (value) => equalsWhereSaid('api', text(value)) },
  data_sharing: { asked: true, named: true, read: (value) => equals('data_sharing', String(flag(value))) },
  promotion: { asked: true, named: true, read: (value) => equals('promotion', text(value)) },
  rounding: {
    read: (value) => {
      roundingOf(value)
      return null
    },
  },
  epochs: describes(),
  per: describes(),
  scope: describes(),
  session_seconds: describes(),
}

/** The attributes a call may say. */
export const askedNames: readonly string[] = Object.entries(attributeRules)
  .filter(([, rule]) => rule.asked)
  .map(([name]) => name)

/** The tier a call asks for, under the name the book has for it. OpenAI's API says `default` and `auto` for
 * what its price list calls standard; a call that names no tier is standard. */
const tierOf = (asked: Asked['attributes']): string => {
  const tier = asked['tier']
  return tier === undefined || tier === 'default' || tier === 'auto' ? 'standard' : tier
}

/** What selects a row, for people: `tier standard, context long`. */
export const selectionOf = (row: RowAttributes): string =>
  Object.entries(row)
    .filter(([name]) => name === 'context' || attributeRules[name]?.asked)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ') || 'every call'

/** How many units are billed of a measured quantity. Whisper bills the nearest second. */
export const billedQuantity = (quantity: Rational, row: RowAttributes): Rational =>
  row['rounding'] === undefined ? quantity : roundings[roundingOf(row['rounding'])](quantity)

/** The milliseconds of a lifetime such as `30m` or `12h`; infinite where a row names none. */
export const lifetimeOf = (row: RowAttributes): number => {
  const ttl = row['cache_ttl']
  return typeof ttl === 'string' ? parseLifetime(ttl) : Number.POSITIVE_INFINITY
}

const roundings = {
  nearest_second: ({ numerator, denominator }: Rational): Rational => ({
    numerator: (numerator * 2n + denominator) / (denominator * 2n),
    denominator: 1n,
  }),
}

const roundingOf = (value: unknown): keyof typeof roundings => {
  if (value === 'nearest_second') return value
  throw new Error(`rounding "${String(value)}" is not known`)
}

const tierHolds = (tier: string, values: unknown): Holds => {
  const names = new Set([tier, ...(values === undefined ? [] : list(values))])
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
  return ({ inputTokens }) => isLong(inputTokens) === (context === 'long')
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
    read: (_value, row) => {
      if (row[name] === undefined) throw new Error(`needs ${name} beside it`)
      return null
    },
  }
}

/** Says how the vendor counts the meter; whoever measures the quantity has done so. */
function describes(): AttributeRule {
  return { read: () => null }
}

const text = (value: unknown): string => {
  if (typeof value !== 'string' || value === '') throw new Error('must be a text')
  return value
}

const flag = (value: unknown): boolean => {
  if (typeof value !== 'boolean') throw new Error('must be true or false')
  return value
}

const list = (value: unknown): readonly string[] => {
  if (!Array.isArray(value)) throw new Error('must be a list of texts')
  return value.map(text)
}
