import { DatabaseSync } from 'node:sqlite'

const dayMs = 86_400_000

/** Gives a ledger of repeated days the hours and the rollups of the day that they repeat, each at its own time and as
 * often as its calls were copied. The first were written by the ledger's own verbs. Neither ledger may be open. */
export const repeatHours = (
  { source, target }: { readonly source: string; readonly target: string },
  { day, days, copies }: { readonly day: number; readonly days: number; readonly copies: number },
): void => {
  const database = new DatabaseSync(target)
  try {
    database.exec('PRAGMA synchronous = OFF')
    database.prepare('ATTACH ? AS source').run(source)
    const [row] = database
      .prepare(`SELECT count(*) AS texts FROM source.charge_hours WHERE typeof(quantity) = 'text'`)
      .all()
    if (row?.['texts'] !== 0 && copies !== 1)
      throw new Error('Quantities that are not whole are not multiplied.')
    database.exec('INSERT OR IGNORE INTO names SELECT * FROM source.names')
    for (let index = 1; index <= days; index += 1) {
      database.exec('BEGIN')
      for (const [table, time] of Object.entries(tables)) {
        const shifted = columnsOf(database, table).map((name) => {
          if (name === time) return `${name} + ${index * dayMs}`
          const units = name.replace(/picos$/, 'units')
          const picos = name.replace(/units$/, 'picos')
          if (name.endsWith('units')) return `${name} * ${copies} + ${picos} * ${copies} / 1000000000000`
          if (units !== name) return `${name} * ${copies} % 1000000000000`
          return counted.includes(name) ? `${name} * ${copies}` : name
        })
        database.exec(`INSERT INTO main.${table} SELECT ${shifted.join(', ')} FROM source.${table}
          WHERE ${time} >= ${day * dayMs} AND ${time} < ${(day + 1) * dayMs}`)
      }
      database.exec(
        `INSERT INTO main.rolled_days SELECT day + ${index}, hour, owner FROM source.rolled_days WHERE day = ${day}`,
      )
      database.exec('COMMIT')
    }
  } finally {
    database.close()
  }
}

/** Tables, and their column of time. */
const tables = { charge_hours: 'hour', call_hours: 'hour', charge_rollups: 'time', call_rollups: 'time' }

/** Columns that grow with the calls, beside amounts. */
const counted = ['quantity', 'calls', 'unpriced', 'resent_tokens']

const columnsOf = (database: DatabaseSync, table: string): readonly string[] =>
  database
    .prepare(`PRAGMA main.table_info(${table})`)
    .all()
    .map((row) => String(row['name']))
