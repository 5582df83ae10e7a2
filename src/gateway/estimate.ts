import type { KnownObjects, MeteredWire } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { Call } from '../ledger/entry.ts'
import { type Quote, quote } from '../planning/quote.ts'
import { findModel } from '../pricing/model-facts.ts'
import type { Parts } from './parts.ts'
import type { Upstream } from './upstream.ts'

/** Quotes a call before it is sent: the wire bounds it, the book prices the bounds. */
export const estimate = (
  parts: Pick<Parts, 'book' | 'models'>,
  asked: {
    call: Call
    upstream: Upstream
    wire: MeteredWire
    request: Json
    bodyBytes: number
    objects: KnownObjects
    tier: string | null
  },
): Quote => {
  const { call, upstream, wire, request, bodyBytes, objects, tier } = asked
  const facts = findModel(parts.models, {
    provider: upstream.pricesFrom,
    model: call.model,
    at: call.at,
  })
  const bounds = wire.bound(request, {
    bodyBytes,
    contextWindow: facts?.contextWindow ?? null,
    outputTokensMax: facts?.outputTokensMax ?? facts?.contextWindow ?? null,
    objects,
  })
  return quote(bounds, pricedCall(call, upstream, { model: call.model, tier }), parts.book)
}

/** What fixes the prices of a call: its instant, and the model and tier as asked for or as served. */
export const pricedCall = (call: Call, upstream: Upstream, as: { model: string; tier: string | null }) => ({
  provider: upstream.pricesFrom,
  model: as.model,
  at: call.at,
  attributes: as.tier === null ? {} : { tier: as.tier },
})
