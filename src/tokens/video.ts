import { OctroiError } from '../errors.ts'

/** The tokens of a film. `class`: `formula` where the vendor publishes a rule, `unknown` where it does not; `rule`: the
 * id of the rule. */
export type VideoCount = {
  readonly tokens: number | null
  readonly class: 'formula' | 'unknown'
  readonly rule: string
}

/** Counts the tokens of so many seconds of film: for Gemini 2, 263 a second, whatever it shows (Gemini guide to
 * tokens, ai.google.dev, read 2026-11-23). Gemini 3 counts 70 for each frame it samples, and how many it samples the
 * request says: no length alone bounds it. Throws `bad_number` for a length that is not a number of seconds. */
export const countVideo = (film: {
  readonly provider: string
  readonly model: string
  readonly seconds: number
}): VideoCount => {
  const { provider, model, seconds } = film
  if (!(seconds >= 0 && seconds <= Number.MAX_SAFE_INTEGER)) {
    throw new OctroiError('bad_number', `A film cannot be ${seconds} seconds long. Give a positive number.`)
  }
  const isGemini2 = (provider === 'google' || provider === 'vertex-ai') && model.startsWith('gemini-2')
  if (isGemini2) return { tokens: Math.ceil(seconds * 263), class: 'formula', rule: 'google-video/263' }
  return { tokens: null, class: 'unknown', rule: `no rule is known for film of ${provider}/${model}` }
}
