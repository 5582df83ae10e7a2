import { type CounterName, counterParts, type Hold } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, subtract, zero } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Accrued } from './accrual.ts'
import { halves, parseFraction, quantityText, quantityValue, text } from './columns.ts'
import type { Connection, SqlValue } from './database.ts'
import type { Settlement } from './entry.ts'
import { nameId } from './names.ts'

/** The folds that are kept in the same commit as the entries: balances of limits, and what was spent by hour. What is
 * added is gathered in memory and written once a commit, by `writeFolds`. */

/** What a hold becomes: it moves between the three numbers of its window. */
export type Move = { readonly settled?: Picos; readonly held?: Picos; readonly unresolved?: Picos }

/** Adds to the balance of each hold's window. */
export const moveBalances = (
  connection: Connection,
  holds: readonly Hold[],
  moveOf: (amount: bigint, hold: Hold) => Move,
): void => {
  const { balances } = gatheredOf(connection)
  for (const hold of holds) {
    const { settled = 0n, held = 0n, unresolved = 0n } = moveOf(hold.amount, hold)
    const { amount: _, ...place } = hold
    const key = `${hold.windowStart} ${JSON.stringify(counterParts(hold))}`
    const sums = getOrMake(balances, key, () => ({ ...place, ...noBalance }))
    sums.settled += settled
    sums.held += held
    sums.unresolved += unresolved
  }
}

/** When, whose and what something in the hours is. */
type Place = { readonly at: number; readonly owner: SqlValue; readonly service: SqlValue }

/** Adds the end of a call to the hour in which it was made. */
export const addToHours = (connection: Connection, place: Place, settlement: Settlement): void => {
  const { basis, unpriced, resent } = settlement
  addUses(connection, place, settlement)
  const key = [...placeKey(place), basis] as const
  const sums = getOrMake(gatheredOf(connection).calls, key.join(), () => ({ key, ...noCalls }))
  sums.calls += 1
  sums.unpriced += unpriced.length > 0 ? 1 : 0
  sums.resentTokens += resent?.tokens ?? 0
  sums.resentAmount += resent?.amount ?? 0n
}

/** Adds what was used, and no call, to an hour: that of the call, or in which an accrual's stretch of time begins. */
export const addUses = (
  connection: Connection,
  place: Place,
  { basis, charges, unpriced }: Pick<Settlement | Accrued, 'basis' | 'charges' | 'unpriced'>,
): void => {
  const { uses } = gatheredOf(connection)
  const hour = placeKey(place)
  const gather = ({ meter, quantity, amount }: Use, priced: 0 | 1): void => {
    const key = [...hour, meter, basis, priced] as const
    const sums = getOrMake(uses, key.join(), () => ({ key, meter, whole: 0n, fraction: zero, amount: 0n }))
    if (typeof quantity === 'number') sums.whole += wholeValue(quantity)
    else sums.fraction = add(sums.fraction, quantityValue(quantity))
    sums.amount += amount
  }
  for (const charge of charges) gather(charge, 1)
  for (const used of unpriced) gather({ ...used, amount: 0n }, 0)
}

/** Writes what was gathered. */
export const writeFolds = (connection: Connection): void => {
  const { balances, uses, calls } = gatheredOf(connection)
  for (const { settled, held, unresolved, ...place } of balances.values()) {
    const values = [settled, held, unresolved].map(halves).flatMap(({ units, picos }) => [units, picos])
    const name = nameId(connection, 'limit', counterParts(place))
    connection.run(addBalance, name, place.windowStart, ...values)
  }
  for (const { key, meter, whole, fraction, amount } of uses.values()) {
    writeUse(connection, key, { meter, quantity: add(rational(whole), fraction), amount })
  }
  for (const { key, calls: times, unpriced, resentTokens, resentAmount } of calls.values()) {
    const { units, picos } = halves(resentAmount)
    connection.run(addCall, ...key, times, unpriced, resentTokens, units, picos)
  }
  for (const sums of [balances, uses, calls]) sums.clear()
}

/** Takes back what a corrected settlement had added. What comes to nothing is gone. */
export const takeFromHours = (connection: Connection, place: Place, settlement: Settlement): void => {
  writeFolds(connection)
  const { basis, charges, unpriced, resent } = settlement
  const key = placeKey(place)
  for (const charge of charges) takeUse(connection, [...key, charge.meter, basis, 1], charge)
  for (const used of unpriced) takeUse(connection, [...key, used.meter, basis, 0], { ...used, amount: 0n })
  const { units, picos } = halves(-(resent?.amount ?? 0n))
  const counted = [unpriced.length > 0 ? -1 : 0, -(resent?.tokens ?? 0), units, picos] as const
  connection.run(addCall, ...key, basis, -1, ...counted)
  connection.run(dropCalls, ...key, basis)
}

type Gathered = {
  readonly balances: Map<string, CounterName & Pick<Hold, 'windowStart'> & Required<Changing<Move>>>
  readonly uses: Map<string, { readonly key: readonly SqlValue[]; readonly meter: Meter } & UseSums>
  readonly calls: Map<string, { readonly key: readonly SqlValue[] } & typeof noCalls>
}
type Changing<Values> = { -readonly [Name in keyof Values]: Values[Name] }
type UseSums = { whole: bigint; fraction: Rational; amount: Picos }

const noBalance = { settled: 0n, held: 0n, unresolved: 0n }
const noCalls = { calls: 0, unpriced: 0, resentTokens: 0, resentAmount: 0n }

const gathered = new WeakMap<object, Gathered>()

const gatheredOf = (connection: Connection): Gathered => {
  const memory = connection.memory()
  const known = gathered.get(memory)
  if (known !== undefined) return known
  const sums: Gathered = { balances: new Map(), uses: new Map(), calls: new Map() }
  gathered.set(memory, sums)
  return sums
}

const getOrMake = <Value>(map: Map<string, Value>, key: string, make: () => Value): Value => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

const placeKey = ({ at, owner, service }: Place) =>
  [at - (((at % hourMs) + hourMs) % hourMs), owner, service] as const

const hourMs = 3_600_000

type Use = Pick<Charge, 'meter' | 'quantity' | 'amount'>

const wholeValue = (quantity: number): bigint => quantityValue(quantity).numerator

const writeUse = (connection: Connection, key: readonly SqlValue[], use: Use): void => {
  const { units, picos } = halves(use.amount)
  const quantity = quantityValue(use.quantity)
  if (meterFacts(use.meter).whole && quantity.denominator === 1n) {
    const { changes } = connection.run(addWhole, ...key, quantity.numerator, units, picos)
    if (changes > 0) return
  }
  const before = connection.get(getQuantity, ...key)?.['quantity']
  const sum = before === undefined ? quantity : add(readQuantity(before), quantity)
  connection.run(addFraction, ...key, quantityText(sum), units, picos)
}

const takeUse = (
  connection: Connection,
  key: readonly SqlValue[],
  use: Use & { readonly meter: Meter },
): void => {
  const { units, picos } = halves(-use.amount)
  const before = connection.get(getQuantity, ...key)?.['quantity'] ?? 0n
  const left = subtract(readQuantity(before), quantityValue(use.quantity))
  const column = typeof before === 'bigint' && left.denominator === 1n ? left.numerator : quantityText(left)
  connection.run(addFraction, ...key, column, units, picos)
  connection.run(dropUse, ...key)
}

const readQuantity = (column: SqlValue) =>
  parseFraction(typeof column === 'bigint' ? `${column}` : text(column))

/** Adds two halves with their carry: both rests are below 10^12. */
const sum = (units: string, picos: string): string => `
  ${units} = ${units} + excluded.${units} + (${picos} + excluded.${picos}) / 1000000000000,
  ${picos} = (${picos} + excluded.${picos}) % 1000000000000`

const addBalance = `
  INSERT INTO balances VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT ("limit", window_start) DO UPDATE SET ${sum('settled_units', 'settled_picos')},
    ${sum('held_units', 'held_picos')}, ${sum('unresolved_units', 'unresolved_picos')}`

const addWhole = `
  INSERT INTO charge_hours VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, owner, service, meter, basis, priced) DO UPDATE SET
    quantity = quantity + excluded.quantity, ${sum('units', 'picos')}
  WHERE typeof(quantity) = 'integer'`

const addFraction = `
  INSERT INTO charge_hours VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, owner, service, meter, basis, priced) DO UPDATE SET
    quantity = excluded.quantity, ${sum('units', 'picos')}`

const getQuantity = `
  SELECT quantity FROM charge_hours
  WHERE hour = ? AND owner = ? AND service = ? AND meter = ? AND basis = ? AND priced = ?`

const addCall = `
  INSERT INTO call_hours VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, owner, service, basis) DO UPDATE SET
    calls = calls + excluded.calls, unpriced = unpriced + excluded.unpriced,
    resent_tokens = resent_tokens + excluded.resent_tokens, ${sum('resent_units', 'resent_picos')}`

const dropUse = `
  DELETE FROM charge_hours WHERE hour = ? AND owner = ? AND service = ? AND meter = ? AND basis = ? AND priced = ?
    AND quantity IN (0, '0') AND units = 0 AND picos = 0`

const dropCalls = `
  DELETE FROM call_hours WHERE hour = ? AND owner = ? AND service = ? AND basis = ?
    AND calls = 0 AND unpriced = 0 AND resent_tokens = 0 AND resent_units = 0 AND resent_picos = 0`
