import type { LaterRoute } from '../endpoints/endpoint.ts'
import type { JobWire } from '../endpoints/job.ts'
import { parseJson } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import { askFileBytes, askingAs, unlessGone } from './ask.ts'
import { nameCall } from './call.ts'
import { estimate } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import { wasNotSent } from './forward.ts'
import { holdWhole } from './hold-whole.ts'
import type { Parts } from './parts.ts'
import { callHeaders, passRefusal, sendReserved } from './pass-reply.ts'
import { rememberObjects } from './remember.ts'
import { takeRoom } from './reply-objects.ts'
import { release, reserve } from './reserve.ts'
import { type Outcome, settle } from './settle.ts'
import type { Watches } from './watches.ts'

type JobRoute = LaterRoute & { readonly wire: JobWire }

/** The same way for a wire whose reply names a job: what it holds by the size of its file stays held until the job has
 * ended. */
export const passJob = async (
  parts: Parts,
  watches: Watches,
  exchange: Exchange,
  { wire, learn }: JobRoute,
): Promise<void> => {
  watches.checkRoom()
  const { target, caller, request, body, outgoing } = exchange
  const { upstream } = target
  const objects = { ...exchange.objects, ...(await jobFile(parts, exchange, wire)) }
  const at = parts.clock.now()
  const facts = wire.read(request, objects, at)
  const call = await nameCall(facts, { caller, target, at, pseudonym: parts.registry.pseudonym })
  const asked = estimate(parts, {
    call,
    upstream,
    wire,
    request,
    bodyBytes: body.length,
    objects,
    tier: facts.tier,
  })
  const { reservation } = await reserve(parts, call, asked, async () => null)
  const room = await takeRoom(parts, exchange, asked).catch(async (error: unknown) => {
    await release(parts, reservation, 'what it names could not be written')
    throw error
  })
  const reply = await sendReserved(parts, exchange, reservation, body).catch(async (error: unknown) => {
    if (wasNotSent(error)) await room.giveBack()
    throw error
  })
  const headers = { ...reply.headers, ...callHeaders(call.id, asked) }
  if (reply.status >= 400) {
    await room.giveBack()
    const finish = (outcome: Outcome) => settle(parts, reservation, upstream, outcome)
    return passRefusal(parts, outgoing, { reply, headers, finish })
  }
  const held = await holdWhole(reply, outgoing, parts.bounds).catch((error: unknown) => {
    parts.leases.letGo(call.id)
    throw error
  })
  const shown = parseJson(held.toString('utf8'))
  const seen = wire.readJob(shown)
  if (seen === null) parts.leases.letGo(call.id)
  else {
    if (learn !== undefined)
      await rememberObjects(parts.registry, exchange, { learn, reply: shown, callId: call.id })
    await watches.began({ kind: 'job', wire, seen }, exchange, { reservation, answerMost: null })
  }
  const { 'content-length': _, ...kept } = headers
  outgoing.writeHead(reply.status, { ...kept, 'content-length': held.length })
  outgoing.end(held)
}

/** The file that a job works on, as far as it bounds the job; nothing where the vendor does not have it: it will say
 * so itself. */
const jobFile = async (
  parts: Parts,
  exchange: Exchange,
  wire: JobWire,
): Promise<Pick<KnownObjects, 'file'>> => {
  const named = wire.file(exchange.request)
  if (named === null) return {}
  const bytes = await askFileBytes(parts, askingAs(exchange), named).catch(unlessGone)
  if (bytes === null) return {}
  return {
    file: { kind: 'file', id: named.id, parent: null, model: null, tokensMost: null, tools: false, bytes },
  }
}
