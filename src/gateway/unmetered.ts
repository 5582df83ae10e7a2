import { closedAt, meantBy } from '../endpoints/closed.ts'
import type { Endpoint, Method, Route } from '../endpoints/endpoint.ts'
import { OctroiError } from '../errors.ts'
import type { Key } from './registry/keys.ts'
import type { Upstream } from './upstream.ts'

/** What an operator says of paths that no wire has: of those that begin as one of `paths` says (the longest holds), and
 * of all others. Where nothing is said, a key with `allowUnmetered` may use one, and a call without a key may not. */
export type UnmeteredPolicy = {
  readonly default: 'pass' | 'refuse' | null
  /** By a path, or the beginning of one with a `*` at its end. */
  readonly paths: Readonly<Record<string, 'pass' | 'refuse'>>
}

/** The endpoint of a path that no wire of its provider has, and how it goes there: passed without being metered, or
 * closed. Null where it cannot go anywhere. `path` is as it came, below the base URL; `isWire` says whether a wire has
 * the parts, in lower case, that a lenient server could read in it. */
export const unmeteredAt = (
  { method: asked, path }: { readonly method: string; readonly path: string },
  { provider }: Upstream,
  isWire: (parts: readonly string[]) => boolean,
): { readonly endpoint: Endpoint; readonly route: Route } | null => {
  const [nearest] = provider.endpoints
  const method = methods.find((each) => each === asked)
  if (nearest === undefined || method === undefined) return null
  const endpoint: Endpoint = { ...nearest, id: 'unmetered', reader: null, routes: [] }
  const [pathname = ''] = path.split('?')
  const closed = (why: string) => ({
    endpoint,
    route: { method, path: pathname, billing: 'closed', why } as const,
  })
  const isClosed = closedAt(pathname, provider.closed)
  if (isClosed !== null) return closed(isClosed.why)
  if (!isPlain(path))
    return closed('a path that is not metered is written plainly, without detours and escapes')
  if (isWire(meantBy(pathname))) return closed('it is the path of a wire, spelled otherwise')
  const form = { sounds: [] }
  return { endpoint, route: { method, path: pathname, billing: 'unmetered', form } }
}

/** Lets a caller use a path that is not metered. Throws `unknown_path`. */
export const permitUnmetered = (
  route: { readonly method: string; readonly path: string },
  key: Key | null,
  policy: UnmeteredPolicy,
): void => {
  const said = saidOf(route.path, policy)
  const passes = key === null ? said === 'pass' : key.allowUnmetered && said !== 'refuse'
  if (passes) return
  throw new OctroiError(
    'unknown_path',
    `Octroi does not know ${route.method} ${route.path.slice(0, 200)}, so it cannot meter it and does not pass it on` +
      (key === null || said === 'refuse'
        ? ', unless "unmetered" in its configuration says so.'
        : `. Its operator allows such paths with: octroi keys update ${key.id} --allow-unmetered yes`),
  )
}

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Parts as vendors write them. What is escaped may mean something else at the vendor than here. */
const plainPath = /^(\/[A-Za-z0-9._~:@!$&'()*+,=-]+)+$/

const isPlain = (path: string): boolean => {
  const [pathname = ''] = path.split('?')
  return plainPath.test(pathname) && !pathname.split('/').some((part) => part === '.' || part === '..')
}

const saidOf = (path: string, { paths, default: otherwise }: UnmeteredPolicy): 'pass' | 'refuse' | null => {
  const fits = (pattern: string): boolean =>
    pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
  const [longest] = Object.keys(paths)
    .filter(fits)
    .sort((a, b) => b.length - a.length)
  return (longest === undefined ? undefined : paths[longest]) ?? otherwise
}
