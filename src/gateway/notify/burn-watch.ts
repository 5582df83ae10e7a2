import { type BurnRule, burning, burnRules, type Stretch } from '../../limits/burn-rate.ts'
import type { LimitState } from '../../limits/decision.ts'
import type { Limit } from '../../limits/limit.ts'
import { matcherOf } from '../../limits/pattern.ts'
import { compare, rational } from '../../money/rational.ts'
import type { Instant } from '../../time.ts'
import type { StoredAlert } from '../registry/alerts.ts'
import { burnAlert } from './alert.ts'

/** Which limits are watched for how fast they are spent, and from which amount on it is told. */
export type BurnSettings = { readonly limits: readonly string[]; readonly spentMin: bigint }

/** Watches how fast budgets are spent. */
export type BurnWatch = {
  /** Whether a limit is watched. */
  readonly isAbout: (limit: Pick<Limit, 'name' | 'measure'>) => boolean
  /** Takes note of where counters stand, and gives an alert for each that is spent too fast. */
  readonly look: (states: readonly LimitState[], at: Instant) => readonly StoredAlert[]
}

/** Where a counter stood at an instant. */
type Sample = { readonly at: Instant; readonly used: bigint }

/** How a counter stood in its window, and when each rule, by its longer stretch, was last told of. */
type Series = {
  readonly windowStart: Instant
  readonly samples: Sample[]
  readonly told: Map<number, Instant>
}

/** A budget is there to be spent: as fast as time goes is no alarm. */
const rules = burnRules.filter(({ factor }) => compare(factor, rational(1n)) > 0)

const sampleMs = 60_000
const countersMax = 10_000

/** Compares what a counter of a budget has settled and left unresolved with where it stood before, by the rules of
 * `rules` whose longer stretch lies in its period. Expected is a share of the cap that goes with time, evenly. What
 * was before this process began is not known: a rule is asked once its longer stretch has been watched. */
export const createBurnWatch = (settings: BurnSettings | null): BurnWatch => {
  const matchers = (settings?.limits ?? []).map(matcherOf)
  const watched = new Map<string, Series>()
  const longest = Math.max(...rules.map(({ longMs }) => longMs))

  const isAbout: BurnWatch['isAbout'] = ({ name, measure }) =>
    measure === 'cost' && matchers.some((matches) => matches(name))

  const seriesOf = (state: LimitState, at: Instant): Series => {
    const name = JSON.stringify([state.limit, state.counter])
    const used = state.settled + state.unresolved
    const known = watched.get(name)
    const series: Series =
      known !== undefined && known.windowStart === state.windowStart
        ? known
        : { windowStart: state.windowStart, samples: [], told: new Map() }
    if (known !== series && watched.size >= countersMax) watched.clear()
    watched.set(name, series)
    const { samples } = series
    const last = samples.at(-1)
    if (last === undefined || at - last.at >= sampleMs) samples.push({ at, used })
    while (samples.length > 2 && (samples[1]?.at ?? at) <= at - longest) samples.shift()
    return series
  }

  return {
    isAbout,
    look: (states, at) => {
      if (settings === null) return []
      return states.flatMap((state) => {
        const { measure, limit, windowStart, resetsAt, cap } = state
        if (resetsAt === null || !isAbout({ name: limit, measure })) return []
        const { samples, told } = seriesOf(state, at)
        const periodMs = resetsAt - windowStart
        const used = state.settled + state.unresolved
        const lookBack = (lengthMs: number): Stretch => ({
          spent: used - standing(samples, at - lengthMs),
          expectedShare: rational(BigInt(lengthMs), BigInt(periodMs)),
        })
        const isKnown = ({ longMs }: BurnRule): boolean =>
          longMs <= periodMs && (samples[0]?.at ?? at) <= at - longMs
        const isNew = ({ longMs }: BurnRule): boolean =>
          at - (told.get(longMs) ?? Number.NEGATIVE_INFINITY) >= longMs
        const asked = rules.filter((rule) => isKnown(rule) && isNew(rule))
        return burning(asked, { cap, spentMin: settings.spentMin }, lookBack).map((rule) => {
          told.set(rule.longMs, at)
          return burnAlert(state, rule, at)
        })
      })
    },
  }
}

/** Where it stood at an instant: by the last sample that is not later. */
const standing = (samples: readonly Sample[], at: Instant): bigint =>
  samples.findLast((sample) => sample.at <= at)?.used ?? samples[0]?.used ?? 0n
