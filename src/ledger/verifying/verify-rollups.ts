import { format } from '../../money/rational.ts'
import { number, text } from '../columns.ts'
import type { Connection, Row, SqlValue } from '../database.ts'
import type { CallSums } from '../fold.ts'
import { nameParts } from '../names.ts'
import { dayMs, dayOf } from '../seal.ts'
import { callSumOf, chargeSumOf } from '../sql-sums.ts'
import type { Differ } from './compare.ts'
import { foldRollups, type HourPlace, type RollupFold, type RollupLine } from './fold-rollups.ts'

/** Compares the rollups with rows of the hours, which come in order of their days. */
export type RollupCheck = {
  /** `owner` is the id of the row's owner. */
  readonly addCharge: (place: HourPlace, owner: number, sum: Parameters<RollupFold['addCharge']>[1]) => void
  readonly addCalls: (place: HourPlace, owner: number, sums: CallSums) => void
  readonly endDay: () => void
  /** Finds what the rollups have of no row of the hours. */
  readonly end: () => void
}

/** Opens a check; nothing else is asked of it after `end`. */
export const openRollupCheck = (connection: Connection, differ: Differ): RollupCheck => {
  const isRolled = rolledIn(connection)
  const seen = { charge: openSeen(connection, 'charge'), call: openSeen(connection, 'call') }
  let fold = foldRollups()
  const compare = (kind: Kind, lines: Iterable<RollupLine>): void => {
    const idOf = idsOf(connection)
    for (const line of lines) {
      const { rollup, hour, owner, service, more, value } = line
      const ids = [idOf('owner', owner), idOf('service', service)]
      const key = [rollup, ids[0] ?? null, hour, ids[1] ?? null, ...more]
      const row = connection.get(
        `SELECT * FROM ${kind}_rollups WHERE ${keys[kind].map((name) => `${name} = ?`).join(' AND ')}`,
        ...key,
      )
      const kept = row === undefined ? null : lineOf[kind](row)
      if (row !== undefined) seen[kind].add(key)
      if (kept !== value) {
        differ({
          where: 'rollups',
          key: JSON.stringify([rollup, hour, ...owner, ...service, ...more]),
          folded: value,
          kept,
        })
      }
    }
  }
  return {
    addCharge: (place, owner, sum) => {
      if (isRolled(place.hour, owner)) fold.addCharge(place, sum)
    },
    addCalls: (place, owner, sums) => {
      if (isRolled(place.hour, owner)) fold.addCalls(place, sums)
    },
    endDay: () => {
      compare('charge', fold.charges())
      compare('call', fold.calls())
      fold = foldRollups()
    },
    end: () => {
      for (const kind of kinds) {
        for (const { key, row } of seen[kind].others()) {
          differ({ where: 'rollups', key, folded: null, kept: lineOf[kind](row) })
        }
        seen[kind].close()
      }
    },
  }
}

type Kind = 'charge' | 'call'
const kinds: readonly Kind[] = ['charge', 'call']

const places = ['rollup', 'owner', 'time', 'service']
const keys = { charge: [...places, 'meter', 'basis', 'priced'], call: [...places, 'basis'] }

const lineOf = {
  charge: (row: Row): string => {
    const { quantity, amount, parts } = chargeSumOf(row)
    return `${format(quantity)} ${amount} of ${parts}`
  },
  call: (row: Row): string => {
    const { calls, unpriced, resentTokens, resentAmount, parts } = callSumOf(row)
    return `${calls} ${unpriced} ${resentTokens} ${resentAmount} of ${parts}`
  },
}

/** The rows of a table of rollups that were looked at. */
const openSeen = (connection: Connection, kind: Kind) => {
  const columns = keys[kind].join(', ')
  // Of the same types as those of the rollups: others could not be looked up by the key.
  const typed = keys[kind].map((name) => `${name} ${isText(name) ? 'TEXT' : 'INTEGER'}`).join(', ')
  const seen = `temp.seen_${kind}_rollups`
  connection.run(`CREATE TEMP TABLE seen_${kind}_rollups (${typed}, PRIMARY KEY (${columns})) WITHOUT ROWID`)
  return {
    add: (key: readonly SqlValue[]): void => {
      connection.run(`INSERT INTO ${seen} VALUES (${key.map(() => '?').join()})`, ...key)
    },
    /** Those that were not. */
    *others(): Generator<{ readonly key: string; readonly row: Row }> {
      const same = keys[kind].map((name) => `s.${name} = r.${name}`).join(' AND ')
      const rows = connection.all(
        `SELECT r.*, o.name AS owner_name, n.name AS service_name FROM ${kind}_rollups r
         JOIN names o ON o.id = r.owner JOIN names n ON n.id = r.service
         WHERE NOT EXISTS (SELECT 1 FROM ${seen} s WHERE ${same}) LIMIT ${othersMost}`,
      )
      for (const row of rows) {
        const [names, more] = [[row['owner_name'], row['service_name']], keys[kind].slice(places.length)]
        yield {
          key: JSON.stringify([
            text(row['rollup']),
            number(row['time']),
            ...names.flatMap(nameParts),
            ...more.map((name) => (isText(name) ? text(row[name]) : number(row[name]))),
          ]),
          row,
        }
      }
    },
    close: (): void => {
      connection.run(`DROP TABLE ${seen}`)
    },
  }
}

const isText = (column: string): boolean => ['rollup', 'meter', 'basis'].includes(column)

/** Bounds what is told of rows that should not be there. */
const othersMost = 10_000

/** The ids of names, null where there is no such name. */
const idsOf = (connection: Connection) => {
  const known = new Map<string, SqlValue>()
  return (kind: 'owner' | 'service', parts: HourPlace['owner']): SqlValue => {
    const name = JSON.stringify(parts)
    const before = known.get(kind + name)
    if (before !== undefined) return before
    const id = connection.get('SELECT id FROM names WHERE kind = ? AND name = ?', kind, name)?.['id'] ?? null
    known.set(kind + name, id)
    return id
  }
}

/** Whether a row of the hours is in the rollups. A step adds owners of an hour in the order of their ids. */
const rolledIn = (connection: Connection): ((hour: number, owner: number) => boolean) => {
  const days = new Map(
    connection.all('SELECT * FROM rolled_days').map((row) => {
      const day = number(row['day'])
      return [day, { next: day * dayMs + number(row['hour']) * 3_600_000, owner: number(row['owner']) }]
    }),
  )
  return (hour, owner) => {
    const to = days.get(dayOf(hour))
    return to !== undefined && (hour < to.next || (hour === to.next && owner <= to.owner))
  }
}
