import { OctroiError } from '../errors.ts'
import type { Instant } from '../time.ts'
import type { Counters, Standing } from './counters.ts'
import { emptyStanding, shownOf } from './counters.ts'
import type { Limit } from './limit.ts'
import { type CalendarWindow, type Period, windowOf } from './window.ts'

type Counter = { settled: bigint; held: bigint; unresolved: bigint }

/** The counters of one period. It goes as a whole when it is past and nothing in it is held. */
type Page = { readonly counters: Map<string, Counter>; held: number }

/** Counts in calendar windows, and calls in flight (without a window) in one that never ends. What a call holds and what
 * it settles count in the window of its reservation. */
export const calendarCounters = ({
  window,
  cap: first,
  isWhole,
}: {
  readonly window: CalendarWindow | null
  readonly cap: Limit['cap']
  /** Whether all holds that end here began here or are in the balances. */
  readonly isWhole: boolean
}): Counters => {
  const pages = new Map<Instant, Page>()
  let current: Period | null = null
  let cap = first

  const periodAt = (at: Instant): Period => {
    if (current !== null && (current.end === null || at < current.end)) return current
    return window === null ? { start: 0, end: null } : windowOf(window, at)
  }

  const enter = (at: Instant): Period => {
    const period = periodAt(at)
    if (period !== current) {
      current = period
      for (const [start, page] of pages) if (start < period.start && page.held === 0) pages.delete(start)
    }
    return period
  }

  const counterOf = (name: string, start: Instant): { page: Page; counter: Counter } => {
    const page = pages.get(start) ?? { counters: new Map(), held: 0 }
    pages.set(start, page)
    const counter = page.counters.get(name) ?? { ...emptyStanding }
    page.counters.set(name, counter)
    return { page, counter }
  }

  const forget = (name: string, start: Instant, page: Page, counter: Counter): void => {
    const past = current !== null && start < current.start
    if (past && page.held === 0) pages.delete(start)
    else if ((past && counter.held === 0n) || isEmpty(counter)) page.counters.delete(name)
  }

  const standing = (name: string, { start, end }: Period): Standing => {
    const counter = pages.get(start)?.counters.get(name) ?? emptyStanding
    return { ...shownOf(counter), windowStart: start, resetsAt: end }
  }

  /** Where limits were replaced, what was held before may end for nothing. */
  const notNegative = (amount: bigint): bigint => {
    if (amount >= 0n) return amount
    if (!isWhole) return 0n
    throw new OctroiError('internal', 'A hold was ended twice. Please report this.')
  }

  const usedOf = (counter: Counter): bigint => counter.settled + counter.held + counter.unresolved

  const holdIn = (name: string, start: Instant, amount: bigint): void => {
    const { page, counter } = counterOf(name, start)
    if (counter.held === 0n) page.held += 1
    counter.held += amount
  }

  return {
    fits: (name, at, amount) => {
      const counter = pages.get(periodAt(at).start)?.counters.get(name)
      return counter === undefined ? amount <= cap : usedOf(counter) + amount <= cap
    },
    stand: (name, at) => standing(name, periodAt(at)),
    hold: (name, at, amount) => {
      const { start } = enter(at)
      if (amount > 0n) holdIn(name, start, amount)
      return start
    },
    place: ({ counter, windowStart }, at, amount) => {
      enter(at)
      if (amount > 0n) holdIn(counter, windowStart, amount)
    },
    change: ({ counter: name, windowStart }, _, { settled = 0n, held = 0n, unresolved = 0n }) => {
      const past = current !== null && windowStart < current.start
      if (past && pages.get(windowStart)?.counters.has(name) !== true) return
      const { page, counter } = counterOf(name, windowStart)
      const isHeld = counter.held > 0n
      counter.settled += settled
      counter.held = notNegative(counter.held + held)
      counter.unresolved += unresolved
      page.held += Number(counter.held > 0n) - Number(isHeld)
      forget(name, windowStart, page, counter)
    },
    fitsAt: (name, at, amount) => {
      const period = periodAt(at)
      const { settled, held, unresolved } = standing(name, period)
      if (settled + held + unresolved + amount <= cap) return at
      return amount > cap ? null : period.end
    },
    placeOf: (at) => (window === null ? 0 : windowOf(window, at).start),
    load: (name, { windowStart, settled, held, unresolved }) => {
      const { page, counter } = counterOf(name, windowStart)
      if (held > 0n) page.held += 1
      Object.assign(counter, { settled, held, unresolved })
    },
    recap: (next) => {
      cap = next
    },
    latest: () => current?.start ?? 0,
    names: () =>
      (current === null ? [...pages.values()].at(-1) : pages.get(current.start))?.counters.keys() ?? [],
  }
}

const isEmpty = ({ settled, held, unresolved }: Counter): boolean =>
  settled === 0n && held === 0n && unresolved === 0n
