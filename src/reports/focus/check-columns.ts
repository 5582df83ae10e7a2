import { columnFacts, type FocusColumnId, type FocusVersion, focusColumns, isFocusColumn } from './columns.ts'
import type { Violation } from './rules.ts'

/** Checks the columns of a file against a version and the features that its maker declares. */
export const checkColumns = (
  columns: readonly string[],
  { version, features }: { readonly version: FocusVersion; readonly features: readonly string[] },
): readonly Violation[] => {
  const found: Violation[] = []
  const violate = (rule: Violation['rule'], column: string, message: string): void => {
    found.push({ rule, row: null, column, message })
  }
  let ownSince: string | null = null
  const seen = new Set<string>()
  for (const column of columns) {
    const shown = column.slice(0, 60)
    if (seen.has(column)) violate('column-twice', shown, 'is there twice')
    seen.add(column)
    if (column.length > nameMax) violate('column-name', shown, `has more than ${nameMax} characters`)
    if (column.startsWith('x_')) ownSince ??= column
    else if (!isFocusColumn(column) || columnFacts(column)[version] === undefined) {
      violate('column-unknown', shown, `is no column of FOCUS ${version}; name it x_${shown}`)
    } else if (ownSince !== null) violate('column-order', shown, `stands after ${ownSince}`)
  }
  for (const id of Object.keys(focusColumns) as FocusColumnId[]) {
    const why = seen.has(id) ? null : neededFor(id, version, features)
    if (why !== null) violate('column-missing', id, `is not there, and is ${why}`)
  }
  return found
}

const nameMax = 50

const neededFor = (id: FocusColumnId, version: FocusVersion, features: readonly string[]): string | null => {
  const { [version]: need, where = [] } = columnFacts(id)
  if (need?.need === 'mandatory') return 'mandatory'
  const isDeclared = where.length > 0 && where.every((feature) => features.includes(feature))
  return need?.need === 'conditional' && isDeclared ? `needed with ${where.join(' and ')}` : null
}

/** Every feature that a column may depend on. */
export const focusFeatures: readonly string[] = [
  ...new Set((Object.keys(focusColumns) as FocusColumnId[]).flatMap((id) => columnFacts(id).where ?? [])),
].sort()
