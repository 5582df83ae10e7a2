import type { LaterRoute } from '../endpoints/endpoint.ts'
import { parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { nameCall } from './call.ts'
import { estimate } from './estimate.ts'
import type { Exchange } from './handle.ts'
import { hold } from './held.ts'
import type { Parts } from './parts.ts'
import { callHeaders, passRefusal, sendReserved } from './pass-reply.ts'
import { rememberObjects } from './remember.ts'
import { reserve } from './reserve.ts'
import type { Runs } from './runs.ts'
import { settle } from './settle.ts'

/** The same way for a wire whose reply names a run: what it holds stays held until the run has ended. */
export const passRun = async (
  parts: Parts,
  runs: Runs,
  exchange: Exchange,
  route: LaterRoute,
): Promise<void> => {
  const { target, caller, request, body, objects, outgoing } = exchange
  const { upstream } = target
  const { wire, learn } = route
  const facts = wire.read(request, objects)
  if (facts.stream) {
    throw new OctroiError(
      'bad_input',
      'Streams of runs are not metered. Leave "stream" out and poll the run.',
    )
  }
  const model = facts.model ?? (await runs.modelOf(exchange))
  const at = parts.clock.now()
  const named = nameCall({ ...facts, model }, { caller, target, at, pseudonym: parts.registry.pseudonym })
  const asked = estimate(parts, {
    call: named,
    upstream,
    wire,
    request,
    bodyBytes: body.length,
    objects,
    tier: null,
  })
  const reservation = await reserve(parts, named, asked)

  const reply = await sendReserved(parts, exchange, reservation, body)
  const headers = { ...reply.headers, ...callHeaders(named.id, asked) }
  if (reply.status >= 400) {
    const finish = (outcome: Parameters<typeof settle>[3]) => settle(parts, reservation, upstream, outcome)
    return passRefusal(parts, outgoing, { reply, headers, finish })
  }
  const { held } = await hold(reply.body, parts.bounds.heldBytesMax).catch((error: unknown) => {
    parts.leases.letGo(named.id)
    throw error
  })
  const answer = parseJson(held.toString('utf8'))
  const run = wire.readRun(answer)
  if (run === null) parts.leases.letGo(named.id)
  else {
    if (learn !== undefined)
      await rememberObjects(parts.registry, exchange, { learn, reply: answer, callId: named.id })
    runs.began(run, wire, exchange, reservation)
  }
  const { 'content-length': _, ...kept } = headers
  outgoing.writeHead(reply.status, { ...kept, 'content-length': held.length })
  outgoing.end(held)
}
