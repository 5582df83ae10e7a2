import type { Bound } from '../endpoints/bound.ts'
import type { MeteredWire, ReplyWire, Surroundings } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { Call } from '../ledger/entry.ts'
import { type Quote, quote } from '../planning/quote.ts'
import { findModel } from '../pricing/model-facts.ts'
import type { PromptCount } from '../tokens/chat.ts'
import type { Counting, WirePlace } from './counting.ts'
import type { Parts } from './parts.ts'
import type { Upstream } from './upstream.ts'

/** A call as far as it is quoted. */
export type Estimated = {
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
  const count = await countPrompt(parts, asked, sent)
  return count === null ? null : quoteCounted(parts, asked, count)
}

/** The quotes of a call, of which the prompt is counted at most once. */
export type Estimates = {
  readonly cheap: Quote
  /** A closer quote, as `estimateCounted` gives it. */
  readonly tighten: () => Promise<Quote | null>
  /** The quote of another request with the same prompt, by the closest count that was made. */
  readonly of: (request: Json) => Quote
}

/** Quotes a call, and the same call under other limits. */
export const createEstimates = (
  parts: Parameters<typeof estimateCounted>[0],
  asked: Parameters<typeof estimateCounted>[1],
  sent: Parameters<typeof estimateCounted>[2],
): Estimates => {
  let count: PromptCount | null = null
  const of = (request: Json): Quote =>
    (count === null ? null : quoteCounted(parts, { ...asked, request }, count)) ??
    estimate(parts, { ...asked, request })
  return {
    cheap: estimate(parts, asked),
    tighten: async () => {
      count = await countPrompt(parts, asked, sent)
      return count === null ? null : quoteCounted(parts, asked, count)
    },
    of,
  }
}

const countPrompt = async (
  parts: { readonly counting: Pick<Counting, 'prompt'> },
  { call, upstream, wire, request, objects }: Estimated & { readonly wire: ReplyWire },
  sent: { readonly place: WirePlace; readonly body: Uint8Array },
): Promise<PromptCount | null> => {
  if (wire.countPrompt === null) return null
  const as = { provider: upstream.pricesFrom, model: call.model, at: call.at, objects }
  return parts.counting.prompt({ ...sent, wire, request, as })
}

/** Null where the count bounds nothing. */
const quoteCounted = (
  parts: Pick<Parts, 'book' | 'models'>,
  asked: Estimated & { readonly wire: ReplyWire },
  count: PromptCount,
): Quote | null => {
  const bounds = asked.wire.tighten(boundsOf(parts, asked), count)
  return bounds === null ? null : quoteBounds(parts, asked, bounds)
}

const boundsOf = (parts: Pick<Parts, 'models'>, asked: Estimated): readonly Bound[] =>
  asked.wire.bound(asked.request, surroundingsOf(parts, asked))

/** What bounds a call besides its request. */
export const surroundingsOf = (parts: Pick<Parts, 'models'>, asked: Estimated): Surroundings => {
  const { call, upstream, bodyBytes, objects } = asked
  const facts = findModel(parts.models, {
    provider: upstream.pricesFrom,
    model: call.model,
    at: call.at,
  })
  return {
    provider: upstream.pricesFrom,
    model: call.model,
    at: call.at,
    bodyBytes,
    contextWindow: facts?.contextWindow ?? null,
    outputTokensMax: facts?.outputTokensMax ?? facts?.contextWindow ?? null,
    objects,
  }
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
