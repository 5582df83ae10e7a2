import type { Endpoint } from './endpoint.ts'

/** An endpoint as it stands below other paths, at each of them: `/openai/v1`, or `/openai/deployments/:deployment`,
 * where `model` is the part of the path that names the model. */
export const mounted = (
  endpoint: Endpoint,
  places: readonly { readonly prefix: string; readonly model?: string }[],
): Endpoint => ({
  ...endpoint,
  routes: places.flatMap(({ prefix, model }) =>
    endpoint.routes.map((route) => ({
      ...route,
      path: prefix + route.path,
      ...(model !== undefined && { told: (params) => ({ model: params[model] ?? '' }) }),
    })),
  ),
})
