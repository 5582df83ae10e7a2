import { format } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { counterIn } from './counter-name.ts'
import type { Counters } from './counters.ts'
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
  readonly used: bigint
}

/** What of a limit has crossed its `warnAt` shares, each once for a window of a counter. Only the latest window is
 * watched: what comes late for a past one is not told of any more. */
export const createCrossings = (limit: Pick<Limit, 'name' | 'warnAt' | 'cap' | 'measure' | 'currency'>) => {
  const { warnAt, cap } = limit
  let latest = Number.NEGATIVE_INFINITY
  const told = new Map<string, number>()

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
    /** What a balance has reached already was told of. */
    load: (counter: string, { windowStart, settled, unresolved }: Balance): void => {
      if (turnTo(windowStart)) told.set(counter, reached(settled + unresolved))
    },
    /** After a counter moved: the shares that it has reached for the first time. */
    after: ({ counter = '', windowStart }: Hold, counters: Counters, at: Instant): readonly Crossing[] => {
      const standing = counters.stand(counter, at)
      if (standing.windowStart !== windowStart || !turnTo(windowStart)) return []
      const used = standing.settled + standing.unresolved
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
          ...{ windowStart, resetsAt: standing.resetsAt, share, cap, used },
        }
      })
    },
  }
}
