import { OctroiError } from '../errors.ts'

/** What a meter is. `parent`: the meter whose count the vendors may include it in.
 * `pricedAsParent`: where the book has no rate of its own for it, its parent's rate is the vendor's rule
 * (reasoning is output); never true of cached, written or audio tokens, whose missing rate must be named. */
type MeterFacts = {
  readonly unit: string
  readonly whole: boolean
  readonly direction: 'input' | 'output' | 'none'
  readonly modality: 'text' | 'audio' | 'image' | 'video' | 'none'
  readonly cache: 'none' | 'read' | 'write'
  readonly parent?: string
  readonly pricedAsParent?: true
}

const token = { unit: 'token', whole: true, cache: 'none' } as const
const tool = { unit: 'call', whole: true, direction: 'none', modality: 'none', cache: 'none' } as const
const time = { whole: false, direction: 'none', modality: 'none', cache: 'none' } as const
const stored = {
  unit: 'gigabyte-day',
  whole: false,
  direction: 'none',
  modality: 'none',
  cache: 'none',
} as const
const textIn = { ...token, direction: 'input', modality: 'text' } as const
const textOut = { ...token, direction: 'output', modality: 'text' } as const
const cached = { ...textIn, cache: 'read', parent: 'input_text_tokens' } as const
const written = { ...textIn, cache: 'write', parent: 'input_text_tokens' } as const

/** Everything that can be billed. The names are those of the price book. */
export const meters = {
  input_text_tokens: textIn,
  cached_input_tokens: cached,
  cached_input_text_tokens: cached,
  cache_write_tokens: written,
  cache_write_5m_tokens: written,
  cache_write_1h_tokens: written,
  input_audio_tokens: { ...token, direction: 'input', modality: 'audio', parent: 'input_text_tokens' },
  cached_input_audio_tokens: {
    ...token,
    direction: 'input',
    modality: 'audio',
    cache: 'read',
    parent: 'input_audio_tokens',
  },
  input_image_tokens: { ...token, direction: 'input', modality: 'image', parent: 'input_text_tokens' },
  cached_input_image_tokens: {
    ...token,
    direction: 'input',
    modality: 'image',
    cache: 'read',
    parent: 'input_image_tokens',
  },
  input_video_tokens: { ...token, direction: 'input', modality: 'video', parent: 'input_text_tokens' },
  output_text_tokens: textOut,
  output_reasoning_tokens: { ...textOut, parent: 'output_text_tokens', pricedAsParent: true },
  output_audio_tokens: { ...token, direction: 'output', modality: 'audio', parent: 'output_text_tokens' },
  output_image_tokens: { ...token, direction: 'output', modality: 'image', parent: 'output_text_tokens' },
  output_video_tokens: { ...token, direction: 'output', modality: 'video', parent: 'output_text_tokens' },
  training_tokens: textIn,
  cache_storage_token_hours: { ...time, unit: 'token-hour', modality: 'text' },
  image: { unit: 'image', whole: true, direction: 'output', modality: 'image', cache: 'none' },
  input_image: { unit: 'image', whole: true, direction: 'input', modality: 'image', cache: 'none' },
  tts_characters: { unit: 'character', whole: true, direction: 'input', modality: 'text', cache: 'none' },
  audio_seconds: { ...time, unit: 'second', direction: 'input', modality: 'audio' },
  video_seconds: { ...time, unit: 'second', direction: 'output', modality: 'video' },
  session_seconds: { ...time, unit: 'second' },
  training_seconds: { ...time, unit: 'second' },
  code_execution_container_hours: { ...time, unit: 'hour' },
  managed_agent_session_hours: { ...time, unit: 'hour' },
  ptu_hours: { ...time, unit: 'unit-hour' },
  code_interpreter_session: { ...tool, unit: 'session' },
  container_session: { ...time, unit: 'session' },
  retrieval_gb_day: stored,
  file_search_gb_day: stored,
  chatkit_upload_gb_day: stored,
  request: { ...tool, unit: 'request' },
  file_search_call: tool,
  web_search_call: tool,
  web_search_image_call: tool,
  web_search_preview_call: tool,
  web_fetch_call: tool,
  x_search_call: tool,
  collections_search_call: tool,
  attachment_search_call: tool,
  code_execution_call: tool,
  grounding_search_query: { ...tool, unit: 'query' },
  grounding_request: { ...tool, unit: 'request' },
  search_request: { ...tool, unit: 'request' },
  fetch_request: { ...tool, unit: 'request' },
  search_unit: { ...tool, unit: 'search unit' },
  pages: { ...tool, unit: 'page' },
  annotated_pages: { ...tool, unit: 'page' },
} as const satisfies Record<string, MeterFacts>

export type Meter = keyof typeof meters

/** Every meter, in the order of the table. */
export const meterNames = Object.keys(meters) as readonly Meter[]

export const isMeter = (name: string): name is Meter => Object.hasOwn(meters, name)

/** The facts of a meter under one type. */
export const meterFacts = (meter: Meter): MeterFacts & { readonly parent?: Meter } => meters[meter]

/** Reads a meter's name. Throws `unknown_meter`. */
export const parseMeter = (name: string): Meter => {
  if (isMeter(name)) return name
  throw new OctroiError(
    'unknown_meter',
    `There is no meter "${name.slice(0, 60)}". See docs/glossary.md for the list.`,
  )
}
