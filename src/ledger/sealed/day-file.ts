import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBValue } from '@duckdb/node-api'
import { OctroiError } from '../../errors.ts'
import { number, text } from '../columns.ts'
import type { Row, SqlValue } from '../database.ts'
import type { EntryLine } from '../lines.ts'
import { type EntryColumn, formatDay, type KeptSeal } from '../seal.ts'
import { entryColumn } from './day-columns.ts'
import { columnsOf } from './day-hashes.ts'
import { type Duck, quoted } from './duck.ts'

/** The entries of one call, or one entry that is of no call. */
export type LineGroup = readonly [EntryLine, ...EntryLine[]]

/** The path of a sealed day. Throws `ledger_unavailable` where its file was given up or is not there. */
export const pathOf = (folder: string, { file, day, droppedAt }: KeptSeal): string => {
  const path = join(folder, file)
  if (droppedAt === null && existsSync(path)) return path
  throw new OctroiError(
    'ledger_unavailable',
    droppedAt !== null
      ? `The sealed file of ${formatDay(day)} was given up. Only sums of that day are left.`
      : `The sealed file "${path}" is not there. Bring it back, or name its folder with --sealed.`,
    { cause: 'SEALED' },
  )
}

/** Reads a sealed day call by call, some thousand rows at a time. A file of an older version lacks columns; they are
 * null. `only` is a condition on its rows. */
export async function* readDay(
  duck: Duck,
  path: string,
  columns: readonly EntryColumn[],
  only = 'true',
): AsyncGenerator<readonly LineGroup[]> {
  const has = await columnsOf(duck, path)
  const there = columns.map(entryColumn).filter(({ name }) => has.has(name))
  const select = [...there, { name: 'charges' }, { name: 'holds' }].map(({ name }) => `"${name}"`)
  const names = new Map(there.map(({ name }, index) => [name, index]))
  let last: [EntryLine, ...EntryLine[]] | null = null
  for await (const page of duck.columns(
    `SELECT ${select.join(', ')} FROM read_parquet(${quoted(path)}) WHERE ${only}`,
  )) {
    const groups: LineGroup[] = []
    for (let row = 0; row < (page[0]?.length ?? 0); row += 1) {
      const line = lineAt(page, names, row)
      if (last?.[0].call_id === line.call_id && isOfCall(line)) last.push(line)
      else {
        if (last !== null) groups.push(last)
        last = [line]
      }
    }
    yield groups
  }
  if (last !== null) yield [last]
}

const lineAt = (
  page: readonly (readonly DuckDBValue[])[],
  names: ReadonlyMap<string, number>,
  row: number,
): EntryLine => {
  const values: Record<string, SqlValue> = {}
  for (const [name, index] of names) values[name] = sqlValue(page[index]?.[row])
  const charges = structs(page[names.size]?.[row]).map(({ units = null, fraction = null, ...charge }) => ({
    ...charge,
    quantity: fraction ?? (units === null ? null : `${units}`),
  }))
  const said: Omit<EntryLine, keyof Row> = {
    sequence: number(values['sequence']),
    kind: text(values['kind']) as EntryLine['kind'],
    call_id: text(values['call_id']),
    charges,
    holds: structs(page[names.size + 1]?.[row]),
  }
  return { ...values, ...said } as unknown as EntryLine
}

/** Values of DuckDB are told apart by what they have: to load its classes takes time that most commands do not need. */
const structs = (value: DuckDBValue | undefined): readonly Row[] => {
  if (!isObject(value) || !('items' in value)) throw unreadable(value)
  return value.items.map((item) => {
    if (!isObject(item) || !('entries' in item) || Array.isArray(item.entries)) throw unreadable(item)
    return Object.fromEntries(Object.entries(item.entries).map(([name, each]) => [name, sqlValue(each)]))
  })
}

const sqlValue = (value: DuckDBValue | undefined): SqlValue => {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'bigint') return value
  if (isObject(value) && 'scale' in value) return value.value
  throw unreadable(value)
}

const isObject = (value: DuckDBValue | undefined): value is DuckDBValue & object =>
  typeof value === 'object' && value !== null

const unreadable = (value: DuckDBValue | undefined): OctroiError =>
  new OctroiError(
    'ledger_corrupt',
    `A sealed file holds ${String(value).slice(0, 40)}. Run octroi ledger verify.`,
  )

/** The condition on rows of a day's file that are of calls. */
export const isOfCallSql = "kind NOT IN ('accrued', 'imported')"

const isOfCall = ({ kind }: EntryLine): boolean => kind !== 'accrued' && kind !== 'imported'
