import type { WireRoute } from './world.ts'

/** Finds the route of a request and the ids in its path; null when the vendor has no such URL. Of two routes
 * that fit, the first wins. */
export type FindRoute = (place: {
  readonly method: string
  readonly path: string
}) => { readonly route: WireRoute; readonly params: Readonly<Record<string, string>> } | null

export const routeFinder = (routes: readonly WireRoute[]): FindRoute => {
  const known = routes.map((route) => ({ route, parts: route.path.split('/') }))
  return ({ method, path }) => {
    const asked = path.split('/')
    for (const { route, parts } of known) {
      if (route.method !== method || parts.length !== asked.length) continue
      const params = paramsOf(parts, asked)
      if (params !== null) return { route, params }
    }
    return null
  }
}

const paramsOf = (parts: readonly string[], asked: readonly string[]): Record<string, string> | null => {
  const params: Record<string, string> = {}
  for (const [index, part] of parts.entries()) {
    const value = asked[index] ?? ''
    if (!part.startsWith(':')) {
      if (part !== value) return null
    } else if (value === '') return null
    else params[part.slice(1)] = decoded(value)
  }
  return params
}

/** An id that cannot be decoded is an id that nothing has. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
