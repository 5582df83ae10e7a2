import { rational } from '../money/rational.ts'
import { halves, number, quantityText } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import { nameId, nameParts } from './names.ts'
import { type RollupName, rollupNames, rollups } from './rollup.ts'
import { type Day, dayMs, dayOf } from './seal.ts'
import {
  addCallSum,
  addChargeSum,
  type CallSum,
  type ChargeSum,
  callSumOf,
  chargeSumOf,
  keptOwner,
  keptService,
} from './sql-sums.ts'

/** Rollups over SQL: how days come into them, and what later changes the hours of such days. */

const hourMs = 3_600_000
const hoursOfDay = 24

/** Adds the next owners of the next hours of a day to the rollups: at most so many rows of the hours, unless one owner
 * has more. Gives false once all of the day is in them. */
const rollUp = (
  connection: Connection,
  { day, rowsMost }: { readonly day: Day; readonly rowsMost: number },
): boolean => {
  const rolled = rolledOf(connection)
  for (let rows = 0; rows < rowsMost; ) {
    const at = rolled.days.get(day) ?? { hour: 0, owner: 0 }
    if (at.hour === hoursOfDay) return false
    const step = addOwners(connection, day * dayMs + at.hour * hourMs, at.owner, rowsMost - rows)
    rows += step.rows
    const next = step.owner === null ? { hour: at.hour + 1, owner: 0 } : { hour: at.hour, owner: step.owner }
    connection.run(setRolled, day, next.hour, next.owner)
    remember(rolled, day, next)
  }
  return true
}

const setRolled = `
  INSERT INTO rolled_days VALUES (?, ?, ?)
  ON CONFLICT (day) DO UPDATE SET hour = excluded.hour, owner = excluded.owner`

/** Adds the next owners of an hour; gives the last of them, null when none is left, and how many rows they had. */
const addOwners = (
  connection: Connection,
  hour: number,
  after: number,
  limit: number,
): { readonly owner: number | null; readonly rows: number } => {
  const edge = connection.get(ownerAfter, hour, after, limit)
  const owner =
    edge === undefined ? null : Math.max(number(edge['owner']) - 1, firstOwner(connection, hour, after))
  const until = owner ?? Number.MAX_SAFE_INTEGER
  const charges = connection.all(chargesOfOwners, hour, after, until)
  const calls = connection.all(callsOfOwners, hour, after, until)
  const sums = rollupSums(connection)
  for (const row of charges) sums.addCharge(row)
  for (const row of calls) sums.addCalls(row)
  sums.write()
  return { owner, rows: charges.length + calls.length }
}

const firstOwner = (connection: Connection, hour: number, after: number): number =>
  number(connection.get(ownerAfter, hour, after, 0)?.['owner'])

const ownerAfter = `
  SELECT owner FROM charge_hours WHERE hour = ? AND owner > ? ORDER BY owner LIMIT 1 OFFSET ?`
const chargesOfOwners = `
  SELECT *, 1 AS parts FROM charge_hours WHERE hour = ? AND owner > ? AND owner <= ?`
const callsOfOwners = `SELECT *, 1 AS parts FROM call_hours WHERE hour = ? AND owner > ? AND owner <= ?`

/** Gathers rows of the hours by the places of all rollups, and writes what they come to. */
const rollupSums = (connection: Connection) => {
  const charges = new Map<string, Gathered<ChargeSum>>()
  const calls = new Map<string, Gathered<CallSum>>()
  const placeOf = placesOf(connection)
  const known = new Map<string, readonly Place[]>()
  const gather = <Sum>(
    into: Map<string, Gathered<Sum>>,
    row: Row,
    { more, sum, add }: { more: readonly SqlValue[]; sum: Sum; add: (a: Sum, b: Sum) => Sum },
  ): void => {
    const place = `${row['hour']} ${row['owner']} ${row['service']}`
    let places = known.get(place)
    if (places === undefined) {
      places = rollupNames.map((name) => {
        const key = placeOf(name, row)
        return { key, text: key.join() }
      })
      known.set(place, places)
    }
    const rest = more.join()
    for (const { key, text } of places) {
      const id = `${text},${rest}`
      const before = into.get(id)
      if (before === undefined) into.set(id, { key: [...key, ...more], sum })
      else before.sum = add(before.sum, sum)
    }
  }
  return {
    addCharge: (row: Row): void => {
      const more = [row['meter'] ?? null, row['basis'] ?? null, row['priced'] ?? null]
      gather(charges, row, { more, sum: chargeSumOf(row), add: addChargeSum })
    },
    addCalls: (row: Row): void =>
      gather(calls, row, { more: [row['basis'] ?? null], sum: callSumOf(row), add: addCallSum }),
    write: (): void => {
      for (const { key, sum } of charges.values()) addCharge(connection, key, sum)
      for (const { key, sum } of calls.values()) addCalls(connection, key, sum)
    },
  }
}

type Gathered<Sum> = { readonly key: readonly SqlValue[]; sum: Sum }
type Place = { readonly key: readonly SqlValue[]; readonly text: string }

/** Sealed days that are not in the rollups. */
const daysToRoll = (connection: Connection): readonly Day[] =>
  connection
    .all(
      'SELECT day FROM seals s WHERE NOT EXISTS (SELECT 1 FROM rolled_days r WHERE r.day = s.day AND r.hour = ?)',
      hoursOfDay,
    )
    .map((row) => number(row['day']))

/** The verbs, for the database's thread. */
export const rollupVerbs = { rollUp, daysToRoll }

/** Changes a row of `charge_hours`, and the rollups where it is in them. `key` are the columns of its primary key. */
export const changeChargeHour = (
  connection: Connection,
  key: readonly SqlValue[],
  change: () => void,
): void => {
  if (!isRolled(connection, key)) {
    change()
    return
  }
  const before = chargeSumOf(connection.get(chargeHour, ...key))
  change()
  const more = addChargeSum(chargeSumOf(connection.get(chargeHour, ...key)), {
    quantity: rational(-before.quantity.numerator, before.quantity.denominator),
    amount: -before.amount,
    parts: -before.parts,
  })
  const placeOf = placesOf(connection)
  for (const name of rollupNames) {
    addCharge(connection, [...placeOf(name, hourRow(key)), ...key.slice(3)], more)
  }
}

/** The same for a row of `call_hours`. */
export const changeCallHour = (
  connection: Connection,
  key: readonly SqlValue[],
  change: () => void,
): void => {
  if (!isRolled(connection, key)) {
    change()
    return
  }
  const before = callSumOf(connection.get(callHour, ...key))
  change()
  const more = addCallSum(callSumOf(connection.get(callHour, ...key)), {
    ...{ calls: -before.calls, unpriced: -before.unpriced, parts: -before.parts },
    ...{ resentTokens: -before.resentTokens, resentAmount: -before.resentAmount },
  })
  const placeOf = placesOf(connection)
  for (const name of rollupNames)
    addCalls(connection, [...placeOf(name, hourRow(key)), ...key.slice(3)], more)
}

const hourRow = ([hour = null, owner = null, service = null]: readonly SqlValue[]): Row => ({
  ...{ hour, owner, service },
})

const chargeHour = `
  SELECT *, 1 AS parts FROM charge_hours
  WHERE hour = ? AND owner = ? AND service = ? AND meter = ? AND basis = ? AND priced = ?`
const callHour = `
  SELECT *, 1 AS parts FROM call_hours WHERE hour = ? AND owner = ? AND service = ? AND basis = ?`

/** Where a row of the hours belongs in a rollup: the first columns of its key there. */
const placesOf = (connection: Connection): ((rollup: RollupName, row: Row) => readonly SqlValue[]) => {
  const known = new Map<string, SqlValue>()
  const kept = (kind: 'owner' | 'service', rollup: RollupName, id: SqlValue): SqlValue => {
    const key = `${kind} ${rollup} ${id}`
    const before = known.get(key)
    if (before !== undefined) return before
    const parts = nameParts(connection.get('SELECT name FROM names WHERE id = ?', id)?.['name'])
    const keep = kind === 'owner' ? keptOwner : keptService
    const made = nameId(connection, kind, keep(parts, rollups[rollup].by))
    known.set(key, made)
    return made
  }
  return (rollup, row) => {
    const hour = number(row['hour'])
    return [
      rollup,
      kept('owner', rollup, row['owner'] ?? null),
      rollups[rollup].grain === 'hour' ? hour : dayOf(hour) * dayMs,
      kept('service', rollup, row['service'] ?? null),
    ]
  }
}

/** Rows of which no row of the hours is left are gone. */
const addCharge = (connection: Connection, key: readonly SqlValue[], more: ChargeSum): void => {
  const { quantity, amount: sum, parts } = addChargeSum(chargeSumOf(connection.get(getCharge, ...key)), more)
  if (parts === 0n) {
    connection.run(dropCharge, ...key)
    return
  }
  const { units, picos } = halves(sum)
  const { numerator, denominator } = quantity
  const isInteger = denominator === 1n && BigInt.asIntN(64, numerator) === numerator
  connection.run(putCharge, ...key, isInteger ? numerator : quantityText(quantity), units, picos, parts)
}

const addCalls = (connection: Connection, key: readonly SqlValue[], more: CallSum): void => {
  const sum = addCallSum(callSumOf(connection.get(getCalls, ...key)), more)
  if (sum.parts === 0n) {
    connection.run(dropCalls, ...key)
    return
  }
  const { units, picos } = halves(sum.resentAmount)
  connection.run(putCalls, ...key, sum.calls, sum.unpriced, sum.resentTokens, units, picos, sum.parts)
}

const ofCharge =
  'rollup = ? AND owner = ? AND time = ? AND service = ? AND meter = ? AND basis = ? AND priced = ?'
const ofCalls = 'rollup = ? AND owner = ? AND time = ? AND service = ? AND basis = ?'
const getCharge = `SELECT * FROM charge_rollups WHERE ${ofCharge}`
const getCalls = `SELECT * FROM call_rollups WHERE ${ofCalls}`
const putCharge = 'INSERT OR REPLACE INTO charge_rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
const putCalls = 'INSERT OR REPLACE INTO call_rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
const dropCharge = `DELETE FROM charge_rollups WHERE ${ofCharge}`
const dropCalls = `DELETE FROM call_rollups WHERE ${ofCalls}`

/** How far days are in the rollups, as far as that is remembered; and the last such day. */
type Rolled = { readonly days: Map<Day, RolledTo>; last: Day }
type RolledTo = { readonly hour: number; readonly owner: number }

const remembered = new WeakMap<object, Rolled>()

const rolledOf = (connection: Connection): Rolled => {
  const memory = connection.memory()
  const known = remembered.get(memory)
  if (known !== undefined) return known
  const rolled: Rolled = { days: new Map(), last: Number.MIN_SAFE_INTEGER }
  for (const row of connection.all('SELECT * FROM rolled_days')) {
    remember(rolled, number(row['day']), { hour: number(row['hour']), owner: number(row['owner']) })
  }
  remembered.set(memory, rolled)
  return rolled
}

const remember = (rolled: Rolled, day: Day, to: RolledTo): void => {
  rolled.days.set(day, to)
  rolled.last = Math.max(rolled.last, day)
}

/** Whether a row of the hours is in the rollups. Of a day that goes on it is not, and that is known at once. */
const isRolled = (connection: Connection, [at = null, owner = null]: readonly SqlValue[]): boolean => {
  const rolled = rolledOf(connection)
  const hour = number(at)
  const day = dayOf(hour)
  const to = day > rolled.last ? undefined : rolled.days.get(day)
  if (to === undefined) return false
  const next = day * dayMs + to.hour * hourMs
  return hour < next || (hour === next && number(owner) <= to.owner)
}
