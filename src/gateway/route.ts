import type { Endpoint, Route } from '../endpoints/endpoint.ts'
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
const idPattern = /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}$/

type Compiled = {
  readonly endpoint: Endpoint
  readonly route: Route
  readonly segments: readonly string[]
}

/** Finds the route of a method and path among the upstreams: `/v1/...` and `/...` go to the first upstream,
 * `/{name}/...` to the one of that name. Null when no wire has such a route. */
export const createRouter = (upstreams: readonly Upstream[]) => {
  const tables = new Map(
    upstreams.map((upstream) => [upstream.name, { upstream, routes: compile(upstream) }]),
  )
  const first = upstreams[0] && tables.get(upstreams[0].name)
  return (method: string, url: string): Target | null => {
    const queryAt = url.indexOf('?')
    const [pathname, query] = queryAt === -1 ? [url, ''] : [url.slice(0, queryAt), url.slice(queryAt)]
    const segments = pathname.split('/').slice(1)
    const named = tables.get(segments[0] ?? '')
    const table = named ?? first
    if (table === undefined) return null
    const rest = named === undefined ? segments : segments.slice(1)
    const wire = rest[0] === 'v1' ? rest.slice(1) : rest
    for (const compiled of table.routes) {
      const params = compiled.route.method === method ? match(compiled.segments, wire) : null
      if (params === null) continue
      const { endpoint, route } = compiled
      return { upstream: table.upstream, endpoint, route, params, path: `/${wire.join('/')}${query}` }
    }
    return null
  }
}

/** Literal segments come before ids, so that `/threads/runs` is never a thread of the name "runs". */
const compile = (upstream: Upstream): readonly Compiled[] =>
  upstream.provider.endpoints
    .flatMap((endpoint) =>
      endpoint.routes.map((route) => ({ endpoint, route, segments: route.path.split('/').slice(1) })),
    )
    .sort((a, b) => ids(a.segments) - ids(b.segments))

const ids = (segments: readonly string[]): number =>
  segments.filter((segment) => segment.startsWith(':')).length

const match = (pattern: readonly string[], segments: readonly string[]): Record<string, string> | null => {
  if (pattern.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith(':')) {
      if (!idPattern.test(segment)) return null
      params[part.slice(1)] = segment
    } else if (part !== segment) return null
  }
  return params
}
