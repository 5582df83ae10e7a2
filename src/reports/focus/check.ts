import { judgeOf } from './check-cells.ts'
import { checkColumns } from './check-columns.ts'
import { rowJudge } from './check-rows.ts'
import type { FocusVersion } from './columns.ts'
import type { FocusRule, Violation } from './rules.ts'

/** What a check found: every violation counted, by rule, and the first hundred of them. */
export type FocusCheck = {
  readonly version: FocusVersion
  readonly rows: number
  readonly count: number
  readonly byRule: Readonly<Partial<Record<FocusRule, number>>>
  readonly violations: readonly Violation[]
}

/** Checks a file row by row, and remembers little of it. */
export type FocusChecker = {
  /** Checks the next row: a text or null for each column. */
  readonly row: (row: readonly (string | null)[]) => void
  /** Notes that the next row is none: it has other columns than the file. */
  readonly misshapen: (message: string) => void
  readonly result: () => FocusCheck
}

/** How many violations are listed. */
const listedMax = 100

/** A checker of files with these columns. `features` are those that the maker of the file declares. */
export const createFocusChecker = (
  columns: readonly string[],
  asked: { readonly version: FocusVersion; readonly features: readonly string[] },
): FocusChecker => {
  const { version } = asked
  const judges = columns.map((column) => judgeOf(column, version))
  const together = rowJudge(columns, version)
  const violations: Violation[] = []
  const byRule: Partial<Record<FocusRule, number>> = {}
  /** The last cell of a column that was found right: neighbours are often the same. */
  const right: (string | null | undefined)[] = columns.map(() => undefined)
  let [rows, count] = [0, 0]

  const violate = ({ rule, row, column, message }: Violation): void => {
    count += 1
    byRule[rule] = (byRule[rule] ?? 0) + 1
    if (violations.length < listedMax) violations.push({ rule, row, column, message })
  }
  const ofRow = (rule: FocusRule, column: string, message: string): void =>
    violate({ rule, row: rows, column, message })

  for (const violation of checkColumns(columns, asked)) violate(violation)
  return {
    row: (row) => {
      rows += 1
      for (let index = 0; index < columns.length; index += 1) {
        const cell = row[index] ?? null
        if (cell === right[index]) continue
        const fault = judges[index]?.(cell) ?? null
        if (fault === null) right[index] = cell
        else ofRow(fault[0], columns[index] ?? '', fault[1])
      }
      together(row, ofRow)
    },
    misshapen: (message) => {
      rows += 1
      violate({ rule: 'row-shape', row: rows, column: null, message })
    },
    result: () => ({ version, rows, count, byRule: { ...byRule }, violations: [...violations] }),
  }
}
