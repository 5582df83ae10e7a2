/** More rows than these are not all printed: the first and the last ones are. */
const rowsShown = { first: 20, last: 10 }

/** Rows of turns as they are printed for people: of a long conversation the first and the last ones. */
export const shortened = (rows: readonly (readonly string[])[]): readonly (readonly string[])[] => {
  const { first, last } = rowsShown
  if (rows.length <= first + last) return rows
  const gap = (rows[0] ?? []).map((_, column) => (column === 0 ? '...' : ''))
  return [...rows.slice(0, first), gap, ...rows.slice(-last)]
}
