import type { FocusVersion } from './columns.ts'
import { columnFacts, isFocusColumn } from './columns.ts'
import { exportedColumns, type FocusRow } from './layout.ts'

/** Writes an export as text. */
export type FocusText = {
  /** What stands before the rows. */
  readonly head: string
  /** A row with the end of its line. */
  readonly row: (row: FocusRow) => string
}

/** RFC 4180: lines end in CRLF, and null is an empty field without quotes; an empty text has them. */
export const csvText = (version: FocusVersion): FocusText => {
  const columns = exportedColumns(version)
  return {
    head: `${columns.join(',')}\r\n`,
    row: rowText(columns.length, '\r\n', (index, cell) =>
      index === 0 ? csvField(cell) : `,${csvField(cell)}`,
    ),
  }
}

const csvField = (cell: string | null): string => {
  if (cell === null) return ''
  return needsQuotes.test(cell) || cell === '' ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** Blanks at an end are quoted too, since some readers take them away. */
const needsQuotes = /[",\r\n]|^\s|\s$/

/** One JSON object a line. Decimals are texts, so that no reader makes floats of them; JSON columns are objects. */
export const jsonLinesText = (version: FocusVersion): FocusText => {
  const columns = exportedColumns(version)
  const names = columns.map((column, index) => `${index === 0 ? '{' : ','}${JSON.stringify(column)}:`)
  const isJson = columns.map((column) => {
    const kind = isFocusColumn(column) ? columnFacts(column).kind : 'text'
    return kind === 'json' || kind === 'key-value'
  })
  return {
    head: '',
    row: rowText(
      columns.length,
      '}\n',
      (index, cell) =>
        `${names[index]}${cell === null ? 'null' : isJson[index] ? cell : JSON.stringify(cell)}`,
    ),
  }
}

/** Writes rows cell by cell. Neighbours have most cells in common: what was written last for a column is kept. */
const rowText = (
  width: number,
  end: string,
  cellText: (index: number, cell: string | null) => string,
): FocusText['row'] => {
  const cells: (string | null | undefined)[] = new Array(width).fill(undefined)
  const texts: string[] = new Array(width).fill('')
  return (row) => {
    let line = ''
    for (let index = 0; index < width; index += 1) {
      const cell = row[index] ?? null
      if (cell !== cells[index]) {
        cells[index] = cell
        texts[index] = cellText(index, cell)
      }
      line += texts[index]
    }
    return line + end
  }
}
