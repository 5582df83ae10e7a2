import { randomUUID } from 'node:crypto'
import { boundsOfUsage } from '../../endpoints/bound.ts'
import type { ReplyWire, RequestFacts } from '../../endpoints/endpoint.ts'
import { OctroiError } from '../../errors.ts'
import type { Call } from '../../ledger/entry.ts'
import { type Quote, quote } from '../../planning/quote.ts'
import { ownerOf } from '../call.ts'
import { type Clamp, clampOf } from '../clamp.ts'
import { createEstimates, pricedCall, surroundingsOf } from '../estimate.ts'
import type { Caller } from '../identify.ts'
import { ownedObjects } from '../ownership.ts'
import type { Parts } from '../parts.ts'
import { permitEndpoint, permitModel } from '../permission.ts'
import type { Target } from '../route.ts'
import { toldBy } from '../told.ts'
import type { Upstream } from '../upstream.ts'
import type { StatedCall, ToHold } from './asked.ts'

/** A call that does not pass through, named and quoted. `tighten`: a closer quote, by an exact count. */
export type QuotedCall = {
  readonly call: Call
  readonly upstream: Upstream
  readonly quoted: Quote
  readonly tighten: () => Promise<Quote | null>
  /** How its output limit could be lowered. */
  readonly clamp: () => Clamp | null
}

type Asking = { readonly caller: Caller; readonly id: string }

/** The provider that is meant; the first one where none is named. Throws `unknown_provider`. */
export const upstreamOf = (upstreams: readonly Upstream[], provider: string | undefined): Upstream => {
  const found = provider === undefined ? upstreams[0] : upstreams.find(({ name }) => name === provider)
  if (found !== undefined) return found
  const known = upstreams.map(({ name }) => name).join(', ')
  throw new OctroiError(
    'unknown_provider',
    `No provider "${provider?.slice(0, 60)}" is configured here. There are: ${known}.`,
  )
}

/** The wire of a provider's endpoint whose reply tells what a call cost. Throws `bad_input`. */
export const replyTargetOf = (upstream: Upstream, endpoint: string): Target & { wire: ReplyWire } => {
  for (const each of upstream.provider.endpoints) {
    for (const route of each.id === endpoint ? each.routes : []) {
      if (route.billing === 'reply') {
        return { upstream, endpoint: each, route, params: {}, path: route.path, wire: route.wire }
      }
    }
  }
  throw new OctroiError(
    'bad_input',
    `endpoint: ${upstream.name} has no "${endpoint}" whose requests and replies can be read. Say usage or an amount.`,
  )
}

/** Names a call by its request, and quotes it. Throws `bad_input`, `not_allowed`, `unknown_object`. */
export const quoteRequest = async (
  parts: Parts,
  { upstream, endpoint }: { upstream: Upstream; endpoint: string },
  { caller, id, request: given }: Asking & { request: Readonly<Record<string, unknown>> },
): Promise<QuotedCall> => {
  const target = replyTargetOf(upstream, endpoint)
  const { wire } = target
  permitEndpoint(caller.key, endpoint)
  const request = { ...given, ...toldBy(target, given) }
  const objects = await ownedObjects(parts.registry, { target, caller, request })
  const at = parts.clock.now()
  const facts = wire.read(request, objects, at)
  const call = await nameBeside(parts, { id, at, upstream, endpoint, caller, facts })
  const body = Buffer.from(JSON.stringify(request))
  const asked = { call, upstream, wire, request, bodyBytes: body.length, objects, tier: facts.tier }
  const place = { provider: upstream.provider.id, endpoint, path: target.route.path }
  const quotes = createEstimates(parts, asked, { place, body })
  return {
    ...{ call, upstream, quoted: quotes.cheap, tighten: quotes.tighten },
    clamp: () => clampOf(wire, request, surroundingsOf(parts, asked), quotes.of),
  }
}

/** Names a call that is only told of, and quotes it by the most it can use or cost. */
export const quoteStated = async (
  parts: Parts,
  { upstream, endpoint }: { upstream: Upstream; endpoint: string },
  { caller, id, hold }: Asking & { hold: Exclude<ToHold, { by: 'request' }> },
): Promise<QuotedCall> => {
  const call = await nameStated(parts, { upstream, endpoint }, { caller, id, stated: hold })
  const priced = pricedCall(call, upstream, { model: call.model, tier: hold.tier })
  const quoted =
    hold.by === 'usage'
      ? quote(boundsOfUsage(hold.usage), priced, parts.book)
      : { ...quote([], priced, parts.book), ...ofAmount(hold.most) }
  return { call, upstream, quoted, tighten: () => Promise.resolve(null), clamp: () => null }
}

/** Names a call that is only told of. Throws `not_allowed`. */
export const nameStated = (
  parts: Parts,
  { upstream, endpoint }: { upstream: Upstream; endpoint: string },
  { caller, id, stated }: Asking & { stated: StatedCall },
): Promise<Call> => {
  permitEndpoint(caller.key, endpoint)
  const { model, tier, endUser } = stated
  const facts = { model, tier, endUser, stream: false, tags: {} }
  return nameBeside(parts, { id, at: parts.clock.now(), upstream, endpoint, caller, facts })
}

/** The id of a call beside the gateway: the client's own or a new one, apart from those of other keys. */
export const besideId = (caller: Caller, id: string | undefined): string =>
  `${prefix}${caller.key?.id ?? 'none'}_${id ?? randomUUID()}`

/** Whether an id is of a call that was reserved beside the gateway. */
export const isBesideId = (id: string): boolean => id.startsWith(prefix)

const prefix = 'res_'

/** What is known of a call whose most is an amount: its cost, and nothing of what it uses. */
const ofAmount = (most: bigint): Partial<Quote> => ({
  least: null,
  most,
  pricedMost: most,
  usage: [
    {
      meters: ['input_text_tokens', 'output_text_tokens', 'image', 'audio_seconds'],
      least: 0,
      most: null,
    },
  ],
})

const nameBeside = async (
  parts: Parts,
  {
    id,
    at,
    upstream,
    endpoint,
    caller,
    facts,
  }: {
    readonly id: string
    readonly at: number
    readonly upstream: Upstream
    readonly endpoint: string
    readonly caller: Caller
    readonly facts: RequestFacts
  },
): Promise<Call> => {
  const { model, endUser } = facts
  if (model === null) {
    throw new OctroiError('bad_input', 'The request names no model, so it has no price.')
  }
  permitModel(caller.key, model)
  const owner = ownerOf({ key: caller.key, tags: { ...facts.tags, ...caller.tags } })
  return {
    ...{ id, at, provider: upstream.name, model: model.slice(0, 200), endpoint },
    ...owner,
    endUser: endUser === null ? null : await parts.registry.pseudonym(endUser),
    conversation: owner.tags['conversation'] ?? facts.conversation ?? null,
  }
}
