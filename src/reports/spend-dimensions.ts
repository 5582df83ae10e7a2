import type { SpendScope } from '../ledger/reading.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import { type TimeDimension, timeDimensions, type ZoneNames } from './spend-zone.ts'

/** Where something was spent. `at` is the instant of the call, or the hour where only that is known; then `detail` is
 * null, too: what the hourly sums of the ledger leave out. */
export type SpendPlace = Omit<SpendScope, 'hour'> & {
  readonly at: Instant
  readonly meter: Meter | null
  readonly detail: SpendDetail | null
}

/** What only the calls themselves say. */
export type SpendDetail = {
  readonly tier: string | null
  readonly endUser: string | null
  readonly conversation: string | null
  readonly tags: Readonly<Record<string, string>>
}

type NameOf = (place: SpendPlace) => string | null

const ofHours = {
  organization: (place) => place.organization,
  team: (place) => place.team,
  project: (place) => place.project,
  environment: (place) => place.environment,
  key: (place) => place.key,
  provider: (place) => place.provider,
  model: (place) => place.model,
  endpoint: (place) => place.endpoint,
  meter: (place) => place.meter,
  basis: (place) => place.basis,
  currency: (place) => place.currency,
} as const satisfies Record<string, NameOf>

const ofCalls = {
  tier: ({ detail }) => detail?.tier ?? null,
  endUser: ({ detail }) => detail?.endUser ?? null,
  conversation: ({ detail }) => detail?.conversation ?? null,
} as const satisfies Record<string, NameOf>

const tagMark = 'tag:'

/** What spend can be grouped by and chosen by, beside tags: `tag:feature`. */
export const spendDimensions = [
  ...(Object.keys(ofHours) as (keyof typeof ofHours)[]),
  ...(Object.keys(ofCalls) as (keyof typeof ofCalls)[]),
  ...timeDimensions,
]

export type SpendDimension = (typeof spendDimensions)[number] | `tag:${string}`

/** True for the name of a dimension, or `tag:` and the name of a tag. */
export const isSpendDimension = (name: string): name is SpendDimension =>
  name.startsWith(tagMark) ? name.length > tagMark.length : spendDimensions.some((known) => known === name)

/** True for a dimension of time. */
export const isTime = (dimension: SpendDimension): dimension is TimeDimension =>
  timeDimensions.some((time) => time === dimension)

/** False for what the hourly sums of the ledger do not know: it is read from the calls. */
export const isOfHours = (dimension: SpendDimension): boolean =>
  Object.hasOwn(ofHours, dimension) || isTime(dimension)

/** How a place is named in a dimension; null where it has no name there. */
export const nameIn = (dimension: SpendDimension, zone: ZoneNames): NameOf => {
  if (isTime(dimension)) return ({ at }) => zone.nameOf(dimension, at)
  const known: Readonly<Record<string, NameOf>> = { ...ofHours, ...ofCalls }
  const tag = dimension.slice(tagMark.length)
  return (Object.hasOwn(known, dimension) ? known[dimension] : undefined) ?? tagged(tag)
}

const tagged =
  (tag: string): NameOf =>
  ({ detail }) =>
    detail !== null && Object.hasOwn(detail.tags, tag) ? (detail.tags[tag] ?? null) : null
