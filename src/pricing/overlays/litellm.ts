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

type Entry = Readonly<Record<string, unknown>>

/** True for LiteLLM's model map: an object of models that name their `litellm_provider`. */
export const isLitellm = (value: unknown): value is Readonly<Record<string, Entry>> =>
  isObject(value) &&
  Object.entries(value).some(
    ([name, entry]) =>
      name !== sampleName && isObject(entry) && typeof entry['litellm_provider'] === 'string',
  )

/** Converts LiteLLM's model map, read with numbers as texts. Taken are the costs of a token, and those of a character
 * and a second where the model's mode says of what; every other cost is left out and named. */
export const fromLitellm = (map: Readonly<Record<string, Entry>>, reading: Reading): Converted => {
  const leftOut = createLeftOut()
  const models: ForeignModel[] = []
  for (const [name, entry] of Object.entries(map)) {
    if (name === sampleName || !isObject(entry)) continue
    const mode = String(entry['mode'])
    const service = Object.hasOwn(services, mode) ? services[mode] : undefined
    const named = nameOf(name, String(entry['litellm_provider'] ?? ''))
    if (service === undefined)
      leftOut.add(`mode ${entry['mode'] ?? '(none)'}`, 'billed in units not given', name)
    else if (named === null) leftOut.add('a model', 'names no provider', name)
    else if (entry['tiered_pricing'] != null) {
      leftOut.add('tiered_pricing', 'steps of context other than one threshold', name)
    } else {
      const end = String(entry['deprecation_date'] ?? '')
      const cells = cellsOf({ ...named, service, mode }, entry, (field, why) => leftOut.add(field, why, name))
      models.push({ ...named, service, cells, ...(isDay(end) && { scheduledEnd: end }) })
    }
  }
  const { files, leftOut: more } = toPriceFiles(models, reading)
  return { files, leftOut: [...leftOut.list(), ...more] }
}

/** The entry that shows what entries look like. */
const sampleName = 'sample_spec'

const services: Readonly<Record<string, string>> = {
  chat: 'chat',
  responses: 'chat',
  completion: 'completion',
  embedding: 'embedding',
  audio_transcription: 'stt',
  audio_speech: 'tts',
  image_generation: 'image',
  realtime: 'realtime',
}

/** Providers by the names LiteLLM has for them, where those are not ours. */
const providerNames: Readonly<Record<string, string>> = {
  gemini: 'google',
  'text-completion-openai': 'openai',
  azure: 'azure-openai',
  azure_text: 'azure-openai',
  bedrock_converse: 'bedrock',
  cohere_chat: 'cohere',
  'text-completion-codestral': 'mistral',
  codestral: 'mistral',
}

/** The model without the prefix that leads LiteLLM to its provider. */
const nameOf = (name: string, from: string): { readonly provider: string; readonly model: string } | null => {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(from)) return null
  const family = /^vertex_ai/.test(from) ? 'vertex-ai' : from.replaceAll('_', '-')
  const prefix = /^vertex_ai/.test(from) ? 'vertex_ai/' : `${from}/`
  const provider = Object.hasOwn(providerNames, from) ? providerNames[from] : family
  const model = name.startsWith(prefix) ? name.slice(prefix.length) : name
  return model === '' ? null : { provider: provider ?? family, model }
}

type Model = { readonly provider: string; readonly service: string; readonly mode: string }

/** What a cost field is of. A text says why the field is left out for that model. */
type Target = { readonly meter: Meter; readonly cacheTtl?: string } | string

const per: Readonly<Record<string, (model: Model) => Target>> = {
  input_cost_per_token: () => ({ meter: 'input_text_tokens' }),
  output_cost_per_token: () => ({ meter: 'output_text_tokens' }),
  output_cost_per_reasoning_token: () => ({ meter: 'output_reasoning_tokens' }),
  cache_read_input_token_cost: ({ service }) => ({
    meter: service === 'image' || service === 'realtime' ? 'cached_input_text_tokens' : 'cached_input_tokens',
  }),
  cache_creation_input_token_cost: ({ provider }) => writesOf(provider)?.ordinary ?? lifetimeUnknown,
  cache_creation_input_token_cost_above_1hr: ({ provider }) => writesOf(provider)?.hour ?? lifetimeUnknown,
  input_cost_per_audio_token: () => ({ meter: 'input_audio_tokens' }),
  output_cost_per_audio_token: () => ({ meter: 'output_audio_tokens' }),
  cache_read_input_audio_token_cost: () => ({ meter: 'cached_input_audio_tokens' }),
  input_cost_per_image_token: () => ({ meter: 'input_image_tokens' }),
  output_cost_per_image_token: () => ({ meter: 'output_image_tokens' }),
  output_cost_per_video_token: () => ({ meter: 'output_video_tokens' }),
  input_cost_per_character: ({ mode }) =>
    mode === 'audio_speech' ? { meter: 'tts_characters' } : 'characters of a model that does not speak',
  input_cost_per_second: ({ mode }) =>
    mode === 'audio_transcription' ? { meter: 'audio_seconds' } : 'seconds of a model that does not listen',
}

const lifetimeUnknown = 'how long the cache keeps it is not said'

type Writes = { readonly ordinary: Target; readonly hour?: Target }

const writesOf = (provider: string): Writes | undefined =>
  Object.hasOwn(writes, provider) ? writes[provider] : undefined

/** What LiteLLM's cost of writing to a cache is of, at the vendors whose lifetimes our own rows know. */
const writes: Readonly<Record<string, Writes>> = {
  anthropic: { ordinary: { meter: 'cache_write_5m_tokens' }, hour: { meter: 'cache_write_1h_tokens' } },
  openai: { ordinary: { meter: 'cache_write_tokens', cacheTtl: '30m' } },
}

const tiers: Readonly<Record<string, string>> = { priority: 'priority', flex: 'flex', batches: 'batch' }

/** Why other fields that bear on cost are left out; those not listed are not known. */
const notTaken: Readonly<Record<string, string>> = {
  search_context_cost_per_query: 'what counts as a query is not said',
  input_cost_per_image: 'an image is billed by its tokens, or by size and quality, which are not given',
  output_cost_per_image: 'an image is billed by its tokens, or by size and quality, which are not given',
  output_cost_per_second: 'an equivalent of the token price, not a price',
  input_cost_per_token_cache_hit: 'another name of cache_read_input_token_cost',
  cache_creation_input_audio_token_cost: 'there is no meter for sound written to a cache',
  regional_processing_uplift_multiplier_eu: 'a factor, not a price',
  regional_processing_uplift_multiplier_us: 'a factor, not a price',
  input_cost_per_audio_per_second: 'there is no meter for a second of an embedded sound',
  input_cost_per_video_per_second: 'there is no meter for a second of video sent',
  provider_specific_entry: 'factors of modes that the map does not explain',
}

const cellsOf = (
  model: Model,
  entry: Entry,
  leave: (field: string, why: string) => void,
): readonly ForeignCell[] =>
  Object.entries(entry).flatMap(([field, value]): ForeignCell[] => {
    if (!bearsOnCost.test(field) || value === null) return []
    const [, base = field, thousands, tier] = suffixed.exec(field) ?? []
    const target = Object.hasOwn(per, base) ? per[base]?.(model) : undefined
    if (target === undefined || typeof target === 'string') {
      leave(field, target ?? notTaken[field] ?? 'a field that is not known')
      return []
    }
    const price = readForeignPrice(value)
    if ('why' in price) {
      leave(field, price.why)
      return []
    }
    const above = thousands === undefined ? null : Number(thousands) * 1000
    return [{ ...target, tier: tier === undefined ? 'standard' : (tiers[tier] ?? tier), above, price }]
  })

const bearsOnCost = /cost|pric|multiplier|provider_specific_entry/

const suffixed = /^(.+?)(?:_above_(\d{1,4})k_tokens)?(?:_(priority|flex|batches))?$/

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))

const isObject = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
