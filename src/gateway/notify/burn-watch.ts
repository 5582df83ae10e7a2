import { type BurnRule, burning, burnRules, type Stretch } from '../../limits/burn-rate.ts'
import type { LimitState } from '../../limits/decision.ts'
import type { Limit } from '../../limits/limit.ts'
import { compare, rational } from '../../money/rational.ts'
import type { Instant } from '../../time.ts'

/** A counter of a budget that is spent too fast by a rule, and since when: the same for as long as its longer stretch. */
export type Burning = { readonly state: LimitState; readonly rule: BurnRule; readonly since: Instant }

/** Watches how fast budgets are spent. */
export type BurnWatch = {
  /** Takes note of where counters stand, and gives those that are spent too fast. `limits` are by name. */
  readonly look: (
    states: readonly LimitState[],
    limits: ReadonlyMap<string, Pick<Limit, 'burnRate'>>,
    at: Instant,
  ) => readonly Burning[]
}

/** Where a counter stood at an instant. */
type Sample = { readonly at: Instant; readonly used: bigint }

type Watched = {
  readonly windowStart: Instant
  readonly resetsAt: Instant
  readonly samples: Sample[]
  /** Since when each rule is broken. */
  readonly since: Map<BurnRule, Instant>
}

/** A budget is there to be spent: as fast as time goes is no alarm. */
const rules = burnRules.filter(({ factor }) => compare(factor, rational(1n)) > 0)

const longestMs = Math.max(...rules.map(({ longMs }) => longMs))
const sampleMs = 60_000
const pauseMsMax = 600_000
/** So many counters are watched. Each keeps a sample a minute of the longest stretch. */
export const watchedMax = 1_000

/** Compares what a counter of a budget with `burnRate` has settled and left unresolved with where it stood before, by
 * the rules of `burnRules` that are faster than time and whose longer stretch lies in its period. Expected is a share of
 * the cap that goes with time, evenly. What was before this process began is not known: a rule is asked once its longer
 * stretch has been watched. It is broken once in a longer stretch. */
export const createBurnWatch = (): BurnWatch => {
  const watched = new Map<string, Watched>()

  /** Null where there are too many to watch. */
  const watch = ({ limit, counter, windowStart }: LimitState, resetsAt: Instant, at: Instant) => {
    const name = JSON.stringify([limit, counter])
    const known = watched.get(name)
    if (known?.windowStart === windowStart && known.resetsAt === resetsAt) return known
    if (known === undefined && watched.size >= watchedMax) {
      for (const [each, { resetsAt }] of watched) if (resetsAt <= at) watched.delete(each)
      if (watched.size >= watchedMax) return null
    }
    const begun: Watched = { windowStart, resetsAt, samples: [], since: new Map() }
    watched.set(name, begun)
    return begun
  }

  return {
    look: (states, limits, at) =>
      states.flatMap((state) => {
        const spentMin = limits.get(state.limit)?.burnRate?.spentMin
        const { windowStart, resetsAt, cap } = state
        if (spentMin === undefined || resetsAt === null) return []
        const counter = watch(state, resetsAt, at)
        if (counter === null) return []
        const used = state.settled + state.unresolved
        const { samples, since } = counter
        addSample(samples, { at, used })
        const periodMs = resetsAt - windowStart
        const lookBack = (lengthMs: number): Stretch => ({
          spent: used - standing(samples, at - lengthMs),
          expectedShare: rational(BigInt(lengthMs), BigInt(periodMs)),
        })
        const isKnown = ({ longMs }: BurnRule): boolean =>
          longMs <= periodMs && (samples[0]?.at ?? at) <= at - longMs
        return burning(rules.filter(isKnown), { cap, spentMin }, lookBack).map((rule) => {
          const before = since.get(rule)
          if (before === undefined || at - before >= rule.longMs) since.set(rule, at)
          return { state, rule, since: since.get(rule) ?? at }
        })
      }),
  }
}

/** One a minute, and of those that are as old as the longest stretch the latest. Where nobody looked for long, or time
 * went back, what was before says nothing. */
const addSample = (samples: Sample[], sample: Sample): void => {
  const pauseMs = sample.at - (samples.at(-1)?.at ?? sample.at)
  if (pauseMs < 0 || pauseMs > pauseMsMax) samples.length = 0
  const last = samples.at(-1)
  if (last === undefined || sample.at - last.at >= sampleMs) samples.push(sample)
  while (samples.length > 2 && (samples[1]?.at ?? sample.at) <= sample.at - longestMs) samples.shift()
}

/** Where it stood at an instant: by the last sample that is not later. */
const standing = (samples: readonly Sample[], at: Instant): bigint =>
  samples.findLast((sample) => sample.at <= at)?.used ?? samples[0]?.used ?? 0n
