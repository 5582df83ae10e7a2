import type { ServerResponse } from 'node:http'
import type { ReplyRoute } from '../endpoints/endpoint.ts'
import { member, parseJson } from '../endpoints/json.ts'
import type { Reply, UsedSoFar } from '../endpoints/reply.ts'
import { OctroiError } from '../errors.ts'
import type { Reservation } from '../ledger/entry.ts'
import { formatPicos } from '../money/money.ts'
import type { Quote } from '../planning/quote.ts'
import type { Cost } from '../pricing/price.ts'
import { readAnswer } from './answer.ts'
import { timeAttempt } from './attempt.ts'
import { nameCall } from './call.ts'
import { clampHeaders, clampOf, lowerOutput } from './clamp.ts'
import { createEstimates, surroundingsOf } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import { type UpstreamReply, wasNotSent } from './forward.ts'
import { framingOf } from './framing/framing.ts'
import { brokeOff, hold } from './held.ts'
import { capHeaders, capHistory, withCap } from './history-cap.ts'
import { replaceMember } from './member-text.ts'
import { meterReply } from './meter.ts'
import { isMultipart } from './multipart.ts'
import { write } from './outgoing.ts'
import type { Parts } from './parts.ts'
import { beginObjects } from './reply-objects.ts'
import { release, reserve } from './reserve.ts'
import { type Outcome, settle } from './settle.ts'
import { spoolAllowance, spoolHeaders } from './spool/spool-allowance.ts'
import { drainWhenGone, passStream } from './stream.ts'
import { atLeast, isLimitReached } from './stream-limit.ts'
import { bodyWith } from './told.ts'
import type { Watches } from './watches.ts'
import { withinQuote } from './within-quote.ts'

/** identify -> estimate -> reserve -> forward -> meter -> price -> settle, for a wire whose reply tells what
 * the call cost. */
export const passReply = async (
  parts: Parts,
  watches: Watches,
  given: Exchange,
  route: ReplyRoute,
): Promise<void> => {
  const { exchange: asked, told: cap } = capHistory(given, route.wire, parts.policy.rules().historyCaps)
  const { target, caller, incoming, objects, outgoing, told } = asked
  const { upstream, endpoint } = target
  const { wire } = route
  const place = { provider: upstream.provider.id, endpoint: endpoint.id, path: route.path }
  const at = parts.clock.now()
  const facts = wire.read(asked.request, objects, at)
  const call = withCap(
    await nameCall(facts, { caller, target, at, pseudonym: parts.registry.pseudonym }),
    cap,
  )
  const estimated = {
    ...{ call, upstream, wire, objects, request: asked.request },
    ...{ bodyBytes: asked.body.length, tier: facts.tier },
  }
  const quotes = createEstimates(parts, estimated, { place, body: bodyWith(asked.body, told) })
  const clamp = () => clampOf(wire, asked.request, surroundingsOf(parts, estimated), quotes.of)
  const { reservation, quoted, lowered, spooled } = await reserve(
    parts,
    call,
    quotes.cheap,
    quotes.tighten,
    null,
    clamp,
    spoolAllowance(caller.key, route, objects),
  )
  const exchange = await lowerOutput(asked, lowered).catch(async (error: unknown) => {
    await release(parts, reservation, 'its output limit could not be lowered')
    throw error
  })
  const { request, body } = exchange

  const streamOptions = wire.askUsage(request, at)
  const sent = streamOptions === null ? body : await withStreamOptions(exchange, streamOptions)
  const named = await beginObjects(parts, exchange, { route, call, quoted }).catch(async (error: unknown) => {
    await release(parts, reservation, 'what it names could not be written')
    throw error
  })
  const reply = await sendReserved(parts, exchange, reservation, sent).catch(async (error: unknown) => {
    if (wasNotSent(error)) await named.refused()
    throw error
  })
  parts.vendorPools.heard(call, reply)
  const headers = {
    ...reply.headers,
    ...callHeaders(call.id, quoted),
    ...capHeaders(cap),
    ...clampHeaders(lowered),
    ...spoolHeaders(spooled),
  }

  const finish = (outcome: Outcome): Promise<Cost> =>
    settle(parts, reservation, upstream, {
      completedAt: parts.clock.now(),
      attempt: reply.attempt(),
      ...outcome,
    })
  if (reply.status >= 400) {
    await named.refused()
    return passRefusal(parts, outgoing, { reply, headers, finish })
  }

  const metered = async (read: Reply, broken: OctroiError | null, soFar?: UsedSoFar): Promise<Outcome> => {
    const outcome = await meterReply(
      wire,
      {
        place,
        body: isMultipart(incoming.headers['content-type'])
          ? Buffer.from(JSON.stringify(request))
          : bodyWith(body, told),
        request,
        as: { provider: upstream.pricesFrom, model: call.model, at, objects },
        status: reply.status,
        reply: read,
        broken: broken?.message ?? null,
      },
      parts.counting,
    )
    if (isLimitReached(broken)) return { ...outcome, usage: atLeast(outcome.usage, soFar) }
    return read.usage === null ? { ...outcome, usage: withinQuote(outcome.usage, quoted) } : outcome
  }
  const settled = async (read: Reply, broken: OctroiError | null, soFar?: UsedSoFar): Promise<Cost> => {
    const cost = await finish(await metered(read, broken, soFar))
    await named.settled(read)
    return cost
  }

  const framing = facts.stream ? framingOf(reply, wire) : null
  if (framing !== null) {
    const { 'content-length': _, ...streamed } = headers
    outgoing.writeHead(reply.status, streamed)
    outgoing.flushHeaders()
    const meter = named.watching(wire.meterStream(request))
    const limit = parts.streamLimits.watch({ reservation, quoted, meter, upstream, tier: facts.tier })
    return passStream(reply, outgoing, {
      framing,
      meter,
      limit,
      cutUsage: streamOptions === null ? null : wire.cutUsage,
      drainMsMax: parts.bounds.drainMsMax,
      settled: async ({ broken }) => {
        const read = meter.reply()
        const goesOn = broken !== null && !read.ended && member(request, 'background') === true
        if (goesOn && read.id !== null && route.later !== undefined) {
          const seen = { id: read.id, model: read.model, ended: false, usage: null, note: null }
          const later = { kind: 'job', wire: route.later.wire, seen } as const
          await named.known()
          await watches.began(later, exchange, { reservation, answerMost: null })
        } else await settled(read, broken, meter.soFar?.())
      },
      fault: target.endpoint.streamFault,
    }).finally(() => limit?.end())
  }
  const drain = drainWhenGone(reply, outgoing, parts.bounds.drainMsMax)
  return passWhole(parts, outgoing, {
    reply,
    headers,
    reservation,
    settleReply: async (bytes) => {
      const contentType = String(reply.headers['content-type'] ?? '')
      const isHeard = wire.readReply(undefined, request).usage === null
      const answer = await readAnswer(bytes, { contentType, isHeard })
      return settled(wire.readReply(answer, request), null)
    },
  }).finally(drain.stop)
}

/** Sends what was reserved. What was surely not sent is released, as when the client has left meanwhile; what
 * may have been sent is let go of, and expires at its most. */
export const sendReserved = async (
  parts: Parts,
  { target, caller, incoming, outgoing }: Exchange,
  reservation: Reservation,
  body: Buffer,
): Promise<UpstreamReply> => {
  if (outgoing.destroyed) {
    await release(parts, reservation, 'the client left before the call was sent')
    throw new OctroiError('client_gone', 'The client left before the call was sent.')
  }
  const timer = timeAttempt(incoming.headers)
  try {
    return await parts.forward.send({
      upstream: target.upstream,
      method: incoming.method ?? 'POST',
      path: target.path,
      headers: incoming.headers,
      caller,
      body,
    })
  } catch (error) {
    if (error instanceof OctroiError && error.code === 'upstream_unreachable') {
      await release(parts, reservation, error.message, timer.attempt())
    } else parts.leases.letGo(reservation.call.id)
    throw error
  }
}

/** The headers Octroi adds: the call's id, and the most it could cost. */
export const callHeaders = (callId: string, asked: Quote): Record<string, string> => ({
  'octroi-call-id': callId,
  ...(asked.most !== null && { 'octroi-quote-usd': formatPicos(asked.most) }),
})

type Passing = {
  readonly reply: UpstreamReply
  readonly headers: Record<string, string | string[]>
}

/** A call that the vendor refused costs nothing, whether or not its reply comes to say why. It is written when its headers
 * are there, so its attempt lasted until then, and has no first byte. */
export const passRefusal = async (
  parts: Parts,
  outgoing: ServerResponse,
  { reply, headers, finish }: Passing & { finish: (outcome: Outcome) => Promise<Cost> },
): Promise<void> => {
  const nothing = { model: null, tier: null, usage: {}, basis: 'measured', resent: null } as const
  const note = `the provider answered ${reply.status}`
  await finish({ ...nothing, status: reply.status, note, attempt: reply.attempt() })
  const drain = drainWhenGone(reply, outgoing, parts.bounds.drainMsMax)
  const { held, rest } = await hold(reply.body, parts.bounds.heldBytesMax).finally(drain.stop)
  if (rest !== null) reply.body.destroy()
  const { 'content-length': _, ...kept } = headers
  outgoing.writeHead(reply.status, { ...kept, 'octroi-cost-usd': '0', 'content-length': held.length })
  outgoing.end(held)
}

/** A whole reply: held until it is settled, with what it cost in a header. One too large to hold streams, and
 * is metered from a copy. */
const passWhole = async (
  parts: Parts,
  outgoing: ServerResponse,
  whole: Passing & { reservation: Reservation; settleReply: (answer: Buffer) => Promise<Cost> },
): Promise<void> => {
  const { reply, reservation, settleReply } = whole
  const { 'content-length': declared, ...headers } = whole.headers
  const { held, rest } = await hold(reply.body, parts.bounds.heldBytesMax, reply.heard).catch(
    (error: unknown) => {
      parts.leases.letGo(reservation.call.id)
      throw error
    },
  )
  if (rest === null) {
    const cost = await settleReply(held)
    const total = cost.total === null ? {} : { 'octroi-cost-usd': formatPicos(cost.total) }
    const waits = spoolHeaders(parts.spool.placeOf(reservation.call.id))
    outgoing.writeHead(reply.status, { ...headers, ...waits, ...total, 'content-length': held.length })
    outgoing.end(held)
    return
  }
  outgoing.writeHead(
    reply.status,
    declared === undefined ? headers : { ...headers, 'content-length': declared },
  )
  const copy: Buffer[] = [held]
  let bytes = held.length
  let last: Buffer = held
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      await write(outgoing, last)
      last = next.value
      bytes += last.length
      if (bytes <= parts.bounds.meteredBytesMax) copy.push(last)
    }
  } catch (error) {
    parts.leases.letGo(reservation.call.id)
    outgoing.destroy()
    throw brokeOff(error)
  }
  await settleReply(Buffer.concat(copy))
  outgoing.end(last)
}

/** The same body with `stream_options` added: put in front as text where the body has none, merged where the client
 * sent other options. Every other byte stays as it came. */
const withStreamOptions = async ({ body, request }: Exchange, options: string): Promise<Buffer> => {
  const given = member(request, 'stream_options')
  if (given === undefined) {
    const start = body.indexOf('{') + 1
    return Buffer.concat([
      body.subarray(0, start),
      Buffer.from(`"stream_options":${options},`),
      body.subarray(start),
    ])
  }
  const merged = { ...(typeof given === 'object' ? given : {}), ...(parseJson(options) as object) }
  return replaceMember(body, { name: 'stream_options', value: JSON.stringify(merged) })
}
