import type { Json } from '../endpoints/json.ts'
import type { Run, RunWire } from '../endpoints/run.ts'
import { OctroiError } from '../errors.ts'
import { createEventCutter } from './events.ts'
import type { Exchange } from './exchange.ts'
import type { UpstreamReply } from './forward.ts'
import { brokeOff } from './held.ts'
import { breakOff, write } from './outgoing.ts'
import type { Parts } from './parts.ts'
import { drainWhenGone } from './stream.ts'

/** What is done when a stream of a run shows the run for the first time, and when it shows that it has ended. Each is
 * done before the client sees that event. */
type RunSeen = {
  readonly began: (run: Run, shown: Json) => Promise<void>
  readonly ended: (run: Run) => Promise<void>
}

/** Passes a stream of a run on, event by event. A stream ends where the run waits for its client as well: then it goes
 * on in the next one. One that breaks off is never ended cleanly, and its run is asked after until it has ended. A
 * client that goes does not stop the reading: the run goes on at the vendor anyway. */
export const passRunStream = async (
  { bounds }: Pick<Parts, 'bounds'>,
  { target, outgoing }: Exchange,
  { reply, wire, seen }: { reply: UpstreamReply; wire: RunWire; seen: RunSeen },
): Promise<void> => {
  const drain = drainWhenGone(reply, outgoing, bounds.drainMsMax)
  const cutter = createEventCutter()
  let [isKnown, isDone] = [false, false]
  let broken: OctroiError | null = null
  try {
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      for (const bytes of cutter.cut(chunk)) {
        const { run, shown, ends } = wire.readEvent(bytes.toString('utf8'))
        if (run !== null && !isKnown) {
          isKnown = true
          await seen.began(run, shown)
        }
        if (run?.ended === true) await seen.ended(run)
        isDone ||= ends
        await write(outgoing, bytes)
      }
    }
    if (!isDone) {
      broken = new OctroiError('upstream_broken', 'The provider ended its stream before the end of the run.')
    }
  } catch (error) {
    broken = brokeOff(error)
  } finally {
    drain.stop()
  }
  if (broken !== null) {
    breakOff(outgoing, target.endpoint.streamFault(broken))
    return
  }
  await write(outgoing, cutter.rest())
  outgoing.end()
}

/** Whether a reply is a stream of events. */
export const isEventStream = ({ headers }: UpstreamReply): boolean =>
  String(headers['content-type'] ?? '').startsWith('text/event-stream')
