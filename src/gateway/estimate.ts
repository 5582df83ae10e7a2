import type { Bound } from '../endpoints/bound.ts'
import type { MeteredWire, ReplyWire } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { Call } from '../ledger/entry.ts'
import { type Quote, quote } from '../planning/quote.ts'
import { findModel } from '../pricing/model-facts.ts'
import type { Counting, WirePlace } from './counting.ts'
import type { Parts } from './parts.ts'
import type { Upstream } from './upstream.ts'

/** A call as far as it is quoted. */
type Estimated = {
  readonly call: Call
  readonly upstream: Upstream
  readonly wire: MeteredWire
  readonly request: Json
  readonly bodyBytes: number
  readonly objects: KnownObjects
  readonly tier: string | null
}

/** Quotes a call before it is sent: the wire bounds it, the book prices the bounds. */
export const estimate = (parts: Pick<Parts, 'book' | 'models'>, asked: Estimated): Quote =>
  quoteBounds(parts, asked, boundsOf(parts, asked))

/** The same, from an exact count of the prompt, which is made off the loop. Null where that gives nothing
 * closer, or cannot be had. */
export const estimateCounted = async (
  parts: Pick<Parts, 'book' | 'models'> & { readonly counting: Pick<Counting, 'prompt'> },
  asked: Estimated & { readonly wire: ReplyWire },
  sent: { readonly place: WirePlace; readonly body: Uint8Array },
): Promise<Quote | null> => {
  const { call, upstream, wire, request, objects } = asked
  if (wire.countPrompt === null) return null
  const as = { provider: upstream.pricesFrom, model: call.model, at: call.at, objects }
  const count = await parts.counting.prompt({ ...sent, wire, request, as })
  const bounds = count === null ? null : wire.tighten(boundsOf(parts, asked), count)
  return bounds === null ? null : quoteBounds(parts, asked, bounds)
}

const boundsOf = (parts: Pick<Parts, 'models'>, asked: Estimated): readonly Bound[] => {
  const { call, upstream, wire, request, bodyBytes, objects } = asked
  const facts = findModel(parts.models, {
    provider: upstream.pricesFrom,
    model: call.model,
    at: call.at,
  })
  return wire.bound(request, {
    provider: upstream.pricesFrom,
    model: call.model,
    at: call.at,
    bodyBytes,
    contextWindow: facts?.contextWindow ?? null,
    outputTokensMax: facts?.outputTokensMax ?? facts?.contextWindow ?? null,
    objects,
  })
}

const quoteBounds = (
  { book }: Pick<Parts, 'book'>,
  { call, upstream, tier }: Estimated,
  bounds: readonly Bound[],
): Quote => quote(bounds, pricedCall(call, upstream, { model: call.model, tier }), book)

/** What fixes the prices of a call: its instant, and the model and tier as asked for or as served. */
export const pricedCall = (call: Call, upstream: Upstream, as: { model: string; tier: string | null }) => ({
  provider: upstream.pricesFrom,
  model: as.model,
  at: call.at,
  attributes: as.tier === null ? {} : { tier: as.tier },
})
