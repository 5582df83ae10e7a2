import type { ServerResponse } from 'node:http'
import { OctroiError } from '../errors.ts'
import type { UpstreamReply } from './forward.ts'
import { hold } from './held.ts'
import type { GatewayBounds } from './parts.ts'
import { drainWhenGone } from './stream.ts'

/** Reads a reply that is an object of the vendor, and of use only whole. Throws `upstream_broken` when it breaks off or
 * is larger than `heldBytesMax`: a part of it must not pass for all of it. For a client that has gone it is read for at
 * most `drainMsMax`. */
export const holdWhole = async (
  reply: UpstreamReply,
  outgoing: ServerResponse | null,
  { heldBytesMax, drainMsMax }: Pick<GatewayBounds, 'heldBytesMax' | 'drainMsMax'>,
): Promise<Buffer> => {
  const drain = outgoing === null ? null : drainWhenGone(reply, outgoing, drainMsMax)
  const { held, rest } = await hold(reply.body, heldBytesMax).finally(() => drain?.stop())
  if (rest === null) return held
  reply.body.destroy()
  throw new OctroiError(
    'upstream_broken',
    `The provider's reply is larger than ${heldBytesMax} bytes, the most that is read of an object.`,
  )
}
