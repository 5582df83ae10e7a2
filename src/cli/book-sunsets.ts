import { type Sunset, successorOf } from '../pricing/lifecycle.ts'
import type { ModelFacts } from '../pricing/model-facts.ts'
import { formatInstant, type Instant } from '../time.ts'
import { dayOf } from './book-prices.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'

/** Which ends are wanted; a filter that is not given lets all pass. */
export const sunsetFilter =
  ({ provider, model }: Readonly<Record<string, unknown>>): ((sunset: Sunset) => boolean) =>
  (sunset) =>
    (provider === undefined || sunset.provider === provider) &&
    (model === undefined ||
      [sunset.model, ...sunset.aliases].some((name) =>
        String(model).endsWith('*') ? name.startsWith(String(model).slice(0, -1)) : name === model,
      ))

type Told = { readonly facts: ModelFacts; readonly at: Instant; readonly color: boolean }

/** Lays ends out for people, the next one first. */
export const formatSunsets = (sunsets: readonly Sunset[], { facts, at, color }: Told): string => {
  if (sunsets.length === 0) return `No end of such a model is known after ${dayOf(at)}.\n`
  const sources = [...new Set(sunsets.map(sourceOf))]
  const rows = sunsets.map((sunset) => [
    dayOf(sunset.on),
    daysUntil(sunset.on, at),
    sunset.provider,
    sunset.model,
    words[sunset.status],
    replacement(sunset, facts, at),
    sunset.confidence,
    `[${sources.indexOf(sourceOf(sunset)) + 1}]`,
  ])
  const notes = sources.map((source, index) => `[${index + 1}] ${source}\n`).join('')
  return `${formatTable(columns, rows, { color })}\n${notes}`
}

const words = { ended: 'ended', announced: 'ends', earliest: 'not before' } as const

const columns = [
  { title: 'day' },
  { title: 'in days', align: 'right' },
  { title: 'provider' },
  { title: 'model' },
  { title: '' },
  { title: 'replaced by' },
  { title: 'confidence' },
  { title: 'source' },
] as const

const dayMs = 86_400_000

const daysUntil = (on: Instant, at: Instant): string => String(Math.ceil((on - at) / dayMs))

const sourceOf = ({ source, asOf }: Sunset): string => `${source} (as of ${asOf})`

/** The vendor's successor; where that ends before the model does, the one after it as well. */
const replacement = ({ provider, model, successor, on }: Sunset, facts: ModelFacts, at: Instant): string => {
  if (successor === null) return ''
  const then = successorOf(facts, { provider, model, at: Math.max(on, at) })
  return then === null || then.model === successor ? successor : `${successor}, then ${then.model}`
}

/** Ends as `octroi book sunsets --json` prints them. */
export const formatSunsetsJson = (sunsets: readonly Sunset[], { facts, at }: Told): string =>
  `${formatJson({
    schema: 'octroi-book-sunsets/1',
    at: formatInstant(at),
    sunsets: sunsets.map((sunset) => ({
      ...sunset,
      on: formatInstant(sunset.on),
      announced: sunset.announced === null ? null : formatInstant(sunset.announced),
      replacedBy:
        successorOf(facts, {
          provider: sunset.provider,
          model: sunset.model,
          at: Math.max(sunset.on, at),
        })?.model ?? null,
    })),
  })}\n`
