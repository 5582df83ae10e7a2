import type { Instant } from '../../time.ts'
import { hexFrom } from '../random.ts'

/** A prompt cut into pieces that a cache can end at: the text of each, and its tokens. */
export type PromptPiece = { readonly text: string; readonly tokens: number }

/** Prefixes of prompts that were seen, by vendor and model, each until its lifetime ends. Reading one renews
 * it, as the vendors do. They live in memory: a sandbox that starts again has seen nothing. */
export type PromptCache = {
  /** The end of the longest prefix in the cache, as a number of pieces, among `ends`; 0 where there is none. */
  readonly read: (prompt: CachedPrompt, ends: readonly number[], at: Instant) => number
  readonly write: (prompt: CachedPrompt, ends: readonly number[], lifetime: Lifetime) => void
}

type CachedPrompt = { readonly model: string; readonly pieces: readonly PromptPiece[] }
type Lifetime = { readonly at: Instant; readonly milliseconds: number }

/** Prefixes that are kept; the one that was used longest ago goes first. */
const prefixesMax = 20_000

export const openPromptCache = (): PromptCache => {
  const seen = new Map<string, { readonly until: Instant; readonly milliseconds: number }>()
  const keep = (key: string, { at, milliseconds }: Lifetime): void => {
    seen.delete(key)
    seen.set(key, { until: at + milliseconds, milliseconds })
    const oldest = seen.keys().next().value
    if (seen.size > prefixesMax && oldest !== undefined) seen.delete(oldest)
  }
  return {
    read: (prompt, ends, at) => {
      const keys = keysOf(prompt)
      for (const end of [...ends].sort((a, b) => b - a)) {
        const key = keys[end - 1] ?? ''
        const found = seen.get(key)
        if (found === undefined || at >= found.until) continue
        keep(key, { at, milliseconds: found.milliseconds })
        return end
      }
      return 0
    },
    write: (prompt, ends, lifetime) => {
      const keys = keysOf(prompt)
      for (const end of ends) {
        const key = keys[end - 1]
        if (key !== undefined) keep(key, lifetime)
      }
    },
  }
}

/** The key of the prefix that ends with each piece. */
const keysOf = ({ model, pieces }: CachedPrompt): readonly string[] => {
  let key = hexFrom(32, model)
  return pieces.map(({ text }) => {
    key = hexFrom(32, key, text)
    return key
  })
}

/** The tokens of the first pieces. */
export const tokensUntil = (pieces: readonly PromptPiece[], end: number): number =>
  pieces.slice(0, end).reduce((sum, { tokens }) => sum + tokens, 0)
