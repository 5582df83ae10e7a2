import { parseDecimal, type Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import { type Asked, tierOf } from './attributes.ts'
import type { PriceRow } from './price-book.ts'

/** A factor that a vendor publishes and that stands on a charge. `models`: the names it is for; null for all. */
export type Multiplier = {
  readonly id: string
  readonly provider: string
  readonly name: string
  readonly factor: string
  readonly value: Rational
  readonly from: Instant
  readonly to: Instant | null
  readonly knownSince: Instant | null
  readonly supersededOn: Instant | null
  readonly models: ReadonlySet<string> | null
  readonly scope: Scope
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
  readonly row: PriceRow
}

type Scope = (meter: Meter, attributes: Asked['attributes']) => boolean

/** Which calls ask for a multiplier: those that say the attribute, with a value other than those that mean no. */
type MultiplierRule = { readonly asked: string; readonly applies: (said: string) => boolean }

/** Every multiplier the engine honours, by the name its row has in place of a meter. */
const multiplierRules: Readonly<Record<string, MultiplierRule>> = {
  /** OpenAI: a project whose data reside in a region: `eu`, `us`, ... */
  regional_processing: { asked: 'residency', applies: (said) => said !== 'global' },
  /** OpenAI: a workspace under FedRAMP. */
  fedramp: { asked: 'fedramp', applies: (said) => said === 'true' },
  /** Anthropic: the request says `inference_geo: "us"`. */
  inference_geo_us: { asked: 'inference_geo', applies: (said) => said === 'us' },
  /** Google: the request went to a regional endpoint, not the global one. */
  vertex_regional_endpoint: { asked: 'vertex_endpoint', applies: (said) => said === 'regional' },
}

/** The attributes by which calls ask for multipliers. */
export const multiplierAskedNames: readonly string[] = Object.values(multiplierRules).map(
  ({ asked }) => asked,
)

/** What the vendors' words about the scope of a multiplier mean. Without any it is on everything metered in tokens. */
const scopes: Readonly<Record<string, Scope>> = {
  'all token meters': (meter) => meterFacts(meter).unit === 'token',
  'all token categories': (meter) => meterFacts(meter).unit === 'token',
  'standard model rates': (meter, attributes) =>
    meterFacts(meter).unit === 'token' && tierOf(attributes) === 'standard',
}

/** The factor of a multiplier's row. Throws an `Error` with the reason. */
export const parseFactor = (row: PriceRow): Pick<Multiplier, 'name' | 'factor' | 'value'> => {
  if (!Object.hasOwn(multiplierRules, row.meter)) throw new Error(`there is no multiplier "${row.meter}"`)
  const value = parseDecimal(row.unitPrice)
  if (row.per !== 1 || value.numerator <= 0n) throw new Error('a multiplier is a factor above 0, per 1')
  return { name: row.meter, factor: row.unitPrice, value }
}

/** What a multiplier is for, from its attributes. Throws an `Error` with the reason. */
export const multiplierSelection = (row: PriceRow): Pick<Multiplier, 'models' | 'scope'> => {
  const { applies_to: appliesTo, scope = 'all token meters', ...more } = row.attributes
  const unknown = Object.keys(more)[0]
  if (unknown !== undefined) throw new Error(`${unknown} is not known to this version`)
  const found = Object.hasOwn(scopes, String(scope)) ? scopes[String(scope)] : undefined
  if (found === undefined) throw new Error(`scope "${String(scope)}" is not known`)
  const models = row.resolved?.models
  if (appliesTo !== undefined && models === undefined) {
    throw new Error(`"${String(appliesTo)}" needs resolved.models, the names it means`)
  }
  return { models: models === undefined ? null : new Set(models), scope: found }
}

/** The multipliers of a provider that a call asks for and that are for its model. */
export const multipliersFor = (
  all: readonly Multiplier[],
  call: {
    readonly provider: string
    readonly attributes: Asked['attributes']
    readonly names: readonly string[]
    readonly at: Instant
    readonly asOf: Instant
  },
): readonly Multiplier[] => {
  if (!asksForAny(call.attributes)) return none
  return all.filter(({ provider, name, models, from, to, knownSince, supersededOn }) => {
    const rule = multiplierRules[name]
    const said = rule === undefined ? undefined : call.attributes[rule.asked]
    return (
      provider === call.provider &&
      said !== undefined &&
      rule?.applies(said) === true &&
      from <= call.at &&
      (to === null || call.at < to) &&
      (knownSince === null || knownSince <= call.asOf) &&
      (supersededOn === null || call.asOf < supersededOn) &&
      (models === null || call.names.some((model) => models.has(model)))
    )
  })
}

const none: readonly Multiplier[] = []

const asksForAny = (attributes: Asked['attributes']): boolean => {
  for (const name of multiplierAskedNames) if (attributes[name] !== undefined) return true
  return false
}
