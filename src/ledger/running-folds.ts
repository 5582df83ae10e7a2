import type { Hold } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import { add } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { meterFacts } from '../usage/meter.ts'
import { halves, parseFraction, quantityText, quantityValue, text } from './columns.ts'
import type { Connection, SqlValue } from './database.ts'
import type { Settlement } from './entry.ts'
import { nameId } from './names.ts'

/** The folds that are kept in the same commit as the entries: balances of limits, and what was spent by hour. */

/** What a hold becomes: it moves between the three numbers of its window. */
export type Move = { readonly settled?: Picos; readonly held?: Picos; readonly unresolved?: Picos }

/** Adds to the balance of each hold's window. */
export const moveBalances = (
  connection: Connection,
  holds: readonly Hold[],
  moveOf: (amount: Picos) => Move,
): void => {
  for (const { limit, windowStart, amount } of holds) {
    const { settled = 0n, held = 0n, unresolved = 0n } = moveOf(amount)
    const values = [settled, held, unresolved].map(halves).flatMap(({ units, picos }) => [units, picos])
    connection.run(addBalance, nameId(connection, 'limit', [limit]), windowStart, ...values)
  }
}

/** Adds the end of a call to the hour in which it was made. */
export const addToHours = (
  connection: Connection,
  { at, owner, service }: { readonly at: number; readonly owner: SqlValue; readonly service: SqlValue },
  { basis, charges, unpriced, resent }: Settlement,
): void => {
  const hour = at - (((at % hourMs) + hourMs) % hourMs)
  const key = [hour, owner, service] as const
  for (const charge of charges) addUse(connection, [...key, charge.meter, basis, 1], charge)
  for (const used of unpriced) addUse(connection, [...key, used.meter, basis, 0], { ...used, amount: 0n })
  const { units, picos } = halves(resent?.amount ?? 0n)
  connection.run(addCall, ...key, basis, unpriced.length > 0 ? 1 : 0, resent?.tokens ?? 0, units, picos)
}

const hourMs = 3_600_000

type Use = Pick<Charge, 'meter' | 'quantity' | 'amount'>

const addUse = (connection: Connection, key: readonly SqlValue[], use: Use): void => {
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
  INSERT INTO call_hours VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)
  ON CONFLICT (hour, owner, service, basis) DO UPDATE SET
    calls = calls + 1, unpriced = unpriced + excluded.unpriced,
    resent_tokens = resent_tokens + excluded.resent_tokens, ${sum('resent_units', 'resent_picos')}`
