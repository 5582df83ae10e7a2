import { divide, multiply, parseDecimal, type Rational, rational } from '../money/rational.ts'
import type { Charge } from './price.ts'

/** What a charge would be without its promotion or discount, unrounded: what is billed at the list price, with the
 * same multipliers. */
export const listAmount = ({ list, quantity, exact, multipliers = [] }: Charge): Rational => {
  if (list === undefined) return exact
  const units = typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity
  const plain = divide(multiply(units, parseDecimal(list.unitPrice)), rational(BigInt(list.per)))
  return multipliers.reduce((product, { factor }) => multiply(product, parseDecimal(factor)), plain)
}
