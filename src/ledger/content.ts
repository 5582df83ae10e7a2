import { type Rational, rational } from '../money/rational.ts'

/** True when two writings of an entry say the same. */
export const isSameContent = (a: object, b: object): boolean => contentOf(a) === contentOf(b)

/** What an entry says, as text: without its kind and place, keys in order, numbers exact. What was measured of a
 * quantity that the vendor bills otherwise is not kept. How the attempt went is left out: whoever ends a call a second
 * time, after a restart, may have measured it otherwise or not at all. */
export const contentOf = (entry: object): string => {
  const { kind, corrects, sequence, attempt, ...content } = entry as Record<string, unknown>
  return JSON.stringify(content, (key, value: unknown) => {
    if (key === 'measured') return undefined
    if (typeof value === 'bigint') return `${value}`
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if (isRational(value)) {
      const { numerator, denominator } = rational(value.numerator, value.denominator)
      return denominator === 1n ? Number(numerator) : `${numerator}/${denominator}`
    }
    return Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
  })
}

const isRational = (value: object): value is Rational =>
  'numerator' in value && typeof value.numerator === 'bigint' && 'denominator' in value
