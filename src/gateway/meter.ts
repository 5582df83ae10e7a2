import type { Counted, ReplyWire } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { Reply } from '../endpoints/reply.ts'
import { inputTokens, type Usage } from '../usage/usage.ts'
import type { CountedAs, Counting, SentBody } from './counting.ts'
import type { Outcome } from './settle.ts'

/** What a whole reply or a whole stream used: as the vendor reports it, else counted here and marked
 * `estimated`. `broken` says why the reply is not whole; then what is reported may be less than is billed. */
export const meterReply = async (
  wire: ReplyWire,
  call: Omit<SentBody, 'wire'> & {
    as: CountedAs & { readonly objects: KnownObjects }
    status: number
    reply: Reply
    broken: string | null
  },
  counting: Counting,
): Promise<Outcome> => {
  const { request, status, reply, broken, as } = call
  const { model: served, tier, attributes, apart, stated } = reply
  const priced = { model: served, tier, attributes, apart, stated, status }
  const { produced } = reply
  const model = served ?? as.model
  const asked = { place: call.place, wire, produced, as: { ...as, model } }
  if (reply.usage === null) {
    const counted = await counting.reply({ ...asked, request, body: call.body })
    return {
      ...priced,
      ...countedOutcome(counted),
      note: [broken ?? 'no usage in the reply', `counted: ${counted.rule}`].join('; '),
    }
  }
  const alone = { request: { model }, body: Buffer.from(JSON.stringify({ model })) }
  const counted = reply.outputBegun === undefined ? null : await counting.reply({ ...asked, ...alone })
  const usage = counted === null ? reply.usage.usage : withOutput(reply.usage.usage, reply, counted)
  const doubts = [...(broken === null ? [] : [broken]), ...reply.usage.problems]
  const isEstimated = doubts.length > 0 || counted !== null
  const notes = [...doubts, ...(reply.usage.unknown ?? []), ...(counted === null ? [] : [outputCounted])]
  return {
    ...priced,
    usage,
    basis: isEstimated ? 'estimated' : 'measured',
    resent: resentIn(wire, request, { objects: as.objects, input: inputTokens(usage) }),
    note: notes.length === 0 ? null : notes.join('; '),
  }
}

const outputCounted = 'its input is measured, its output counted from the text that came'

/** A usage whose output was not said: counted, and no more than its bound, nor less than it began with. */
const withOutput = (usage: Usage, { outputBegun = 0 }: Reply, counted: Counted): Usage => {
  const [most, output] = [usage.output_text_tokens, counted.usage.output_text_tokens]
  if (typeof most !== 'number' || typeof output !== 'number') return usage
  return { ...usage, output_text_tokens: Math.max(outputBegun, Math.min(most, output)) }
}

/** History among the input: in tokens where the vendor keeps it and its size is known, else by its bytes. */
const resentIn = (
  wire: ReplyWire,
  request: Json,
  { objects, input }: { objects: KnownObjects; input: number },
): Outcome['resent'] => {
  const kept = wire.kept?.(request, objects) ?? null
  if (kept !== null) return { history: Math.min(kept.tokens, input), total: input, exact: kept.exact }
  const { resent, total } = wire.history(request)
  return { history: resent, total, exact: false }
}

const countedOutcome = ({ usage, history }: Counted): Pick<Outcome, 'usage' | 'basis' | 'resent'> => {
  const total = usage.input_text_tokens
  return {
    usage,
    basis: 'estimated',
    resent: typeof total === 'number' ? { history, total, exact: true } : null,
  }
}
