import type { Instant } from '../time.ts'
import { mostAtCeiling } from './ceiling.ts'
import { counterName } from './counter-name.ts'
import type { Asked, Misfit, Refused } from './decision.ts'
import type { Hold } from './hold.ts'
import type { Action, Limit } from './limit.ts'
import { type LimitMeter, lentOf, namedCounter, type Owner, stateOf } from './limit-meter.ts'
import { mostOf } from './measure.ts'

/** What a call asks of one of its limits. `amount` is null where it is unknown and no ceiling says it; `isForeign`: it is
 * priced in another currency, and the limit cannot count it. */
export type Demand = {
  readonly meter: LimitMeter
  readonly counter: string
  readonly amount: bigint | null
  readonly isForeign: boolean
}

/** What a call asks of all limits that are about it. */
export const demandsOf = (meters: Iterable<LimitMeter>, asked: Asked): readonly Demand[] => {
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

/** Whether a call may have what it asks. What is lent to others is theirs; what is lent to the owner that asks is part of
 * what it may have. */
export const isFit = ({ meter, counter, amount, isForeign }: Demand, at: Instant, owner?: Owner): boolean => {
  if (isForeign || amount === null) return false
  if (amount === 0n) return true
  if (meter.lent.size === 0) return meter.counters.fits(counter, at, amount)
  return meter.counters.fits(counter, at, neededOf(meter, counter, amount, owner))
}

/** What has to be free of a counter beside what it has counted. */
const neededOf = (meter: LimitMeter, counter: string, amount: bigint, owner: Owner | undefined): bigint => {
  if (meter.lent.size === 0) return amount
  const others = lentOf(meter, counter, owner)
  const own = lentOf(meter, counter) - others
  return others + (own > amount ? own : amount)
}

/** A demand that does not fit, with where its counter stands. */
export const misfitOf = (
  { meter, counter, amount, isForeign }: Demand,
  at: Instant,
  owner?: Owner,
): Misfit => {
  const { limit, counters } = meter
  const reason = isForeign ? 'currency' : amount === null ? 'unbounded' : 'exceeded'
  const state = stateOf(meter, counter, at)
  const needed = amount === null || isForeign ? null : neededOf(meter, counter, amount, owner)
  const missing = needed === null ? null : needed - lentOf(meter, counter) - state.free + state.over
  return {
    reason,
    action: reason === 'exceeded' || limit.action === 'warn' ? limit.action : 'refuse',
    asked: amount,
    fitsAt: needed === null ? null : counters.fitsAt(counter, at, needed),
    fitsWhenFreed: missing !== null && missing <= state.held ? missing : null,
    ...state,
  }
}

/** The strongest first. */
const strength: readonly Action[] = ['refuse', 'wait', 'clamp']

/** What a call is refused with; null where nothing stops it. */
export const refusalOf = (misfits: readonly Misfit[]): Refused | null => {
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

/** Holds what a call asks of each of its limits. */
export const holdsOf = (demands: readonly Demand[], at: Instant): readonly Hold[] => {
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
