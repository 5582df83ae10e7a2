import { OctroiError } from '../errors.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { amountAtCeiling } from './ceiling.ts'
import { counterName } from './counter-name.ts'
import type { Change } from './counters.ts'
import type { Crossing } from './crossing.ts'
import type { Admitted, Asked, LimitState, Misfit, Refused } from './decision.ts'
import { type Demand, demandsOf, holdsOf, isFit, misfitOf, refusalOf } from './demand.ts'
import { type Balance, type Hold, settledOf, unresolvedOf } from './hold.ts'
import type { Limit } from './limit.ts'
import { namedCounter, namesOf, stateOf } from './limit-meter.ts'
import { type LimitMeters, openMeters } from './limit-meters.ts'
import type { Used } from './measure.ts'
import type { LimitSubject } from './pattern.ts'

export type { Admitted, Asked, LimitState, Misfit, Refused } from './decision.ts'

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
  /** Puts other limits in the place of all there are. What counts the same thing under the same name (measure, window and
   * `each`) counts on under its new cap, with what is in flight; everything else counts from the balances, and what was
   * held by limits that are no more ends for nothing. The balances must be read when no end is written and not told of
   * here. Throws `bad_input`, with nothing replaced, when two limits have one name. */
  readonly replace: (limits: readonly Limit[], balances: readonly Balance[]) => void
  /** Where all limits stand, or those that are asked for; of one that has a counter for each of something, at most so many
   * of its counters. */
  readonly state: (
    at: Instant,
    countersMax?: number,
    isAsked?: (limit: Limit) => boolean,
  ) => readonly LimitState[]
}

/** What follows an admission and needs none of its decisions: how calls end, and what is counted that asks nobody. */
export type AdmissionEnds = Omit<Admission, 'admit' | 'look' | 'hold' | 'about' | 'replace' | 'state'>

/** Starts counting from the ledger's balances, which come in the order of their windows. Balances of limits that are no
 * more, or count another measure now, are left aside. Throws `bad_input` when two limits have one name. */
export const createAdmission = (limits: readonly Limit[], balances: readonly Balance[]): Admission =>
  admissionOver(openMeters(limits, balances))

/** Admits over meters that something else may count in as well. */
export const admissionOver = (meters: LimitMeters): Admission => {
  const move = (
    { holds, reservedAt, at }: Ended,
    changeOf: (hold: Hold) => Change,
    crossed: Crossing[] = [],
  ): readonly Crossing[] => {
    for (const hold of holds) {
      const meter = meters.of(hold)
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
      const mine = demandsOf(meters.all(), asked)
      const found = misfits(mine, asked)
      const refused = refusalOf(found)
      if (refused !== null) return refused
      return { admitted: true, holds: holdsOf(mine, asked.at), warnings: found }
    },
    look: (asked) => refusalOf(misfits(demandsOf(meters.all(), asked), asked)),
    hold: (asked) => holdsOf(demandsOf(meters.all(), asked), asked.at),
    about: (asked) =>
      demandsOf(meters.all(), asked).map((demand) => ({
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
    ...readingsOf(meters),
    count: ({ at, settled, unresolved = [] }) => {
      const crossed = settled.flatMap((hold) =>
        move({ holds: [hold], reservedAt: hold.windowStart, at }, ({ amount }) => ({ settled: amount })),
      )
      const left = unresolved.flatMap((hold) =>
        move({ holds: [hold], reservedAt: hold.windowStart, at }, ({ amount }) => ({ unresolved: amount })),
      )
      return [...crossed, ...left]
    },
    state: (at, countersMax = 1_000, isAsked = () => true) =>
      [...meters.all()]
        .filter(({ limit }) => isAsked(limit))
        .flatMap((meter) => namesOf(meter, countersMax).map((counter) => stateOf(meter, counter, at))),
    replace: meters.replace,
  }
}

/** What of an admission says how the limits are, whatever counts in them. */
export const readingsOf = (meters: LimitMeters): Pick<Admission, 'atCeiling' | 'windows'> => ({
  atCeiling: (holds, unpriced) =>
    unpriced.length === 0
      ? []
      : holds.flatMap((held) => {
          const policy = meters.of(held)?.limit.unpriced ?? 'refuse'
          return policy === 'refuse' ? [] : [{ ...held, amount: amountAtCeiling(unpriced, policy.ceiling) }]
        }),
  windows: ({ subject, at, currency }) =>
    [...meters.all()]
      .filter(({ limit, isAbout }) => limit.currency === currency && isAbout(subject))
      .map(({ limit, counters }) => ({
        ...namedCounter(limit, counterName(limit, subject)),
        windowStart: counters.placeOf(at),
      })),
})
