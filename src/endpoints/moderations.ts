import { type Instant, parseInstant } from '../time.ts'
import type { Endpoint } from './endpoint.ts'
import { type Json, member, textOf } from './json.ts'
import { openaiTags } from './openai-tags.ts'
import { plainEndpoint } from './plain-wire.ts'
import type { ReplyReader } from './reply.ts'
import { emptyReply } from './reply-shape.ts'

/** Moderations: each is one request, which the price book has at its price, zero included. */
export const moderations = (): Endpoint =>
  plainEndpoint({ id: 'moderations', path: '/moderations' }, reader, {
    read: (request, _objects, at) => ({
      model: textOf(member(request, 'model')) ?? defaultAt(at),
      stream: false,
      tier: null,
      endUser: null,
      tags: openaiTags(request),
    }),
    bound: () => [{ meters: ['request'], least: 1, most: 1 }],
    count: () => ({ usage: { request: 1 }, history: 0, rule: 'one request' }),
  })

/** The model that a request without one is answered by (API references of November 2023 and of today). */
const defaultAt = (at: Instant | undefined): string =>
  at !== undefined && at < omniSince ? 'text-moderation-latest' : 'omni-moderation-latest'

const omniSince = parseInstant('2024-09-26')

const reader: ReplyReader = {
  readReply: (reply: Json) => ({
    ...emptyReply,
    id: textOf(member(reply, 'id')),
    model: served(textOf(member(reply, 'model'))),
    usage: Array.isArray(member(reply, 'results')) ? { usage: { request: 1 }, problems: [] } : null,
  }),
  meterStream: null,
}

/** Replies of the first models named a build, `text-moderation-006`, which was never on a price list: what was
 * asked for says the price. */
const served = (model: string | null): string | null =>
  model !== null && /^text-moderation-\d+$/.test(model) ? null : model
