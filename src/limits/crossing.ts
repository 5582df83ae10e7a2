import { compare, format, type Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { counterIn } from './counter-name.ts'
import type { Counters, Standing } from './counters.ts'
import type { Balance, Hold } from './hold.ts'
import type { Limit } from './limit.ts'
import type { Measure } from './measure.ts'

/** A share of its cap that what a limit has settled and left unresolved has reached. `id` is the same for the same
 * crossing, so that it is told of once, whoever asks again. */
export type Crossing = {
  readonly id: string
  readonly limit: string
  readonly counter: Readonly<Record<string, string | null>>
  readonly measure: Measure
  readonly currency: string | null
  readonly windowStart: Instant
  readonly resetsAt: Instant | null
  /** A decimal such as `0.8`. */
  readonly share: string
  readonly cap: bigint
  /** What is settled or unresolved. */
  readonly used: bigint
} & Pick<Standing, 'settled' | 'held' | 'unresolved'>

/** What of a limit has crossed its `warnAt` shares. */
export type Crossings = {
  readonly isAny: boolean
  /** What a balance has reached already was told of. */
  readonly load: (counter: string, balance: Balance) => void
  /** After a counter moved: the shares that it has reached for the first time. */
  readonly after: (hold: Hold, counters: Counters, at: Instant) => readonly Crossing[]
  /** The latest window, and the largest share told of for each of its counters. */
  readonly told: () => { readonly windowStart: Instant; readonly shares: ReadonlyMap<string, Rational> }
}

/** Tells of the `warnAt` shares of a limit, each once for a window of a counter; what was told of `before` under another
 * cap stays told. Only the latest window is watched: what comes late for a past one is not told of any more. */
export const createCrossings = (
  limit: Pick<Limit, 'name' | 'warnAt' | 'cap' | 'measure' | 'currency'>,
  before?: Crossings,
): Crossings => {
  const { warnAt, cap } = limit
  const past = before?.told()
  let latest = past?.windowStart ?? Number.NEGATIVE_INFINITY
  const told = new Map<string, number>()
  for (const [counter, share] of past?.shares ?? []) {
    told.set(counter, warnAt.filter((each) => compare(each, share) <= 0).length)
  }

  /** How many shares are reached. */
  const reached = (used: bigint): number => {
    const next = warnAt.findIndex(({ numerator, denominator }) => used * denominator < cap * numerator)
    return used <= 0n ? 0 : next === -1 ? warnAt.length : next
  }

  const turnTo = (windowStart: Instant): boolean => {
    if (windowStart > latest) told.clear()
    latest = Math.max(latest, windowStart)
    return windowStart === latest
  }

  return {
    isAny: warnAt.length > 0,
    load: (counter, { windowStart, settled, unresolved }) => {
      if (turnTo(windowStart)) told.set(counter, reached(settled + unresolved))
    },
    after: ({ counter = '', windowStart }, counters, at) => {
      const standing = counters.stand(counter, at)
      if (standing.windowStart !== windowStart || !turnTo(windowStart)) return []
      const { settled, held, unresolved, resetsAt } = standing
      const used = settled + unresolved
      const before = told.get(counter) ?? 0
      const now = reached(used)
      if (now <= before) return []
      told.set(counter, now)
      return warnAt.slice(before, now).map((exact) => {
        const share = format(exact)
        const { name, measure, currency } = limit
        return {
          id: JSON.stringify([name, counter, windowStart, share]),
          ...{ limit: name, counter: counterIn(counter), measure, currency },
          ...{ windowStart, resetsAt, share, cap, used, settled, held, unresolved },
        }
      })
    },
    told: () => ({
      windowStart: latest,
      shares: new Map(
        [...told].flatMap(([counter, shares]) => {
          const share = warnAt[shares - 1]
          return share === undefined ? [] : [[counter, share]]
        }),
      ),
    }),
  }
}
