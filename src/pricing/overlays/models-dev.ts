import { divide, rational } from '../../money/rational.ts'
import type { Meter } from '../../usage/meter.ts'
import {
  type Converted,
  createLeftOut,
  type ForeignCell,
  type ForeignModel,
  type Reading,
  toPriceFiles,
} from './converted.ts'
import { readForeignPrice } from './exact-json.ts'

type Fields = Readonly<Record<string, unknown>>

/** True for the api.json of models.dev: an object of providers with their `models`. */
export const isModelsDev = (value: unknown): value is Fields =>
  isObject(value) &&
  Object.values(value).length > 0 &&
  Object.values(value).every((provider) => isObject(provider) && isObject(provider['models']))

/** Converts the api.json of models.dev, read with numbers as texts. Its costs are US dollars per million tokens. */
export const fromModelsDev = (providers: Fields, reading: Reading): Converted => {
  const leftOut = createLeftOut()
  const models: ForeignModel[] = []
  for (const [id, provider] of Object.entries(providers)) {
    const listed = isObject(provider) && isObject(provider['models']) ? provider['models'] : {}
    for (const [model, facts] of Object.entries(listed)) {
      const name = `${id}/${model}`
      const cost = isObject(facts) ? facts['cost'] : undefined
      if (!isObject(cost)) leftOut.add('a model', 'it has no cost', name)
      else {
        const ours = Object.hasOwn(providerNames, id) ? (providerNames[id] ?? id) : id
        const cells = cellsOf(ours, cost, (what, why) => leftOut.add(what, why, name))
        models.push({ provider: ours, model, service: 'chat', cells })
      }
    }
  }
  const { files, leftOut: more } = toPriceFiles(models, reading)
  return { files, leftOut: [...leftOut.list(), ...more] }
}

/** Providers by the names models.dev has for them, where those are not ours. */
const providerNames: Readonly<Record<string, string>> = {
  azure: 'azure-openai',
  'amazon-bedrock': 'bedrock',
  'google-vertex': 'vertex-ai',
}

type Target = { readonly meter: Meter; readonly cacheTtl?: string }

const fields: Readonly<Record<string, (provider: string) => Target | null>> = {
  input: () => ({ meter: 'input_text_tokens' }),
  output: () => ({ meter: 'output_text_tokens' }),
  reasoning: () => ({ meter: 'output_reasoning_tokens' }),
  cache_read: () => ({ meter: 'cached_input_tokens' }),
  cache_write: (provider) => (Object.hasOwn(writes, provider) ? (writes[provider] ?? null) : null),
  input_audio: () => ({ meter: 'input_audio_tokens' }),
  output_audio: () => ({ meter: 'output_audio_tokens' }),
}

/** What its cost of writing to a cache is of, at the vendors whose lifetimes our own rows know. */
const writes: Readonly<Record<string, Target>> = {
  anthropic: { meter: 'cache_write_5m_tokens' },
  openai: { meter: 'cache_write_tokens', cacheTtl: '30m' },
}

type Leave = (what: string, why: string) => void

const cellsOf = (provider: string, cost: Fields, leave: Leave): readonly ForeignCell[] => {
  const { context_over_200k: over200k, tiers, ...ordinary } = cost
  const steps =
    tiers === undefined
      ? over200k === undefined
        ? []
        : [{ above: 200_000, cost: over200k }]
      : stepsOf(tiers)
  if (steps === null) {
    leave('tiers', 'steps that are not of context')
    return []
  }
  return [
    ...cardOf({ provider, above: null, cost: ordinary }, leave),
    ...steps.flatMap((step) => cardOf({ provider, ...step }, leave)),
  ]
}

type Step = { readonly above: number; readonly cost: unknown }

/** `[{input, output, ..., tier: {type: "context", size: 272000}}]`; null where a step is of something else. */
const stepsOf = (tiers: unknown): readonly Step[] | null => {
  if (!Array.isArray(tiers)) return null
  const steps = tiers.map((each: unknown): Step | null => {
    const { tier, ...cost } = isObject(each) ? each : {}
    const size = isObject(tier) && tier['type'] === 'context' ? String(tier['size']) : ''
    return /^\d{1,9}$/.test(size) ? { above: Number(size), cost } : null
  })
  return steps.every((step) => step !== null) ? steps : null
}

const cardOf = (
  {
    provider,
    above,
    cost,
  }: { readonly provider: string; readonly above: number | null; readonly cost: unknown },
  leave: Leave,
): readonly ForeignCell[] =>
  Object.entries(isObject(cost) ? cost : {}).flatMap(([field, value]): ForeignCell[] => {
    const read = Object.hasOwn(fields, field) ? fields[field] : undefined
    const target = read?.(provider)
    if (target === undefined || target === null) {
      leave(
        field,
        read === undefined ? 'a field that is not known' : 'how long the cache keeps it is not said',
      )
      return []
    }
    const price = readForeignPrice(value)
    if (!('why' in price)) return [{ ...target, tier: 'standard', above, price: divide(price, million) }]
    leave(field, price.why)
    return []
  })

const million = rational(1_000_000n)

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
