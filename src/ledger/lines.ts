import type { Row } from './database.ts'
import type { StoredEntry } from './entry.ts'
import { readEntry } from './entry-rows.ts'

/** An entry as it lies outside of the tables: the columns of its row, the names it refers to, its charges and holds. */
export type EntryLine = Row & {
  readonly sequence: number
  readonly kind: StoredEntry['kind']
  readonly call_id: string
  readonly charges: readonly Row[]
  readonly holds: readonly Row[]
}

export const parseLine = (line: string): EntryLine => JSON.parse(line)

/** The entry that a line says. */
export const entryOfLine = (line: EntryLine): StoredEntry => ({
  ...readEntry(line, line),
  sequence: line.sequence,
})
