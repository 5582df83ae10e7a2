import { type CounterName, counterParts, type Hold } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, subtract, zero } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import type { Accrued } from './accrual.ts'
import { halves, parseFraction, quantityText, quantityValue, text } from './columns.ts'
import type { Connection, SqlValue } from './database.ts'
import type { Settlement } from './entry.ts'
import type { Imported } from './imported.ts'
import { nameId } from './names.ts'
import { changeCallHour, changeChargeHour } from './sql-rollups.ts'

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

/** Whether something is added, or taken back since it was corrected. What comes to nothing when it is taken back is gone;
 * so is what is imported and comes to nothing. */
type Sign = 1 | -1

/** Adds the end of a call to the hour in which it was made, or takes it back. */
export const addToHours = (
  connection: Connection,
  place: Place,
  settlement: Settlement,
  sign: Sign = 1,
): void => {
  const { basis, unpriced, resent } = settlement
  addUses(connection, place, settlement, sign)
  addCalls(connection, [...placeKey(place), basis], sign, {
    calls: 1,
    unpriced: unpriced.length > 0 ? 1 : 0,
    resentTokens: resent?.tokens ?? 0,
    resentAmount: resent?.amount ?? 0n,
  })
}

/** Adds what is posted of an imported line to the hour in which its time begins, or takes it back. */
export const addImported = (
  connection: Connection,
  place: Place,
  { charges, unpriced, calls }: Pick<Imported, 'charges' | 'unpriced' | 'calls'>,
  sign: Sign = 1,
): void => {
  const basis = 'imported'
  addUses(connection, place, { basis, charges, unpriced }, sign)
  if (calls === 0) return
  const counted = { ...noCalls, calls, unpriced: unpriced.length > 0 ? calls : 0 }
  addCalls(connection, [...placeKey(place), basis], sign, counted)
}

/** Adds what was used, and no call, to an hour: that of the call, or in which an accrual's stretch of time begins. */
export const addUses = (
  connection: Connection,
  place: Place,
  { basis, charges, unpriced }: Pick<Settlement | Accrued, 'basis' | 'charges' | 'unpriced'>,
  sign: Sign = 1,
): void => {
  const { uses } = gatheredOf(connection)
  const hour = placeKey(place)
  const gather = ({ meter, quantity, amount }: Use, priced: 0 | 1): void => {
    const key = [...hour, meter, basis, priced] as const
    const sums = getOrMake(uses, key.join(), () => ({ key, meter, ...noUse }))
    if (typeof quantity === 'number') sums.whole += BigInt(sign) * wholeValue(quantity)
    else sums.fraction = (sign > 0 ? add : subtract)(sums.fraction, quantityValue(quantity))
    sums.amount += BigInt(sign) * amount
    if (sign < 0 || (basis === 'imported' && isNone(quantity))) sums.mayVanish = true
  }
  for (const charge of charges) gather(charge, 1)
  for (const used of unpriced) gather({ ...used, amount: 0n }, 0)
}

const addCalls = (
  connection: Connection,
  key: readonly SqlValue[],
  sign: Sign,
  counted: Pick<CallSums, 'calls' | 'unpriced' | 'resentTokens' | 'resentAmount'>,
): void => {
  const sums = getOrMake(gatheredOf(connection).calls, key.join(), () => ({ key, ...noCalls }))
  sums.calls += sign * counted.calls
  sums.unpriced += sign * counted.unpriced
  sums.resentTokens += sign * counted.resentTokens
  sums.resentAmount += BigInt(sign) * counted.resentAmount
  if (sign < 0) sums.mayVanish = true
}

/** Writes what was gathered, to the hours and to the rollups that have them. */
export const writeFolds = (connection: Connection): void => {
  const { balances, uses, calls } = gatheredOf(connection)
  for (const { settled, held, unresolved, ...place } of balances.values()) {
    const values = [settled, held, unresolved].map(halves).flatMap(({ units, picos }) => [units, picos])
    const name = nameId(connection, 'limit', counterParts(place))
    connection.run(addBalance, name, place.windowStart, ...values)
  }
  for (const { key, meter, whole, fraction, amount, mayVanish } of uses.values()) {
    changeChargeHour(connection, key, () => {
      writeUse(connection, key, { meter, quantity: add(rational(whole), fraction), amount })
      if (mayVanish) connection.run(dropUse, ...key)
    })
  }
  for (const { key, mayVanish, ...sums } of calls.values()) {
    const { units, picos } = halves(sums.resentAmount)
    changeCallHour(connection, key, () => {
      connection.run(addCall, ...key, sums.calls, sums.unpriced, sums.resentTokens, units, picos)
      if (mayVanish) connection.run(dropCalls, ...key)
    })
  }
  for (const sums of [balances, uses, calls]) sums.clear()
}

type Gathered = {
  readonly balances: Map<string, CounterName & Pick<Hold, 'windowStart'> & Required<Changing<Move>>>
  readonly uses: Map<string, { readonly key: readonly SqlValue[]; readonly meter: Meter } & UseSums>
  readonly calls: Map<string, { readonly key: readonly SqlValue[] } & CallSums>
}
type Changing<Values> = { -readonly [Name in keyof Values]: Values[Name] }
type UseSums = { whole: bigint; fraction: Rational; amount: Picos; mayVanish: boolean }
type CallSums = {
  calls: number
  unpriced: number
  resentTokens: number
  resentAmount: Picos
  mayVanish: boolean
}

const noBalance = { settled: 0n, held: 0n, unresolved: 0n }
const noUse: UseSums = { whole: 0n, fraction: zero, amount: 0n, mayVanish: false }
const noCalls: CallSums = { calls: 0, unpriced: 0, resentTokens: 0, resentAmount: 0n, mayVanish: false }

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

const isNone = (quantity: Quantity): boolean =>
  typeof quantity === 'number' ? quantity === 0 : quantity.numerator === 0n

const wholeValue = (quantity: number): bigint => quantityValue(quantity).numerator

const writeUse = (
  connection: Connection,
  key: readonly SqlValue[],
  { meter, quantity, amount }: Pick<Use, 'meter' | 'amount'> & { readonly quantity: Rational },
): void => {
  const { units, picos } = halves(amount)
  if (meterFacts(meter).whole && isCounted(quantity)) {
    const { changes } = connection.run(addWhole, ...key, quantity.numerator, units, picos)
    if (changes > 0) return
  }
  const before = connection.get(getQuantity, ...key)?.['quantity']
  const sum = before === undefined ? quantity : add(readQuantity(before), quantity)
  connection.run(addFraction, ...key, quantityText(sum), units, picos)
}

/** Whole, and so small that SQLite can add it to another such. What is more is kept as text, as fractions are. */
const isCounted = ({ numerator, denominator }: Rational): boolean =>
  denominator === 1n && numerator < countedMax && numerator > -countedMax
const countedMax = 2n ** 62n

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
  WHERE typeof(quantity) = 'integer' 
    AND quantity BETWEEN -${countedMax} AND ${countedMax}`

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
