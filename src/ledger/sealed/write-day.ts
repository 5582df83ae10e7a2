import { createHash, hash } from 'node:crypto'
import {
  BIGINT,
  BOOLEAN,
  DECIMAL,
  DuckDBDataChunk,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  STRUCT,
  VARCHAR,
} from '@duckdb/node-api'
import { OctroiError } from '../../errors.ts'
import type { Picos } from '../../money/money.ts'
import { nameParts } from '../names.ts'
import { type Day, formatDay, type Seal } from '../seal.ts'
import {
  chargesType,
  type FileCharge,
  type FileColumn,
  type FileHold,
  type FileRow,
  type FileValue,
  fileTypes,
  holdsType,
  rowText,
} from './day-columns.ts'
import type { DaySource, SourceRow } from './day-source.ts'
import { type Duck, quoted, withDuck } from './duck.ts'

/** What was written of a day. */
export type Written = Pick<Seal, 'calls' | 'entries' | 'charges' | 'sums' | 'content'>

/** Writes a day to the file `path`, and reads it back: each of its rows is what was read of the entries. */
export const writeDay = (
  source: DaySource,
  {
    path,
    spill,
    day,
    last,
  }: { readonly path: string; readonly spill: string; readonly day: Day; readonly last: number },
): Promise<Written> =>
  withDuck({ spill, memoryMb: 400, threads: 2 }, async (duck) => {
    const { columns } = source
    await createDay(duck, columns)
    const written = await stage(duck, source, { day, last })
    await writeTable(duck, { table: 'day', path, columns, day, entries: written.entries })
    return written
  })

/** Makes the table `day`, with the columns of a file. */
export const createDay = (duck: Duck, columns: readonly FileColumn[]): Promise<void> => {
  const types = columns.map(({ name, type }) => `"${name}" ${fileTypes[type]}`)
  return duck.run(`CREATE TABLE day (${types.join(', ')}, charges ${chargesType}, holds ${holdsType})`)
}

/** Writes a table to a file and reads it back, row by row. */
export const writeTable = async (
  duck: Duck,
  asked: {
    readonly table: string
    readonly path: string
    readonly columns: readonly FileColumn[]
    readonly day: Day
    readonly entries: number
  },
): Promise<void> => {
  const { table, path, columns, day, entries } = asked
  await duck.run(
    `COPY ${table} TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION v2)`,
  )
  const names = [...columns.map(({ name }) => name), 'charges', 'holds']
  const differs = names.map((name) => `d."${name}" IS DISTINCT FROM f."${name}"`).join(' OR ')
  const [said] = await duck.rows(
    `SELECT count(*) AS rows, count(*) FILTER (${differs}) AS others FROM ${table} d POSITIONAL JOIN read_parquet(${quoted(path)}) f`,
  )
  if (said?.['rows'] === BigInt(entries) && said['others'] === 0n) return
  throw new OctroiError('internal', `The file of ${formatDay(day)} does not say what the ledger has.`)
}

const rowsPerChunk = 2_048

/** Brings the rows of a day into the table `day`, and counts them. */
export const stage = async (
  duck: Duck,
  source: DaySource,
  asked: { readonly day: Day; readonly last: number },
): Promise<Written> => {
  const content = createHash('sha256')
  const sums = new Map<string, Picos>()
  let [calls, entries, charges] = [0, 0, 0]
  const place = source.columns.findIndex(({ name }) => name === 'service_name')
  const add = await duck.adder('day')
  let rows: SourceRow[] = []
  const flush = (): void => {
    if (rows.length > 0) add.chunk(chunkOf(source.columns, rows))
    rows = []
  }
  for (const row of source.rows(asked)) {
    content.update(hashOfRow(source.columns, row))
    entries += 1
    charges += row.charges.length
    if (row.kind === 'reserved') calls += 1
    if (row.charges.length > 0) {
      const service = row.values[place]
      const currency = String(nameParts(typeof service === 'string' ? service : null)[3])
      const sum = row.charges.reduce((sum, { amount }) => sum + amount, 0n)
      sums.set(currency, (sums.get(currency) ?? 0n) + sum)
    }
    rows.push(row)
    if (rows.length === rowsPerChunk) flush()
  }
  flush()
  add.end()
  return { calls, entries, charges, sums: Object.fromEntries(sums), content: content.digest('hex') }
}

/** The SHA-256 of what a row says, in hexadecimal digits. */
export const hashOfRow = (columns: readonly FileColumn[], row: FileRow): string =>
  hash('sha256', rowText(columns, row))

const amountType = DECIMAL(38, 12)
const holdAmountType = DECIMAL(38, 0)
const columnTypes: Readonly<Record<FileColumn['type'], DuckDBType>> = {
  text: VARCHAR,
  integer: BIGINT,
  amount: amountType,
  boolean: BOOLEAN,
}
const chargeList = LIST(
  STRUCT({
    price_name: VARCHAR,
    meter: VARCHAR,
    units: BIGINT,
    fraction: VARCHAR,
    amount: amountType,
    exact: VARCHAR,
  }),
)
const holdList = LIST(STRUCT({ limit_name: VARCHAR, window_start: BIGINT, amount: holdAmountType }))

const chunkOf = (columns: readonly FileColumn[], rows: readonly FileRow[]): DuckDBDataChunk => {
  const types = [...columns.map(({ type }) => columnTypes[type]), chargeList, holdList]
  const chunk = DuckDBDataChunk.create(types, rows.length)
  for (const [index, { type }] of columns.entries()) {
    chunk.setColumnValues(
      index,
      type === 'amount'
        ? rows.map(({ values }) => amountValue(values[index]))
        : rows.map(({ values }) => values[index] ?? null),
    )
  }
  chunk.setColumnValues(
    columns.length,
    rows.map(({ charges }) => new DuckDBListValue(charges.map(chargeStruct))),
  )
  chunk.setColumnValues(
    columns.length + 1,
    rows.map(({ holds }) => new DuckDBListValue(holds.map(holdStruct))),
  )
  return chunk
}

const chargeStruct = ({ price_name, meter, units, fraction, amount, exact }: FileCharge): DuckDBStructValue =>
  new DuckDBStructValue({ price_name, meter, units, fraction, amount: decimal(amount), exact })

const holdStruct = ({ limit_name, window_start, amount }: FileHold): DuckDBStructValue =>
  new DuckDBStructValue({ limit_name, window_start, amount: new DuckDBDecimalValue(amount, 38, 0) })

const amountValue = (value: FileValue | undefined): DuckDBValue =>
  typeof value === 'bigint' ? decimal(value) : null

const decimal = (amount: Picos): DuckDBDecimalValue => new DuckDBDecimalValue(amount, 38, 12)
