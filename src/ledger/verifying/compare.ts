import type { Difference } from '../ledger.ts'

/** Takes what does not agree. */
export type Differ = (difference: Difference) => void

/** A key, and what stands under it. */
export type Lines = Iterable<readonly [key: string, value: string]>

/** Compares line by line what was folded with what was kept. */
export const compareLines = (
  where: Difference['where'],
  { folded, kept }: { readonly folded: Lines; readonly kept: Lines },
  differ: Differ,
): void => {
  const left = new Map(folded)
  for (const [key, value] of kept) {
    const expected = left.get(key) ?? null
    left.delete(key)
    if (expected !== value) differ({ where, key, folded: expected, kept: value })
  }
  for (const [key, value] of left) differ({ where, key, folded: value, kept: null })
}
