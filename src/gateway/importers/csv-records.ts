import { CsvError, parse } from 'csv-parse/sync'
import { unusable } from './line.ts'

/** A record, and the line of the file on which it ends, from 1. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] }

/** Splits a CSV, piece by piece, into its records. Records whose fields are plain, or in quotes from end to end, are
 * split where they stand; any other is handed to the parser, which says what is wrong with it. Empty lines are passed
 * over. `push` and `end` throw `bad_input` that names the line. */
export const createRecords = ({
  delimiter,
  bytesMax,
  place,
}: {
  readonly delimiter: string
  readonly bytesMax: number
  readonly place: (line: number) => string
}) => {
  let [rest, line] = ['', 0]
  const split = (text: string, isEnd: boolean): readonly CsvRecord[] => {
    const found: { line: number; fields: readonly string[] }[] = []
    const quoted: { readonly at: number; readonly line: number; readonly text: string }[] = []
    let [begin, from, open, lines] = [0, 0, false, 0]
    let quote = text.indexOf('"')
    for (let end = text.indexOf('\n'); ; end = text.indexOf('\n', from)) {
      const isLast = end === -1
      if (isLast && !isEnd) break
      const until = isLast ? text.length : end
      for (; quote !== -1 && quote < until; quote = text.indexOf('"', quote + 1)) open = !open
      from = until + 1
      lines += 1
      if (open) {
        if (isLast) throw unusable(place(line + 1), 'it is no CSV: a quote is opened here, and never closed.')
        continue
      }
      line += lines
      lines = 0
      const record = text.slice(begin, text.charCodeAt(until - 1) === returnCode ? until - 1 : until)
      begin = from
      if (record.includes('"')) {
        const fields = fieldsOf(record, delimiter)
        if (fields === null) quoted.push({ at: found.length, line, text: record })
        found.push({ line, fields: fields ?? [] })
      } else if (record !== '') found.push({ line, fields: record.split(delimiter) })
      if (isLast) break
    }
    rest = isEnd ? '' : text.slice(begin)
    if (rest.length > bytesMax) {
      throw unusable(
        place(line + 1),
        'the record that begins here does not end. Is a quote opened, and not closed?',
      )
    }
    for (const [index, fields] of unquoted(quoted).entries()) {
      const record = found[quoted[index]?.at ?? -1]
      if (record !== undefined) record.fields = fields
    }
    return found
  }
  const unquoted = (
    quoted: readonly { readonly line: number; readonly text: string }[],
  ): readonly string[][] => {
    if (quoted.length === 0) return []
    try {
      return parse(quoted.map(({ text }) => text).join('\n'), {
        delimiter,
        record_delimiter: '\n',
        relax_column_count: true,
      })
    } catch (error) {
      if (!(error instanceof CsvError)) throw error
      const at = quoted[Number(error['records'] ?? 0)]
      throw unusable(place(at?.line ?? line), `it is no CSV: ${error.message.slice(0, 200)}`)
    }
  }
  return {
    push: (text: string): readonly CsvRecord[] => split(rest + text, false),
    end: (): readonly CsvRecord[] => (rest === '' ? [] : split(rest, true)),
  }
}

/** The fields of a record as RFC 4180 has them; null where a quote stands elsewhere than around a field or doubled in
 * one. */
const fieldsOf = (record: string, delimiter: string): readonly string[] | null => {
  const fields: string[] = []
  for (let at = 0; ; at += delimiter.length) {
    const isQuoted = record.charCodeAt(at) === quoteCode
    const end = isQuoted ? closingQuote(record, at + 1) : record.indexOf(delimiter, at)
    if (isQuoted && end === -1) return null
    const field = record.slice(isQuoted ? at + 1 : at, end === -1 ? record.length : end)
    if (isQuoted) fields.push(field.replaceAll('""', '"'))
    else if (field.includes('"')) return null
    else fields.push(field)
    at = isQuoted ? end + 1 : end === -1 ? record.length : end
    if (at === record.length) return fields
    if (!record.startsWith(delimiter, at)) return null
  }
}

/** The quote that ends a field, which is no doubled one; -1 where there is none. */
const closingQuote = (record: string, from: number): number => {
  let at = record.indexOf('"', from)
  while (at !== -1 && record.charCodeAt(at + 1) === quoteCode) at = record.indexOf('"', at + 2)
  return at
}

const quoteCode = 0x22
const returnCode = 0x0d
