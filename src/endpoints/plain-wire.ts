import type { Endpoint, ReplyWire, Route } from './endpoint.ts'
import type { Json } from './json.ts'
import type { Names } from './objects.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import type { ReplyReader, StreamMeter } from './reply.ts'
import { emptyReply } from './reply-shape.ts'

/** What a wire says of itself; the rest is that of a wire without conversations. */
type Plain = Pick<ReplyWire, 'read' | 'bound' | 'count'> &
  Partial<Omit<ReplyWire, 'read' | 'bound' | 'count' | 'readReply' | 'meterStream'>>

/** An endpoint of one route whose reply tells its cost, in OpenAI's manner: no history is sent again, no prompt
 * is counted ahead, and its streams, if any, tell their usage unasked. */
export const plainEndpoint = (
  place: {
    readonly id: string
    readonly path: string
    readonly form?: Route['form']
    readonly names?: Names
  },
  reader: ReplyReader,
  wire: Plain,
): Endpoint => ({
  id: place.id,
  reader,
  routes: [
    {
      method: 'POST',
      path: place.path,
      billing: 'reply',
      ...(place.form && { form: place.form }),
      ...(place.names && { names: place.names }),
      wire: {
        countPrompt: null,
        tighten: () => null,
        askUsage: () => null,
        cutUsage: (event) => event,
        history: () => ({ resent: 0, total: 0 }),
        ...wire,
        readReply: reader.readReply,
        meterStream: reader.meterStream ?? noStream,
      },
    },
  ],
  refusal: openaiRefusal,
  streamFault: openaiStreamFault,
})

/** A call that used something nobody can count: it is named as unpriced, never taken for free. */
export const uncounted = (rule: string): ReturnType<ReplyWire['count']> => ({
  usage: { request: 1 },
  history: 0,
  rule,
})

const noStream = (_request?: Json): StreamMeter => ({
  event: () => false,
  reply: () => ({ ...emptyReply, ended: false }),
})
