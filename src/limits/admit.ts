import { OctroiError } from '../errors.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { amountAtCeiling, type CeilingAsked, mostAtCeiling } from './ceiling.ts'
import type { Balance, Hold } from './hold.ts'
import { type Limit, type LimitSubject, matches } from './limit.ts'
import { type Period, windowOf } from './window.ts'

/** A call that asks to be admitted. `most` is the most it can cost, or null when nobody knows; then `quote` says what
 * is known, for the limits that have a ceiling for the rest. */
export type Asked = {
  readonly subject: LimitSubject
  readonly at: Instant
  readonly most: Picos | null
  readonly quote?: CeilingAsked
  readonly currency: string
}

/** The call may go: it holds its most against each of its limits. */
export type Admitted = { readonly admitted: true; readonly holds: readonly Hold[] }

/** The call may not go, and has left no trace. `budget`: its most does not fit; `unbounded`: its most is
 * unknown; `currency`: it is priced in another currency than the limit. */
export type Refused = {
  readonly admitted: false
  readonly reason: 'budget' | 'unbounded' | 'currency'
  readonly asked: Picos | null
} & LimitState

/** Where a limit stands in one window: `cap + over = settled + held + unresolved + free`. `over` is what
 * vendors billed beyond the most they were held to, or what a lowered cap leaves above itself. */
export type LimitState = {
  readonly limit: string
  readonly cap: Picos
  readonly currency: string
  readonly windowStart: Instant
  readonly resetsAt: Instant
  readonly settled: Picos
  readonly held: Picos
  readonly unresolved: Picos
  readonly free: Picos
  readonly over: Picos
}

/** The counters of all limits, and the one place where a call is admitted. Holds end once: by `settle`,
 * `release` or `expire`; the ledger's outcome says whether a repeated request is the first. */
export type Admission = {
  /** All limits of the call or none. A call that costs nothing passes an exhausted budget. An instant before
   * a window that has already begun counts in that window: windows never reopen. */
  readonly admit: (asked: Asked) => Admitted | Refused
  readonly settle: (holds: readonly Hold[], actual: Picos, unresolved?: readonly Hold[]) => void
  readonly release: (holds: readonly Hold[]) => void
  /** The lease has passed: what was held is now unresolved. */
  readonly expire: (holds: readonly Hold[]) => void
  /** The truth about expired holds is known: what was unresolved is now settled at `actual`. */
  readonly adjust: (holds: readonly Hold[], actual: Picos, unresolved?: readonly Hold[]) => void
  /** What usage without a price counts for against the limits of these holds until its price is known: an amount for
   * each that has a ceiling. `settle` and `adjust` take it as `unresolved`. */
  readonly atCeiling: (
    holds: readonly Hold[],
    unpriced: Parameters<typeof amountAtCeiling>[0],
  ) => readonly Hold[]
  /** The limits, and their windows at an instant, in which something counts that is incurred already and asks nobody:
   * an accrual. Limits in another currency cannot count it. */
  readonly windows: (incurred: {
    readonly subject: LimitSubject
    readonly at: Instant
    readonly currency: string
  }) => readonly Omit<Hold, 'amount'>[]
  /** Counts what the ledger has written of no open reservation: an accrual, or how much more or less an adjusted call
   * settles and leaves unresolved. It may go beyond a cap. */
  readonly count: (written: {
    readonly settled: readonly Hold[]
    readonly unresolved?: readonly Hold[]
  }) => void
  readonly state: (at: Instant) => readonly LimitState[]
}

/** Starts counting from the ledger's balances. Balances of limits that are no more are left aside.
 * Throws `bad_input` when two limits have one name. */
export const createAdmission = (limits: readonly Limit[], balances: readonly Balance[]): Admission => {
  const meters = new Map(limits.map((limit) => [limit.name, openMeter(limit)]))
  if (meters.size < limits.length) {
    throw new OctroiError('bad_input', 'Two limits have the same name. Give each its own.')
  }
  for (const { limit, windowStart, settled, held, unresolved } of balances) {
    meters.get(limit)?.counters.set(windowStart, { settled, held, unresolved })
  }

  const move = (holds: readonly Hold[], change: (counter: Counter, amount: Picos) => void): void => {
    for (const { limit, windowStart, amount } of holds) {
      const meter = meters.get(limit)
      const counter = meter?.counters.get(windowStart)
      if (meter === undefined || counter === undefined) continue
      change(counter, amount)
      forget(meter, windowStart)
    }
  }

  /** Before the holds end: a counter of the past that holds nothing is forgotten. */
  const leave = (unresolved: readonly Hold[]): void =>
    move(unresolved, (counter, amount) => {
      counter.unresolved += amount
    })

  const add = (moves: readonly Hold[], number: 'settled' | 'unresolved'): void => {
    for (const { limit, windowStart, amount } of moves) {
      const meter = meters.get(limit)
      if (meter === undefined) continue
      const counter = meter.counters.get(windowStart) ?? { ...nothing }
      counter[number] += amount
      meter.counters.set(windowStart, counter)
      forget(meter, windowStart)
    }
  }

  return {
    admit: (asked) => {
      if (asked.most !== null && asked.most < 0n) {
        throw new OctroiError('internal', 'A call cannot cost less than nothing. Please report this.')
      }
      const mine = [...meters.values()].filter((meter) => matches(meter.limit, asked.subject))
      for (const meter of mine) {
        const state = stateOf(meter, enter(meter, asked.at))
        const most = mostUnder(meter.limit, asked)
        const reason = refusal(state, { ...asked, most })
        if (reason !== null) return { admitted: false, reason, asked: most, ...state }
      }
      return {
        admitted: true,
        holds: mine.map((meter) => hold(meter, enter(meter, asked.at), mostUnder(meter.limit, asked) ?? 0n)),
      }
    },
    settle: (holds, actual, unresolved = []) => {
      leave(unresolved)
      move(holds, (counter, amount) => {
        counter.held = take(counter.held, amount)
        counter.settled += actual
      })
    },
    release: (holds) =>
      move(holds, (counter, amount) => {
        counter.held = take(counter.held, amount)
      }),
    expire: (holds) =>
      move(holds, (counter, amount) => {
        counter.held = take(counter.held, amount)
        counter.unresolved += amount
      }),
    adjust: (holds, actual, unresolved = []) => {
      leave(unresolved)
      move(holds, (counter, amount) => {
        counter.unresolved = take(counter.unresolved, amount)
        counter.settled += actual
      })
    },
    atCeiling: (holds, unpriced) =>
      unpriced.length === 0
        ? []
        : holds.flatMap((held) => {
            const policy = meters.get(held.limit)?.limit.unpriced ?? 'refuse'
            return policy === 'refuse' ? [] : [{ ...held, amount: amountAtCeiling(unpriced, policy.ceiling) }]
          }),
    windows: ({ subject, at, currency }) =>
      [...meters.values()]
        .filter(({ limit }) => limit.currency === currency && matches(limit, subject))
        .map(({ limit }) => ({ limit: limit.name, windowStart: windowOf(limit.window, at).start })),
    count: ({ settled, unresolved = [] }) => {
      add(settled, 'settled')
      add(unresolved, 'unresolved')
    },
    state: (at) => [...meters.values()].map((meter) => stateOf(meter, periodAt(meter, at))),
  }
}

type Counter = { settled: Picos; held: Picos; unresolved: Picos }

/** One limit, the latest period that has begun for it, and a counter per period. */
type LimitMeter = { readonly limit: Limit; current: Period | null; readonly counters: Map<Instant, Counter> }

const openMeter = (limit: Limit): LimitMeter => ({ limit, current: null, counters: new Map() })

const nothing: Readonly<Counter> = { settled: 0n, held: 0n, unresolved: 0n }

/** The period in which `at` counts; computed once a period. */
const periodAt = (meter: LimitMeter, at: Instant): Period => {
  const { current } = meter
  return current !== null && at < current.end ? current : windowOf(meter.limit.window, at)
}

/** The period of a call, made the current one; when a new one begins, idle counters of the past go. */
const enter = (meter: LimitMeter, at: Instant): Period => {
  const period = periodAt(meter, at)
  if (period !== meter.current) {
    meter.current = period
    for (const start of [...meter.counters.keys()]) forget(meter, start)
  }
  return period
}

const forget = (meter: LimitMeter, start: Instant): void => {
  const past = meter.current !== null && start < meter.current.start
  if (past && meter.counters.get(start)?.held === 0n) meter.counters.delete(start)
}

const stateOf = (meter: LimitMeter, period: Period): LimitState => {
  const { name, cap, currency } = meter.limit
  const { settled, held, unresolved } = meter.counters.get(period.start) ?? nothing
  const room = cap - settled - held - unresolved
  return {
    limit: name,
    cap,
    currency,
    windowStart: period.start,
    resetsAt: period.end,
    settled,
    held,
    unresolved,
    free: room > 0n ? room : 0n,
    over: room < 0n ? -room : 0n,
  }
}

/** The most a call is held at under a limit: its own, or where that is unknown what the limit's ceiling makes of it. */
const mostUnder = ({ unpriced }: Limit, { most, quote }: Asked): Picos | null =>
  most !== null || quote === undefined || unpriced === 'refuse'
    ? most
    : mostAtCeiling(quote, unpriced.ceiling)

const refusal = (state: LimitState, asked: Asked): Refused['reason'] | null => {
  if (asked.currency !== state.currency) return 'currency'
  if (asked.most === null) return 'unbounded'
  return asked.most > state.free ? 'budget' : null
}

const hold = (meter: LimitMeter, period: Period, amount: Picos): Hold => {
  const counter = meter.counters.get(period.start) ?? { ...nothing }
  counter.held += amount
  meter.counters.set(period.start, counter)
  return { limit: meter.limit.name, windowStart: period.start, amount }
}

const take = (from: Picos, amount: Picos): Picos => {
  if (amount > from) throw new OctroiError('internal', 'A hold was ended twice. Please report this.')
  return from - amount
}
