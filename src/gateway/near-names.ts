/** The names that are most like a word: of those that differ in no more than a third of its letters and in two at most,
 * three, the nearest first. Upper and lower case are the same. */
export const nearNames = (word: string, names: Iterable<string>): readonly string[] => {
  const most = Math.min(2, Math.max(1, Math.floor(word.length / 3)))
  return [...names]
    .map((name) => ({ name, steps: stepsBetween(word.toLowerCase(), name.toLowerCase(), most) }))
    .filter(({ steps }) => steps <= most)
    .sort((a, b) => a.steps - b.steps || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** How many letters must be put in, taken out, changed or swapped with their neighbour to make one word the other (the
 * optimal string alignment distance); more than `most` where it is more. */
const stepsBetween = (from: string, to: string, most: number): number => {
  if (Math.abs(from.length - to.length) > most) return most + 1
  let [before, last]: [readonly number[], readonly number[]] = [
    [],
    Array.from({ length: to.length + 1 }, (_, at) => at),
  ]
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwapped = row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      next[column] = Math.min(
        (next[column - 1] ?? 0) + 1,
        (last[column] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    if (Math.min(...next) > most) return most + 1
    ;[before, last] = [last, next]
  }
  return last[to.length] ?? 0
}
