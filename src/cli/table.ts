import Table from 'cli-table3'

/** A column of a table for people. Numbers stand to the right. */
export type Column = { readonly title: string; readonly align?: 'left' | 'right' }

type Cells = readonly string[]

/** Lays rows out in columns without borders, two spaces apart, each line ending in a line feed.
 * `totals` are rows set below a rule. Control characters in cells, which could drive a terminal, are shown
 * as a replacement character. */
export const formatTable = (
  columns: readonly Column[],
  rows: readonly Cells[],
  options: { readonly color: boolean; readonly totals?: readonly Cells[] },
): string => {
  const totals = options.totals ?? []
  const [header = '', ...body] = layOut(columns, [...rows, ...totals])
  if (totals.length > 0) body.splice(rows.length, 0, '-'.repeat(header.length))
  const title = header.trimEnd()
  const lines = [options.color ? `\u001b[1m${title}\u001b[22m` : title, ...body]
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((end) => [side + end, '']),
  ),
)

/** The lines, the header first, all of one width. */
const layOut = (columns: readonly Column[], rows: readonly Cells[]): readonly string[] => {
  const table = new Table({
    head: columns.map((column) => harmless(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: { ...noBorders, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map(harmless))
  return table.toString().split('\n')
}

/** A text without what could drive a terminal. */
export const harmless = (text: string): string => text.replace(/\p{Cc}/gu, '\uFFFD')
