import { OctroiError } from '../errors.ts'
import type { Picos } from './money.ts'

/** Splits an amount in proportion to weights, in whole units, so that the parts sum to it exactly. Every part is its
 * exact share rounded toward zero; the units that are left over go one each to the parts that lost most by that, of
 * equal ones to the first (largest remainder). A part of a negative amount is negative. Throws `bad_number` for a
 * negative weight, or where there is no weight at all. */
export const split = (amount: Picos, weights: readonly bigint[]): readonly Picos[] => {
  const whole = weights.reduce((sum, weight) => sum + weight, 0n)
  if (weights.some((weight) => weight < 0n) || whole === 0n) {
    throw new OctroiError(
      'bad_number',
      'An amount is split by weights of which none is negative and one is above 0.',
    )
  }
  const size = amount < 0n ? -amount : amount
  const parts = weights.map((weight) => (size * weight) / whole)
  const left = size - parts.reduce((sum, part) => sum + part, 0n)
  const lost = weights.map((weight, index) => ({ index, lost: (size * weight) % whole }))
  lost.sort((a, b) => (a.lost === b.lost ? a.index - b.index : a.lost > b.lost ? -1 : 1))
  for (const { index } of lost.slice(0, Number(left))) parts[index] = (parts[index] ?? 0n) + 1n
  return amount < 0n ? parts.map((part) => -part) : parts
}
