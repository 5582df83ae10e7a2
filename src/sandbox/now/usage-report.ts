import type { BilledCall } from '../books.ts'
import { type BucketQuery, groupFields } from '../organization-pages.ts'
import type { BillEntry } from './bill.ts'

const byModel = ['project_id', 'user_id', 'api_key_id', 'model'] as const

/** A usage route: which calls are its, what its results are called, may be grouped by, and measure. */
type Kind = {
  readonly has: (call: BilledCall) => boolean
  readonly object: string
  readonly groups: readonly string[]
  readonly measure: (entries: readonly BillEntry[], widthSeconds: number) => Readonly<Record<string, number>>
}

const sum = (entries: readonly BillEntry[], ...meters: readonly string[]): number =>
  entries.reduce(
    (all, { call }) => all + meters.reduce((some, meter) => some + (call.usage[meter] ?? 0), 0),
    0,
  )

const requestsOf = (entries: readonly BillEntry[]) => ({
  num_model_requests: entries.reduce((all, { requests }) => all + requests, 0),
})

const using =
  (...meters: readonly string[]) =>
  ({ usage }: BilledCall): boolean =>
    meters.some((meter) => usage[meter] !== undefined)

const tokenMeters = [
  ...['input_text_tokens', 'input_audio_tokens', 'input_image_tokens', 'cache_write_tokens'],
  ...['cached_input_tokens', 'cached_input_text_tokens', 'cached_input_audio_tokens'],
  ...['cached_input_image_tokens', 'output_text_tokens', 'output_reasoning_tokens'],
  ...['output_audio_tokens', 'output_image_tokens'],
] as const

const apart = new Set(['embeddings', 'moderations'])

const bytesOfGibibyte = 2 ** 30

/** Input counts what was cached and what was written to the cache as well; text, sound and pictures of it count the
 * uncached alone (openai/openai-openapi, 2026-08-21). Reasoning is output of text. */
const completionsOf = (entries: readonly BillEntry[]) => {
  const [text, audio, image] = [
    sum(entries, 'input_text_tokens'),
    sum(entries, 'input_audio_tokens'),
    sum(entries, 'input_image_tokens'),
  ]
  const cached = {
    text: sum(entries, 'cached_input_tokens', 'cached_input_text_tokens'),
    audio: sum(entries, 'cached_input_audio_tokens'),
    image: sum(entries, 'cached_input_image_tokens'),
  }
  const input_cached_tokens = cached.text + cached.audio + cached.image
  const input_cache_write_tokens = sum(entries, 'cache_write_tokens')
  const input_uncached_tokens = text + audio + image
  const output = {
    output_text_tokens: sum(entries, 'output_text_tokens', 'output_reasoning_tokens'),
    output_audio_tokens: sum(entries, 'output_audio_tokens'),
    output_image_tokens: sum(entries, 'output_image_tokens'),
  }
  return {
    input_tokens: input_uncached_tokens + input_cached_tokens + input_cache_write_tokens,
    ...{ input_cached_tokens, input_cache_write_tokens, input_uncached_tokens },
    output_tokens: output.output_text_tokens + output.output_audio_tokens + output.output_image_tokens,
    ...{ input_text_tokens: text, input_cached_text_tokens: cached.text },
    ...{ input_audio_tokens: audio, input_cached_audio_tokens: cached.audio },
    ...{ input_image_tokens: image, input_cached_image_tokens: cached.image },
    ...output,
    ...requestsOf(entries),
  }
}

const inputOf = (entries: readonly BillEntry[]) => ({
  input_tokens: sum(entries, 'input_text_tokens'),
  ...requestsOf(entries),
})

/** The ten usage routes of today, by the last part of their path. A call of one that is billed by tokens is in
 * `completions` whatever it made, pictures and sound too: its tokens are told once. */
export const usageKinds = {
  completions: {
    has: (call) => !apart.has(call.wire) && using(...tokenMeters)(call),
    object: 'completions',
    groups: [...byModel, 'batch', 'service_tier'],
    measure: completionsOf,
  },
  embeddings: {
    has: ({ wire }) => wire === 'embeddings',
    object: 'embeddings',
    groups: byModel,
    measure: inputOf,
  },
  moderations: {
    has: ({ wire }) => wire === 'moderations',
    object: 'moderations',
    groups: byModel,
    measure: inputOf,
  },
  images: {
    has: using('image'),
    object: 'images',
    groups: [...byModel, 'size', 'source'],
    measure: (entries) => ({ images: sum(entries, 'image'), ...requestsOf(entries) }),
  },
  audio_speeches: {
    has: using('tts_characters'),
    object: 'audio_speeches',
    groups: byModel,
    measure: (entries) => ({ characters: sum(entries, 'tts_characters'), ...requestsOf(entries) }),
  },
  audio_transcriptions: {
    has: using('audio_seconds'),
    object: 'audio_transcriptions',
    groups: byModel,
    measure: (entries) => ({ seconds: sum(entries, 'audio_seconds'), ...requestsOf(entries) }),
  },
  vector_stores: {
    has: using('file_search_gb_day'),
    object: 'vector_stores',
    groups: ['project_id'],
    // The mean over the bucket.
    measure: (entries, widthSeconds) => ({
      usage_bytes: Math.round((sum(entries, 'file_search_gb_day') * bytesOfGibibyte * 86_400) / widthSeconds),
    }),
  },
  code_interpreter_sessions: {
    has: using('code_interpreter_session'),
    object: 'code_interpreter_sessions',
    groups: ['project_id'],
    measure: (entries) => ({ num_sessions: sum(entries, 'code_interpreter_session') }),
  },
  file_search_calls: {
    has: using('file_search_call'),
    object: 'file_searches',
    groups: ['project_id', 'user_id', 'api_key_id', 'vector_store_id'],
    measure: (entries) => ({ num_requests: sum(entries, 'file_search_call') }),
  },
  web_search_calls: {
    has: using('web_search_call'),
    object: 'web_searches',
    groups: [...byModel, 'context_level'],
    measure: (entries) => ({ ...requestsOf(entries), num_requests: sum(entries, 'web_search_call') }),
  },
} as const satisfies Readonly<Record<string, Kind>>
export type UsageKind = keyof typeof usageKinds

/** The results of a bucket: one for each combination of what was grouped by, none where nothing was used. */
export const usageResults = (
  kind: UsageKind,
  entries: readonly BillEntry[],
  { groups, only, widthSeconds }: BucketQuery,
): readonly unknown[] => {
  const { has, object, groups: known, measure }: Kind = usageKinds[kind]
  const its = entries.filter(
    ({ call }) =>
      has(call) && [...only].every(([field, values]) => values.includes(String(fieldOf(call, field)))),
  )
  const grouped = Map.groupBy(its, ({ call }) => JSON.stringify(groups.map((field) => fieldOf(call, field))))
  return [...grouped.values()].map((group) => ({
    object: `organization.usage.${object}.result`,
    ...measure(group, widthSeconds),
    ...groupFields(known, groups, (field) => group[0] && fieldOf(group[0].call, field)),
  }))
}

const sources: Readonly<Record<string, string>> = {
  'image-generation': 'image.generation',
  'image-edit': 'image.edit',
}

/** The user of the vendor's is a member of the organization, of which the sandbox has none: null. */
const fieldOf = (call: BilledCall, field: string): string | boolean | null => {
  const tier = call.attributes?.['tier'] ?? 'standard'
  switch (field) {
    case 'project_id':
      return call.project ?? null
    case 'api_key_id':
      return call.apiKey ?? null
    case 'model':
      return call.model
    case 'batch':
      return tier === 'batch'
    case 'service_tier':
      return tier === 'standard' || tier === 'batch' ? 'default' : tier
    case 'size':
      return call.attributes?.['size'] ?? null
    case 'source':
      return sources[call.wire] ?? null
    case 'context_level':
      return call.attributes?.['search_context_size'] ?? null
    default:
      return null
  }
}
