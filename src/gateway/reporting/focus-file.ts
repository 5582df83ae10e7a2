import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CsvError, parse } from 'csv-parse'
import { OctroiError } from '../../errors.ts'
import { openDuck, quoted } from '../../ledger/sealed/duck.ts'
import { createFocusChecker, type FocusCheck, type FocusChecker } from '../../reports/focus/check.ts'
import type { FocusVersion } from '../../reports/focus/columns.ts'
import { jsonLineCells } from '../../reports/focus/json-line.ts'

/** What a file is checked against. */
export type FileAsked = { readonly version: FocusVersion; readonly features: readonly string[] }

/** How a file is written, by the end of its name. */
export const focusFormats = { csv: '.csv', jsonl: '.jsonl', parquet: '.parquet' } as const

export type FocusFormat = keyof typeof focusFormats

/** The format of a file. Throws `bad_input` for a name with another end. */
export const focusFormatOf = (file: string): FocusFormat => {
  const format = (Object.keys(focusFormats) as FocusFormat[]).find((each) =>
    file.toLowerCase().endsWith(focusFormats[each]),
  )
  if (format !== undefined) return format
  throw new OctroiError('bad_input', `"${file}" ends in none of ${Object.values(focusFormats).join(', ')}.`)
}

/** Checks a file of any size, a row at a time. Throws `bad_input` where it cannot be read as what its name says. */
export const checkFocusFile = async (file: string, asked: FileAsked): Promise<FocusCheck> => {
  const format = focusFormatOf(file)
  if (!existsSync(file)) throw new OctroiError('bad_input', `There is no file "${file}".`)
  const checker = await checks[format](file, asked)
  if (checker !== null) return checker.result()
  throw new OctroiError('bad_input', `"${file}" is empty: it names no columns.`)
}

type Check = (file: string, asked: FileAsked) => Promise<FocusChecker | null>

const checkCsv: Check = async (file, asked) => {
  const source = createReadStream(file)
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 1_048_576,
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  let checker: FocusChecker | null = null
  let width = 0
  try {
    for await (const record of parser as AsyncIterable<(string | null)[]>) {
      if (checker === null) {
        checker = createFocusChecker(
          record.map((name) => name ?? ''),
          asked,
        )
        width = record.length
      } else if (record.length === width) checker.row(record)
      else checker.misshapen(`has ${record.length} fields, and the file ${width} columns`)
    }
  } catch (error) {
    if (error instanceof CsvError) throw new OctroiError('bad_input', `"${file}" is no CSV: ${error.message}`)
    throw error
  }
  return checker
}

const checkJsonLines: Check = async (file, asked) => {
  let checker: FocusChecker | null = null
  let columns: readonly string[] = []
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line.trim() === '') continue
    const cells = jsonLineCells(line)
    if (checker === null) {
      if (cells === null)
        throw new OctroiError('bad_input', `"${file}" is no JSON Lines: its first line is no object.`)
      columns = cells.map(([name]) => name)
      checker = createFocusChecker(columns, asked)
    }
    if (cells === null) checker.misshapen('is no JSON object')
    else {
      const odd = cells.length !== columns.length || cells.some(([name], index) => name !== columns[index])
      if (odd) checker.misshapen('has other columns than the first row, or in another order')
      else checker.row(cells.map(([, cell]) => cell))
    }
  }
  return checker
}

const checkParquet: Check = async (file, asked) => {
  const duck = await openDuck({})
  try {
    const described = await duck.rows(`DESCRIBE SELECT * FROM read_parquet(${quoted(file)})`)
    const columns = described.map((row) => ({
      name: String(row['column_name']),
      type: String(row['column_type']),
    }))
    const checker = createFocusChecker(
      columns.map(({ name }) => name),
      asked,
    )
    const cells = columns.map(({ name, type }) => cellOf(`"${name.replaceAll('"', '""')}"`, type))
    for await (const texts of duck.texts(
      `SELECT to_json([${cells.join(', ')}]) FROM read_parquet(${quoted(file)})`,
    )) {
      for (const text of texts) checker.row(JSON.parse(text) as (string | null)[])
    }
    return checker
  } catch (error) {
    if (error instanceof OctroiError) throw error
    throw new OctroiError('bad_input', `"${file}" is no Parquet: ${String(error).slice(0, 200)}`)
  } finally {
    duck.close()
  }
}

/** A cell as text: what is a point in time as FOCUS writes it, what is nested as JSON. */
const cellOf = (column: string, type: string): string => {
  if (type.startsWith('TIMESTAMP'))
    return `strftime(make_timestamp(epoch_us(${column})), '%Y-%m-%dT%H:%M:%SZ')`
  if (/^(STRUCT|MAP)|\[\]$/.test(type)) return `to_json(${column})::VARCHAR`
  return `${column}::VARCHAR`
}

const checks: Readonly<Record<FocusFormat, Check>> = {
  csv: checkCsv,
  jsonl: checkJsonLines,
  parquet: checkParquet,
}
