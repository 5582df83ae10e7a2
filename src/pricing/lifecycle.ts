import type { Instant } from '../time.ts'
import { type Confidence, findModel, type ModelFact, type ModelFacts } from './model-facts.ts'

/** The end of a model. `ended`: it is not served any more; `announced`: the vendor said when; `earliest`: the
 * vendor serves it until then at least, and has announced nothing. `successor` is the model that the vendor names
 * in its place. Source, day and confidence are those of the end. */
export type Sunset = {
  readonly provider: string
  readonly model: string
  readonly aliases: readonly string[]
  readonly on: Instant
  readonly status: 'ended' | 'announced' | 'earliest'
  readonly announced: Instant | null
  readonly successor: string | null
  readonly source: string
  readonly asOf: string
  readonly confidence: Confidence
  readonly note: string | null
}

/** The models that end after `at`, and those that have ended since `since` (inclusive; without it, none of
 * them), the next end first. Seen from `at` with all that the files know: what was announced later counts too. */
export const sunsets = (
  facts: ModelFacts,
  { at, since = at }: { readonly at: Instant; readonly since?: Instant },
): readonly Sunset[] =>
  facts.all
    .flatMap((fact) => sunset(fact, at))
    .filter(({ on, status }) => (status === 'ended' ? on >= since : on > at || on >= since))
    .sort((a, b) => a.on - b.on || (placeOf(a) < placeOf(b) ? -1 : 1))

/** What takes the place of a model: the successor that its vendor names, and where that has itself ended by `at`
 * the successor's successor. `through` names the ended ones in between. Null when none is known, or when
 * they name each other in a ring. Without `at` it
 * is the vendor's own word, whether or not it is still served. */
export const successorOf = (
  facts: ModelFacts,
  { provider, model, at }: { readonly provider: string; readonly model: string; readonly at?: Instant },
): { readonly model: string; readonly through: readonly string[] } | null => {
  const through: string[] = []
  let next = findModel(facts, { provider, model })?.successor?.value
  while (next !== undefined && at !== undefined) {
    const fact = findModel(facts, { provider, model: next })
    if (fact === null || fact.successor === null || !hasEnded(fact, at)) break
    if (through.includes(next)) return null
    through.push(next)
    next = fact.successor.value
  }
  return next === undefined ? null : { model: next, through }
}

const sunset = (fact: ModelFact, at: Instant): readonly Sunset[] => {
  const { provider, model, aliases, shutdown, deprecated, successor } = fact
  if (shutdown === null) return []
  const { value: on, earliest, source, asOf, confidence, note } = shutdown
  const status = earliest ? 'earliest' : hasEnded(fact, at) ? 'ended' : 'announced'
  return [
    {
      ...{ provider, model, aliases, on, status },
      announced: deprecated?.value ?? null,
      successor: successor?.value ?? null,
      ...{ source, asOf, confidence, note },
    },
  ]
}

const hasEnded = ({ shutdown }: ModelFact, at: Instant): boolean =>
  shutdown !== null && !shutdown.earliest && shutdown.value <= at

const placeOf = ({ provider, model }: Sunset): string => `${provider}/${model}`
