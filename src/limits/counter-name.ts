import { contentHash } from '../pricing/content-hash.ts'
import type { Limit } from './limit.ts'
import { type LimitSubject, namedIn } from './pattern.ts'

/** Longer values are named by their hash: a counter stays small whatever a client sends. */
const valueLengthMax = 128

/** The name of the counter of a limit that a call counts in: JSON such as `{"endUser":"u_1"}`; empty for a limit with one
 * counter. */
export const counterName = ({ each }: Pick<Limit, 'each'>, subject: LimitSubject): string => {
  if (each.length === 0) return ''
  const values: Record<string, string | null> = {}
  for (const dimension of each) {
    const value = namedIn(subject, dimension)
    values[dimension] =
      value === null || value.length <= valueLengthMax ? value : `sha256:${contentHash(value)}`
  }
  return JSON.stringify(values)
}

/** Whose counter a name is of. */
export const counterIn = (name: string): Readonly<Record<string, string | null>> =>
  name === '' ? {} : JSON.parse(name)
