import { divide, multiply, parseDecimal, type Rational, rational } from '../money/rational.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import { parseMeter } from '../usage/meter.ts'
import { amount, parseFraction, parseQuantity, quantityText, quantityValue, textOrNull } from './columns.ts'
import type { Row, SqlValue } from './database.ts'
import { type NamePart, nameParts } from './names.ts'

/** Null where it is quantity x unit price / per. */
export const exactColumn = ({ exact, quantity, unitPrice, per }: Charge): SqlValue => {
  const [used, unit] = [quantityValue(quantity), parseDecimal(unitPrice)]
  const isPlain =
    exact.numerator * used.denominator * unit.denominator * BigInt(per) ===
    used.numerator * unit.numerator * exact.denominator
  if (isPlain) return null
  const { numerator, denominator } = rational(exact.numerator, exact.denominator)
  return `${numerator}/${denominator}`
}

/** The price of a charge as a name: its row and rate, and as JSON whatever else made the amount, where anything did. */
export const priceParts = (charge: Charge): readonly NamePart[] => {
  const {
    price,
    meter,
    unitPrice,
    per,
    source,
    quantity: _q,
    measured: _m,
    exact: _e,
    amount: _a,
    ...more
  } = charge
  const parts = [price, meter, unitPrice, per, source]
  return Object.keys(more).length === 0 ? parts : [...parts, JSON.stringify(more)]
}

/** True for the name of a price that names a list price, which a promotion or discount lies over. */
export const hasListPrice = (name: SqlValue | undefined): boolean => {
  const [, , , , , more = '{}'] = nameParts(name)
  return 'list' in JSON.parse(String(more))
}

/** A charge as it was written. */
export const readCharge = (row: Row): Charge => {
  const [price, meter, unitPrice, per, source, more = '{}'] = nameParts(row['price_name'])
  const charge = {
    meter: parseMeter(String(meter)),
    quantity: parseQuantity(row['quantity']),
    unitPrice: String(unitPrice),
    per: Number(per),
    amount: amount(row['amount']),
    price: String(price),
    source: String(source),
    ...(JSON.parse(String(more)) as Partial<Charge>),
  }
  const exact = textOrNull(row['exact'])
  return { ...charge, exact: exact === null ? plainExact(charge) : parseFraction(exact) }
}

/** Quantity x unit price / per: what a charge comes to where nothing multiplies it. */
const plainExact = ({ quantity, unitPrice, per }: Pick<Charge, 'quantity' | 'unitPrice' | 'per'>): Rational =>
  divide(multiply(quantityValue(quantity), parseDecimal(unitPrice)), rational(BigInt(per)))

/** What had no price, as JSON. */
export const unpricedText = (unpriced: readonly Unpriced[]): string =>
  JSON.stringify(unpriced.map((each) => ({ ...each, quantity: quantityText(each.quantity) })))

/** What had no price, read back. */
export const readUnpriced = (json: string | null): readonly Unpriced[] => {
  const written: readonly (Omit<Unpriced, 'quantity'> & { readonly quantity: string })[] = JSON.parse(
    json ?? '[]',
  )
  return written.map((each) => ({ ...each, quantity: parseQuantity(each.quantity) }))
}
