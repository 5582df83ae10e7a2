import type { Limit } from '../limits/limit.ts'
import { matcherOf } from '../limits/pattern.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { GatewayConfig } from './config.ts'
import type { Key } from './registry/keys.ts'

/** A part of a limit's `match` that no call can have, as far as is known. */
export type Unmatched = {
  readonly limit: string
  readonly dimension: string
  readonly patterns: readonly string[]
}

/** Finds what limits name and nothing here is called: an organization, team, project, environment or key that no open key
 * has; a provider that is not configured; an endpoint that none of them has; a model without a price. Tags, end users
 * and conversations are what clients say they are, and so are owners where calls without a key pass. */
export const unmatchedOf = (
  limits: readonly Limit[],
  known: {
    readonly keys: readonly Key[]
    readonly config: Pick<GatewayConfig, 'upstreams' | 'anonymous'>
    readonly book: Pick<PriceBook, 'shelves' | 'overlays'>
  },
): readonly Unmatched[] => {
  const names = namesKnown(known)
  return limits.flatMap(({ name, match }) =>
    Object.entries(match).flatMap(([dimension, said]) => {
      const of = names[dimension]
      const patterns = typeof said === 'string' ? [said] : said
      if (of === undefined || patterns.some((pattern) => of.some(matcherOf(pattern)))) return []
      return [{ limit: name, dimension, patterns }]
    }),
  )
}

/** Says it in a line. */
export const unmatchedLine = ({ limit, dimension, patterns }: Unmatched): string =>
  `octroi: the limit "${limit}" is about nothing: there is no ${dimension} ${patterns.map((pattern) => `"${pattern}"`).join(' or ')} here (yet)`

const namesKnown = ({
  keys,
  config: { upstreams, anonymous },
  book,
}: Parameters<typeof unmatchedOf>[1]): Readonly<Record<string, readonly (string | null)[]>> => {
  const open = keys.filter(({ revokedAt }) => revokedAt === null)
  const pricesFrom = new Set(upstreams.map((upstream) => upstream.pricesFrom))
  const shelves = [book.shelves, book.overlays]
  const models = shelves.flatMap((shelf) =>
    [...pricesFrom].flatMap((from) => [...(shelf.get(from)?.keys() ?? [])]),
  )
  const isPriced = [...pricesFrom].every((from) => shelves.some((shelf) => shelf.has(from)))
  return {
    ...(!anonymous && {
      organization: open.map(({ organization }) => organization),
      team: open.map(({ team }) => team),
      project: open.map(({ project }) => project),
      environment: open.map(({ environment }) => environment),
    }),
    key: open.map(({ id }) => id),
    provider: upstreams.map(({ name }) => name),
    endpoint: upstreams.flatMap(({ provider }) => [...provider.endpoints.map(({ id }) => id), 'unmetered']),
    ...(isPriced && {
      model: [...models, ...upstreams.flatMap((upstream) => Object.keys(upstream.models ?? {}))],
    }),
  }
}
