import type { Counted, ReplyWire } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { Reply } from '../endpoints/reply.ts'
import { inputTokens } from '../usage/usage.ts'
import type { Counting, SentBody } from './counting.ts'
import type { Outcome } from './settle.ts'

/** What a whole reply or a whole stream used: as the vendor reports it, else counted here and marked
 * `estimated`. `broken` says why the reply is not whole; then what is reported may be less than is billed. */
export const meterReply = async (
  wire: ReplyWire,
  call: Omit<SentBody, 'wire'> & {
    model: string
    status: number
    reply: Reply
    broken: string | null
    objects: KnownObjects
  },
  counting: Counting,
): Promise<Outcome> => {
  const { request, status, reply, broken, objects } = call
  const { model: served, tier, attributes, apart, stated } = reply
  const priced = { model: served, tier, attributes, apart, stated, status }
  if (reply.usage !== null) {
    const doubts = [...(broken === null ? [] : [broken]), ...reply.usage.problems]
    const notes = [...doubts, ...(reply.usage.unknown ?? [])]
    return {
      ...priced,
      usage: reply.usage.usage,
      basis: doubts.length === 0 ? 'measured' : 'estimated',
      resent: resentIn(wire, request, { objects, input: inputTokens(reply.usage.usage) }),
      note: notes.length === 0 ? null : notes.join('; '),
    }
  }
  const { place, body } = call
  const model = served ?? call.model
  const counted = await counting.reply({
    place,
    wire,
    body,
    request,
    produced: reply.produced,
    model,
    objects,
  })
  return {
    ...priced,
    ...countedOutcome(counted),
    note: [broken ?? 'no usage in the reply', `counted: ${counted.rule}`].join('; '),
  }
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
