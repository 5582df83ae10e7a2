import { OctroiError } from '../errors.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { bucketCounters } from './bucket-counters.ts'
import { calendarCounters } from './calendar-counters.ts'
import { amountAtCeiling, type CeilingAsked, mostAtCeiling } from './ceiling.ts'
import { counterIn, counterName } from './counter-name.ts'
import type { Change, Counters } from './counters.ts'
import { type Crossing, createCrossings } from './crossing.ts'
import { type Balance, type Hold, settledOf, unresolvedOf } from './hold.ts'
import { type Action, aboutOf, type Limit } from './limit.ts'
import { type Measure, mostOf, type Used } from './measure.ts'
import type { LimitSubject } from './pattern.ts'
import { rollingCounters } from './rolling-counters.ts'

/** A call that asks to be admitted. `most` is the most it can cost, or null when nobody knows; `quote` says what is
 * known of it, for limits on other measures and for those that have a ceiling. */
export type Asked = {
  readonly subject: LimitSubject
  readonly at: Instant
  readonly most: Picos | null
  readonly quote?: CeilingAsked
  readonly currency: string
}

/** The call may go: it holds its most against each of its limits. `warnings` are limits that it does not fit and that
 * let it pass. */
export type Admitted = {
  readonly admitted: true
  readonly holds: readonly Hold[]
  readonly warnings: readonly Misfit[]
}

/** The call may not go, and has left no trace. It is told of one limit that it does not fit: of one that refuses before
 * one that waits, and of that before one that lowers the output. `fitsAt` and `fitsWhenFreed` then say about all the
 * limits it does not fit together. */
export type Refused = { readonly admitted: false } & Misfit

/** A call and a limit that it does not fit. `exceeded`: its most is more than what is free; `unbounded`: its most is
 * unknown; `currency`: it is priced in another currency than the limit. */
export type Misfit = {
  readonly reason: 'exceeded' | 'unbounded' | 'currency'
  readonly action: Action
  readonly asked: bigint | null
  /** When it fits if nothing else comes and nothing ends; null where no time makes room. */
  readonly fitsAt: Instant | null
  /** How much of what is held now must end without being used before it fits; null where even all of it is too little. */
  readonly fitsWhenFreed: bigint | null
} & LimitState

/** Where a counter of a limit stands: `cap + over = settled + held + unresolved + free`. Amounts are in the smallest unit
 * of the measure. `over` is what vendors billed beyond the most they were held to, what a limit that only warns let
 * pass, or what a lowered cap leaves above itself. */
export type LimitState = {
  readonly limit: string
  /** Whose counter it is, of a limit that has one for each of something; empty where it has one. */
  readonly counter: Readonly<Record<string, string | null>>
  readonly measure: Measure
  readonly cap: bigint
  readonly currency: string | null
  readonly windowStart: Instant
  readonly resetsAt: Instant | null
  readonly settled: bigint
  readonly held: bigint
  readonly unresolved: bigint
  readonly free: bigint
  readonly over: bigint
}

/** Holds that end: with the instant of their reservation, and now. */
export type Ended = {
  readonly holds: readonly Hold[]
  readonly reservedAt: Instant
  readonly at: Instant
}

/** What a call cost and used in truth. `unresolved`: what a ceiling makes of what has no price. */
export type Actual = { readonly cost: Picos; readonly used?: Used; readonly unresolved?: readonly Hold[] }

/** The counters of all limits, and the one place where a call is admitted. Holds end once: by `settle`, `release` or
 * `expire`; the ledger's outcome says whether a repeated request is the first. What ends gives the thresholds that it
 * made its limits cross. */
export type Admission = {
  /** All limits of the call or none. A call that uses nothing passes an exhausted limit. An instant before a window that
   * has already begun counts in that window: windows never reopen. */
  readonly admit: (asked: Asked) => Admitted | Refused
  /** What `admit` would refuse with, without a hold; null where it would admit. */
  readonly look: (asked: Asked) => Refused | null
  /** Holds what has been used already and asks nobody, against all its limits, also beyond their caps. Limits in another
   * currency cannot count it. */
  readonly hold: (asked: Asked) => readonly Hold[]
  /** All limits that are about a call, what it asks of each, and whether that fits. */
  readonly about: (
    asked: Asked,
  ) => readonly (LimitState & Pick<Misfit, 'action' | 'asked'> & { fits: boolean })[]
  readonly settle: (ended: Ended, actual: Actual) => readonly Crossing[]
  readonly release: (ended: Ended) => void
  /** The lease has passed: what was held is now unresolved. */
  readonly expire: (ended: Ended) => readonly Crossing[]
  /** The truth about expired holds is known: what was unresolved is now settled. */
  readonly adjust: (ended: Ended, actual: Actual) => readonly Crossing[]
  /** Expired holds proved to be of nothing. */
  readonly forgive: (ended: Ended) => void
  /** What usage without a price counts for against the limits of these holds until its price is known: an amount for
   * each that has a ceiling. */
  readonly atCeiling: (
    holds: readonly Hold[],
    unpriced: Parameters<typeof amountAtCeiling>[0],
  ) => readonly Hold[]
  /** The limits on cost, and their windows at an instant, in which something counts that is incurred already and asks
   * nobody: an accrual. Limits in another currency cannot count it. */
  readonly windows: (incurred: {
    readonly subject: LimitSubject
    readonly at: Instant
    readonly currency: string
  }) => readonly Omit<Hold, 'amount'>[]
  /** Counts what the ledger has written of no open reservation: an accrual, or how much more or less an adjusted call
   * settles and leaves unresolved. It may go beyond a cap. */
  readonly count: (written: {
    readonly at: Instant
    readonly settled: readonly Hold[]
    readonly unresolved?: readonly Hold[]
  }) => readonly Crossing[]
  /** Where all limits stand; of one that has a counter for each of something, at most so many of its counters. */
  readonly state: (at: Instant, countersMax?: number) => readonly LimitState[]
}

/** Starts counting from the ledger's balances, which come in the order of their windows. Balances of limits that are no
 * more, or count another measure now, are left aside. Throws `bad_input` when two limits have one name. */
export const createAdmission = (limits: readonly Limit[], balances: readonly Balance[]): Admission => {
  const meters = new Map(limits.map((limit) => [limit.name, openMeter(limit)]))
  if (meters.size < limits.length) {
    throw new OctroiError('bad_input', 'Two limits have the same name. Give each its own.')
  }
  const meterOf = (hold: Omit<Hold, 'amount' | 'windowStart'>): LimitMeter | undefined => {
    const meter = meters.get(hold.limit)
    return meter?.limit.measure === (hold.measure ?? 'cost') ? meter : undefined
  }
  for (const balance of balances) {
    const meter = meterOf(balance)
    meter?.counters.load(balance.counter ?? '', balance)
    meter?.crossings.load(balance.counter ?? '', balance)
  }

  const move = (
    { holds, reservedAt, at }: Ended,
    changeOf: (hold: Hold) => Change,
    crossed: Crossing[] = [],
  ): readonly Crossing[] => {
    for (const hold of holds) {
      const meter = meterOf(hold)
      if (meter === undefined) continue
      const { counter = '', windowStart } = hold
      meter.counters.change({ counter, windowStart, reservedAt }, at, changeOf(hold))
      if (meter.crossings.isAny) crossed.push(...meter.crossings.after(hold, meter.counters, at))
    }
    return crossed
  }

  /** What a ceiling leaves, before the holds end: a counter of the past that holds nothing is forgotten. */
  const leave = (ended: Ended, unresolved: readonly Hold[] | undefined): Crossing[] =>
    unresolved === undefined
      ? []
      : [...move({ ...ended, holds: unresolved }, ({ amount }) => ({ unresolved: amount }))]

  const misfits = (mine: readonly Demand[], asked: Asked): readonly Misfit[] => {
    const found: Misfit[] = []
    for (const demand of mine) if (!isFit(demand, asked.at)) found.push(misfitOf(demand, asked.at))
    return found
  }

  return {
    admit: (asked) => {
      if (asked.most !== null && asked.most < 0n) {
        throw new OctroiError('internal', 'A call cannot cost less than nothing. Please report this.')
      }
      const mine = demandsOf(meters.values(), asked)
      const found = misfits(mine, asked)
      const refused = refusalOf(found)
      if (refused !== null) return refused
      return { admitted: true, holds: holdsOf(mine, asked.at), warnings: found }
    },
    look: (asked) => refusalOf(misfits(demandsOf(meters.values(), asked), asked)),
    hold: (asked) => holdsOf(demandsOf(meters.values(), asked), asked.at),
    about: (asked) =>
      demandsOf(meters.values(), asked).map((demand) => ({
        ...misfitOf(demand, asked.at),
        fits: isFit(demand, asked.at),
      })),
    settle: (ended, actual) => {
      const left = leave(ended, actual.unresolved)
      const settled = (hold: Hold) => settledOf(hold, actual.cost, actual.used)
      return move(ended, (hold) => ({ held: -hold.amount, settled: settled(hold) }), left)
    },
    release: (ended) => {
      move(ended, ({ amount }) => ({ held: -amount }))
    },
    expire: (ended) => move(ended, (hold) => ({ held: -hold.amount, unresolved: unresolvedOf(hold) })),
    adjust: (ended, actual) => {
      const left = leave(ended, actual.unresolved)
      const settled = (hold: Hold) => settledOf(hold, actual.cost, actual.used)
      return move(ended, (hold) => ({ unresolved: -unresolvedOf(hold), settled: settled(hold) }), left)
    },
    forgive: (ended) => {
      move(ended, (hold) => ({ unresolved: -unresolvedOf(hold) }))
    },
    atCeiling: (holds, unpriced) =>
      unpriced.length === 0
        ? []
        : holds.flatMap((held) => {
            const policy = meterOf(held)?.limit.unpriced ?? 'refuse'
            return policy === 'refuse' ? [] : [{ ...held, amount: amountAtCeiling(unpriced, policy.ceiling) }]
          }),
    windows: ({ subject, at, currency }) =>
      [...meters.values()]
        .filter(({ limit, isAbout }) => limit.currency === currency && isAbout(subject))
        .map(({ limit, counters }) => ({
          ...namedCounter(limit, counterName(limit, subject)),
          windowStart: counters.placeOf(at),
        })),
    count: ({ at, settled, unresolved = [] }) => {
      const crossed = settled.flatMap((hold) =>
        move({ holds: [hold], reservedAt: hold.windowStart, at }, ({ amount }) => ({ settled: amount })),
      )
      const left = unresolved.flatMap((hold) =>
        move({ holds: [hold], reservedAt: hold.windowStart, at }, ({ amount }) => ({ unresolved: amount })),
      )
      return [...crossed, ...left]
    },
    state: (at, countersMax = 1_000) =>
      [...meters.values()].flatMap((meter) =>
        namesOf(meter, countersMax).map((counter) => stateOf(meter, counter, at)),
      ),
  }
}

type LimitMeter = {
  readonly limit: Limit
  /** The same for limits whose counters go by the same names; empty where there is one. */
  readonly counterKey: string
  readonly isAbout: (subject: LimitSubject) => boolean
  readonly counters: Counters
  readonly crossings: ReturnType<typeof createCrossings>
}

const openMeter = (limit: Limit): LimitMeter => ({
  limit,
  counterKey: limit.each.join('\n'),
  isAbout: aboutOf(limit),
  counters: countersOf(limit),
  crossings: createCrossings(limit),
})

const countersOf = ({ window, cap }: Limit): Counters => {
  if (window === null || 'calendar' in window) return calendarCounters({ window, cap })
  return 'rolling' in window ? rollingCounters({ window, cap }) : bucketCounters({ window, cap })
}

const namesOf = ({ limit, counters }: LimitMeter, countersMax: number): readonly string[] => {
  if (limit.each.length === 0) return ['']
  const names: string[] = []
  for (const name of counters.names()) {
    if (names.length === countersMax) break
    names.push(name)
  }
  return names
}

const stateOf = ({ limit, counters }: LimitMeter, counter: string, at: Instant): LimitState => {
  const standing = counters.stand(counter, at)
  const room = limit.cap - standing.settled - standing.held - standing.unresolved
  return {
    limit: limit.name,
    counter: counterIn(counter),
    measure: limit.measure,
    cap: limit.cap,
    currency: limit.currency,
    ...standing,
    free: room > 0n ? room : 0n,
    over: room < 0n ? -room : 0n,
  }
}

/** What a call asks of one of its limits. `amount` is null where it is unknown and no ceiling says it; `isForeign`: it is
 * priced in another currency, and the limit cannot count it. */
type Demand = {
  readonly meter: LimitMeter
  readonly counter: string
  readonly amount: bigint | null
  readonly isForeign: boolean
}

const demandsOf = (meters: Iterable<LimitMeter>, asked: Asked): readonly Demand[] => {
  const demands: Demand[] = []
  // Most limits that count each of something count each of the same.
  const known = new Map<string, string>()
  for (const meter of meters) {
    const { limit } = meter
    if (!meter.isAbout(asked.subject)) continue
    let counter = meter.counterKey === '' ? '' : known.get(meter.counterKey)
    if (counter === undefined) {
      counter = counterName(limit, asked.subject)
      known.set(meter.counterKey, counter)
    }
    const isForeign = limit.currency !== null && limit.currency !== asked.currency
    demands.push({ meter, counter, amount: isForeign ? asked.most : amountUnder(limit, asked), isForeign })
  }
  return demands
}

const amountUnder = ({ measure, unpriced }: Limit, { most, quote }: Asked): bigint | null => {
  if (measure !== 'cost') return mostOf(measure, quote?.usage ?? null)
  return most !== null || quote === undefined || unpriced === 'refuse'
    ? most
    : mostAtCeiling(quote, unpriced.ceiling)
}

const isFit = ({ meter, counter, amount, isForeign }: Demand, at: Instant): boolean =>
  !isForeign && amount !== null && (amount === 0n || meter.counters.fits(counter, at, amount))

const misfitOf = ({ meter, counter, amount, isForeign }: Demand, at: Instant): Misfit => {
  const { limit, counters } = meter
  const reason = isForeign ? 'currency' : amount === null ? 'unbounded' : 'exceeded'
  const state = stateOf(meter, counter, at)
  const missing = amount === null || isForeign ? null : amount - state.free + state.over
  return {
    reason,
    action: reason === 'exceeded' || limit.action === 'warn' ? limit.action : 'refuse',
    asked: amount,
    fitsAt: amount === null || isForeign ? null : counters.fitsAt(counter, at, amount),
    fitsWhenFreed: missing !== null && missing <= state.held ? missing : null,
    ...state,
  }
}

/** The strongest first. */
const strength: readonly Action[] = ['refuse', 'wait', 'clamp']

const refusalOf = (misfits: readonly Misfit[]): Refused | null => {
  const stopping = misfits.filter(({ action }) => action !== 'warn')
  const [first, ...others] = stopping.sort((a, b) => strength.indexOf(a.action) - strength.indexOf(b.action))
  if (first === undefined) return null
  const all = <Value>(value: (misfit: Misfit) => Value | null, later: (a: Value, b: Value) => Value) =>
    others.reduce<Value | null>((so, each) => {
      const next = value(each)
      return so === null || next === null ? null : later(so, next)
    }, value(first))
  return {
    admitted: false,
    ...first,
    fitsAt: all(({ fitsAt }) => fitsAt, Math.max),
    fitsWhenFreed: all(
      ({ fitsWhenFreed }) => fitsWhenFreed,
      (a) => a,
    ),
  }
}

const holdsOf = (demands: readonly Demand[], at: Instant): readonly Hold[] => {
  const holds: Hold[] = []
  for (const demand of demands) if (!demand.isForeign) holds.push(holdOf(demand, at))
  return holds
}

/** Holds what a call asks; nothing of what is unknown to a limit that only warns. */
const holdOf = ({ meter, counter, amount }: Demand, at: Instant): Hold => {
  const held = amount ?? 0n
  return {
    ...namedCounter(meter.limit, counter),
    windowStart: meter.counters.hold(counter, at, held),
    amount: held,
  }
}

const namedCounter = (
  { name, measure, each }: Limit,
  counter: string,
): Omit<Hold, 'amount' | 'windowStart'> => ({
  limit: name,
  ...(measure !== 'cost' && { measure }),
  ...(each.length > 0 && { counter }),
})
