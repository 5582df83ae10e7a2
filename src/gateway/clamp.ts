import type { ReplyWire, Surroundings } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import { loweredAt, type OutputLimit, withOutputLimit } from '../endpoints/output-limit.ts'
import type { Call } from '../ledger/entry.ts'
import type { Admission, Admitted, Asked, Refused } from '../limits/admit.ts'
import { largestThatFits } from '../limits/clamp.ts'
import type { Quote } from '../planning/quote.ts'
import { meterFacts } from '../usage/meter.ts'
import type { Exchange } from './exchange.ts'
import { setMember } from './member-text.ts'

/** How the output limit of a call may be lowered. `range`: the least it may be, and what it is now; `quoteAt`: what the
 * call can use and cost under a limit between them, never less under a higher one. */
export type Clamp = {
  readonly limit: OutputLimit
  readonly range: { readonly floor: number; readonly asked: number }
  readonly quoteAt: (outputTokens: number) => Quote
}

/** A lowered output limit. */
export type Lowered = { readonly limit: OutputLimit; readonly outputTokens: number }

/** The tag under which a call's entries say that its output limit was lowered, and to what. */
const clampTag = 'clamped'

/** What may be lowered of a call; null where its wire has no output limit, or nobody knows what it is. Where the
 * request says none, what is put in its place leaves room for the prompt in the model's window, or the vendor refuses
 * it. */
export const clampOf = (
  wire: Pick<ReplyWire, 'outputLimit'>,
  request: Json,
  surroundings: Surroundings,
  quoteOf: (request: Json) => Quote,
): Clamp | null => {
  const limit = wire.outputLimit?.(request, surroundings) ?? null
  if (limit === null) return null
  const { contextWindow } = surroundings
  const asked =
    limit.said || contextWindow === null
      ? limit.asked
      : Math.min(limit.asked, contextWindow - (inputMost(quoteOf(request)) ?? contextWindow))
  return {
    limit,
    range: { floor: limit.floor, asked },
    quoteAt: (outputTokens) => quoteOf(withOutputLimit(request, limit, outputTokens)),
  }
}

const inputMost = ({ usage }: Quote): number | null =>
  usage
    .filter(({ meters: [meter] }) => {
      const { unit, direction } = meterFacts(meter)
      return unit === 'token' && direction === 'input'
    })
    .reduce<number | null>((sum, { most }) => (sum === null || most === null ? null : sum + most), 0)

/** The answer to a call, the quote that it is about, and what its output limit was lowered to. */
export type Tried = {
  readonly decision: Admitted | Refused
  readonly quoted: Quote
  readonly lowered: Lowered | null
}

/** Asks for a call as it is; where nothing but limits that lower the output keep it out, for the largest output that
 * fits. All of it happens between two moments at which others are admitted. */
export const admitOrLower = (
  admission: Pick<Admission, 'admit' | 'look'>,
  askedWith: (quote: Quote) => Asked,
  { quoted, clamp }: { readonly quoted: Quote; readonly clamp: () => Clamp | null },
): Tried => {
  const first = admission.admit(askedWith(quoted))
  const asIs = { decision: first, quoted, lowered: null }
  if (first.admitted || first.action === 'refuse') return asIs
  const possible = clamp()
  if (possible === null) return asIs
  const look = (quote: Quote): Refused | null => admission.look(askedWith(quote))
  if (first.action === 'wait')
    return { ...asIs, decision: untilLowered(first, look(possible.quoteAt(possible.range.floor))) }
  const found = lowerToFit(possible, (quote) => look(quote) === null)
  if (found === null) return asIs
  const { quote, ...lowered } = found
  const decision = admission.admit(askedWith(quote))
  return decision.admitted ? { decision, quoted: quote, lowered } : asIs
}

/** A call that waits has to wait for those limits alone that keep out its least output as well. */
const untilLowered = (refused: Refused, least: Refused | null): Refused =>
  least?.action === 'wait'
    ? { ...refused, fitsAt: least.fitsAt, fitsWhenFreed: least.fitsWhenFreed }
    : refused

/** The largest output limit whose quote fits; null where not even the least does. */
export const lowerToFit = (
  { limit, range, quoteAt }: Clamp,
  fits: (quote: Quote) => boolean,
): (Lowered & { readonly quote: Quote }) | null => {
  const outputTokens = largestThatFits(range, (tokens) => fits(quoteAt(tokens)))
  return outputTokens === null ? null : { limit, outputTokens, quote: quoteAt(outputTokens) }
}

/** The exchange as it is sent: lowered in the fields that say its limit, and every other byte as it came. */
export const lowerOutput = async (exchange: Exchange, lowered: Lowered | null): Promise<Exchange> => {
  if (lowered === null) return exchange
  const { limit, outputTokens } = lowered
  const { request } = exchange
  let { body } = exchange
  for (const path of limit.fields) {
    body = await setMember(body, { path, value: String(loweredAt(request, path, outputTokens)) })
  }
  return { ...exchange, body, request: withOutputLimit(request, limit, outputTokens) }
}

/** The call whose output limit was lowered says so. */
export const withLowered = (call: Call, lowered: Lowered | null): Call =>
  lowered === null ? call : { ...call, tags: { ...call.tags, [clampTag]: toldLowered(lowered) } }

/** How a reply tells that its output limit was lowered. */
export const clampHeaders = (lowered: Lowered | null): Record<string, string> =>
  lowered === null ? {} : { 'octroi-clamped': toldLowered(lowered) }

/** A lowered limit as it is told: `max_completion_tokens=512`. */
export const toldLowered = ({ limit, outputTokens }: Lowered): string =>
  `${limit.fields.map((path) => path.join('.')).join(', ')}=${outputTokens}`
