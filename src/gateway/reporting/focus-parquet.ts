import { rm } from 'node:fs/promises'
import { openDuck, quoted } from '../../ledger/sealed/duck.ts'
import { columnFacts, type FocusVersion, isFocusColumn } from '../../reports/focus/columns.ts'
import { type ExportedColumn, exportedColumns } from '../../reports/focus/layout.ts'

/** Turns an export in CSV into a Parquet file: costs are DECIMAL(38,12), quantities and unit prices DECIMAL(38,18),
 * instants timestamps in UTC, counts whole numbers; JSON columns are texts. */
export const parquetOfCsv = async (
  { csv, parquet }: { readonly csv: string; readonly parquet: string },
  version: FocusVersion,
): Promise<void> => {
  const columns = exportedColumns(version)
  const types = columns.map((column) => {
    const type = typeOf(column)
    return `${quoted(column)}: ${quoted(isDecimal(type) ? 'VARCHAR' : type)}`
  })
  const spill = `${csv}.spill`
  const duck = await openDuck({ spill, memoryMb: 256 })
  try {
    await duck.run(
      `COPY (SELECT ${columns.map(cellOf).join(', ')} FROM read_csv(${quoted(csv)}, header = true,
        auto_detect = false, delim = ',', quote = '"', escape = '"', new_line = '\\r\\n',
        allow_quoted_nulls = false, columns = {${types.join(', ')}}))
       TO ${quoted(parquet)} (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 30720)`,
    )
  } finally {
    duck.close()
    await rm(spill, { force: true, recursive: true })
  }
}

const isDecimal = (type: string): boolean => type.startsWith('DECIMAL')

/** DuckDB reads a decimal of 38 digits ten times as slowly as one of 18 (1.5.5), and few amounts have more. */
const cellOf = (column: ExportedColumn): string => {
  const type = typeOf(column)
  if (!isDecimal(type)) return `"${column}"`
  const isShort = `instr("${column}", '.') <= 7 AND length("${column}") - instr("${column}", '.') <= 12`
  return `CASE WHEN ${isShort} THEN "${column}"::DECIMAL(18,12)::${type} ELSE "${column}"::${type} END AS "${column}"`
}

const typeOf = (column: ExportedColumn): string => {
  if (column === 'x_CallCount' || column === 'x_ChargeCount') return 'BIGINT'
  const kind = isFocusColumn(column) ? columnFacts(column).kind : 'text'
  if (kind === 'instant') return 'TIMESTAMPTZ'
  if (kind === 'price') return 'DECIMAL(38,18)'
  if (kind !== 'decimal') return 'VARCHAR'
  return column.endsWith('Quantity') ? 'DECIMAL(38,18)' : 'DECIMAL(38,12)'
}
