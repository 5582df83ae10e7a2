import { type Duck, quoted } from './duck.ts'
import { type Grouped, groupKeys, groupSums, nameColumns } from './group-sql.ts'
import type { Dimension } from './grouping.ts'

/** How many groups are summed at once, about: what has room in the memory of a question. */
const usualGroups = 1_200_000

/** How often rows are gone over at most; what has no room then is spilled. */
const partsMost = 16

/** Finds the largest groups of each currency, however many there are: of equal amounts those first whose names are. Puts
 * them into the table `largest`, and gives how many groups of each currency there are. Where the groups have no room, it
 * goes over the rows several times, each time for those groups whose names have another remainder. */
export const rankGroups = async (
  duck: Duck,
  asked: {
    readonly by: readonly Dimension[]
    readonly rows: string
    readonly top: number
    /** Told how many of how many times are done. */
    readonly onPart: (done: number, all: number) => void
    /** How many rows there are at most. */
    readonly rowsMost: number
    readonly groupsAtOnce?: number
  },
): Promise<ReadonlyMap<string, number>> => {
  const { by, rows, top, onPart, rowsMost, groupsAtOnce = usualGroups } = asked
  const names = nameColumns(by)
  const columns = [...names, 'currency'].join(', ')
  const groups = rowsMost <= groupsAtOnce ? rowsMost : await countAbout(duck, columns, rows)
  const wanted = Math.ceil(groups / groupsAtOnce)
  const parts = Math.min(partsMost, Math.max(1, wanted))
  const counts = new Map<string, number>()
  await duck.run(`CREATE TABLE found AS SELECT ${columns}, amount FROM (${rows}) LIMIT 0`)
  for (let part = 0; part < parts; part += 1) {
    onPart(part, parts)
    const of = parts === 1 ? '' : `WHERE hash(${columns}) % ${parts} = ${part}`
    await duck.run(
      `CREATE OR REPLACE TABLE ranked AS SELECT ${columns}, sum(amount) AS amount FROM (${rows}) ${of} GROUP BY ALL`,
    )
    for (const row of await duck.rows('SELECT currency, count(*) AS count FROM ranked GROUP BY currency')) {
      const currency = String(row['currency'])
      counts.set(currency, (counts.get(currency) ?? 0) + Number(row['count']))
      await duck.run(`INSERT INTO found ${largestIn('ranked', { names, currency, top })}`)
    }
  }
  await duck.run('DROP TABLE ranked')
  await duck.run(`CREATE TABLE largest AS SELECT ${columns} FROM found LIMIT 0`)
  for (const currency of counts.keys()) {
    const found = largestIn('found', { names, currency, top })
    await duck.run(`INSERT INTO largest SELECT ${columns} FROM (${found})`)
  }
  return counts
}

const countAbout = async (duck: Duck, columns: string, rows: string): Promise<number> => {
  const [row] = await duck.rows(
    `SELECT approx_count_distinct(hash(${columns})) AS count FROM (SELECT ${columns} FROM (${rows}))`,
  )
  return Number(row?.['count'] ?? 0)
}

/** The largest of a table, in order of their amounts, then of their names as JSON, of which only those are made that may be
 * among them. */
const largestIn = (
  table: string,
  {
    names,
    currency,
    top,
  }: { readonly names: readonly string[]; readonly currency: string; readonly top: number },
): string => {
  const texts = [...names.map((name) => `${name}::VARCHAR`), 'currency']
  const of = `FROM ${table} WHERE currency = ${quoted(currency)}`
  const least = `SELECT min(amount) FROM (SELECT amount ${of} ORDER BY amount DESC LIMIT ${top})`
  return `SELECT ${[...names, 'currency', 'amount'].join(', ')} ${of} AND amount >= (${least})
    ORDER BY amount DESC, to_json(list_value(${texts.join(', ')}))::VARCHAR LIMIT ${top}`
}

/** Rows of groups with their names where they are among the largest; `is_other` where not. */
export const largestRows = (by: readonly Dimension[], rows: string, grouped: Grouped): string => {
  const names = nameColumns(by)
  const same = [...names, 'currency'].map((name) => `r.${name} IS NOT DISTINCT FROM l.${name}`).join(' AND ')
  const rest = [...groupKeys[grouped], ...groupSums[grouped]].map((column) => `r.${column}`)
  return `SELECT ${[...names.map((name) => `l.${name}`), 'l.currency IS NULL AS is_other', ...rest].join(', ')}
    FROM (${rows}) r LEFT JOIN largest l ON ${same}`
}
