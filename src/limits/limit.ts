import type { Rational } from '../money/rational.ts'
import type { Ceiling } from './ceiling.ts'
import { type Measure, measures } from './measure.ts'
import { type Dimension, type LimitSubject, matcherOf, namedIn } from './pattern.ts'
import type { BucketWindow, CalendarWindow, RollingWindow } from './window.ts'

/** What is done with a call that does not fit: it is refused, waits until it fits, has its output limit lowered to what
 * fits, or passes and is told of. */
export const actions = ['refuse', 'wait', 'clamp', 'warn'] as const
export type Action = (typeof actions)[number]

/** A cap on a measure for a scope in a window. A budget is a limit whose measure is `cost`, a rate limit one on anything
 * else. Its name is its identity: under a new name it counts from zero. */
export type Limit = {
  readonly name: string
  /** Patterns by name: exact names, or such with stars; of several, one must match. Every name must match; an empty
   * match is every call. */
  readonly match: Readonly<Record<Dimension, string | readonly string[]>>
  /** A counter for each value of these, or for each combination of them; one counter where there are none. */
  readonly each: readonly Dimension[]
  readonly measure: Measure
  /** In the smallest unit of the measure. Zero is a cap: it refuses every call that can use anything. */
  readonly cap: bigint
  /** Null for every measure but cost. */
  readonly currency: string | null
  /** Null for calls in flight, which need none. */
  readonly window: CalendarWindow | RollingWindow | BucketWindow | null
  readonly action: Action
  /** Shares of the cap whose crossing is told of; rising. */
  readonly warnAt: readonly Rational[]
  /** What becomes of a call that could use something without a price: it is refused, or held at a ceiling. */
  readonly unpriced: 'refuse' | { readonly ceiling: Ceiling }
  /** Of a budget in a calendar window: how fast it is spent is watched, and told of where at least `spentMin` went in
   * the longer stretch of a rule (`burnRules`). */
  readonly burnRate?: { readonly spentMin: bigint }
}

/** Makes the test whether a limit is about a call. */
export const aboutOf = (limit: Pick<Limit, 'match'>): ((subject: LimitSubject) => boolean) => {
  const tests = Object.entries(limit.match).map(([dimension, patterns]) => {
    const matchers = (typeof patterns === 'string' ? [patterns] : patterns).map(matcherOf)
    return (subject: LimitSubject): boolean => {
      const value = namedIn(subject, dimension)
      return matchers.some((matches) => matches(value))
    }
  })
  return (subject) => tests.every((test) => test(subject))
}

/** The unit of a limit's amounts as people read it: its currency, or that of its measure. */
export const unitOf = ({ measure, currency }: Pick<Limit, 'measure' | 'currency'>): string =>
  currency ?? measures[measure].unit
