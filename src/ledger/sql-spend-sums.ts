import { parseMeter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { number, numberOrNull } from './columns.ts'
import type { Connection } from './database.ts'
import type { Basis } from './entry.ts'
import { type NamePart, nameParts } from './names.ts'
import type { SpendRow } from './reading.ts'
import { rollupFor, rollups } from './rollup.ts'
import { dayMs, dayOf } from './seal.ts'
import type {
  SpanAsked,
  SpendNames,
  SpendOwner,
  SpendService,
  SpendSpan,
  SpendSumsAsked,
} from './spend-sums.ts'
import { callSums, chargeSums, type SumPlace } from './sql-sums.ts'

/** The days that are read at once at most: of a rollup by day, and of hours. */
const [daysMost, hourlyDaysMost] = [31, 7]

/** The spans of a period that have anything: whole days from the smallest rollup that knows what is asked, the rest from
 * the hours. A span stays true: what is in a rollup stays in it. */
const spendSpans = (
  connection: Connection,
  { from, to, by, grain }: SpendSumsAsked,
): readonly SpendSpan[] => {
  const rollup = rollupFor(by, grain)
  const rolled = new Set(
    connection
      .all(
        'SELECT day FROM rolled_days WHERE ? IS NOT NULL AND hour = 24 AND day >= ? AND day < ?',
        ...[rollup, Math.ceil(from / dayMs), Math.floor(to / dayMs)],
      )
      .map((row) => number(row['day'])),
  )
  const spans: SpendSpan[] = []
  for (let at = nextHour(connection, from); at !== null && at < to; at = nextHour(connection, at)) {
    const isRolled = rolled.has(dayOf(at))
    const days = isRolled && rollup !== null && rollups[rollup].grain === 'day' ? daysMost : hourlyDaysMost
    let end = (dayOf(at) + 1) * dayMs
    for (let count = 1; count < days && rolled.has(dayOf(end)) === isRolled; count += 1) end += dayMs
    end = Math.min(end, to)
    spans.push({ from: at, to: end, rollup: isRolled ? rollup : null })
    at = end
  }
  return spans.map((span) => (span.rollup === null ? span : { ...span, from: dayOf(span.from) * dayMs }))
}

/** The next hour from an instant on that has anything. */
const nextHour = (connection: Connection, from: number): number | null => {
  const hours = ['charge_hours', 'call_hours'].flatMap(
    (table) =>
      numberOrNull(
        connection.get(`SELECT min(hour) AS hour FROM ${table} WHERE hour >= ?`, from)?.['hour'],
      ) ?? [],
  )
  return hours.length === 0 ? null : Math.min(...hours)
}

const spendSums = (connection: Connection, asked: SpanAsked): readonly SpendRow[] => [
  ...chargeSums(connection, asked).map(
    ({ meter, priced, quantity, amount, ...place }): SpendRow => ({
      ...scopeOf(place),
      meter: parseMeter(meter),
      priced: priced === 1,
      quantity: plain(quantity),
      amount,
    }),
  ),
  ...callSums(connection, asked).map(
    ({ calls, unpriced, resentTokens, resentAmount, ...place }): SpendRow => ({
      ...scopeOf(place),
      meter: null,
      calls: Number(calls),
      unpriced: Number(unpriced),
      resentTokens: Number(resentTokens),
      resentAmount,
    }),
  ),
]

const spendNames = (connection: Connection): SpendNames => {
  const named = (kind: 'owner' | 'service') =>
    connection
      .all('SELECT id, name FROM names WHERE kind = ?', kind)
      .map((row) => [number(row['id']), nameParts(row['name'])] as const)
  return {
    owners: named('owner').map(([id, name]) => [id, ownerOf(name)]),
    services: named('service').map(([id, name]) => [id, serviceOf(name)]),
  }
}

/** The verbs, for the database's thread. */
export const spendSumVerbs = { spendSpans, spendSums, spendNames }

const plain = (quantity: { readonly numerator: bigint; readonly denominator: bigint }): Quantity => {
  const { numerator, denominator } = quantity
  const number = Number(numerator)
  return denominator === 1n && Number.isSafeInteger(number) ? number : quantity
}

const scopeOf = ({ time, owner, service, basis }: SumPlace) => ({
  ...{ hour: time, ...ownerOf(owner), ...serviceOf(service) },
  basis: basis as Basis,
})

const ownerOf = (name: readonly NamePart[]): SpendOwner => {
  const [organization = null, team = null, project = null, environment = null, key = null] = name.map(word)
  return { organization, team, project, environment, key }
}

const serviceOf = (name: readonly NamePart[]): SpendService => {
  const [provider, model = null, endpoint, currency] = name.map(word)
  return { provider: provider ?? '', model, endpoint: endpoint ?? '', currency: currency ?? '' }
}

const word = (part: NamePart): string | null => (part === null ? null : String(part))
