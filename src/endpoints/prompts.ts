import type { Json } from './json.ts'

/** The texts of a legacy prompt: `"a"`, `["a", "b"]`, or ids of tokens, `[1, 2]`, `[[1], [2]]`. */
export const textsIn = (prompt: readonly Json[]): readonly string[] =>
  prompt.filter((each): each is string => typeof each === 'string')

/** How many ids of tokens a legacy prompt has. */
export const idsIn = (prompt: readonly Json[]): number =>
  prompt.reduce<number>(
    (sum, each) => sum + (Array.isArray(each) ? each.length : typeof each === 'number' ? 1 : 0),
    0,
  )
