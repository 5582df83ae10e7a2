import type { ServerResponse } from 'node:http'
import type { ReplyWire } from '../endpoints/endpoint.ts'
import { OctroiError } from '../errors.ts'
import type { UpstreamReply } from './forward.ts'
import type { Framing, Piece } from './framing/framing.ts'
import { brokeOff } from './held.ts'
import { breakOff, write } from './outgoing.ts'
import type { StreamLimit } from './stream-limit.ts'

/** How a stream ended for the provider: `broken` is null when it came to its proper end. */
export type StreamEnd = { readonly broken: OctroiError | null }

/** Passes a stream on event by event, as its framing cuts it, while `meter` reads a copy. The event that ends the stream is kept back
 * until `settled` resolves, or the last of those that follow it: some wires say that all is done after the event
 * that says what it cost. A stream that breaks is never ended cleanly. A client that goes does not stop the
 * reading: the provider bills the rest anyway, and reading it makes the cost exact; `drainMsMax` bounds it. */
export const passStream = async (
  upstream: UpstreamReply,
  outgoing: ServerResponse,
  pass: {
    framing: Framing
    meter: ReturnType<ReplyWire['meterStream']>
    /** Set when usage was asked for on the client's behalf: takes the answer out again. */
    cutUsage: ReplyWire['cutUsage'] | null
    /** Ends the stream where its call has used up a limit. */
    limit: StreamLimit | null
    drainMsMax: number
    settled: (end: StreamEnd) => Promise<void>
    fault: (error: OctroiError) => string
  },
): Promise<void> => {
  const { framing, meter, cutUsage, limit, settled, fault } = pass
  const drain = drainWhenGone(upstream, outgoing, pass.drainMsMax)
  let last: Buffer | string | null = null
  let after = 0
  let broken: OctroiError | null = null
  const take = async ({ bytes, event, closes }: Piece): Promise<void> => {
    if (closes === true && last === null) return
    const ends = meter.event(event)
    const reached = ends || last !== null ? null : (limit?.seen(bytes.length) ?? null)
    // Leaving the loop closes the provider's connection.
    if (reached !== null) throw reached
    const passed = cutUsage === null ? bytes : cutUsage(event)
    if (passed === null) return
    if (last !== null) {
      after += 1
      if (after > eventsAfterEndMax) throw endless()
      await write(outgoing, last)
    }
    if (ends || last !== null) last = passed
    else await write(outgoing, passed)
  }
  try {
    for await (const chunk of upstream.body as AsyncIterable<Buffer>) {
      upstream.heard()
      for (const piece of framing.cut(chunk)) await take(piece)
    }
    for (const piece of framing.rest()) await take(piece)
    if (last === null) {
      broken = new OctroiError(
        'upstream_broken',
        'The provider ended its stream before the end of the reply.',
      )
    }
  } catch (error) {
    broken = brokeOff(error)
  } finally {
    drain.stop()
  }
  await settled({ broken })
  if (broken !== null) {
    breakOff(outgoing, framing.fault(fault(broken)))
    return
  }
  await write(outgoing, last ?? '')
  outgoing.end()
}

/** Events that may follow the one that ends a reply. The wires that say more there say one or two things. */
const eventsAfterEndMax = 256

const endless = (): OctroiError =>
  new OctroiError('upstream_broken', 'The provider goes on with its stream after the end of the reply.')

/** Bounds how long a stream is read for a client that has gone. */
export const drainWhenGone = (upstream: UpstreamReply, outgoing: ServerResponse, drainMsMax: number) => {
  let timer: NodeJS.Timeout | undefined
  const gone = (): void => {
    if (outgoing.writableFinished) return
    timer = setTimeout(() => upstream.body.destroy(new Error('drained long enough')), drainMsMax)
  }
  outgoing.on('close', gone)
  if (outgoing.destroyed) gone()
  return {
    stop: (): void => {
      outgoing.off('close', gone)
      clearTimeout(timer)
    },
  }
}
