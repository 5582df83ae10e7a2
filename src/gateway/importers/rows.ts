import { StringDecoder } from 'node:string_decoder'
import { OctroiError } from '../../errors.ts'
import { type CsvRecord, createRecords } from './csv-records.ts'
import { unusable } from './line.ts'
import { parseExact } from './raw-json.ts'

/** One row of a file. `value` is empty for a column that is not there. */
export type ImportRow = {
  /** The line of the file on which it ends, from 1. */
  readonly line: number
  readonly value: (column: number) => string
  /** All of it, to tell rows that are the same. */
  readonly text: () => string
}

/** How a file of rows is read: `open` is told the columns there are, and gives the reader of a row. */
export type RowsOf<Out> = (
  columns: readonly string[],
  place: (line: number, column?: string) => string,
) => (row: ImportRow) => Out

/** What the operator says of a file. */
export type RowsOptions = {
  readonly file: string
  /** Detected unless said. */
  readonly separator?: string
}

/** Rows that are handed on at once. */
const batchRows = 1_000
const rowBytesMax = 1_048_576

/** Reads a file of rows, at constant memory: CSV with a separator of `,` `;` tab or `|`, a byte order mark or none; a
 * JSON object a line; or a JSON array of objects. Throws `bad_input` that names file, line and column. */
export async function* readRows<Out>(
  source: AsyncIterable<Uint8Array | string>,
  { file, separator }: RowsOptions,
  open: RowsOf<Out>,
): AsyncGenerator<readonly Out[]> {
  const texts = decoded(source)
  const first = await firstOf(texts)
  const place = (line: number, column?: string): string =>
    `${file}, line ${line}${column === undefined ? '' : `, column "${column}"`}`
  if (first.trimStart() === '') throw unusable(file, 'the file is empty.')
  const start = first.trimStart()[0]
  if (start === '{' || start === '[') {
    yield* readObjects(withFirst(first, texts), { file, isArray: start === '[' }, open, place)
    return
  }
  yield* readCsv(withFirst(first, texts), separator ?? separatorOf(first, file), open, { file, place })
}

async function* readCsv<Out>(
  texts: AsyncIterable<string>,
  delimiter: string,
  open: RowsOf<Out>,
  { file, place }: { file: string; place: (line: number, column?: string) => string },
): AsyncGenerator<readonly Out[]> {
  const records = createRecords({ delimiter, bytesMax: rowBytesMax, place })
  let read: ((row: ImportRow) => Out) | null = null
  let columns: readonly string[] = []
  const take = (found: readonly CsvRecord[]): Out[] => {
    const outs: Out[] = []
    for (const { line, fields } of found) {
      if (read === null) {
        columns = fields.map((name) => name.trim())
        checkColumns(columns, file)
        read = open(columns, place)
        continue
      }
      if (fields.length !== columns.length) {
        throw unusable(
          place(line),
          `it has ${fields.length} fields, and the first line names ${columns.length} columns. Is the separator "${delimiter}"?`,
        )
      }
      outs.push(read({ line, value: (column) => fields[column] ?? '', text: () => fields.join('\u001f') }))
    }
    return outs
  }
  for await (const text of texts) yield take(records.push(text))
  yield take(records.end())
}

const checkColumns = (columns: readonly string[], file: string): void => {
  const seen = new Set<string>()
  for (const name of columns) {
    if (seen.has(name) && name !== '')
      throw unusable(`${file}, line 1`, `the column "${name}" is there twice.`)
    seen.add(name)
  }
}

const separators = [',', ';', '\t', '|']

/** The separator of which the first line has most, outside quotes. */
const separatorOf = (text: string, file: string): string => {
  const header = (text.split(/\r?\n/, 1)[0] ?? '').replace(/"[^"]*"/g, '')
  const counts = separators.map((each) => [each, header.split(each).length - 1] as const)
  const [first, second] = counts.toSorted((a, b) => b[1] - a[1])
  if (first !== undefined && first[1] > 0 && first[1] !== second?.[1]) return first[0]
  throw unusable(
    `${file}, line 1`,
    'no separator (comma, semicolon, tab or bar) is found there more often than the others. Say which it is with --separator.',
  )
}

async function* readObjects<Out>(
  texts: AsyncIterable<string>,
  { file, isArray }: { file: string; isArray: boolean },
  open: RowsOf<Out>,
  place: (line: number, column?: string) => string,
): AsyncGenerator<readonly Out[]> {
  let outs: Out[] = []
  const columns: string[] = []
  const index = new Map<string, number>()
  let reader: ((row: ImportRow) => Out) | null = null
  const read = (object: unknown, line: number): Out => {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw unusable(place(line), 'a JSON object was expected.')
    }
    const record = object as Readonly<Record<string, unknown>>
    // Columns of later objects that the first one lacks are of no importer's need: those are asked for by name.
    if (reader === null) {
      for (const name of Object.keys(record)) {
        index.set(name, columns.length)
        columns.push(name)
      }
      reader = open(columns, place)
    }
    return reader({
      line,
      value: (column) => written(record[columns[column] ?? '']),
      text: () => JSON.stringify(record),
    })
  }
  if (isArray) {
    let text = ''
    for await (const more of texts) {
      text += more
      if (text.length > arrayCharactersMax) {
        throw unusable(
          file,
          'a JSON array is read as a whole, and this one is too large. Write one object a line.',
        )
      }
    }
    const all = parseExact(text, file)
    if (!Array.isArray(all)) throw unusable(file, 'a JSON array was expected.')
    yield all.map((object, at) => read(object, at + 1))
    return
  }
  for await (const { text, line } of linesOf(texts, file)) {
    if (text.trim() === '') continue
    outs.push(read(parseExact(text, place(line)), line))
    if (outs.length < batchRows) continue
    yield outs
    outs = []
  }
  yield outs
}

const arrayCharactersMax = 256 * 1_048_576

const written = (value: unknown): string =>
  value === undefined || value === null
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)

async function* linesOf(
  texts: AsyncIterable<string>,
  file: string,
): AsyncGenerator<{ readonly text: string; readonly line: number }> {
  let [rest, line] = ['', 0]
  for await (const text of texts) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > rowBytesMax)
      throw unusable(`${file}, line ${line + lines.length + 1}`, 'it is too long.')
    for (const each of lines) {
      line += 1
      yield { text: each, line }
    }
  }
  if (rest !== '') yield { text: rest, line: line + 1 }
}

/** UTF-8, without a byte order mark. */
async function* decoded(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let isFirst = true
  for await (const chunk of source) {
    let text = typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))
    if (text === '') continue
    if (isFirst && text.startsWith('\ufeff')) text = text.slice(1)
    isFirst = false
    yield text
  }
}

/** As much as has the first line in it. */
const firstOf = async (texts: AsyncGenerator<string>): Promise<string> => {
  let text = ''
  while (!text.includes('\n') && text.length <= rowBytesMax) {
    const next = await texts.next()
    if (next.done === true) break
    text += next.value
  }
  return text
}

async function* withFirst(first: string, texts: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first
  yield* texts
}

/** Where each of these columns is, by its names in order of preference. Throws `bad_input` that lists what is missing
 * of the needed ones and what is there. */
export const findColumns = <Name extends string>(
  columns: readonly string[],
  wanted: Readonly<Record<Name, { readonly names: readonly string[]; readonly needed?: true }>>,
  place: string,
): Readonly<Record<Name, number>> => {
  const at = new Map(columns.map((name, index) => [name.toLowerCase(), index]))
  const missing: string[] = []
  const found = Object.entries<{ readonly names: readonly string[]; readonly needed?: true }>(wanted).map(
    ([name, { names, needed }]) => {
      const index = names.map((each) => at.get(each.toLowerCase())).find((each) => each !== undefined)
      if (index === undefined && needed === true) missing.push(`"${names.join('" or "')}"`)
      return [name, index ?? -1] as const
    },
  )
  if (missing.length === 0) return Object.fromEntries(found) as Readonly<Record<Name, number>>
  throw new OctroiError(
    'bad_input',
    `${place}: the column ${missing.join(' and ')} is missing. There are: ${columns.join(', ').slice(0, 500)}.`,
  )
}
