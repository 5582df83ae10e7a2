import { createHash } from 'node:crypto'
import { DuckDBDecimalValue } from '@duckdb/node-api'
import type { FileColumn } from './day-columns.ts'
import { isOfCallSql } from './day-file.ts'
import { columnsOf, fileHashes } from './day-hashes.ts'
import type { DaySource } from './day-source.ts'
import { type Duck, quoted, withDuck } from './duck.ts'
import { createDay, stage, type Written, writeTable } from './write-day.ts'

/** Writes a sealed day anew: what the entries have of it now, and, of calls that they lack, what the file `before` says. */
export const rewriteDay = (
  source: DaySource,
  asked: {
    readonly path: string
    readonly before: string
    readonly spill: string
    readonly day: number
    readonly last: number
  },
): Promise<Written> =>
  withDuck({ spill: asked.spill, memoryMb: 400, threads: 2 }, async (duck) => {
    const { columns } = source
    const { path, before, day, last } = asked
    await createDay(duck, columns)
    await stage(duck, source, { day, last })
    const has = await columnsOf(duck, before)
    const there = [...columns.map(({ name }) => name), 'charges', 'holds'].map((name) =>
      has.has(name) ? `"${name}"` : 'NULL',
    )
    await duck.run(`INSERT INTO day SELECT ${there.join(', ')} FROM read_parquet(${quoted(before)})
      WHERE ${isOfCallSql} AND call_id NOT IN (SELECT call_id FROM day WHERE kind = 'reserved')`)
    await duck.run(`CREATE TABLE ordered AS SELECT * EXCLUDE (first) FROM (
        SELECT *, CASE WHEN ${isOfCallSql} THEN min(sequence) OVER (PARTITION BY ${isOfCallSql}, call_id) END AS first FROM day
      ) ORDER BY first NULLS LAST, sequence`)
    const written = await counted(duck)
    await writeTable(duck, { table: 'ordered', path, columns, day, entries: written.entries })
    return { ...written, content: await contentOf(duck, path, columns) }
  })

const counted = async (duck: Duck): Promise<Omit<Written, 'content'>> => {
  const [row = {}] = await duck.rows(
    `SELECT count(*) AS entries, count(*) FILTER (kind = 'reserved') AS calls,
       coalesce(sum(len(charges)), 0)::BIGINT AS charges FROM ordered`,
  )
  const sums = await duck.rows(
    `SELECT json_extract_string(service_name, '$[3]') AS currency, sum(charge.amount) AS sum
     FROM (SELECT service_name, unnest(charges) AS charge FROM ordered) GROUP BY currency`,
  )
  return {
    calls: Number(row['calls']),
    entries: Number(row['entries']),
    charges: Number(row['charges']),
    sums: Object.fromEntries(
      sums.map(({ currency = null, sum = null }) => [
        String(currency),
        sum instanceof DuckDBDecimalValue ? sum.value : 0n,
      ]),
    ),
  }
}

const contentOf = async (duck: Duck, path: string, columns: readonly FileColumn[]): Promise<string> => {
  const content = createHash('sha256')
  for await (const rows of fileHashes(duck, path, columns)) {
    for (const { hash } of rows) content.update(hash)
  }
  return content.digest('hex')
}
