import { type LimitSubject, matcherOf, namedIn } from '../limits/pattern.ts'
import type { AllocationMatch, AllocationVersion } from './allocation-rules.ts'

/** Bounds what is remembered of subjects seen before; then the memory begins anew. */
const rememberedMax = 50_000

/** Whose charges are whose, by one version of the rules: the first cost centre that fits, else the first pool, in the
 * order of the file; null where none does. */
export const targetsOf = (version: AllocationVersion): ((subject: LimitSubject) => string | null) => {
  const targets = [...version.centres, ...version.pools].flatMap(({ name, match }) =>
    match === null ? [] : [{ name, fits: fitting(match) }],
  )
  const dimensions = [...new Set(dimensionsOf(version))]
  const remembered = new Map<string, string | null>()
  return (subject) => {
    const key = JSON.stringify(dimensions.map((dimension) => namedIn(subject, dimension)))
    const known = remembered.get(key)
    if (known !== undefined) return known
    const found = targets.find(({ fits }) => fits(subject))?.name ?? null
    if (remembered.size >= rememberedMax) remembered.clear()
    remembered.set(key, found)
    return found
  }
}

/** The names by which a version tells whose charges they are. */
const dimensionsOf = ({ centres, pools }: AllocationVersion): readonly string[] =>
  [...centres, ...pools].flatMap(({ match }) => (match ?? []).map(({ dimension }) => dimension))

/** Whether hourly sums tell enough for a version: they have no end users, conversations and tags. */
export const needsCalls = (version: AllocationVersion): boolean =>
  dimensionsOf(version).some(
    (dimension) => dimension === 'endUser' || dimension === 'conversation' || dimension.startsWith('tag:'),
  )

const fitting = (match: AllocationMatch): ((subject: LimitSubject) => boolean) => {
  const tests = match.map(({ dimension, patterns }) => ({ dimension, fits: patterns.map(matcherOf) }))
  return (subject) =>
    tests.every(({ dimension, fits }) => {
      const name = namedIn(subject, dimension)
      return fits.some((test) => test(name))
    })
}
