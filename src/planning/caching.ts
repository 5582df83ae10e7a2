import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'

/** How a vendor's prompt cache bills a prompt whose beginning it has seen. `prefixMin`: a shorter beginning is not
 * cached; `step`: what is read is a multiple of it; `write`: the meter of what is written, null where writing is
 * free; `marks`: where a prompt can be found again, `anywhere`, at its `end` alone, or at its end and behind its
 * `instructions`; `lifetimeMinutes`: how long it is kept unused, null where nothing is published. */
export type CacheRule = {
  readonly rule: string
  readonly prefixMin: number
  readonly step: number
  readonly write: Meter | null
  readonly marks: 'anywhere' | 'end' | 'instructions'
  readonly lifetimeMinutes: number | null
}

/** The tokens of a prompt, by how they are billed: `read` from the cache, `written` to it, and the rest. */
export type CacheSplit = { readonly read: number; readonly written: number; readonly fresh: number }

/** A prompt of `input` tokens whose first `shared` stand in the prompt before it; `whole`: these are all of that
 * prompt, else they are the instructions. `tail`: what the wire adds behind the last message, never cached. */
export type CachedPrompt = {
  readonly input: number
  readonly shared: number
  readonly whole: boolean
  readonly tail: number
}

/** Splits a prompt as a cache that always hits bills it. Real hits are fewer: this is the most a cache can save. */
export const splitPrompt = (
  rule: CacheRule | null,
  { input, shared, whole, tail }: CachedPrompt,
): CacheSplit => {
  if (rule === null) return { read: 0, written: 0, fresh: input }
  const found = whole || rule.marks !== 'end' ? shared : 0
  const read = found < rule.prefixMin ? 0 : found - (found % rule.step)
  const cacheable = input - tail
  const written = rule.write === null || cacheable < rule.prefixMin ? 0 : cacheable - read
  return { read, written, fresh: input - read - written }
}

/** The rule of a model, or null where its vendor has no cache that works by itself, or no rule of it is known.
 * Anthropic's cache is asked for, with a lifetime; its shortest prefix is 512 to 4,096 tokens by model, and the
 * longest is taken. OpenAI before GPT-5.5 (prompt caching guide): 1,024 tokens until mid-2026, whose guide says
 * 2,048; the day is not established, 2026-07-01 is taken. Kept 5 minutes unused, since 2026-05-29 a day. */
export const cacheRuleOf = ({
  provider,
  model,
  at,
  lifetime,
}: {
  readonly provider: string
  readonly model: string
  readonly at: Instant
  readonly lifetime: '5m' | '1h' | null
}): CacheRule | null => {
  if (provider === 'anthropic') return lifetime === '1h' ? anthropicHour : anthropicFiveMinutes
  if (provider === 'google') return /^gemini-(2\.5|3)/.test(model) ? gemini(model) : null
  if (provider !== 'openai') return null
  if (/^gpt-(5\.[6-9]|[6-9])/.test(model)) return openaiPaidWrites
  const dayLong = at >= Date.UTC(2026, 4, 29)
  if (model.startsWith('gpt-5.5')) return openaiWideSteps
  return {
    rule: 'openai-cache/128',
    prefixMin: at < Date.UTC(2026, 6, 1) ? 1024 : 2048,
    step: 128,
    write: null,
    marks: 'anywhere',
    lifetimeMinutes: dayLong ? 24 * 60 : 5,
  }
}

/** GPT-5.5 (prompt caching guide, table of model differences): a mark each 2,048 tokens, kept for a day. */
const openaiWideSteps: CacheRule = {
  rule: 'openai-cache/2048',
  prefixMin: 2048,
  step: 2048,
  write: null,
  marks: 'anywhere',
  lifetimeMinutes: 24 * 60,
}

/** GPT-5.6 and later (the same guide): one mark at the last message, writes are billed, kept for 30 minutes. */
const openaiPaidWrites: CacheRule = {
  rule: 'openai-cache/paid-writes',
  prefixMin: 1024,
  step: 1,
  write: 'cache_write_tokens',
  marks: 'end',
  lifetimeMinutes: 30,
}

/** A mark behind the instructions and one behind the last message (Anthropic's prompt caching documents). */
const anthropicFiveMinutes: CacheRule = {
  rule: 'anthropic-cache/5m',
  prefixMin: 4096,
  step: 1,
  write: 'cache_write_5m_tokens',
  marks: 'instructions',
  lifetimeMinutes: 5,
}

const anthropicHour: CacheRule = {
  ...anthropicFiveMinutes,
  rule: 'anthropic-cache/1h',
  write: 'cache_write_1h_tokens',
  lifetimeMinutes: 60,
}

/** Implicit caching: 2,048 tokens with Gemini 2.5, 4,096 with Gemini 3 (Google's caching guide). */
const gemini = (model: string): CacheRule => ({
  rule: 'gemini-cache/implicit',
  prefixMin: model.startsWith('gemini-2.5') ? 2048 : 4096,
  step: 1,
  write: null,
  marks: 'anywhere',
  lifetimeMinutes: null,
})
