import { number, text, textOrNull } from './columns.ts'
import type { Connection } from './database.ts'
import type { SealedSums, SumsName } from './sealed-sums.ts'

const sealedSums = (connection: Connection): readonly SealedSums[] =>
  connection.all('SELECT * FROM sealed_sums ORDER BY day, days, name').map((row) => ({
    name: text(row['name']) as SumsName,
    day: number(row['day']),
    days: number(row['days']),
    madeOf: text(row['made_of']),
    file: textOrNull(row['file']),
    sha256: textOrNull(row['sha256']),
    bytes: number(row['bytes']),
    rows: number(row['rows']),
    parts: JSON.parse(text(row['parts'])),
    without: JSON.parse(text(row['without'])),
    hasMeters: number(row['has_meters']) === 1,
  }))

const recordSums = (connection: Connection, sums: readonly SealedSums[]): null => {
  for (const { name, day, days, madeOf, file, sha256, bytes, rows, parts, without, hasMeters } of sums) {
    connection.run(
      'INSERT OR REPLACE INTO sealed_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[name, day, days, madeOf, file, sha256, bytes, rows],
      ...[JSON.stringify(parts), JSON.stringify(without), hasMeters ? 1 : 0],
    )
  }
  return null
}

const forgetSums = (
  connection: Connection,
  sums: readonly Pick<SealedSums, 'name' | 'day' | 'days'>[],
): null => {
  for (const { name, day, days } of sums) {
    connection.run('DELETE FROM sealed_sums WHERE name = ? AND day = ? AND days = ?', name, day, days)
  }
  return null
}

/** The verbs of sums of sealed days, for the database's thread. */
export const sealedSumsVerbs = { sealedSums, recordSums, forgetSums }
