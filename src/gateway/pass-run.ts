import type { LaterRoute } from '../endpoints/endpoint.ts'
import { type Json, parseJson } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { Run, RunWire } from '../endpoints/run.ts'
import type { Call } from '../ledger/entry.ts'
import type { Quote } from '../planning/quote.ts'
import { findModel } from '../pricing/model-facts.ts'
import { meterFacts } from '../usage/meter.ts'
import { askAssistantModel } from './ask.ts'
import { nameCall } from './call.ts'
import { estimate } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import { type UpstreamReply, wasNotSent } from './forward.ts'
import { capHeaders, capHistory, withCap } from './history-cap.ts'
import { holdWhole } from './hold-whole.ts'
import type { Parts } from './parts.ts'
import { callHeaders, passRefusal, sendReserved } from './pass-reply.ts'
import { isEventStream, passRunStream } from './pass-run-stream.ts'
import { rememberObjects } from './remember.ts'
import { reserve } from './reserve.ts'
import { settle } from './settle.ts'
import type { Upstream } from './upstream.ts'
import type { Watches } from './watches.ts'

type RunRoute = LaterRoute & { readonly wire: RunWire }

/** The tokens that the answer of a run can add to its thread. */
const answerMost = (asked: Quote): number | null => {
  const output = asked.usage.find(({ meters: [meter] }) => meterFacts(meter).direction === 'output')
  return output?.most ?? null
}

/** A message is never longer than the model's answers can be, also where nothing bounds how often it is called. */
const outputCap = (
  { models }: Parts,
  { model, at }: Pick<Call, 'model' | 'at'>,
  { pricesFrom: provider }: Upstream,
): number | null => {
  const fact = findModel(models, { provider, model, at })
  return fact?.outputTokensMax ?? fact?.contextWindow ?? null
}

/** What is known of the objects a run names, once the runs of its thread that are over are settled: they say how
 * long the thread is. */
const knownNow = async (
  { registry }: Parts,
  watches: Watches,
  { target, objects }: Exchange,
): Promise<KnownObjects> => {
  const { thread: id } = target.params
  const upstream = target.upstream.name
  if (id === undefined || !(await watches.catchUp(upstream, id)) || objects.thread === undefined)
    return objects
  const found = await registry.object({ upstream, kind: 'thread', id })
  return found === null ? objects : { ...objects, thread: found.facts }
}

/** The same way for a wire whose reply names a run: what it holds stays held until the run has ended. */
export const passRun = async (
  parts: Parts,
  watches: Watches,
  given: Exchange,
  route: RunRoute,
): Promise<void> => {
  watches.checkRoom()
  const { exchange, told } = capHistory(given, route.wire, parts.policy.rules().historyCaps)
  const { target, caller, request, body, outgoing } = exchange
  const { upstream } = target
  const { wire, learn } = route
  const objects = await knownNow(parts, watches, exchange)
  const facts = wire.read(request, objects)
  const model = facts.model ?? (await askAssistantModel(parts, exchange))
  const at = parts.clock.now()
  const pseudonym = parts.registry.pseudonym
  const named = withCap(await nameCall({ ...facts, model }, { caller, target, at, pseudonym }), told)
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
  const answer = answerMost(asked) ?? outputCap(parts, named, upstream)
  const added = wire.adds(request)
  const grow = async (thread: string, by: number | null): Promise<void> =>
    parts.registry.grow({ upstream: upstream.name, kind: 'thread', id: thread }, by)
  if (target.params.thread !== undefined) {
    await grow(target.params.thread, answer === null ? null : answer + added)
  }

  const shrink = async (): Promise<void> => {
    if (target.params.thread !== undefined && answer !== null) {
      await grow(target.params.thread, -(answer + added))
    }
  }
  const reply = await sendReserved(parts, exchange, reservation, body).catch(async (error: unknown) => {
    if (wasNotSent(error)) await shrink()
    throw error
  })
  const headers: UpstreamReply['headers'] = {
    ...reply.headers,
    ...callHeaders(named.id, asked),
    ...capHeaders(told),
  }
  if (reply.status >= 400) {
    await shrink()
    const finish = (outcome: Parameters<typeof settle>[3]) => settle(parts, reservation, upstream, outcome)
    return passRefusal(parts, outgoing, { reply, headers, finish })
  }
  const began = async (run: Run, shown: Json): Promise<void> => {
    if (learn !== undefined)
      await rememberObjects(parts.registry, exchange, { learn, reply: shown, callId: named.id })
    if (target.params.thread === undefined) await grow(run.thread, answer)
    await watches.began({ kind: 'run', wire, seen: run }, exchange, { reservation, answerMost: answer })
  }
  const { 'content-length': _, ...kept } = headers
  if (facts.stream && isEventStream(reply)) {
    let isKnown = false
    outgoing.writeHead(reply.status, kept)
    outgoing.flushHeaders()
    await passRunStream(parts, exchange, {
      reply,
      wire,
      seen: {
        began: async (run, shown) => {
          await began(run, shown)
          isKnown = true
        },
        ended: (run) => watches.ended({ kind: 'run', wire, seen: run }, exchange),
      },
    })
    // A stream that broke off before it named its run: nobody can say what it cost.
    if (!isKnown) parts.leases.letGo(named.id)
    return
  }
  const held = await holdWhole(reply, outgoing, parts.bounds).catch((error: unknown) => {
    parts.leases.letGo(named.id)
    throw error
  })
  const shown = parseJson(held.toString('utf8'))
  const run = wire.readRun(shown)
  if (run === null) parts.leases.letGo(named.id)
  else await began(run, shown)
  outgoing.writeHead(reply.status, { ...kept, 'content-length': held.length })
  outgoing.end(held)
}
