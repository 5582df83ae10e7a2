import type { ModelFamily } from './model-family.ts'
import type { Counter } from './text.ts'

/** How sure a count of a prompt is. `exact`: recorded usage of the vendor agrees to the token. `formula`:
 * published measurements agree, with exceptions. `bound`: no rule is published, but `high` is not passed.
 * `calibrated`: a measured ratio or margin; most prompts are inside the interval, and nothing is promised.
 * `unknown`: nothing is published, or something in the prompt (an image, a hosted tool) could not be counted. */
export type CountClass = 'exact' | 'formula' | 'bound' | 'calibrated' | 'unknown'

/** The tokens of a prompt, as expected, and between which numbers they are: `high` is null where nothing bounds
 * them. `history`: those of messages that were sent before, everything up to the last assistant message except
 * the instructions; `sound`: those of sounds, where there are any, `soundMost` as many as they may be. `rule`: which
 * rule counted, and what weakens it; `dated`: the day or month of its evidence. */
export type PromptCount = {
  readonly tokens: number
  readonly low: number
  readonly high: number | null
  readonly history: number
  readonly sound?: number
  readonly soundMost?: number
  readonly class: CountClass
  readonly rule: string
  readonly dated: string
}

/** The tokens of one part that is not text, by a rule of its own; `high` null where they have no bound. `what`:
 * what it is, where that makes the count less sure; `isSound`: they are billed as sound. */
export type PartCount = {
  readonly low: number
  readonly tokens: number
  readonly high: number | null
  readonly what?: string
  readonly isSound?: boolean
}

/** What a count needs beside the request. `partTokens` counts a part that is not text (an image, a file, a
 * sound); null where it cannot. */
export type CountOptions = { readonly partTokens?: (part: unknown) => PartCount | null }

/** What is known of the whole before anything is counted. */
type Basis = { readonly rule: string; readonly dated: string; readonly class: CountClass }

/** Counts the texts of one request, and remembers what makes the count less sure. */
export type Tally = {
  readonly text: (text: string) => number
  readonly json: (value: unknown, what: string) => number
  readonly part: (part: unknown) => number
  /** The count is at best `weakened`: the truth may be so much below or above what is counted. */
  readonly note: (weakened: CountClass, why: string, margin?: Margin) => void
  readonly result: (tokens: number, history: number) => PromptCount
}
export type Margin = { readonly below?: number; readonly above?: number }

export const newTally = (counter: Counter, basis: Basis, options: CountOptions): Tally => {
  const reasons = new Set<string>()
  let sure = basis.class
  let [below, above, sound, soundMost] = [0, 0, 0, 0]
  const note: Tally['note'] = (weakened, why, margin = {}) => {
    reasons.add(why)
    if (sureness.indexOf(weakened) > sureness.indexOf(sure)) sure = weakened
    below += margin.below ?? 0
    above += margin.above ?? 0
  }
  const text = (value: string): number => {
    const count = counter.measure(value)
    if (!count.exact) note('bound', 'texts at one token a byte', { below: count.tokens })
    return count.tokens
  }
  return {
    text,
    note,
    json: (value, what) => {
      const written = jsonOf(value)
      if (written === null) note('unknown', `${what} nested too deep to count`)
      return written === null ? 0 : text(written)
    },
    part: (part) => {
      const count = options.partTokens?.(part) ?? null
      if (count === null || count.high === null) note('unknown', count?.what ?? 'a part that is not text')
      if (count === null) return 0
      const margin = { below: count.tokens - count.low, above: (count.high ?? count.tokens) - count.tokens }
      const what = count.what ?? 'images by their own rule'
      note(margin.below > 0 || margin.above > 0 ? 'bound' : 'formula', what, margin)
      if (count.isSound === true) {
        sound += count.tokens
        soundMost += count.high ?? count.tokens
      }
      return count.tokens
    },
    result: (tokens, history) => ({
      tokens: Math.max(0, Math.round(tokens)),
      low: Math.max(0, Math.floor(tokens - below)),
      high: sure === 'unknown' ? null : Math.max(0, Math.ceil(tokens + above)),
      history: Math.max(0, Math.round(Math.min(history, tokens))),
      ...(soundMost > 0 && { sound, soundMost }),
      class: sure,
      rule: [basis.rule, ...reasons].join('; '),
      dated: basis.dated,
    }),
  }
}

/** The overhead taken where no rule knows the model: that of most OpenAI models. */
export const unknownFamily = { rule: 'openai-chat/fallback', perMessage: 3, perName: 1, priming: 3 }

/** A tally for an OpenAI model, of a family or of none. */
export const familyTally = (counter: Counter, family: ModelFamily | null, options: CountOptions): Tally => {
  const basis = {
    rule: family?.rule ?? unknownFamily.rule,
    dated: family?.dated ?? '2026-11-23',
    class: family?.confidence ?? 'unknown',
  }
  const tally = newTally(counter, basis, options)
  const nothing = { below: Number.POSITIVE_INFINITY }
  if (family === null) tally.note('unknown', 'the overhead of this model is not known', nothing)
  else if (family.encoding !== counter.encoding) {
    tally.note('unknown', `counted in ${counter.encoding}, the model speaks ${family.encoding}`, nothing)
  }
  return tally
}

const sureness: readonly CountClass[] = ['exact', 'formula', 'bound', 'calibrated', 'unknown']

/** The value as minified JSON; '' where it has none, null where it cannot be written. */
export const jsonOf = (value: unknown): string | null => {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return null
  }
}

export type Fields = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The text of a part of a message; null where it is something else. Its type decides, not what else it holds. */
export const textOfPart = (part: unknown): string | null => {
  if (typeof part === 'string') return part
  if (!isObject(part)) return null
  const { type, text = part.refusal } = part
  const isText = type === undefined || (typeof type === 'string' && /text$|^refusal$/.test(type))
  return isText && typeof text === 'string' ? text : null
}

/** The value as a list: what is no list is an empty one. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
