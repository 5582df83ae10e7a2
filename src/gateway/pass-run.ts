import type { LaterRoute } from '../endpoints/endpoint.ts'
import { parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import type { Quote } from '../planning/quote.ts'
import { meterFacts } from '../usage/meter.ts'
import { nameCall } from './call.ts'
import { estimate } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import { wasNotSent } from './forward.ts'
import { hold } from './held.ts'
import type { Parts } from './parts.ts'
import { callHeaders, passRefusal, sendReserved } from './pass-reply.ts'
import { rememberObjects } from './remember.ts'
import { reserve } from './reserve.ts'
import type { Runs } from './runs.ts'
import { settle } from './settle.ts'

/** The tokens that the answer of a run can add to its thread. */
const answerMost = (asked: Quote): number | null => {
  const output = asked.usage.find(({ meters: [meter] }) => meterFacts(meter).direction === 'output')
  return output?.most ?? null
}

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
  const { reservation } = await reserve(parts, named, asked, async () => null)
  const answer = answerMost(asked)
  const grow = async (thread: string, by: number | null): Promise<void> =>
    parts.registry.grow({ upstream: upstream.name, kind: 'thread', id: thread }, by)
  if (target.params.thread !== undefined) await grow(target.params.thread, answer)

  const shrink = async (): Promise<void> => {
    if (target.params.thread !== undefined && answer !== null) await grow(target.params.thread, -answer)
  }
  const reply = await sendReserved(parts, exchange, reservation, body).catch(async (error: unknown) => {
    if (wasNotSent(error)) await shrink()
    throw error
  })
  const headers = { ...reply.headers, ...callHeaders(named.id, asked) }
  if (reply.status >= 400) {
    await shrink()
    const finish = (outcome: Parameters<typeof settle>[3]) => settle(parts, reservation, upstream, outcome)
    return passRefusal(parts, outgoing, { reply, headers, finish })
  }
  const { held } = await hold(reply.body, parts.bounds.heldBytesMax).catch((error: unknown) => {
    parts.leases.letGo(named.id)
    throw error
  })
  const shown = parseJson(held.toString('utf8'))
  const run = wire.readRun(shown)
  if (run === null) parts.leases.letGo(named.id)
  else {
    if (learn !== undefined)
      await rememberObjects(parts.registry, exchange, { learn, reply: shown, callId: named.id })
    if (target.params.thread === undefined) await grow(run.thread, answer)
    runs.began(run, wire, exchange, { reservation, answerMost: answer })
  }
  const { 'content-length': _, ...kept } = headers
  outgoing.writeHead(reply.status, { ...kept, 'content-length': held.length })
  outgoing.end(held)
}
