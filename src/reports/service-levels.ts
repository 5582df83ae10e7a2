import type { CallLife } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import { compare, type Rational, rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { createLogHistogram, type LogHistogram } from './log-histogram.ts'
import { promiseFor, type ServicePromise } from './service-promise.ts'

/** How an attempt at a vendor went, for the purpose of its service level. */
export type ServiceOutcome =
  /** It answered in whole. */
  | 'answered'
  /** The vendor failed: 5xx, it could not be reached, or its reply broke off. */
  | 'failed'
  /** It said 429: the caller was too fast, or the vendor too full. Counted apart. */
  | 'limited'
  /** It refused what was asked, with another 4xx. That is no failure of the vendor. */
  | 'refused'
  /** Nobody saw its end: a timeout, a reply that broke off before it was metered, or a crash of the gateway. */
  | 'lost'
  /** Never sent, refused by Octroi, or not ended yet: no attempt at all. */
  | 'unsent'

/** Percentiles in milliseconds, at most 1 % from those of all values; null where nothing was timed. */
export type Percentiles = {
  readonly count: number
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
}

/** What is said of a promise. `unsure`: the calls whose end nobody saw decide. */
export type PromiseVerdict = 'kept' | 'broken' | 'unsure' | 'too few' | 'no promise'

/** What a provider's model did in a period. Availability is answered / (answered + failed + lost). */
export type ServiceLevel = {
  readonly provider: string
  readonly model: string
  /** The tier that served all its answered calls, where that is not the usual one. */
  readonly tier: string | null
  readonly endpoint: string | null
  readonly calls: number
  readonly outcomes: Readonly<Record<ServiceOutcome, number>>
  /** Attempts by HTTP status. */
  readonly statuses: readonly { readonly status: number; readonly calls: number }[]
  readonly availability: Rational | null
  /** Without the calls whose end nobody saw: no less than `availability`. */
  readonly availabilitySeen: Rational | null
  readonly duration: Percentiles
  readonly firstByte: Percentiles
  /** Calls that their client had tried before. */
  readonly retries: number
  /** By currency: all, and what of it went into calls that failed, and into repeated ones. */
  readonly costs: readonly ServiceCost[]
  readonly promise: ServicePromise | null
  readonly verdict: PromiseVerdict
}

export type ServiceCost = {
  readonly currency: string
  readonly amount: Picos
  readonly failed: Picos
  readonly retried: Picos
}

/** Service levels of a period, those with most calls first. */
export type ServiceLevelsReport = ServiceLevelsAsked & { readonly levels: readonly ServiceLevel[] }

export type ServiceLevelsAsked = {
  readonly from: Instant | null
  readonly to: Instant | null
  readonly byEndpoint: boolean
}

/** Takes calls with all that became of them, a page at a time. */
export type ServiceLevelsFold = {
  readonly add: (lives: readonly CallLife[]) => void
  readonly result: () => ServiceLevelsReport
}

/** Below so many attempts a share of 99.9 % says nothing: one failure more or less would decide. */
export const attemptsLeast = 1_000

/** An empty report. */
export const createServiceLevelsFold = (
  asked: ServiceLevelsAsked,
  promises: readonly ServicePromise[],
): ServiceLevelsFold => {
  const groups = new Map<string, Sums>()
  return {
    add: (lives) => {
      for (const life of lives) {
        const outcome = outcomeOf(life)
        const sums = sumsOf(groups, life, asked.byEndpoint)
        sums.outcomes[outcome] += 1
        if (outcome !== 'unsent') count(sums, life, outcome)
      }
    },
    result: () => ({
      ...asked,
      levels: [...groups.values()]
        .map((sums) => finished(sums, promises, asked.from))
        .filter(({ calls }) => calls > 0)
        .sort((a, b) => b.calls - a.calls || (nameOf(a) < nameOf(b) ? -1 : 1)),
    }),
  }
}

/** Which outcome the life of a call shows. What a later adjustment says of its status and its note holds; a call whose end
 * nobody saw stays lost, though its cost became known. */
const outcomeOf = ({ ends }: CallLife): ServiceOutcome => {
  const last = ends.at(-1)
  if (last === undefined) return 'unsent'
  if (last.kind === 'expired' || ends.some(({ kind }) => kind === 'expired')) return 'lost'
  const { status = null } = last
  if (status !== null && status >= 500) return 'failed'
  if (status === 429) return 'limited'
  if (status !== null && status >= 400) return 'refused'
  if (last.kind !== 'released') return last.note !== null && brokenOff.test(last.note) ? 'failed' : 'answered'
  return last.attempt === undefined ? 'unsent' : 'failed'
}

/** How the gateway begins the note of a reply that the vendor did not finish. */
const brokenOff =
  /^(The provider (ended its stream|broke off|sent something else)|.* broke off before it answered)/

type Sums = {
  readonly provider: string
  readonly model: string
  readonly endpoint: string | null
  readonly tiers: Set<string | null>
  readonly outcomes: Record<ServiceOutcome, number>
  readonly statuses: Map<number, number>
  readonly duration: LogHistogram
  readonly firstByte: LogHistogram
  readonly costs: Map<string, { amount: Picos; failed: Picos; retried: Picos }>
  retries: number
}

const sumsOf = (groups: Map<string, Sums>, { reserved }: CallLife, byEndpoint: boolean): Sums => {
  const { provider, model, endpoint } = reserved.call
  const names = { provider, model, endpoint: byEndpoint ? endpoint : null }
  const key = JSON.stringify(Object.values(names))
  const known = groups.get(key)
  if (known !== undefined) return known
  const made: Sums = {
    ...{ ...names, tiers: new Set(), statuses: new Map(), costs: new Map(), retries: 0 },
    outcomes: { answered: 0, failed: 0, limited: 0, refused: 0, lost: 0, unsent: 0 },
    ...{ duration: createLogHistogram(), firstByte: createLogHistogram() },
  }
  groups.set(key, made)
  return made
}

/** What the vendors call the tier that everybody has. A call that failed names none, so only answered ones say it. */
const usual: ReadonlySet<string | null> = new Set([null, 'default', 'standard', 'auto'])

const tierOf = ({ tiers }: Sums): string | null => {
  const [only = null] = tiers
  return tiers.size === 1 && !usual.has(only) ? only : null
}

const count = (sums: Sums, { ends }: CallLife, outcome: ServiceOutcome): void => {
  const last = ends.at(-1)
  if (last === undefined || last.kind === 'expired') return
  const { attempt, status = null } = last
  if (status !== null) sums.statuses.set(status, (sums.statuses.get(status) ?? 0) + 1)
  if (attempt !== undefined && attempt.retry > 0) sums.retries += 1
  if (attempt !== undefined && outcome === 'answered') {
    sums.duration.add(attempt.durationMs)
    if (attempt.firstByteMs !== null) sums.firstByte.add(attempt.firstByteMs)
  }
  if (last.kind === 'released') return
  if (outcome === 'answered') sums.tiers.add(last.tier)
  const amount = last.charges.reduce((sum, charge) => sum + charge.amount, 0n)
  const cost = sums.costs.get(last.currency) ?? { amount: 0n, failed: 0n, retried: 0n }
  cost.amount += amount
  if (outcome === 'failed') cost.failed += amount
  if (attempt !== undefined && attempt.retry > 0) cost.retried += amount
  sums.costs.set(last.currency, cost)
}

const finished = (sums: Sums, promises: readonly ServicePromise[], from: Instant | null): ServiceLevel => {
  const { outcomes, statuses, duration, firstByte, costs, tiers: _, ...names } = sums
  const named = { ...names, tier: tierOf(sums) }
  const promise = promiseFor(promises, { ...named, from })
  const { answered, failed, limited, refused, lost } = outcomes
  const counted = BigInt(answered + failed + lost)
  const seen = BigInt(answered + failed)
  const availability = counted === 0n ? null : rational(BigInt(answered), counted)
  const availabilitySeen = seen === 0n ? null : rational(BigInt(answered), seen)
  return {
    ...{ ...named, outcomes, promise, availability, availabilitySeen },
    calls: answered + failed + limited + refused + lost,
    statuses: [...statuses].map(([status, calls]) => ({ status, calls })).sort((a, b) => a.status - b.status),
    ...{ duration: percentiles(duration), firstByte: percentiles(firstByte) },
    costs: [...costs].map(([currency, cost]) => ({ currency, ...cost })),
    verdict: verdictOf(promise, { availability, availabilitySeen, counted }),
  }
}

const percentiles = ({ count: counted, percentile }: LogHistogram): Percentiles => ({
  count: counted(),
  ...{ p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99) },
})

const verdictOf = (
  promise: ServicePromise | null,
  measured: {
    readonly availability: Rational | null
    readonly availabilitySeen: Rational | null
    readonly counted: bigint
  },
): PromiseVerdict => {
  if (promise === null || promise.least === null) return 'no promise'
  const { availability, availabilitySeen, counted } = measured
  if (counted < BigInt(attemptsLeast) || availability === null) return 'too few'
  if (compare(availability, promise.least) >= 0) return 'kept'
  return availabilitySeen !== null && compare(availabilitySeen, promise.least) < 0 ? 'broken' : 'unsure'
}

const nameOf = ({ provider, model, tier, endpoint }: ServiceLevel): string =>
  JSON.stringify([provider, model, tier, endpoint])
