import type { Tally } from './prompt-count.ts'

/** How many tokens of another vendor's tokenizer one of o200k_base is, measured: the least, as expected, the most. */
export type Ratio = { readonly low: number; readonly expected: number; readonly high: number }

/** A tokenizer nobody may run, known by its ratio to o200k_base, for Latin script and code, and for others. */
export type Generation = {
  readonly rule: string
  readonly dated: string
  readonly latin: Ratio
  readonly others: Ratio
  readonly source: string
}

/** Up to Claude 4.6 the vocabulary of Claude 2 times 1.10 is 97.6 to 99.9 % right (coder/ai-tokenizer). To
 * o200k_base that vocabulary stands as 1.08 in English, 1.09 in TypeScript, 1.03 in JSON (texts of this project,
 * 20 to 140 KB), and, in one sentence each, 1.35 in French, 1.24 in Chinese, 1.34 in Japanese, 2.23 in Russian,
 * 2.84 in Arabic. */
const claude3: Generation = {
  rule: 'anthropic/claude-3',
  dated: '2026-11-25',
  latin: { low: 1.1, expected: 1.18, high: 1.52 },
  others: { low: 1.33, expected: 1.5, high: 3.2 },
  source: '@anthropic-ai/tokenizer 0.0.4 against tiktoken 1.0.22; coder/ai-tokenizer at 9fa777a',
}

/** Since Opus 4.7 a text has 1.0 to 1.35 times as many, says the vendor; 1.2 in English, 1.29 in Python, 1.36 in
 * TypeScript, 1.47 in technical documents, 1.01 in Chinese were measured, 1.325 over all. */
const claude47: Generation = {
  rule: 'anthropic/claude-4.7',
  dated: '2026-04',
  latin: { low: 1.1, expected: 1.56, high: 2.24 },
  others: { low: 1.33, expected: 1.52, high: 4.7 },
  source: `claudecodecamp.com, count_tokens of Opus 4.7 and 4.6; ${claude3.source}`,
}

const gemini: Generation = {
  rule: 'google/gemini',
  dated: '2025-12',
  latin: { low: 1.06, expected: 1.08, high: 1.1 },
  others: { low: 1.06, expected: 1.08, high: 1.1 },
  source: 'coder/ai-tokenizer at 9fa777a: o200k_base times 1.08 is 98 to 99.9 % right',
}

const named = /claude-(?:opus|sonnet|haiku)-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/

/** The tokenizer of a model of Claude, by its name wherever it is served; null for older ones and strangers. */
export const claudeGeneration = (model: string): Generation | null => {
  if (/claude-(?:fable|mythos)/.test(model)) return claude47
  if (model.includes('claude-3')) return claude3
  const [, major, minor = '0'] = named.exec(model) ?? []
  if (major === undefined) return null
  return Number(major) > 4 || (major === '4' && Number(minor) >= 7) ? claude47 : claude3
}

/** The tokenizer of a model of Gemini; null for strangers. */
export const geminiGeneration = (model: string): Generation | null =>
  /(?:^|\/)gemini-/.test(model) ? gemini : null

/** Taken where no generation is known; the class is then `unknown`. */
export const unknownGeneration: Generation = { ...claude3, rule: 'calibrated/fallback' }

/** The tokens of a text as expected in a generation; how far off that may be is noted in the tally. */
export const scaledText = (text: string, generation: Generation, tally: Tally): number => {
  const { low, expected, high } = isMostlyLatin(text) ? generation.latin : generation.others
  const tokens = tally.text(text)
  tally.note('calibrated', 'by ratio to o200k_base', {
    below: tokens * (expected - low),
    above: tokens * (high - expected),
  })
  return tokens * expected
}

/** At least three quarters of it are Latin letters, digits, signs or spaces. */
const isMostlyLatin = (text: string): boolean => {
  let others = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x24f && (unit < 0x2000 || unit > 0x206f)) others += 1
  }
  return others * 4 <= text.length
}
