import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, zero } from '../money/rational.ts'
import { amount, number, parseFraction, text, textOrNull, whole } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import { type NamePart, nameParts } from './names.ts'
import { ownerParts, rollups, type SpendPart, serviceParts } from './rollup.ts'
import type { SpanAsked } from './spend-sums.ts'

/** Sums of a span, by SQL: from the hours or from a rollup. Names have null where they are not summed by. */

/** Where the sums of a row belong. */
export type SumPlace = {
  readonly time: number
  readonly owner: readonly NamePart[]
  readonly service: readonly NamePart[]
  readonly basis: string
}

/** What one meter came to. `parts`: rows of the hours that are in it. */
export type ChargeSum = { readonly quantity: Rational; readonly amount: Picos; readonly parts: bigint }
export type ChargeSumRow = SumPlace & { readonly meter: string; readonly priced: number } & ChargeSum

/** What calls came to. */
export type CallSum = {
  readonly calls: bigint
  readonly unpriced: bigint
  readonly resentTokens: bigint
  readonly resentAmount: Picos
  readonly parts: bigint
}
export type CallSumRow = SumPlace & CallSum

/** What a row of the hours, or of a rollup, says. */
export const chargeSumOf = (row: Row | undefined): ChargeSum => {
  if (row === undefined) return noChargeSum
  const { quantity } = row
  return {
    quantity:
      typeof quantity === 'bigint' ? { numerator: quantity, denominator: 1n } : parseFraction(text(quantity)),
    amount: whole(row['units'], row['picos']),
    parts: amount(row['parts']),
  }
}
export const callSumOf = (row: Row | undefined): CallSum =>
  row === undefined
    ? noCallSum
    : {
        calls: amount(row['calls']),
        unpriced: amount(row['unpriced']),
        resentTokens: amount(row['resent_tokens']),
        resentAmount: whole(row['resent_units'], row['resent_picos']),
        parts: amount(row['parts']),
      }

/** What meters came to. */
export const chargeSums = (connection: Connection, asked: SpanAsked): readonly ChargeSumRow[] => {
  const sums = new Map<string, Summed<ChargeSum> & Pick<ChargeSumRow, 'meter' | 'priced'>>()
  const placeOf = placesOf(connection, asked)
  const isGrouped = needsGroups(asked)
  for (const row of connection.all(sumsSql('charge', asked), ...valuesOf(asked))) {
    const { key, ...place } = placeOf(row)
    const [meter, priced] = [text(row['meter']), number(row['priced'])]
    const id = `${key} ${meter} ${priced}`
    const sum = isGrouped ? groupedCharge(row) : chargeSumOf(row)
    const before = sums.get(id)
    if (before === undefined) sums.set(id, { ...place, meter, priced, sum })
    else before.sum = addChargeSum(before.sum, sum)
  }
  return [...sums.values()].map(({ sum, ...place }) => ({ ...place, ...sum }))
}

/** How many calls there were. */
export const callSums = (connection: Connection, asked: SpanAsked): readonly CallSumRow[] => {
  const sums = new Map<string, Summed<CallSum>>()
  const placeOf = placesOf(connection, asked)
  const isGrouped = needsGroups(asked)
  for (const row of connection.all(sumsSql('call', asked), ...valuesOf(asked))) {
    const { key, ...place } = placeOf(row)
    const sum = isGrouped ? groupedCalls(row) : callSumOf(row)
    const before = sums.get(key)
    if (before === undefined) sums.set(key, { ...place, sum })
    else before.sum = addCallSum(before.sum, sum)
  }
  return [...sums.values()].map(({ sum, ...place }) => ({ ...place, ...sum }))
}

/** False where a rollup has the times that are asked for: few of its rows are of the same place, and those are added
 * as they are read. */
const needsGroups = ({ rollup, grain }: SpanAsked): boolean =>
  rollup === null || rollups[rollup].grain !== grain

const groupedCharge = (row: Row): ChargeSum => {
  const fraction = textOrNull(row['fraction'])
  return {
    quantity:
      fraction === null
        ? { numerator: joined(row, 'quantity'), denominator: 1n }
        : times(fraction, amount(row['times'])),
    amount: picos(row, 'units', 'picos'),
    parts: amount(row['parts']),
  }
}

const groupedCalls = (row: Row): CallSum => ({
  calls: joined(row, 'calls'),
  unpriced: joined(row, 'unpriced'),
  resentTokens: joined(row, 'resent_tokens'),
  resentAmount: picos(row, 'resent_units', 'resent_picos'),
  parts: amount(row['parts']),
})

type Summed<Sum> = SumPlace & { sum: Sum }

/** The parts of a name, null where it is not summed by. */
export const keptOwner = (name: readonly NamePart[], by: readonly SpendPart[]): readonly NamePart[] =>
  ownerParts.map((part, index) => (by.includes(part) ? (name[index] ?? null) : null))
export const keptService = (name: readonly NamePart[], by: readonly SpendPart[]): readonly NamePart[] => [
  ...serviceParts.map((part, index) => (by.includes(part) ? (name[index] ?? null) : null)),
  name[serviceParts.length] ?? null,
]

const valuesOf = ({ from, to, rollup, grain, owners, services }: SpanAsked): SqlValue[] => [
  ...(grain === null ? [from] : []),
  ...(rollup === null ? [] : [rollup]),
  ...(owners === undefined ? [] : [JSON.stringify(owners)]),
  from,
  to,
  ...(services === undefined ? [] : [JSON.stringify(services)]),
]

/** Sums by the ids of owners and services, of which several may be the same in the parts that are asked for. */
const sumsSql = (of: 'charge' | 'call', asked: SpanAsked): string => {
  const { rollup, grain, owners, services } = asked
  const time = rollup === null ? 'hour' : 'time'
  const grains = { hour: time, day: `${time} - (${time} % 86400000 + 86400000) % 86400000` }
  const isGrouped = needsGroups(asked)
  const columns = isGrouped ? groupColumns[of].join(', ') : '*'
  const parts = rollup === null ? 'count(*)' : 'sum(parts)'
  return `
    SELECT ${grain === null ? '?' : grains[grain]} AS at, owner, service, ${columns}
      ${isGrouped ? `, count(*) AS times, ${parts} AS parts` : ''}
    FROM ${of}_${rollup === null ? 'hours' : 'rollups'}
    WHERE ${rollup === null ? 'true' : 'rollup = ?'}
      ${owners === undefined ? '' : 'AND owner IN (SELECT value FROM json_each(?))'}
      AND ${time} >= ? AND ${time} < ?
      ${services === undefined ? '' : 'AND service IN (SELECT value FROM json_each(?))'}
    ${isGrouped ? `GROUP BY at, owner, service, basis${of === 'charge' ? ', meter, priced, fraction' : ''}` : ''}`
}

/** A sum in two parts, of the high and of the low bits: each stays below 2^63 for 2^30 rows of any integers. */
const split = (value: string, name: string): string =>
  `sum((${value}) >> 30) AS ${name}_high, sum((${value}) & 1073741823) AS ${name}_low`

const splitColumn = (name: string): string => split(name, name)

const isWhole = `typeof(quantity) = 'integer'`
const groupColumns = {
  charge: [
    ...['meter', 'basis', 'priced', `CASE WHEN ${isWhole} THEN NULL ELSE quantity END AS fraction`],
    ...[split(`CASE WHEN ${isWhole} THEN quantity END`, 'quantity'), ...['units', 'picos'].map(splitColumn)],
  ],
  call: ['basis', ...['calls', 'unpriced', 'resent_tokens', 'resent_units', 'resent_picos'].map(splitColumn)],
}

const joined = (row: Row, name: string): bigint =>
  amount(row[`${name}_high`]) * 1_073_741_824n + amount(row[`${name}_low`])

const picos = (row: Row, units: string, rest: string): Picos =>
  joined(row, units) * 1_000_000_000_000n + joined(row, rest)

const times = (fraction: string, count: bigint): Rational => {
  const { numerator, denominator } = parseFraction(fraction)
  return rational(numerator * count, denominator)
}

/** Where a row belongs, and a key of that: equal for all that are the same in the parts that are asked for. */
const placesOf = (
  connection: Connection,
  { by, starts }: SpanAsked,
): ((row: Row) => SumPlace & { readonly key: string }) => {
  const known = new Map<number, { readonly parts: readonly NamePart[]; readonly key: number }>()
  const keys = new Map<string, number>()
  const named = (column: SqlValue | undefined, keep: typeof keptOwner) => {
    const id = number(column)
    return getOrMake(known, id, () => {
      const parts = keep(nameParts(connection.get('SELECT name FROM names WHERE id = ?', id)?.['name']), by)
      return { parts, key: getOrMake(keys, JSON.stringify(parts), () => keys.size) }
    })
  }
  return (row) => {
    const [owner, service] = [named(row['owner'], keptOwner), named(row['service'], keptService)]
    const at = number(row['at'])
    const [time, basis] = [starts === undefined ? at : lastUpTo(starts, at), text(row['basis'])]
    const key = `${time} ${owner.key} ${service.key} ${basis}`
    return { time, owner: owner.parts, service: service.parts, basis, key }
  }
}

/** The last of ascending numbers that is not above another. */
const lastUpTo = (numbers: readonly number[], most: number): number => {
  let [low, high] = [0, numbers.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((numbers[middle] ?? most) <= most) low = middle
    else high = middle - 1
  }
  return numbers[low] ?? most
}

const getOrMake = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** The sum of two. */
export const addChargeSum = (a: ChargeSum, b: ChargeSum): ChargeSum => ({
  quantity: sumOf(a.quantity, b.quantity),
  amount: a.amount + b.amount,
  parts: a.parts + b.parts,
})
export const addCallSum = (a: CallSum, b: CallSum): CallSum => ({
  calls: a.calls + b.calls,
  unpriced: a.unpriced + b.unpriced,
  resentTokens: a.resentTokens + b.resentTokens,
  resentAmount: a.resentAmount + b.resentAmount,
  parts: a.parts + b.parts,
})

const sumOf = (a: Rational, b: Rational): Rational =>
  a.denominator === 1n && b.denominator === 1n
    ? { numerator: a.numerator + b.numerator, denominator: 1n }
    : add(a, b)

/** Nothing. */
const noChargeSum: ChargeSum = { quantity: zero, amount: 0n, parts: 0n }
const noCallSum: CallSum = { calls: 0n, unpriced: 0n, resentTokens: 0n, resentAmount: 0n, parts: 0n }
