import type { Instant } from '../time.ts'
import { bucketCounters } from './bucket-counters.ts'
import { calendarCounters } from './calendar-counters.ts'
import { counterIn } from './counter-name.ts'
import type { Counters } from './counters.ts'
import { type Crossings, createCrossings } from './crossing.ts'
import type { LimitState } from './decision.ts'
import type { CounterName } from './hold.ts'
import { aboutOf, type Limit } from './limit.ts'
import type { LimitSubject } from './pattern.ts'
import { rollingCounters } from './rolling-counters.ts'

/** A limit with all that it counts. */
export type LimitMeter = {
  readonly limit: Limit
  /** The same for limits whose counters go by the same names; empty where there is one. */
  readonly counterKey: string
  readonly isAbout: (subject: LimitSubject) => boolean
  readonly counters: Counters
  readonly crossings: Crossings
  /** What of each counter is lent to whom, above nothing. */
  readonly lent: Map<string, Map<Owner, bigint>>
}

/** Whom something is lent to: a worker process, under the limits of one epoch. */
export type Owner = string

/** Starts counting from nothing. `isWhole`: no hold is under way that began before it. */
export const openMeter = (limit: Limit, isWhole: boolean): LimitMeter => ({
  limit,
  counterKey: limit.each.join('\n'),
  isAbout: aboutOf(limit),
  counters: countersOf(limit, isWhole),
  crossings: createCrossings(limit),
  lent: new Map(),
})

const countersOf = ({ window, cap }: Limit, isWhole: boolean): Counters => {
  if (window === null || 'calendar' in window) return calendarCounters({ window, cap, isWhole })
  return 'rolling' in window ? rollingCounters({ window, cap }) : bucketCounters({ window, cap })
}

/** Puts a limit in the place of a meter's, which counts on under it. */
export const changedMeter = (meter: LimitMeter, limit: Limit): LimitMeter => {
  meter.counters.recap(limit.cap)
  return { ...meter, limit, isAbout: aboutOf(limit), crossings: createCrossings(limit, meter.crossings) }
}

/** Whether what counts under a limit counts under another of its name as well. */
export const isSameCount = (a: Limit, b: Limit): boolean =>
  a.measure === b.measure &&
  JSON.stringify(a.each) === JSON.stringify(b.each) &&
  JSON.stringify(a.window) === JSON.stringify(b.window)

/** How much of a counter is lent, but to one owner. */
export const lentOf = ({ lent }: LimitMeter, counter: string, except?: Owner): bigint => {
  const owners = lent.size === 0 ? undefined : lent.get(counter)
  let sum = 0n
  if (owners !== undefined) for (const [owner, amount] of owners) if (owner !== except) sum += amount
  return sum
}

/** Where a counter stands. What is lent counts as held. */
export const stateOf = (meter: LimitMeter, counter: string, at: Instant): LimitState => {
  const { limit, counters } = meter
  const standing = counters.stand(counter, at)
  const { settled, unresolved, windowStart, resetsAt } = standing
  const held = standing.held + lentOf(meter, counter)
  const room = limit.cap - settled - held - unresolved
  return {
    limit: limit.name,
    counter: counterIn(counter),
    measure: limit.measure,
    cap: limit.cap,
    currency: limit.currency,
    ...{ windowStart, resetsAt, settled, held, unresolved },
    free: room > 0n ? room : 0n,
    over: room < 0n ? -room : 0n,
  }
}

/** The counters of a meter in which anything counts or of which anything is lent, at most so many. */
export const namesOf = ({ limit, counters, lent }: LimitMeter, countersMax: number): readonly string[] => {
  if (limit.each.length === 0) return ['']
  const names = new Set<string>()
  for (const known of [counters.names(), lent.keys()]) {
    for (const name of known) {
      if (names.size === countersMax) break
      names.add(name)
    }
  }
  return [...names]
}

/** A counter under the name that the ledger knows it by. */
export const namedCounter = ({ name, measure, each }: Limit, counter: string): CounterName => ({
  limit: name,
  ...(measure !== 'cost' && { measure }),
  ...(each.length > 0 && { counter }),
})
