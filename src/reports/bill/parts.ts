import type { ReceiptQuery } from '../spend-query.ts'
import { type Html, html, raw } from './html.ts'
import type { Words } from './words.ts'

/** What the parts of a bill are written with. */
export type Page = {
  readonly words: Words
  /** The command that opens a receipt, but for its period and choice: `octroi report receipt --ledger FILE`. */
  readonly receiptCommand: string
  /** A name that stands nowhere else in the page. */
  readonly id: () => string
}

/** A column of a table in a page. `wide`: it holds a drawing. */
export type PageColumn<Row> = {
  readonly title: string
  readonly cell: (row: Row) => Html | string
  readonly align?: 'left'
  readonly kind?: 'wide'
}

/** A table with a caption, which stands above it as a heading already, and with scopes. It scrolls by itself where it is too wide. The first column names the row; the others come in the
 * order in which they matter, since a small screen shows only the first of them at once. */
export const table = <Row>({
  caption,
  columns,
  rows,
  foot = [],
}: {
  readonly caption: string
  readonly columns: readonly PageColumn<Row>[]
  readonly rows: readonly Row[]
  readonly foot?: readonly Row[]
}): Html => {
  const line = (row: Row): Html =>
    html`<tr>${columns.map((column, index) =>
      index === 0
        ? html`<th scope="row"${classes(column)}>${column.cell(row)}</th>`
        : html`<td${classes(column)}>${column.cell(row)}</td>`,
    )}</tr>`
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption class="hidden">${caption}</caption><thead><tr>${columns.map(
    (column) => html`<th scope="col"${classes(column)}>${column.title}</th>`,
  )}</tr></thead><tbody>${rows.map(line)}</tbody>${
    foot.length === 0 ? null : html`<tfoot>${foot.map(line)}</tfoot>`
  }</table></div>`
}

const classes = ({ align, kind }: PageColumn<never>): Html => {
  const names = [align, kind].filter((name) => name !== undefined)
  return raw(names.length === 0 ? '' : ` class="${names.join(' ')}"`)
}

/** A drawing with its number beside it. */
export const beside = (drawn: Html, text: string): Html =>
  html`<span class="beside">${drawn}<span>${text}</span></span>`

/** A heading of a level. */
export const heading = (level: 2 | 3 | 4, text: string): Html => html`<h${level}>${text}</h${level}>`

/** A name from outside: it keeps its direction to itself. */
export const named = (text: string): Html => html`<bdi>${text}</bdi>`

/** The command that opens the receipt of an amount, behind a word. `of`: what it is of, for those who listen. */
export const receiptOf = ({ words, receiptCommand }: Page, query: ReceiptQuery, of: string): Html =>
  html`<details class="receipt"><summary>${words.receipt}<span class="hidden"> ${of}</span></summary><code>${commandOf(receiptCommand, query)}</code></details>`

const commandOf = (command: string, { from, to, zone, where = '' }: ReceiptQuery): string =>
  [
    command,
    ...(from === undefined ? [] : ['--from', from]),
    ...(to === undefined ? [] : ['--to', to]),
    ...(zone === undefined ? [] : ['--zone', zone]),
    ...(where === '' ? [] : ['--where', quoted(where)]),
  ].join(' ')

/** A word of a command line, as a shell of Unix reads it. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
