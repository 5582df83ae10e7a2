import type { FocusVersion } from './columns.ts'
import { columnFacts, isFocusColumn } from './columns.ts'
import { changingColumns, exportedColumns, type FocusRow } from './layout.ts'

/** Writes an export as text. */
export type FocusText = {
  /** What stands before the rows. */
  readonly head: string
  /** A row with the end of its line. Rows of one `series` differ in the columns that change, and in no other. */
  readonly row: (row: FocusRow, series?: object) => string
}

/** RFC 4180: lines end in CRLF, and null is an empty field without quotes; an empty text has them. */
export const csvText = (version: FocusVersion): FocusText => {
  const columns = exportedColumns(version)
  return {
    head: `${columns.join(',')}\r\n`,
    row: rowText({
      columns,
      end: '\r\n',
      before: (index) => (index === 0 ? '' : ','),
      fixed: (_, cell) => csvField(cell),
      changing: csvField,
    }),
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
  const isJson = columns.map((column) => {
    const kind = isFocusColumn(column) ? columnFacts(column).kind : 'text'
    return kind === 'json' || kind === 'key-value'
  })
  return {
    head: '',
    row: rowText({
      columns,
      end: '}\n',
      before: (index) => `${index === 0 ? '{' : ','}${JSON.stringify(columns[index])}:`,
      fixed: (index, cell) => (cell !== null && isJson[index] === true ? cell : jsonText(cell)),
      changing: jsonText,
    }),
  }
}

/** Decimals and instants are texts of ASCII, which stand between quotes as they are. */
const jsonText = (cell: string | null): string => {
  if (cell === null) return 'null'
  for (let at = 0; at < cell.length; at += 1) {
    const code = cell.charCodeAt(at)
    if (code < firstPlain || code > lastPlain || code === quote || code === backslash)
      return JSON.stringify(cell)
  }
  return `"${cell}"`
}

const [firstPlain, lastPlain, quote, backslash] = [0x20, 0x7e, 0x22, 0x5c]

/** How rows are written. `before`: what stands before a cell; `end`: what stands after a row; `fixed` and `changing`: the
 * text of a cell of a column that is the same for all rows of a series, and of one that is not. */
type Writing = {
  readonly columns: readonly string[]
  readonly end: string
  readonly before: (index: number) => string
  readonly fixed: (index: number, cell: string | null) => string
  readonly changing: (cell: string | null) => string
}

/** Writes rows. What the rows of a series have in common is written once, and kept. */
const rowText = ({ columns, end, before, fixed, changing }: Writing): FocusText['row'] => {
  const isChanging = columns.map((column) => changingColumns.some((each) => each === column))
  const places = isChanging.flatMap((is, index) => (is ? [index] : []))
  /** The texts before, between and after the cells that change. */
  const betweenOf = (row: FocusRow): readonly string[] => {
    const texts = isChanging.map((is, index) =>
      is ? before(index) : before(index) + fixed(index, row[index] ?? null),
    )
    return [...places, columns.length].map((place, nth) => {
      const text = texts.slice((places[nth - 1] ?? -1) + 1, place + 1).join('')
      return place === columns.length ? text + end : text
    })
  }
  const kept = new Map<object, readonly string[]>()
  const knownBetween = (row: FocusRow, series: object | undefined): readonly string[] => {
    const known = series === undefined ? undefined : kept.get(series)
    if (known !== undefined) return known
    const made = betweenOf(row)
    if (series === undefined) return made
    if (kept.size >= keptMax) kept.clear()
    kept.set(series, made)
    return made
  }
  return (row, series) => {
    const between = knownBetween(row, series)
    let [line, cell, text] = ['', null as string | null, changing(null)]
    for (let nth = 0; nth < places.length; nth += 1) {
      const next = row[places[nth] ?? 0] ?? null
      // Costs of a row are often one text.
      if (next !== cell) [cell, text] = [next, changing(next)]
      line += between[nth]
      line += text
    }
    return line + between[places.length]
  }
}

/** Series whose common texts are kept: a kilobyte each. */
const keptMax = 20_000
