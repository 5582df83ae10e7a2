import type { Bound } from '../endpoints/bound.ts'
import type { ReplyWire, Surroundings } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { formatPicos, type Picos } from '../money/money.ts'
import { type Quote, quote } from '../planning/quote.ts'
import { findModel, type ModelFacts } from '../pricing/model-facts.ts'
import type { PricedCall } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { providers } from '../providers/index.gen.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { PromptCount } from '../tokens/chat.ts'
import { encodingOf, loadEncoding, tokensAtMost } from '../tokens/text.ts'
import { meterFacts } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'
import { soundLengths } from './sound-lengths.ts'

/** How to quote: over which wire of which provider, on which day, with which prices and facts. `model` goes before
 * the model of the body; `expectedOutput`: how many tokens are expected to come back. */
export type QuoteOptions = {
  readonly provider: string
  readonly endpoint: string
  readonly at: Instant
  readonly model: string | null
  readonly expectedOutput: number | null
  readonly book: PriceBook
  readonly facts: ModelFacts
}

/** A quoted request. `prompt` is null where its tokens were not counted; `reasons` say what made the difference
 * between the least and the most. */
export type QuotedRequest = {
  readonly call: PricedCall & { readonly model: string }
  readonly endpoint: string
  readonly quote: Quote
  readonly prompt: PromptCount | null
  readonly reasons: readonly string[]
}

/** Quotes a request body as the gateway does, but always with its prompt counted where a rule for it is known.
 * Throws `unknown_provider`, and `bad_input` for an endpoint that cannot be quoted or a body that is none. */
export const quoteRequest = async (body: unknown, options: QuoteOptions): Promise<QuotedRequest> => {
  const wire = wireOf(options)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new OctroiError('bad_input', 'A request body must be a JSON object, as it is sent to the provider.')
  }
  const request: Json = options.model === null ? body : { ...body, model: options.model }
  const { model, tier } = wire.read(request, {})
  if (model === null || model === '') {
    throw new OctroiError('bad_input', 'The body names no model. Name one with --model.')
  }
  const { provider, at, endpoint } = options
  const call = { provider, model, at, ...(tier !== null && { attributes: { tier } }) }
  const surroundings = surroundingsOf(request, call, options.facts)
  const loose = wire.bound(request, surroundings)
  const prompt = await promptOf(wire, request, { provider, model, at })
  const tight = prompt === null ? null : wire.tighten(loose, prompt)
  const bounds = tight ?? loose
  const quoted = quote(bounds, call, options.book, expectedUsage(prompt, options.expectedOutput))
  const priority = { ...call, attributes: { tier: 'priority' } }
  const given = wire.bound(request, { ...surroundings, outputTokensMax: null })
  return {
    call,
    endpoint,
    quote: quoted,
    prompt,
    reasons: [
      ...inputReasons(bounds[0], prompt, tight !== null),
      ...otherReasons(bounds, given, model),
      ...tierReasons({ tier, most: quoted.most }, quote(bounds, priority, options.book)),
      ...(options.expectedOutput !== null && prompt === null
        ? [`Nothing is expected: the prompt of ${model} could not be counted.`]
        : []),
      ...quoted.reasons,
    ],
  }
}

/** A quote as `octroi quote --json` prints it. */
export const formatQuoteJson = ({
  call,
  endpoint,
  quote: quoted,
  prompt,
  reasons,
}: QuotedRequest): Readonly<Record<string, unknown>> => ({
  schema: 'octroi-quote/1',
  ...{ provider: call.provider, endpoint, model: call.model, at: formatInstant(call.at) },
  currency: quoted.currency,
  least: money(quoted.least),
  expected: money(quoted.expected),
  most: money(quoted.most),
  pricedMost: formatPicos(quoted.pricedMost),
  usage: quoted.usage,
  prompt:
    prompt === null
      ? null
      : {
          ...{ tokens: prompt.tokens, class: prompt.class, rule: prompt.rule },
          ...{ low: prompt.low, high: prompt.high, history: prompt.history },
        },
  reasons,
  unpriced: quoted.unpriced,
})

const wireOf = ({ provider: name, endpoint }: QuoteOptions): ReplyWire => {
  const provider = Object.values(providers).find(({ id }) => id === name)
  if (provider === undefined) {
    const known = Object.keys(providers).join(', ')
    throw new OctroiError(
      'unknown_provider',
      `There is no provider "${name.slice(0, 60)}". There are: ${known}.`,
    )
  }
  const wires = provider.endpoints.flatMap(({ id, routes }) =>
    routes.flatMap((route) => (route.billing === 'reply' ? [{ id, wire: route.wire }] : [])),
  )
  const found = wires.find(({ id }) => id === endpoint)
  if (found !== undefined) return found.wire
  const known = [...new Set(wires.map(({ id }) => id))]
  throw new OctroiError(
    'bad_input',
    `Requests to "${endpoint.slice(0, 60)}" of ${name} cannot be quoted. ${
      known.length === 0 ? `None of ${name} can.` : `Those to ${known.join(', ')} can.`
    }`,
  )
}

type Call = { readonly provider: string; readonly model: string; readonly at: Instant }

const surroundingsOf = (request: Json, { provider, model, at }: Call, facts: ModelFacts): Surroundings => {
  const fact = findModel(facts, { provider, model, at })
  return {
    provider,
    model,
    at,
    bodyBytes: tokensAtMost(textOfBody(request)),
    contextWindow: fact?.contextWindow ?? null,
    outputTokensMax: fact?.outputTokensMax ?? fact?.contextWindow ?? null,
    objects: {},
  }
}

const textOfBody = (request: Json): string => {
  try {
    return JSON.stringify(request)
  } catch {
    throw new OctroiError('bad_input', 'The body is nested too deep.')
  }
}

const promptOf = async (wire: ReplyWire, request: Json, call: Call): Promise<PromptCount | null> => {
  const encoding = encodingOf(call.model)
  if (encoding === null || wire.countPrompt === null) return null
  const [counter, lengths] = await Promise.all([loadEncoding(encoding), soundLengths(request)])
  return wire.countPrompt(request, { counter, ...call, lengths })
}

const expectedUsage = (prompt: PromptCount | null, output: number | null): Usage | undefined => {
  if (prompt === null || output === null) return undefined
  const { tokens, sound = 0 } = prompt
  const text = { input_text_tokens: tokens - sound, output_text_tokens: output }
  return sound === 0 ? text : { ...text, input_audio_tokens: sound }
}

const inputReasons = (
  input: Bound | undefined,
  prompt: PromptCount | null,
  tightened: boolean,
): readonly string[] => {
  if (input === undefined || !isPrompt(input) || input.most === null) return []
  const wide = input.reason === undefined ? [] : [`${input.reason}.`]
  if (prompt === null) {
    const rate = input.reason === undefined ? ', one a byte' : ''
    return [
      `The prompt is not counted, no rule is known for the model: at most ${input.most} tokens${rate}.`,
      ...wide,
    ]
  }
  const counted = `The prompt has ${prompt.tokens} tokens (${prompt.class}, ${prompt.rule})`
  return tightened
    ? [`${counted}; at most ${input.most} with what a vendor adds unseen.`]
    : [`${counted}, which is no bound: at most ${input.most} are held.`, ...wide]
}

const isPrompt = ({ meters: [meter] }: Bound): boolean => meter === 'input_text_tokens'

/** `given`: the bounds where the model's own cap is not known; what stands there too, the request itself said. */
const otherReasons = (bounds: readonly Bound[], given: readonly Bound[], model: string): readonly string[] =>
  bounds.flatMap((bound, index) => {
    const {
      meters: [meter],
      most,
    } = bound
    if (most === null || most === 0 || isPrompt(bound)) return []
    const { direction, unit } = meterFacts(meter)
    if (direction === 'none') return [`${meter}: up to ${most}, if the model makes use of it.`]
    if (unit !== 'token') return [`${meter}: up to ${most}.`]
    if (direction === 'input') return [`${meter}: up to ${most}, by the bytes of the sounds.`]
    const asked = given[index]?.most === most
    return [
      `${meter}: up to ${most}, ${asked ? 'the limit in the request' : `the most that ${model} gives`}.`,
    ]
  })

/** A request without a tier is served at its project's, which only the reply names. */
const tierReasons = (asked: { readonly tier: string | null; readonly most: Picos | null }, dearer: Quote) =>
  (asked.tier === null || asked.tier === 'auto') && (dearer.most ?? 0n) > (asked.most ?? 0n)
    ? [`The request names no tier: a project whose tier is priority pays up to ${money(dearer.most)}.`]
    : []

const money = (picos: Picos | null): string | null => (picos === null ? null : formatPicos(picos))
