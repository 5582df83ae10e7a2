import { isMeter, type Meter } from '../usage/meter.ts'

/** What vendors call a meter in a line of a bill that has a model: OpenAI's line items after the model's name
 * (`gpt-4o-2024-08-06, cached input`), Anthropic's token types, and its descriptions. The first that fits. */
const words: readonly (readonly [RegExp, Meter])[] = [
  [/^cached input$|^cache_read_input_tokens$|cache (read|hit)/i, 'cached_input_tokens'],
  [/ephemeral_1h_input_tokens|(cache (write|creation)).*\b1 ?h/i, 'cache_write_1h_tokens'],
  [/ephemeral_5m_input_tokens|(cache (write|creation)).*\b5 ?m/i, 'cache_write_5m_tokens'],
  [/^cache writes?$|cache (write|creation)/i, 'cache_write_tokens'],
  [/^input$|^(uncached_)?input_tokens$|\binput tokens\b/i, 'input_text_tokens'],
  [/^output$|^output_tokens$|\boutput tokens\b/i, 'output_text_tokens'],
  [/^training$/i, 'training_tokens'],
  [/^images?$/i, 'image'],
  [/^speech$/i, 'tts_characters'],
  [/^transcription$/i, 'audio_seconds'],
]

/** A tier before the words does not change what they are about. */
const tiers = /^(standard|batch|flex|priority|scale) /i

/** The meter of a line of a bill by its words; null where they name none. */
export const meterInWords = (lineItem: string | null, model: string | null): Meter | null => {
  if (lineItem === null || model === null) return null
  const named = lineItem.startsWith(`${model}, `) ? lineItem.slice(model.length + 2) : lineItem
  const said = named.replace(tiers, '')
  const [first = ''] = said.split(', ')
  if (isMeter(first)) return first
  return words.find(([pattern]) => pattern.test(said) || pattern.test(first))?.[1] ?? null
}
