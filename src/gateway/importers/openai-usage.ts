import { countOf, type Json, member, textOf } from '../../endpoints/json.ts'
import { rational } from '../../money/rational.ts'
import { readUsage, type UsageShape } from '../../usage/read.ts'
import { toQuantity, type Usage } from '../../usage/usage.ts'
import { emptyLine, unusable } from './line.ts'
import { field, openaiReport } from './openai-report.ts'
import type { PageBucket, PagedImporter } from './pages.ts'

const byKey = ['project_id', 'api_key_id', 'model'] as const

/** What a route counts, and by what its results may be grouped. `calls`: its requests are calls, and no other route
 * has them. */
type Kind = {
  readonly groups: readonly string[]
  readonly object: string
  readonly calls: boolean
  readonly usage: (result: Json, bucket: PageBucket) => ReturnType<typeof readUsage>
}

const counting =
  (shape: UsageShape) =>
  (result: Json): ReturnType<typeof readUsage> =>
    readUsage(result, shape)

/** Input counts what was cached and written to the cache as well; of sound and pictures it counts the fresh ones
 * apart (OpenAI's description of 2026-08-21), so what was cached of them is put back before parts are taken out. */
const completionCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    cached_input_tokens: ['input_cached_text_tokens', 'input_cached_tokens'],
    cache_write_tokens: 'input_cache_write_tokens',
    input_audio_tokens: 'audio_tokens',
    cached_input_audio_tokens: 'input_cached_audio_tokens',
    input_image_tokens: 'image_tokens',
    cached_input_image_tokens: 'input_cached_image_tokens',
    output_text_tokens: 'output_tokens',
    output_audio_tokens: 'output_audio_tokens',
    output_image_tokens: 'output_image_tokens',
  },
  inside: [
    'cached_input_tokens',
    'cache_write_tokens',
    'input_audio_tokens',
    'cached_input_audio_tokens',
    'input_image_tokens',
    'cached_input_image_tokens',
    'output_audio_tokens',
    'output_image_tokens',
  ],
  sparse: true,
}

const completions = (result: Json): ReturnType<typeof readUsage> => {
  if (typeof result !== 'object' || result === null) return null
  const count = (name: string): number => countOf(member(result, name)) ?? 0
  // Without the cached text by itself, what was cached is known as a whole only.
  const isSplit = member(result, 'input_cached_text_tokens') !== undefined
  const cached = (kind: string): number => (isSplit ? count(`input_cached_${kind}_tokens`) : 0)
  const report = {
    ...result,
    input_cached_audio_tokens: cached('audio'),
    input_cached_image_tokens: cached('image'),
    audio_tokens: count('input_audio_tokens') + cached('audio'),
    image_tokens: count('input_image_tokens') + cached('image'),
  }
  return readUsage(report, completionCounters)
}

const inputOnly = counting({ at: { input_text_tokens: 'input_tokens' } })
const byModel = { groups: byKey, calls: true } as const
const result = (kind: string): string => `organization.usage.${kind}.result`

/** A gibibyte for a day: the vendor tells the bytes, the bucket how long. */
const bytesOfGibibyteDay = 2n ** 30n * 86_400_000n

const stored = (result: Json, { from, to }: PageBucket): ReturnType<typeof readUsage> => {
  const bytes = countOf(member(result, 'usage_bytes'))
  if (bytes === null) return null
  const quantity = rational(BigInt(bytes) * BigInt(to - from), bytesOfGibibyteDay)
  return { usage: { file_search_gb_day: toQuantity(quantity) }, problems: [] }
}

/** All routes of `/organization/usage`, by the last part of their path. */
const kinds: Readonly<Record<string, Kind>> = {
  completions: {
    ...byModel,
    groups: [...byKey, 'batch', 'service_tier'],
    object: result('completions'),
    usage: completions,
  },
  embeddings: { ...byModel, object: result('embeddings'), usage: inputOnly },
  moderations: { ...byModel, object: result('moderations'), usage: inputOnly },
  images: {
    ...byModel,
    groups: [...byKey, 'size', 'source'],
    object: result('images'),
    usage: counting({ at: { image: 'images' } }),
  },
  audio_speeches: {
    ...byModel,
    object: result('audio_speeches'),
    usage: counting({ at: { tts_characters: 'characters' } }),
  },
  audio_transcriptions: {
    ...byModel,
    object: result('audio_transcriptions'),
    usage: counting({ at: { audio_seconds: 'seconds' } }),
  },
  vector_stores: { groups: ['project_id'], calls: false, object: result('vector_stores'), usage: stored },
  code_interpreter_sessions: {
    groups: ['project_id'],
    calls: false,
    object: result('code_interpreter_sessions'),
    usage: counting({ at: { code_interpreter_session: 'num_sessions' } }),
  },
  file_search_calls: {
    groups: ['project_id', 'api_key_id'],
    calls: false,
    object: result('file_searches'),
    usage: counting({ at: { file_search_call: 'num_requests' } }),
  },
  web_search_calls: {
    groups: [...byKey, 'context_level'],
    calls: false,
    object: result('web_searches'),
    usage: counting({ at: { web_search_call: 'num_requests' } }),
  },
}

const kindOfObject = new Map(
  Object.entries(kinds).flatMap(([name, { object }]) => [
    [object, name] as const,
    [result(name), name] as const,
  ]),
)

/** OpenAI's `GET /v1/organization/usage/*` (openai/openai-openapi, 2026-08-21). */
export const openaiUsage: PagedImporter = {
  ...openaiReport,
  id: 'openai-usage',
  role: 'usage',
  widths: { '1d': 31, '1h': 168, '1m': 1440 },
  routes: Object.entries(kinds).map(([name, { groups }]) => ({
    endpoint: `usage/${name}`,
    path: `/organization/usage/${name}`,
    groups,
  })),
  readResult: (found, bucket, { place, endpoint }) => {
    const name = endpoint?.slice('usage/'.length) ?? kindOfObject.get(field(found, 'object') ?? '')
    const kind = name === undefined ? undefined : kinds[name]
    if (kind === undefined || name === undefined) {
      throw unusable(
        `${place}.object`,
        `"${field(found, 'object') ?? ''}" is no result of a usage report of OpenAI.`,
      )
    }
    const reading = kind.usage(found, bucket)
    if (reading === null) throw unusable(place, 'it does not say what was used.')
    if (reading.problems.length > 0)
      throw unusable(place, `its counts do not add up: ${reading.problems.join('; ')}.`)
    const model = field(found, 'model')
    if (model === null && kind.groups.includes('model')) {
      throw unusable(`${place}.model`, 'the report is not grouped by model. Ask for it with group_by=model.')
    }
    const [size, level] = [field(found, 'size'), field(found, 'context_level')]
    return {
      ...emptyLine,
      from: bucket.from,
      to: bucket.to,
      endpoint: `usage/${name}`,
      model,
      tier: member(found, 'batch') === true ? 'batch' : tierOf(field(found, 'service_tier')),
      attributes: {
        ...(size !== null && { size }),
        ...(level !== null && { search_context_size: level }),
        ...apiOf[name],
        // The report does not tell the quality; the price of the standard one is the least.
        ...(name === 'images' && { quality: 'standard' }),
      },
      project: field(found, 'project_id'),
      apiKey: field(found, 'api_key_id'),
      usage: reading.usage as Usage,
      requests: kind.calls ? countOf(member(found, 'num_model_requests')) : null,
      lineItem: textOf(member(found, 'source')),
      contextTokens: 0,
    }
  },
}

const apiOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vector_stores: { api: 'vector_stores' },
  code_interpreter_sessions: { api: 'assistants' },
  file_search_calls: { api: 'responses' },
}

/** The price list's word for a tier. */
const tierOf = (said: string | null): string | null => (said === 'default' ? 'standard' : said)
