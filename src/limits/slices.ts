import type { Instant } from '../time.ts'
import { type AdmissionEnds, readingsOf } from './admit.ts'
import type { Admitted, Asked } from './decision.ts'
import { demandsOf } from './demand.ts'
import type { CounterName } from './hold.ts'
import type { Limit } from './limit.ts'
import { namedCounter } from './limit-meter.ts'
import { openMeters } from './limit-meters.ts'
import type { Left, Lent } from './slice.ts'

/** What a worker process has of the limits: slices that the keeper of the counters has lent to it. They shrink when calls
 * are admitted from them and grow by what is lent; what ends is counted by the keeper alone, so the ends of an admission
 * do nothing here. */
export type Slices = AdmissionEnds & {
  /** Of the limits there are; it goes with everything that the keeper is told. */
  readonly epoch: () => number
  /** Admits a call from the slices of all its limits, or says that the keeper must be asked for more, and takes nothing.
   * Limits that only warn let it pass: the keeper tells of them. */
  readonly take: (asked: Asked) => Admitted | Missing
  /** Adds what was lent. What was lent under other limits is left aside. */
  readonly add: (lent: Lent) => void
  /** How much of a counter calls may still be admitted from. */
  readonly left: (counter: CounterName) => bigint
  /** Gives up slices, and says what was left of them: the keeper must be told, under this epoch. */
  readonly giveBack: (counters: readonly CounterName[] | 'all') => readonly Left[]
  /** The counters that no call was admitted from, and nothing was lent of, for a second. */
  readonly idle: (at: Instant) => readonly CounterName[]
  /** Puts other limits in the place of those there are, and gives up all slices: says what was left, of which the keeper
   * must be told under the epoch before. */
  readonly replace: (limits: readonly Limit[], epoch: number) => readonly Left[]
}

/** The slices do not have what a call asks. Whether it fits, the keeper knows. */
export type Missing = { readonly admitted: false; readonly missing: true }

type Rest = { readonly name: CounterName; amount: bigint; usedAt: Instant }

const idleMs = 1_000
const missing: Missing = { admitted: false, missing: true }

/** Knows limits, and has no slices yet. */
export const createSlices = (first: readonly Limit[], firstEpoch: number): Slices => {
  const meters = openMeters(first, [])
  const rests = new Map<string, Map<string, Rest>>()
  let epoch = firstEpoch

  const restOf = ({ limit, counter = '' }: CounterName): Rest | undefined => rests.get(limit)?.get(counter)

  const drop = ({ limit, counter = '' }: CounterName): void => {
    rests.get(limit)?.delete(counter)
  }

  const all = (): readonly Rest[] => [...rests.values()].flatMap((counters) => [...counters.values()])

  const giveBack = (counters: readonly CounterName[] | 'all'): readonly Left[] => {
    const given = counters === 'all' ? all() : counters.flatMap((name) => restOf(name) ?? [])
    for (const { name } of given) drop(name)
    return given.map(({ name, amount }) => ({ ...name, amount }))
  }

  return {
    epoch: () => epoch,
    take: (asked) => {
      const mine = demandsOf(meters.all(), asked)
      for (const { meter, counter, amount, isForeign } of mine) {
        if (meter.limit.action === 'warn') continue
        if (isForeign || amount === null) return missing
        const rest = amount === 0n ? undefined : rests.get(meter.limit.name)?.get(counter)
        if (amount > 0n && (rest === undefined || rest.amount < amount)) return missing
      }
      const holds = mine.flatMap(({ meter, counter, amount, isForeign }) => {
        if (isForeign) return []
        const name = namedCounter(meter.limit, counter)
        const rest = restOf(name)
        if (rest !== undefined && amount !== null && meter.limit.action !== 'warn') {
          rest.amount -= amount
          rest.usedAt = asked.at
          if (rest.amount === 0n) drop(name)
        }
        // Nothing counts here: the counters know in which window a call is.
        return [{ ...name, windowStart: meter.counters.hold(counter, asked.at, 0n), amount: amount ?? 0n }]
      })
      return { admitted: true, holds, warnings: [] }
    },
    add: (lent) => {
      if (lent.epoch !== epoch) return
      for (const { added, latest, ...name } of lent.slices) {
        const { limit, counter = '' } = name
        meters.of(name)?.counters.hold(counter, latest, 0n)
        const counters = rests.get(limit) ?? new Map<string, Rest>()
        rests.set(limit, counters)
        const rest = counters.get(counter) ?? { name, amount: 0n, usedAt: lent.at }
        counters.set(counter, rest)
        rest.amount += added
        rest.usedAt = Math.max(rest.usedAt, lent.at)
      }
    },
    left: (name) => restOf(name)?.amount ?? 0n,
    giveBack,
    idle: (at) => {
      const idle = all().filter(({ usedAt }) => at - usedAt >= idleMs)
      return idle.map(({ name }) => name)
    },
    replace: (limits, next) => {
      const left = giveBack('all')
      meters.replace(limits, [])
      epoch = next
      return left
    },
    ...readingsOf(meters),
    settle: () => [],
    release: () => {},
    expire: () => [],
    adjust: () => [],
    forgive: () => {},
    count: () => [],
  }
}
