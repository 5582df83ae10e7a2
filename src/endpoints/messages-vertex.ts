import type { UsageShape } from '../usage/read.ts'
import type { Endpoint, Route } from './endpoint.ts'
import { messages } from './messages.ts'

/** Messages as Vertex AI serves it: model and streaming stand in the path, and `anthropic_version` in the body
 * (https://docs.anthropic.com/en/api/claude-on-vertex-ai and Google's "Request predictions with Claude models", read
 * 2026-11-25). Its count of tokens is free, and names its model in the body. */
export const messagesOnVertex = (counters: UsageShape): Endpoint => {
  const endpoint = messages(counters)
  return {
    ...endpoint,
    routes: endpoint.routes.flatMap((route): Route[] =>
      route.billing === 'reply'
        ? [
            { ...route, path: `${place}/:model:rawPredict`, told: (params) => ({ model: nameOf(params) }) },
            {
              ...route,
              path: `${place}/:model:streamRawPredict`,
              told: (params) => ({ model: nameOf(params), stream: true }),
            },
          ]
        : [{ ...route, path: `${place}/count-tokens:rawPredict` }],
    ),
  }
}

const place = '/projects/:project/locations/:location/publishers/anthropic/models'

/** The name as Anthropic has it, and its price list: `claude-haiku-4-5-20251001`, not `claude-haiku-4-5@20251001`. */
const nameOf = ({ model = '' }: Readonly<Record<string, string>>): string => model.replace('@', '-')
