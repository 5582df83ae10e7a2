import { format } from '../../money/rational.ts'
import { number, text } from '../columns.ts'
import type { Connection, Row } from '../database.ts'
import type { Books, CallSums } from '../fold.ts'
import type { Difference } from '../ledger.ts'
import { nameParts } from '../names.ts'
import { dayMs, dayOf } from '../seal.ts'
import { callSumOf, chargeSumOf } from '../sql-sums.ts'
import type { Differ } from './compare.ts'
import type { HourPlace } from './fold-rollups.ts'
import type { FoldedDays } from './folded-days.ts'
import { openRollupCheck, type RollupCheck } from './verify-rollups.ts'

/** Compares the hours with the entries they were folded from, and the rollups with the hours: a day at a time, since
 * memory may not hold more. What the checkpoints of the days have in balances is added to `books`. */
export const verifyDays = (
  connection: Connection,
  books: Books,
  folded: FoldedDays,
  differ: Differ,
): void => {
  const rollups = openRollupCheck(connection, differ)
  for (const day of [...new Set([...folded.days(), ...keptDays(connection)])].sort((a, b) => a - b)) {
    const { chargeHours, callHours } = folded.hoursOf(day, books)
    const charges = comparison('charges by hour', chargeHours, chargeLine, differ)
    const calls = comparison('calls by hour', callHours, callLine, differ)
    for (let hour = day * dayMs; hour < (day + 1) * dayMs; hour += hourMs) {
      verifyHour(connection, hour, charges, calls, rollups)
    }
    charges.end()
    calls.end()
    rollups.endDay()
  }
  rollups.end()
}

const hourMs = 3_600_000

const verifyHour = (
  connection: Connection,
  hour: number,
  charges: Comparison<ChargeSums>,
  calls: Comparison<CallSums>,
  rollups: RollupCheck,
): void => {
  const known = new Map<number, readonly (string | number | null)[]>()
  const named = (row: Row, column: 'owner' | 'service') => {
    const id = number(row[column])
    const parts =
      known.get(id) ?? nameParts(connection.get('SELECT name FROM names WHERE id = ?', id)?.['name'])
    known.set(id, parts)
    return parts
  }
  const placeOf = (row: Row, more: HourPlace['more']): HourPlace => ({
    ...{ hour, owner: named(row, 'owner'), service: named(row, 'service'), more },
  })
  for (const row of connection.all('SELECT *, 1 AS parts FROM charge_hours WHERE hour = ?', hour)) {
    const place = placeOf(row, [text(row['meter']), text(row['basis']), number(row['priced'])])
    const sums = chargeSumOf(row)
    charges.add(place, sums)
    rollups.addCharge(place, number(row['owner']), sums)
  }
  for (const row of connection.all('SELECT *, 1 AS parts FROM call_hours WHERE hour = ?', hour)) {
    const place = placeOf(row, [text(row['basis'])])
    const { calls: ended, unpriced, resentTokens, resentAmount } = callSumOf(row)
    const sums = {
      calls: Number(ended),
      unpriced: Number(unpriced),
      resentTokens: Number(resentTokens),
      resentAmount,
    }
    calls.add(place, sums)
    rollups.addCalls(place, number(row['owner']), sums)
  }
}

type ChargeSums = Pick<ReturnType<typeof chargeSumOf>, 'quantity' | 'amount'>

/** Compares what was folded with rows that come one by one. */
type Comparison<Sums> = {
  readonly add: (place: HourPlace, kept: Sums) => void
  /** What was folded and did not come. */
  readonly end: () => void
}

/** A sum of nothing is the same as none: whether it remains depends on the order in which it came to nothing. */
const comparison = <Sums>(
  where: Difference['where'],
  folded: Map<string, Sums>,
  lineOf: (sums: Sums) => string | null,
  differ: Differ,
): Comparison<Sums> => {
  const compare = (key: string, expected: string | null, kept: string | null): void => {
    if (expected !== kept) differ({ where, key, folded: expected, kept })
  }
  return {
    add: ({ hour, owner, service, more }, sums) => {
      const key = JSON.stringify([hour, ...owner, ...service, ...more])
      const expected = folded.get(key)
      folded.delete(key)
      compare(key, expected === undefined ? null : lineOf(expected), lineOf(sums))
    },
    end: () => {
      for (const [key, sums] of folded) compare(key, lineOf(sums), null)
    },
  }
}

const chargeLine = ({ quantity, amount }: ChargeSums): string | null =>
  quantity.numerator === 0n && amount === 0n ? null : `${format(quantity)} ${amount}`

const callLine = ({ calls, unpriced, resentTokens, resentAmount }: CallSums): string | null =>
  calls === 0 && unpriced === 0 && resentTokens === 0 && resentAmount === 0n
    ? null
    : `${calls} ${unpriced} ${resentTokens} ${resentAmount}`

/** The days that have hours, by steps from one to the next. */
function* keptDays(connection: Connection): Generator<number> {
  let day: number | null = null
  for (;;) {
    const row: Row | undefined = connection.get(
      `SELECT min(hour) AS hour FROM (
         SELECT min(hour) AS hour FROM charge_hours WHERE hour >= ?1
         UNION ALL SELECT min(hour) FROM call_hours WHERE hour >= ?1)`,
      day === null ? Number.MIN_SAFE_INTEGER : (day + 1) * dayMs,
    )
    if (row === undefined || row['hour'] === null) return
    day = dayOf(number(row['hour']))
    yield day
  }
}
