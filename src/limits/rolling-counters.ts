import type { Instant } from '../time.ts'
import type { Counters, Standing } from './counters.ts'
import { shownOf } from './counters.ts'
import type { Limit } from './limit.ts'
import type { RollingWindow } from './window.ts'

type Slot = { readonly start: Instant; settled: bigint; held: bigint; unresolved: bigint }

/** Slots oldest first, only such as something was held in, and what they come to together. */
type Counter = { readonly slots: Slot[]; counted: bigint }

/** Counts in a rolling window by slots. A slot counts until the window has left its end, so that in no stretch of the
 * window's length more than the cap is used; what began up to one slot earlier counts too. */
export const rollingCounters = ({
  window: { lengthMs, slotMs },
  cap: first,
}: {
  readonly window: RollingWindow
  readonly cap: Limit['cap']
}): Counters => {
  const counters = new Map<string, Counter>()
  let latest = Number.NEGATIVE_INFINITY
  let cap = first
  let sweep = counters.entries()

  const slotStart = (at: Instant): Instant => Math.floor(at / slotMs) * slotMs
  const leavesAt = ({ start }: Slot): Instant => start + slotMs + lengthMs

  const now = (at: Instant): Instant => {
    latest = Math.max(latest, at)
    return latest
  }

  const dropOld = (counter: Counter, at: Instant): void => {
    for (;;) {
      const [oldest] = counter.slots
      if (oldest === undefined || leavesAt(oldest) > at) return
      counter.counted -= countedIn(oldest)
      counter.slots.shift()
    }
  }

  /** Looks at two counters more each time, so that none stays when it is empty. */
  const sweepSome = (at: Instant): void => {
    for (let looks = 0; looks < 2; looks += 1) {
      const next = sweep.next()
      if (next.done === true) {
        sweep = counters.entries()
        return
      }
      const [name, counter] = next.value
      dropOld(counter, at)
      if (counter.slots.length === 0) counters.delete(name)
    }
  }

  const slotOf = ({ slots }: Counter, start: Instant): Slot => {
    const index = slots.findLastIndex((slot) => slot.start <= start)
    const found = slots[index]
    if (found?.start === start) return found
    const made = emptySlot(start)
    slots.splice(index + 1, 0, made)
    return made
  }

  const counterOf = (name: string, start: Instant): Counter => {
    const known = counters.get(name)
    if (known !== undefined) return known
    const made = { slots: [emptySlot(start)], counted: 0n }
    counters.set(name, made)
    return made
  }

  const stand = (name: string, asked: Instant): Standing => {
    const at = Math.max(latest, asked)
    let [settled, held, unresolved] = [0n, 0n, 0n]
    let resetsAt: Instant | null = null
    for (const slot of counters.get(name)?.slots ?? []) {
      if (leavesAt(slot) <= at) continue
      settled += slot.settled
      held += slot.held
      unresolved += slot.unresolved
      if (countedIn(slot) > 0n) resetsAt = leavesAt(slot)
    }
    return { ...shownOf({ settled, held, unresolved }), windowStart: slotStart(at), resetsAt: resetsAt ?? at }
  }

  const holdIn = (name: string, start: Instant, amount: bigint): void => {
    const counter = counterOf(name, start)
    slotOf(counter, start).held += amount
    counter.counted += amount
  }

  const isKept = (start: Instant, at: Instant): boolean =>
    start === slotStart(start) && start + slotMs + lengthMs > at

  return {
    fits: (name, asked, amount) => {
      const counter = counters.get(name)
      if (counter === undefined) return amount <= cap
      dropOld(counter, Math.max(latest, asked))
      return counter.counted + amount <= cap
    },
    stand,
    hold: (name, asked, amount) => {
      const at = now(asked)
      sweepSome(at)
      const start = slotStart(at)
      if (amount > 0n) holdIn(name, start, amount)
      return start
    },
    place: ({ counter, windowStart }, asked, amount) => {
      const at = now(asked)
      sweepSome(at)
      if (amount > 0n && isKept(windowStart, at)) holdIn(counter, windowStart, amount)
    },
    change: ({ counter: name, windowStart }, asked, { settled = 0n, held = 0n, unresolved = 0n }) => {
      if (!isKept(windowStart, now(asked))) return
      const counter = counterOf(name, windowStart)
      const slot = slotOf(counter, windowStart)
      counter.counted -= countedIn(slot)
      slot.settled += settled
      slot.held = atLeastZero(slot.held + held)
      slot.unresolved += unresolved
      // Where nothing else counts, one number in memory serves both.
      counter.counted += countedIn(slot)
      if (counter.counted === slot.settled) counter.counted = slot.settled
    },
    fitsAt: (name, asked, amount) => {
      const at = Math.max(latest, asked)
      if (amount > cap) return null
      const { settled, held, unresolved } = stand(name, at)
      let counted = settled + held + unresolved
      let fits = at
      for (const slot of counters.get(name)?.slots ?? []) {
        if (counted + amount <= cap) break
        if (leavesAt(slot) <= at) continue
        counted -= countedIn(slot)
        fits = leavesAt(slot)
      }
      return fits
    },
    placeOf: slotStart,
    load: (name, { windowStart, settled, held, unresolved }) => {
      if (windowStart !== slotStart(windowStart)) return
      const counter = counterOf(name, windowStart)
      Object.assign(slotOf(counter, windowStart), { settled, held, unresolved })
      counter.counted += settled + held + unresolved
    },
    recap: (next) => {
      cap = next
    },
    latest: () => Math.max(0, latest),
    names: () => counters.keys(),
  }
}

/** What is held in a slot that was loaded without it ends for nothing. */
const atLeastZero = (amount: bigint): bigint => (amount <= 0n ? 0n : amount)

const emptySlot = (start: Instant): Slot => ({ start, settled: 0n, held: 0n, unresolved: 0n })

const countedIn = ({ settled, held, unresolved }: Slot): bigint => settled + held + unresolved
