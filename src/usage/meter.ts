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

/** Everything that can be billed. The names are those of the price book. */
export const meters = {
  input_text_tokens: { ...token, direction: 'input', modality: 'text' },
  cached_input_tokens: {
    ...token,
    direction: 'input',
    modality: 'text',
    cache: 'read',
    parent: 'input_text_tokens',
  },
  cache_write_tokens: {
    ...token,
    direction: 'input',
    modality: 'text',
    cache: 'write',
    parent: 'input_text_tokens',
  },
  input_audio_tokens: { ...token, direction: 'input', modality: 'audio', parent: 'input_text_tokens' },
  output_text_tokens: { ...token, direction: 'output', modality: 'text' },
  output_reasoning_tokens: {
    ...token,
    direction: 'output',
    modality: 'text',
    parent: 'output_text_tokens',
    pricedAsParent: true,
  },
  output_audio_tokens: { ...token, direction: 'output', modality: 'audio', parent: 'output_text_tokens' },
  training_tokens: { ...token, direction: 'input', modality: 'text' },
  request: { ...tool, unit: 'request' },
  image: { unit: 'image', whole: true, direction: 'output', modality: 'image', cache: 'none' },
  tts_characters: { unit: 'character', whole: true, direction: 'input', modality: 'text', cache: 'none' },
  audio_seconds: { unit: 'second', whole: false, direction: 'input', modality: 'audio', cache: 'none' },
  code_interpreter_session: { ...tool, unit: 'session' },
  retrieval_gb_day: {
    unit: 'gigabyte-day',
    whole: false,
    direction: 'none',
    modality: 'none',
    cache: 'none',
  },
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
