import type { Instant } from '../time.ts'
import { type Admission, admissionOver } from './admit.ts'
import type { Asked, Misfit } from './decision.ts'
import { type Demand, demandsOf, isFit, misfitOf, refusalOf } from './demand.ts'
import type { Balance, CounterName, Hold } from './hold.ts'
import type { Limit } from './limit.ts'
import { type LimitMeter, lentOf, namedCounter, type Owner, stateOf } from './limit-meter.ts'
import { openMeters } from './limit-meters.ts'
import type { Left, Lent, NotLent, Recall, Slice } from './slice.ts'

/** The one that keeps the true counters, and lends slices of them to workers. What is lent and what is counted never
 * come to more than the cap of a limit, but for what asks nobody: accruals, what vendors bill beyond the most, a cap
 * that is lowered. Messages of a worker come in the order in which it sent them, and none is lost while it lives. */
export type Lender = {
  /** Ends, and calls of the keeper itself. What is lent is not theirs; what limits show as held contains it. */
  readonly admission: Admission
  /** Of the limits there are. It rises when they are replaced: then what is lent to a worker stays so until it gives back what
   * is left of it, which is its answer to the new limits. */
  readonly epoch: () => number
  /** Lends what a call needs of all its limits, or nothing, and some more of each as long as there is plenty. Limits that
   * only warn are not lent: calls pass them. `workers`: how many there are. */
  readonly lend: (worker: string, asked: Asked, workers: number) => Lent | NotLent
  /** How much of a counter is lent. */
  readonly lent: (counter: CounterName) => bigint
  /** Whose slices would have to come back for a call of the keeper itself that does not fit. */
  readonly recall: (asked: Asked) => readonly Recall[]
  /** A worker gives back what was left of its slices, under an epoch. What was lent to it meanwhile stays its own. */
  readonly giveBack: (worker: string, left: readonly Left[], epoch: number) => void
  /** A worker has died. What it had not told of has not been sent anywhere. */
  readonly gone: (worker: string) => void
  /** A worker has reserved a call from its slices, at an instant and under an epoch. Gives the limits that only warn and that
   * it did not fit. */
  readonly used: (worker: string, holds: readonly Hold[], at: Instant, epoch: number) => readonly Misfit[]
}

/** How many more calls like the one that asks a slice is for, at most. */
const moreCallsMax = 15n
/** One worker has at most a fourth of its even share of what is free beyond its need, so that slices shrink near the cap. */
const shareOfFree = 4n

/** Starts counting from the ledger's balances, as `createAdmission` does; nothing is lent. */
export const createLender = (limits: readonly Limit[], balances: readonly Balance[]): Lender => {
  const meters = openMeters(limits, balances)
  const ownerOf = (worker: string, epoch = meters.epoch()): Owner => `${epoch}:${worker}`

  return {
    admission: admissionOver(meters),
    epoch: meters.epoch,
    lend: (worker, asked, workers) => {
      const { at } = asked
      const owner = ownerOf(worker)
      const mine = demandsOf(meters.all(), asked).filter(({ meter }) => meter.limit.action !== 'warn')
      const misfits = mine.filter((demand) => !isFit(demand, at, owner))
      const refused = refusalOf(misfits.map((demand) => misfitOf(demand, at, owner)))
      if (refused !== null) return { lent: false, refused, recall: recallOf(misfits, at, owner) }
      const slices: Slice[] = []
      for (const { meter, counter, amount } of mine) {
        if (amount === null || amount === 0n) continue
        const own = lentTo(meter, counter, owner)
        if (amount > own) lendMore(meter, counter, owner, amount - own)
        const now = lentTo(meter, counter, owner)
        const target = amount + bonusOf(amount, stateOf(meter, counter, at).free, workers)
        if (target > now) lendMore(meter, counter, owner, target - now)
        const added = lentTo(meter, counter, owner) - own
        if (added === 0n) continue
        // What is lent in this window is not used in the one before, though the keeper count nothing in it yet.
        meter.counters.hold(counter, at, 0n)
        slices.push({ ...namedCounter(meter.limit, counter), added, latest: meter.counters.latest() })
      }
      return { lent: true, epoch: meters.epoch(), at, slices }
    },
    lent: (name) => {
      const meter = meters.of(name)
      return meter === undefined ? 0n : lentOf(meter, name.counter ?? '')
    },
    recall: (asked) => {
      const misfits = demandsOf(meters.all(), asked).filter(
        (demand) => demand.meter.limit.action !== 'warn' && !isFit(demand, asked.at),
      )
      return recallOf(misfits, asked.at)
    },
    giveBack: (worker, left, epoch) => {
      const owner = ownerOf(worker, epoch)
      for (const { amount, ...name } of left) {
        const meter = meters.of(name)
        if (meter !== undefined) lendMore(meter, name.counter ?? '', owner, -amount)
      }
    },
    gone: (worker) => {
      for (const meter of meters.all()) {
        for (const [counter, owners] of [...meter.lent]) {
          for (const [owner, amount] of [...owners]) {
            if (workerOf(owner) === worker) lendMore(meter, counter, owner, -amount)
          }
        }
      }
    },
    used: (worker, holds, at, epoch) => {
      const owner = ownerOf(worker, epoch)
      const warnings: Misfit[] = []
      for (const hold of holds) {
        const meter = meters.of(hold)
        if (meter === undefined) continue
        const { counter = '', windowStart, amount } = hold
        const from = Math.max(at, windowStart)
        if (meter.limit.action === 'warn') {
          const demand = { meter, counter, amount, isForeign: false }
          if (!isFit(demand, from)) warnings.push(misfitOf(demand, from))
        }
        lendMore(meter, counter, owner, -amount)
        meter.counters.place({ counter, windowStart }, from, amount)
      }
      return warnings
    },
  }
}

/** More than a call needs, so that the next ones need not ask; nothing where it is less than one more of them. */
const bonusOf = (amount: bigint, free: bigint, workers: number): bigint => {
  const share = free / (shareOfFree * BigInt(Math.max(1, workers)))
  const most = moreCallsMax * amount
  const bonus = share < most ? share : most
  return bonus < amount ? 0n : bonus
}

const workerOf = (owner: Owner): string => owner.slice(owner.indexOf(':') + 1)

const lentTo = ({ lent }: LimitMeter, counter: string, owner: Owner): bigint =>
  lent.get(counter)?.get(owner) ?? 0n

/** Never below nothing: what is used or given back beyond it was lent under a limit that counted something else. */
const lendMore = ({ lent }: LimitMeter, counter: string, owner: Owner, more: bigint): void => {
  if (more === 0n) return
  const owners = lent.get(counter) ?? new Map<Owner, bigint>()
  const amount = (owners.get(owner) ?? 0n) + more
  if (amount > 0n) owners.set(owner, amount)
  else owners.delete(owner)
  if (owners.size > 0) lent.set(counter, owners)
  else lent.delete(counter)
}

/** Nothing where a call would not fit though all came back. The one that asks is among them where it has itself what stands
 * in its way: what was lent does not fit any more once something that asks nobody has taken its room. */
const recallOf = (misfits: readonly Demand[], at: Instant, asking?: Owner): readonly Recall[] => {
  const byWorker = new Map<string, CounterName[]>()
  for (const { meter, counter, amount, isForeign } of misfits) {
    const owners = meter.lent.get(counter)
    if (isForeign || amount === null || owners === undefined) return []
    if (!meter.counters.fits(counter, at, amount)) return []
    for (const [owner, lent] of owners) {
      if (owner === asking && lent <= amount) continue
      const counters = byWorker.get(workerOf(owner)) ?? []
      counters.push(namedCounter(meter.limit, counter))
      byWorker.set(workerOf(owner), counters)
    }
  }
  return [...byWorker].map(([worker, counters]) => ({ worker, counters }))
}
