/** A pool and those it gives to, pools or others. */
type Giver = { readonly name: string; readonly to: readonly string[] }

/** The names of pools in an order in which each comes after all that give to it; or a circle of them, its first name
 * again at its end. */
export const payingOrder = (
  pools: readonly Giver[],
): { readonly names: readonly string[] } | { readonly cycle: readonly string[] } => {
  const toOf = new Map(pools.map(({ name, to }) => [name, to]))
  const done: string[] = []
  const isDone = new Set<string>()
  /** Those below `name` first; a name that is met again on the way down closes a circle. */
  const visit = (name: string, way: readonly string[]): readonly string[] | null => {
    const met = way.indexOf(name)
    if (met !== -1) return [...way.slice(met), name]
    if (isDone.has(name)) return null
    for (const next of toOf.get(name) ?? []) {
      if (!toOf.has(next)) continue
      const cycle = visit(next, [...way, name])
      if (cycle !== null) return cycle
    }
    isDone.add(name)
    done.push(name)
    return null
  }
  for (const { name } of [...pools].reverse()) {
    const cycle = visit(name, [])
    if (cycle !== null) return { cycle }
  }
  return { names: done.reverse() }
}
