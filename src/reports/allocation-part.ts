import type { Picos } from '../money/money.ts'
import { roundHalfEven } from '../money/rational.ts'
import { split } from '../money/split.ts'
import type { Instant } from '../time.ts'
import {
  type AllocationMeasure,
  type AllocationVersion,
  receiversOf,
  type SharingRule,
} from './allocation-rules.ts'

/** What a cost centre bears in one currency: its own charges, and its shares of pools. */
export type CentreAllocation = {
  readonly name: string
  readonly currency: string
  readonly direct: Picos
  readonly shares: readonly { readonly pool: string; readonly amount: Picos }[]
  readonly amount: Picos
}

/** What a pool held in one currency, its own charges and what other pools gave it, and who got it. `unallocated` is
 * what fixed shares leave, or all of it where nothing of the measure was used by anyone it is for. */
export type PoolAllocation = {
  readonly name: string
  readonly currency: string
  readonly rule: SharingRule['rule']
  readonly measure: AllocationMeasure | null
  readonly own: Picos
  readonly received: Picos
  readonly given: readonly { readonly to: string; readonly amount: Picos }[]
  readonly unallocated: Picos
}

/** What nobody bears in one currency: what no rule matched, and what pools could not give. */
export type Unallocated = {
  readonly currency: string
  readonly unmatched: Picos
  readonly fromPools: readonly { readonly pool: string; readonly amount: Picos }[]
  readonly amount: Picos
}

/** The part of a period in which one version held; null before the first: all of it is unallocated. */
export type AllocationPart = {
  readonly version: string | null
  readonly from: Instant | null
  readonly to: Instant | null
  readonly centres: readonly CentreAllocation[]
  readonly pools: readonly PoolAllocation[]
  readonly unallocated: readonly Unallocated[]
}

/** What was matched to one centre or pool: amounts by currency, and what was used for them. */
export type Matched = { readonly amounts: Map<string, Picos>; tokens: bigint; requests: bigint }

/** Shares out what was matched, pool by pool, so that nothing is lost. */
export const shareOut = (
  version: AllocationVersion,
  matched: ReadonlyMap<string, Matched>,
  currencies: readonly string[],
): Pick<AllocationPart, 'centres' | 'pools'> & {
  readonly left: readonly { readonly pool: string; readonly currency: string; readonly amount: Picos }[]
} => {
  const all = currencies.map((currency) => sharedIn(version, matched, currency))
  return {
    centres: all.flatMap(({ centres }) => centres),
    pools: all.flatMap(({ pools }) => pools),
    left: all.flatMap(({ pools }) =>
      pools.flatMap(({ name, currency, unallocated }) =>
        unallocated === 0n ? [] : [{ pool: name, currency, amount: unallocated }],
      ),
    ),
  }
}

const sharedIn = (
  version: AllocationVersion,
  matched: ReadonlyMap<string, Matched>,
  currency: string,
): { readonly centres: readonly CentreAllocation[]; readonly pools: readonly PoolAllocation[] } => {
  const ownOf = (name: string): Picos => matched.get(name)?.amounts.get(currency) ?? 0n
  const received = new Map<string, { readonly pool: string; readonly amount: Picos }[]>()
  const poolOf = new Map(version.pools.map((pool) => [pool.name, pool]))
  const weightOf = (measure: AllocationMeasure, name: string): bigint => {
    const used = matched.get(name)
    if (measure !== 'cost') return used?.[measure] ?? 0n
    const cost = ownOf(name)
    return cost < 0n ? 0n : cost
  }
  const pools = version.order.flatMap((name): readonly PoolAllocation[] => {
    const pool = poolOf.get(name)
    if (pool === undefined) return []
    const own = ownOf(name)
    const got = sumOf(received.get(name) ?? [])
    const parts = partsOf(own + got, pool.share, weightOf)
    for (const { to, amount } of parts.given) {
      received.set(to, [...(received.get(to) ?? []), { pool: name, amount }])
    }
    if (!matched.get(name)?.amounts.has(currency) && got === 0n) return []
    const { rule } = pool.share
    const measure = pool.share.rule === 'proportional' ? pool.share.measure : null
    return [{ name, currency, rule, measure, own, received: got, ...parts }]
  })
  const centres = version.centres.flatMap(({ name }): readonly CentreAllocation[] => {
    const shares = received.get(name) ?? []
    if (shares.length === 0 && !matched.get(name)?.amounts.has(currency)) return []
    const direct = ownOf(name)
    return [{ name, currency, direct, shares, amount: direct + sumOf(shares) }]
  })
  return { centres, pools }
}

/** Who gets what of a pool. Receivers of nothing are left out. */
const partsOf = (
  amount: Picos,
  share: SharingRule,
  weightOf: (measure: AllocationMeasure, name: string) => bigint,
): Pick<PoolAllocation, 'given' | 'unallocated'> => {
  const names = receiversOf(share)
  const weights = weightsOf(share, weightOf)
  if (weights.every((weight) => weight === 0n)) return { given: [], unallocated: amount }
  const parts = split(amount, weights)
  return {
    given: names.flatMap((to, index) => {
      const part = parts[index] ?? 0n
      return part === 0n ? [] : [{ to, amount: part }]
    }),
    unallocated: parts[names.length] ?? 0n,
  }
}

/** A weight for each receiver, and of fixed shares one more for what they leave. */
const weightsOf = (
  share: SharingRule,
  weightOf: (measure: AllocationMeasure, name: string) => bigint,
): readonly bigint[] => {
  if (share.rule === 'even') return share.among.map(() => 1n)
  if (share.rule === 'proportional') return share.among.map((name) => weightOf(share.measure, name))
  return [...share.percents.map(({ percent }) => percent), share.rest].map((percent) =>
    roundHalfEven(percent, percentPlaces),
  )
}

/** Percents have at most so many decimals: as whole numbers of them they are exact. */
const percentPlaces = 30

const sumOf = (shares: readonly { readonly amount: Picos }[]): Picos =>
  shares.reduce((sum, { amount }) => sum + amount, 0n)
