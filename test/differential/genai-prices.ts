import { calcPrice, findProvider, type ModelInfo, type TieredPrices } from '@pydantic/genai-prices'
import { divide, parseDecimal, rational } from '../../src/money/rational.ts'
import type { PriceBook } from '../../src/pricing/price-book.ts'
import { formatInstant, parseInstant } from '../../src/time.ts'
import type { Meter } from '../../src/usage/meter.ts'
import type { PeerCell } from './cell.ts'

/** What the peer is called where a cell is named, and when its version was published: its prices are those of that
 * day. */
const peer = 'genai-prices 0.1.8'
const snapshot = '2026-09-23T12:00:00Z'

/** The hours of that week in which DeepSeek's prices differ: at its peak, and at the same hour of a Sunday. */
const otherHours = ['2026-09-23T02:00:00Z', '2026-09-20T02:00:00Z']

/** Providers by our ids and theirs. */
const providers: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'google',
  deepseek: 'deepseek',
  mistral: 'mistral',
  xai: 'x-ai',
  cohere: 'cohere',
  groq: 'groq',
}

/** What a key of the peer's prices is of. `per`: how many of our units the price is for. */
type Target = { readonly meters: readonly Meter[]; readonly per: bigint; readonly cacheTtl?: string }

const million = 1_000_000n

const targets: Readonly<Record<string, (provider: string) => Target | null>> = {
  input_mtok: () => ({ meters: ['input_text_tokens'], per: million }),
  output_mtok: () => ({ meters: ['output_text_tokens'], per: million }),
  cache_read_mtok: () => ({ meters: ['cached_input_tokens', 'cached_input_text_tokens'], per: million }),
  cache_write_mtok: (provider) =>
    provider === 'openai'
      ? { meters: ['cache_write_tokens'], per: million, cacheTtl: '30m' }
      : { meters: ['cache_write_5m_tokens'], per: million },
  cache_write_1h_mtok: () => ({ meters: ['cache_write_1h_tokens'], per: million }),
  input_audio_mtok: () => ({ meters: ['input_audio_tokens'], per: million }),
  cache_audio_read_mtok: () => ({ meters: ['cached_input_audio_tokens'], per: million }),
  output_audio_mtok: () => ({ meters: ['output_audio_tokens'], per: million }),
  input_image_mtok: () => ({ meters: ['input_image_tokens'], per: million }),
  cache_image_read_mtok: () => ({ meters: ['cached_input_image_tokens'], per: million }),
  output_image_mtok: () => ({ meters: ['output_image_tokens'], per: million }),
  input_video_mtok: () => ({ meters: ['input_video_tokens'], per: million }),
  output_video_mtok: () => ({ meters: ['output_video_tokens'], per: million }),
  audio_hours: () => ({ meters: ['audio_seconds'], per: 3600n }),
  input_audio_hours: () => ({ meters: ['audio_seconds'], per: 3600n }),
  input_document_kpages: () => ({ meters: ['pages'], per: 1000n }),
  input_annotated_document_kpages: () => ({ meters: ['annotated_pages'], per: 1000n }),
  web_searches_kcount: (provider) => ({ meters: searches[provider] ?? ['web_search_call'], per: 1000n }),
  storage_searches_kcount: () => ({ meters: ['file_search_call'], per: 1000n }),
  /** Our book has no meter for a message typed into a voice session. */
  input_text_messages_kcount: () => null,
}

const searches: Readonly<Record<string, readonly Meter[]>> = {
  google: ['grounding_search_query', 'grounding_request'],
}

/** Every price of the peer for a model that our book names, and for the models that only the peer has. The peer is
 * asked for each of our names by its own rules, so a model that it takes for another one shows. Its data are loaded as
 * numbers; the shortest decimal that gives such a number is what its files say. */
export const genaiPricesCells = (book: PriceBook): readonly PeerCell[] =>
  Object.entries(providers).flatMap(([provider, theirId]) => {
    const models = findProvider({ providerId: theirId })?.models ?? []
    const names = new Set([...ourNames(book, provider), ...models.map(({ id }) => id)])
    return [...names].flatMap((model) => cellsOf({ provider, theirId, model }))
  })

const ourNames = (book: PriceBook, provider: string): readonly string[] =>
  [...(book.shelves.get(provider)?.keys() ?? [])].flatMap((name) => name ?? [])

type Asked = { readonly provider: string; readonly theirId: string; readonly model: string }

const cellsOf = ({ provider, theirId, model }: Asked): readonly PeerCell[] => {
  const ask = (at: string) =>
    calcPrice({}, model, { providerId: theirId, timestamp: new Date(parseInstant(at)) })
  const known = ask(snapshot)
  if (known === null || known.provider.id !== theirId) return []
  return instantsOf(known.model).flatMap((at) =>
    Object.entries(ask(at)?.model_price ?? {}).flatMap(([key, price]) => {
      const target = targets[key]
      if (target === undefined) throw new Error(`genai-prices has a price key that is not known: ${key}`)
      const { meters, per, cacheTtl } = target(provider) ?? notOurs
      if (meters.length === 0 || price === undefined) return []
      return stepsOf(price).map(({ inputTokens, amount }) => ({
        peer,
        provider,
        model,
        meters,
        tier: 'standard',
        inputTokens,
        ...(cacheTtl !== undefined && { cacheTtl }),
        at,
        rate: divide(parseDecimal(String(amount)), rational(per)),
      }))
    }),
  )
}

const notOurs: Target = { meters: [], per: 1n }

/** The snapshot; the other hours, where a model has hours; and the days on which its price changes, with the last
 * second before each. What the peer expects after its snapshot is compared as well. */
const instantsOf = ({ prices }: ModelInfo): readonly string[] => {
  const constraints = Array.isArray(prices) ? prices.flatMap(({ constraint }) => constraint ?? []) : []
  const days = constraints.flatMap((constraint) =>
    constraint.type === 'start_date' ? [constraint.start_date] : [],
  )
  return [
    snapshot,
    ...(constraints.some(({ type }) => type === 'time_of_date') ? otherHours : []),
    ...days.flatMap((day) => [lastSecondBefore(day), `${day}T00:00:00Z`]),
  ]
}

const lastSecondBefore = (day: string): string => formatInstant(parseInstant(day) - 1000)

/** The price of short calls; and of each step the last call below it and the first above. */
const stepsOf = (
  price: number | TieredPrices,
): readonly { readonly inputTokens: number; readonly amount: number }[] => {
  if (typeof price === 'number') return [{ inputTokens: 1, amount: price }]
  return [
    { inputTokens: 1, amount: price.base },
    ...price.tiers.flatMap(({ start, price: above }, index) => [
      { inputTokens: start, amount: price.tiers[index - 1]?.price ?? price.base },
      { inputTokens: start + 1, amount: above },
    ]),
  ]
}
