import type { Connection, Verb } from '../../ledger/database.ts'
import type { Meter } from '../../usage/meter.ts'
import { text } from './cells.ts'
import type { KeptObject, KeptPlace } from './kept.ts'

const keep = (connection: Connection, { upstream, meter, holder, object, source }: KeptObject): void => {
  connection.run(
    `INSERT INTO registry_kept (upstream, meter, holder, object, source) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    upstream,
    meter,
    holder,
    object,
    source,
  )
}

/** Which rows a place means, and what the marks in it stand for. */
const within = ({ upstream, holder, object, source }: KeptPlace): [string, ...(string | null)[]] => {
  const parts = Object.entries({ holder, object, source }).filter(([, value]) => value !== null)
  const condition = ['upstream = ?', ...parts.map(([name]) => `${name} = ?`)].join(' AND ')
  return [condition, upstream, ...parts.map(([, value]) => value)]
}

const kept = (connection: Connection, place: KeptPlace): readonly KeptObject[] => {
  const [condition, ...values] = within(place)
  return connection
    .all(`SELECT * FROM registry_kept WHERE ${condition} ORDER BY meter, holder, object, source`, ...values)
    .map((row) => ({
      upstream: place.upstream,
      meter: (text(row, 'meter') ?? '') as Meter,
      holder: text(row, 'holder') ?? '',
      object: text(row, 'object') ?? '',
      source: text(row, 'source') ?? '',
    }))
}

const onlyKept = (connection: Connection, place: KeptPlace): readonly Omit<KeptObject, 'source'>[] => {
  const released = kept(connection, place)
  const sources = Map.groupBy(released, ({ meter, holder, object }) =>
    JSON.stringify([meter, holder, object]),
  )
  return [...sources.values()].flatMap((rows) => {
    const [first] = rows
    if (first === undefined) return []
    const { upstream, meter, holder, object } = first
    const all = connection.get(
      `SELECT count(*) AS number FROM registry_kept
       WHERE upstream = ? AND meter = ? AND holder = ? AND object = ?`,
      upstream,
      meter,
      holder,
      object,
    )
    return Number(all?.['number']) === rows.length ? [{ upstream, meter, holder, object }] : []
  })
}

const release = (connection: Connection, place: KeptPlace): void => {
  const [condition, ...values] = within(place)
  connection.run(`DELETE FROM registry_kept WHERE ${condition}`, ...values)
}

/** The verbs of what is kept at vendors. */
export const keptVerbs = { keep, kept, onlyKept, release } satisfies Record<string, Verb>
