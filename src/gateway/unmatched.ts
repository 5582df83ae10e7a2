import { matcherOf } from '../limits/pattern.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { ConfiguredCap } from './history-cap.ts'
import { nearNames } from './near-names.ts'
import type { Key } from './registry/keys.ts'
import type { Rules } from './rules.ts'
import type { Upstream } from './upstream.ts'

/** A name in the `match` of a limit or a cap on history that no call here can have. `of`: what names it. `isAll`: nothing
 * else is named beside it that fits, so it is about no call at all. `near`: names like it that are here; it takes a while
 * where there are many. */
export type Unmatched = {
  readonly of: string
  readonly dimension: string
  readonly value: string
  readonly isAll: boolean
  readonly near: () => readonly string[]
}

/** What calls can be named by here. */
export type KnownNames = {
  readonly keys: readonly Pick<
    Key,
    'id' | 'name' | 'organization' | 'team' | 'project' | 'environment' | 'revokedAt'
  >[]
  readonly upstreams: readonly Pick<Upstream, 'name' | 'provider' | 'pricesFrom' | 'models'>[]
  readonly anonymous: boolean
  readonly book: Pick<PriceBook, 'shelves' | 'overlays'>
}

/** Finds what rules name and nothing here is called: an organization, team, project, environment or key that no open key
 * has; a provider that is not configured; an endpoint that none of them has; a model without a price. Tags, end users
 * and conversations are what clients say they are, and so are owners where calls without a key pass. */
export const unmatchedOf = (
  { limits, historyCaps }: Pick<Rules, 'limits' | 'historyCaps'>,
  known: KnownNames,
): readonly Unmatched[] => {
  const names = namesKnown(known)
  const keyOfName = new Map(openKeys(known).flatMap(({ name, id }) => (name === null ? [] : [[name, id]])))
  const matches = [
    ...limits.map(({ name, match }) => ({ of: `the limit "${name}"`, match, literal: false })),
    ...historyCaps.map(({ match }, index) => ({ of: `historyCaps.${index}`, match, literal: true })),
  ]
  return matches.flatMap(({ of, match, literal }) =>
    Object.entries<ConfiguredCap['match'][keyof ConfiguredCap['match']] | readonly string[]>(match).flatMap(
      ([dimension, said]) => {
        const here = names[dimension]
        if (here === undefined || said === undefined) return []
        const values = typeof said === 'string' ? [said] : said
        const strangers = values.filter((value) => !isHere(value, here, literal))
        return strangers.map((value) => ({
          ...{ of, dimension, value, isAll: strangers.length === values.length },
          near: () => [
            ...(dimension === 'key' ? [keyOfName.get(value) ?? []].flat() : []),
            ...nearNames(value, here.texts),
          ],
        }))
      },
    ),
  )
}

/** Says it in lines: of many, the first, and how many there are besides. */
export const unmatchedLines = (found: readonly Unmatched[]): readonly string[] => [
  ...found.slice(0, linesMax).map(unmatchedLine),
  ...(found.length > linesMax ? [`${found.length - linesMax} more names in limits are not here`] : []),
]

const linesMax = 20

const unmatchedLine = ({ of, dimension, value, isAll, near }: Unmatched): string => {
  const said = `${of} ${isAll ? 'is about nothing' : 'names what is not here'}: there is no ${dimension} "${value}" here (yet)`
  const names = near().map((name) => `"${name}"`)
  return names.length === 0 ? said : `${said}; there is ${names.join(', ')}`
}

/** The names of one dimension. `hasNone`: some calls have no such name, which the pattern `*` matches too. */
type Here = { readonly texts: ReadonlySet<string>; readonly hasNone: boolean }

const isHere = (value: string, { texts, hasNone }: Here, literal: boolean): boolean => {
  if (texts.has(value)) return true
  if (literal || !value.includes('*')) return false
  const matches = matcherOf(value)
  return (hasNone && matches(null)) || [...texts].some(matches)
}

const openKeys = ({ keys }: Pick<KnownNames, 'keys'>) => keys.filter(({ revokedAt }) => revokedAt === null)

const namesKnown = (known: KnownNames): Readonly<Record<string, Here>> => {
  const { upstreams, anonymous, book } = known
  const open = openKeys(known)
  const pricesFrom = new Set(upstreams.map((upstream) => upstream.pricesFrom))
  const shelves = [book.shelves, book.overlays]
  const models = shelves.flatMap((shelf) =>
    [...pricesFrom].flatMap((from) => [...(shelf.get(from)?.keys() ?? [])]),
  )
  const isPriced = [...pricesFrom].every((from) => shelves.some((shelf) => shelf.has(from)))
  const own = upstreams.flatMap((upstream) => Object.entries(upstream.models ?? {}).flat())
  return {
    ...(!anonymous && {
      organization: hereOf(open.map(({ organization }) => organization)),
      team: hereOf(open.map(({ team }) => team)),
      project: hereOf(open.map(({ project }) => project)),
      environment: hereOf(open.map(({ environment }) => environment)),
    }),
    key: hereOf([...open.map(({ id }) => id), ...(anonymous ? [null] : [])]),
    provider: hereOf(upstreams.map(({ name }) => name)),
    endpoint: hereOf(
      upstreams.flatMap(({ provider }) => [...provider.endpoints.map(({ id }) => id), 'unmetered']),
    ),
    ...(isPriced && { model: hereOf([...models, ...own]) }),
  }
}

const hereOf = (names: readonly (string | null)[]): Here => ({
  texts: new Set(names.filter((name) => name !== null)),
  hasNone: names.includes(null),
})
