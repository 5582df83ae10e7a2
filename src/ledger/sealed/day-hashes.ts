import type { FileColumn } from './day-columns.ts'
import { rowTextSql } from './day-columns.ts'
import { type Duck, quoted } from './duck.ts'

/** A row of a day's file: its entry and call, and the SHA-256 of all it says, in hexadecimal digits. */
export type HashedRow = { readonly sequence: bigint; readonly callId: string; readonly hash: string }

/** Reads the rows of a day's file in its order, some thousand at a time. Columns that an older file lacks are null. */
export async function* fileHashes(
  duck: Duck,
  path: string,
  columns: readonly FileColumn[],
): AsyncGenerator<readonly HashedRow[]> {
  const has = await columnsOf(duck, path)
  const select = `SELECT sequence, call_id, sha256(${rowTextSql(columns, has)}) FROM read_parquet(${quoted(path)})`
  for await (const [sequences = [], callIds = [], hashes = []] of duck.columns(select)) {
    yield sequences.map((sequence, index) => ({
      sequence: typeof sequence === 'bigint' ? sequence : -1n,
      callId: String(callIds[index]),
      hash: String(hashes[index]),
    }))
  }
}

/** The names of a file's columns. */
export const columnsOf = async (duck: Duck, path: string): Promise<ReadonlySet<string>> =>
  new Set(
    (await duck.rows(`SELECT name FROM parquet_schema(${quoted(path)})`)).map(({ name }) => String(name)),
  )
