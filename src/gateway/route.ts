import type { Endpoint, Route } from '../endpoints/endpoint.ts'
import { unmeteredAt } from './unmetered.ts'
import type { Upstream } from './upstream.ts'

/** Where a request is going. `params` are the ids in its path, by kind; `path` is what follows the
 * provider's base URL, query included, just as it came. */
export type Target = {
  readonly upstream: Upstream
  readonly endpoint: Endpoint
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
  readonly path: string
}

/** Ids as vendors make them; never one that a path would resolve, such as `..`. */
const idPattern = /^[A-Za-z0-9_][A-Za-z0-9._:@-]{0,127}$/

/** A router: where a request goes, and what the wire looks like whose route it missed. */
export type Router = {
  readonly find: (method: string, url: string) => Target | null
  /** How a path goes that `find` does not find: unmetered, or closed. Null where it goes nowhere. */
  readonly unmetered: (method: string, url: string) => Target | null
  /** An endpoint of the upstream that an address belongs to, in whose manner an unknown path is refused. */
  readonly nearest: (url: string) => Endpoint | null
}

type Compiled = {
  readonly endpoint: Endpoint
  readonly route: Route
  readonly segments: readonly string[]
}

/** Finds the route of a method and path among the upstreams: `/v1/...` and `/...` go to the first upstream,
 * `/{name}/...` to the one of that name. Null when no wire has such a route. */
export const createRouter = (upstreams: readonly Upstream[]): Router => {
  const tables = new Map(
    upstreams.map((upstream) => [upstream.name, { upstream, routes: compile(upstream) }]),
  )
  const first = upstreams[0] && tables.get(upstreams[0].name)
  const tableAt = (url: string) => {
    const queryAt = url.indexOf('?')
    const [pathname, query] = queryAt === -1 ? [url, ''] : [url.slice(0, queryAt), url.slice(queryAt)]
    const segments = pathname.split('/').slice(1)
    const named = tables.get(segments[0] ?? '')
    return { table: named ?? first, rest: named === undefined ? segments : segments.slice(1), query }
  }
  return {
    find: (method, url) => {
      const { table, rest, query } = tableAt(url)
      if (table === undefined) return null
      const { upstream, routes } = table
      const { kept, wire } = versioned(rest, upstream.provider.versions)
      if (wire === null) return null
      for (const { endpoint, route, segments } of routes) {
        const params = route.method === method ? match(segments, wire) : null
        if (params === null) continue
        return { upstream, endpoint, route, params, path: `/${[...kept, ...wire].join('/')}${query}` }
      }
      return null
    },
    unmetered: (method, url) => {
      const { table, rest, query } = tableAt(url)
      // What begins so is Octroi's own, and goes to nobody.
      if (table === undefined || rest[0] === 'octroi') return null
      const { upstream, routes } = table
      const { kept, wire } = versioned(rest, upstream.provider.versions)
      const path = `/${[...kept, ...(wire ?? rest)].join('/')}${query}`
      const isWire = (meant: readonly string[]): boolean => {
        const read = versioned(meant, upstream.provider.versions).wire
        return routes.some(
          ({ route, segments }) =>
            read !== null && route.method === method && match(segments.map(lower), read) !== null,
        )
      }
      const found = unmeteredAt({ method, path }, upstream, isWire)
      const goes = found !== null && (wire !== null || found.route.billing === 'closed')
      return goes ? { upstream, ...found, params: {}, path } : null
    },
    nearest: (url) => tableAt(url).table?.upstream.provider.endpoints[0] ?? null,
  }
}

/** The version at the head of a path: kept where a provider has several, which it must then be one of; else `v1`
 * alone, which the base URL has already. */
const versioned = (
  rest: readonly string[],
  versions: readonly string[] | undefined,
): { readonly kept: readonly string[]; readonly wire: readonly string[] | null } => {
  const [head = '', ...below] = rest
  if (versions === undefined) return { kept: [], wire: head === 'v1' ? below : rest }
  return versions.includes(head) ? { kept: [head], wire: below } : { kept: [], wire: null }
}

/** Literal segments come before ids, so that `/threads/runs` is never a thread of the name "runs". */
const compile = (upstream: Upstream): readonly Compiled[] =>
  upstream.provider.endpoints
    .flatMap((endpoint) =>
      endpoint.routes.map((route) => ({ endpoint, route, segments: route.path.split('/').slice(1) })),
    )
    .sort((a, b) => ids(a.segments) - ids(b.segments))

/** A part of a route in lower case, where it is literal: a name, or the action behind an id. */
const lower = (segment: string): string => {
  const [id, name = '', ...action] = segment.split(':')
  return id === '' ? [id, name, ...action.map((part) => part.toLowerCase())].join(':') : segment.toLowerCase()
}

const ids = (segments: readonly string[]): number =>
  segments.filter((segment) => segment.startsWith(':')).length

const match = (pattern: readonly string[], segments: readonly string[]): Record<string, string> | null => {
  if (pattern.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith(':')) {
      const [name = '', action] = part.slice(1).split(':')
      const id = idOf(segment, action)
      if (id === null) return null
      params[name] = id
    } else if (part !== segment) return null
  }
  return params
}

/** The id in a segment, without the action behind it where there is to be one. Some clients escape what needs no escape. */
const idOf = (segment: string, action: string | undefined): string | null => {
  const plain = segment.replaceAll(/%3A/gi, ':').replaceAll('%40', '@')
  const tail = action === undefined ? '' : `:${action}`
  if (!plain.endsWith(tail)) return null
  const id = plain.slice(0, plain.length - tail.length)
  return idPattern.test(id) ? id : null
}
