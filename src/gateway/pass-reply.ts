import type { ServerResponse } from 'node:http'
import type { ReplyWire } from '../endpoints/endpoint.ts'
import { member, parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import type { Reservation } from '../ledger/entry.ts'
import { formatPicos } from '../money/money.ts'
import type { Quote } from '../planning/quote.ts'
import type { Cost } from '../pricing/price.ts'
import { nameCall } from './call.ts'
import { estimate, estimateCounted } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import type { UpstreamReply } from './forward.ts'
import { brokeOff, hold } from './held.ts'
import { meterReply } from './meter.ts'
import { write } from './outgoing.ts'
import type { Parts } from './parts.ts'
import { release, reserve } from './reserve.ts'
import { type Outcome, settle } from './settle.ts'
import { passStream } from './stream.ts'

/** identify -> estimate -> reserve -> forward -> meter -> price -> settle, for a wire whose reply tells what
 * the call cost. */
export const passReply = async (parts: Parts, exchange: Exchange, wire: ReplyWire): Promise<void> => {
  const { target, caller, request, body, objects, outgoing } = exchange
  const { upstream } = target
  const at = parts.clock.now()
  const facts = wire.read(request, objects)
  const call = nameCall(facts, { caller, target, at, pseudonym: parts.registry.pseudonym })
  const estimated = { call, upstream, wire, request, bodyBytes: body.length, objects, tier: facts.tier }
  const tighten = (): Promise<Quote | null> => estimateCounted(parts, estimated, body)
  const { reservation, quoted } = await reserve(parts, call, estimate(parts, estimated), tighten)

  const streamOptions = wire.askUsage(request, at)
  const sent = streamOptions === null ? body : withStreamOptions(body, request, streamOptions)
  const reply = await sendReserved(parts, exchange, reservation, sent)
  const headers = { ...reply.headers, ...callHeaders(call.id, quoted) }

  const finish = (outcome: Outcome): Promise<Cost> => settle(parts, reservation, upstream, outcome)
  if (reply.status >= 400) return passRefusal(parts, outgoing, { reply, headers, finish })

  const metered = (read: ReturnType<ReplyWire['readReply']>, broken: OctroiError | null): Promise<Outcome> =>
    meterReply(wire, {
      request,
      model: call.model,
      status: reply.status,
      reply: read,
      broken: broken?.message ?? null,
    })

  if (facts.stream && isEventStream(reply)) {
    const { 'content-length': _, ...streamed } = headers
    outgoing.writeHead(reply.status, streamed)
    outgoing.flushHeaders()
    const meter = wire.meterStream()
    return passStream(reply, outgoing, {
      meter,
      cutUsage: streamOptions === null ? null : wire.cutUsage,
      drainMsMax: parts.bounds.drainMsMax,
      settled: async ({ broken }) => {
        await finish(await metered(meter.reply(), broken))
      },
      fault: target.endpoint.streamFault,
    })
  }
  return passWhole(parts, outgoing, {
    reply,
    headers,
    reservation,
    settleReply: async (answer) => finish(await metered(wire.readReply(answer), null)),
  })
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
      await release(parts, reservation, error.message)
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

/** A call that the vendor refused costs nothing, and the reply says why. */
export const passRefusal = async (
  parts: Parts,
  outgoing: ServerResponse,
  { reply, headers, finish }: Passing & { finish: (outcome: Outcome) => Promise<Cost> },
): Promise<void> => {
  const nothing = { model: null, tier: null, usage: {}, basis: 'measured', resent: null } as const
  const { held } = await hold(reply.body, parts.bounds.heldBytesMax)
  await finish({ ...nothing, status: reply.status, note: `the provider answered ${reply.status}` })
  const { 'content-length': _, ...kept } = headers
  outgoing.writeHead(reply.status, { ...kept, 'octroi-cost-usd': '0', 'content-length': held.length })
  outgoing.end(held)
}

/** A whole reply: held until it is settled, with what it cost in a header. One too large to hold streams, and
 * is metered from a copy. */
const passWhole = async (
  parts: Parts,
  outgoing: ServerResponse,
  whole: Passing & { reservation: Reservation; settleReply: (answer: unknown) => Promise<Cost> },
): Promise<void> => {
  const { reply, reservation, settleReply } = whole
  const { 'content-length': declared, ...headers } = whole.headers
  const { held, rest } = await hold(reply.body, parts.bounds.heldBytesMax).catch((error: unknown) => {
    parts.leases.letGo(reservation.call.id)
    throw error
  })
  if (rest === null) {
    const cost = await settleReply(parseJson(held.toString('utf8')))
    const total = cost.total === null ? {} : { 'octroi-cost-usd': formatPicos(cost.total) }
    outgoing.writeHead(reply.status, { ...headers, ...total, 'content-length': held.length })
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
  await settleReply(parseJson(Buffer.concat(copy).toString('utf8')))
  outgoing.end(last)
}

const isEventStream = ({ headers }: UpstreamReply): boolean =>
  String(headers['content-type'] ?? '').startsWith('text/event-stream')

/** The same body with `stream_options` added: put in front as text where the body has none, so that every
 * other byte stays as it came; merged where the client sent other options. */
const withStreamOptions = (body: Buffer, request: unknown, options: string): Buffer => {
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
  return Buffer.from(JSON.stringify({ ...(request as object), stream_options: merged }))
}
