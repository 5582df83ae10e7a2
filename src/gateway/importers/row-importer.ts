import type { ImportLine } from './line.ts'
import type { RowsOf } from './rows.ts'

/** What a row comes to: a line, or nothing where it bills nothing. `id`: what names the row in its file, or all of it:
 * the same a second time is the same row told twice. */
export type RowRead = { readonly line: ImportLine | null; readonly id: string | null; readonly at: number }

/** A report in a file of rows. */
export type RowImporter = {
  readonly id: string
  readonly role: 'usage'
  /** Whose calls they are where the rows do not say it; null where the operator must. */
  readonly provider: string | null
  readonly rows: RowsOf<RowRead>
}
