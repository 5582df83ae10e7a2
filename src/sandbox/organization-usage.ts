import type { BilledCall } from './books.ts'
import { type BucketQuery, groupFields } from './organization-pages.ts'

/** The one project of a sandbox. */
export const project = 'proj_sandbox'

const byModel = ['project_id', 'user_id', 'api_key_id', 'model'] as const

const quantity = (calls: readonly BilledCall[], meter: string): number =>
  calls.reduce((sum, { usage }) => sum + (usage[meter] ?? 0), 0)

const inputOf = (calls: readonly BilledCall[]) => ({ input_tokens: quantity(calls, 'input_text_tokens') })

/** A usage route: which calls are its, what its results may be grouped by, and what they measure. */
type Kind = {
  readonly has: (call: BilledCall) => boolean
  readonly groups: readonly string[]
  readonly measure: (calls: readonly BilledCall[]) => Readonly<Record<string, number>>
}

const with_ =
  (meter: string) =>
  ({ usage }: BilledCall): boolean =>
    usage[meter] !== undefined

const apart = new Set(['embeddings', 'moderations'])

/** The usage routes, by the last part of their path. Vector stores have a route of their own,
 * which no call fills; storage for retrieval has none: the vendor measures it otherwise. */
export const usageKinds = {
  completions: {
    has: (call) => !apart.has(call.wire) && with_('input_text_tokens')(call),
    groups: [...byModel, 'batch', 'service_tier'],
    measure: (calls) => {
      const { input_tokens } = inputOf(calls)
      const output_tokens = quantity(calls, 'output_text_tokens')
      return {
        input_tokens,
        input_cached_tokens: 0,
        input_cache_write_tokens: 0,
        input_uncached_tokens: input_tokens,
        output_tokens,
        input_text_tokens: input_tokens,
        output_text_tokens: output_tokens,
        input_audio_tokens: 0,
        output_audio_tokens: 0,
        num_model_requests: calls.length,
      }
    },
  },
  embeddings: {
    has: ({ wire }) => wire === 'embeddings',
    groups: byModel,
    measure: (calls) => ({ ...inputOf(calls), num_model_requests: calls.length }),
  },
  moderations: {
    has: ({ wire }) => wire === 'moderations',
    groups: byModel,
    measure: (calls) => ({ ...inputOf(calls), num_model_requests: calls.length }),
  },
  images: {
    has: with_('image'),
    groups: [...byModel, 'size', 'source'],
    measure: (calls) => ({ images: quantity(calls, 'image'), num_model_requests: calls.length }),
  },
  audio_speeches: {
    has: with_('tts_characters'),
    groups: byModel,
    measure: (calls) => ({ characters: quantity(calls, 'tts_characters'), num_model_requests: calls.length }),
  },
  audio_transcriptions: {
    has: with_('audio_seconds'),
    groups: byModel,
    measure: (calls) => ({ seconds: quantity(calls, 'audio_seconds'), num_model_requests: calls.length }),
  },
  code_interpreter_sessions: {
    has: with_('code_interpreter_session'),
    groups: ['project_id'],
    measure: (calls) => ({ num_sessions: quantity(calls, 'code_interpreter_session') }),
  },
} as const satisfies Readonly<Record<string, Kind>>
export type UsageKind = keyof typeof usageKinds

/** The results of a bucket: one for each combination of what was grouped by, none where nothing was used. */
export const usageResults = (
  kind: UsageKind,
  calls: readonly BilledCall[],
  { groups, only }: BucketQuery,
): readonly unknown[] => {
  const { has, groups: known, measure }: Kind = usageKinds[kind]
  const its = calls.filter(
    (call) =>
      has(call) && [...only].every(([field, values]) => values.includes(String(fieldOf(call, field)))),
  )
  const grouped = Map.groupBy(its, (call) => JSON.stringify(groups.map((field) => fieldOf(call, field))))
  return [...grouped.values()].map((group) => ({
    object: `organization.usage.${kind}.result`,
    ...measure(group),
    ...groupFields(known, groups, (field) => group[0] && fieldOf(group[0], field)),
  }))
}

const sources: Readonly<Record<string, string>> = {
  'image-generations': 'image.generation',
  'image-edits': 'image.edit',
  'image-variations': 'image.variation',
}

const fieldOf = (call: BilledCall, field: string): string | boolean | null => {
  if (field === 'project_id') return project
  if (field === 'model') return call.model
  if (field === 'batch') return false
  if (field === 'size') return call.attributes?.['size'] ?? null
  return field === 'source' ? (sources[call.wire] ?? null) : null
}
