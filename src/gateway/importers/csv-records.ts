import { CsvError, parse } from 'csv-parse/sync'
import { unusable } from './line.ts'

/** A record, and the line of the file on which it ends, from 1. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] }

/** Splits a CSV, piece by piece, into its records. Lines without quotes are split where they stand; those with quotes,
 * which may have separators and line ends in their fields, are handed to the parser together. Empty lines are passed
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
        quoted.push({ at: found.length, line, text: record })
        found.push({ line, fields: [] })
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

const returnCode = 0x0d
