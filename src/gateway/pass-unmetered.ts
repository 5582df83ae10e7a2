import type { MeteredWire } from '../endpoints/endpoint.ts'
import { member, textOf } from '../endpoints/json.ts'
import type { OctroiError } from '../errors.ts'
import type { Cost } from '../pricing/price.ts'
import { nameCall } from './call.ts'
import { estimate } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import type { UpstreamReply } from './forward.ts'
import { brokeOff, hold } from './held.ts'
import { breakOff, write } from './outgoing.ts'
import { ownAmong } from './ownership.ts'
import type { Parts } from './parts.ts'
import { callHeaders, passRefusal, sendReserved } from './pass-reply.ts'
import { release, reserve } from './reserve.ts'
import { type Outcome, settle } from './settle.ts'
import { drainWhenGone } from './stream.ts'

/** The model of a call that names none. */
const noModel = '(none)'

/** One request, and nobody knows how many tokens: limits that would have to know refuse it. */
const unknownWire: Pick<MeteredWire, 'bound'> = {
  bound: () => {
    const reason = 'Octroi does not know what this path costs'
    return [
      { meters: ['request'], least: 1, most: 1 },
      { meters: ['input_text_tokens'], least: 0, most: null, reason },
      { meters: ['output_text_tokens'], least: 0, most: null, reason },
    ]
  },
}

/** Passes on what no wire knows, unchanged, whole or as it comes: held as a call of unknown cost, and settled as one
 * request that has no price. Its reply ends when that is written. It may name no object that is another's, and nobody
 * knows how long its own are after it. */
export const passUnmetered = async (parts: Parts, exchange: Exchange): Promise<void> => {
  const { target, caller, request, body, outgoing } = exchange
  const { upstream } = target
  const own = await ownAmong(parts.registry, exchange)
  const at = parts.clock.now()
  const facts = {
    model: textOf(member(request, 'model')) ?? noModel,
    stream: false,
    tier: null,
    endUser: null,
    tags: {},
  }
  const call = await nameCall(facts, { caller, target, at, pseudonym: parts.registry.pseudonym })
  const wire: MeteredWire = { ...unknownWire, read: () => facts }
  const bodyBytes = body.length
  const asked = estimate(parts, { call, upstream, wire, request, bodyBytes, objects: {}, tier: null })
  const { reservation } = await reserve(parts, call, asked, async () => null)
  if (target.route.method !== 'GET') {
    await Promise.all(own.map((name) => parts.registry.grow(name, null))).catch(async (error: unknown) => {
      await release(parts, reservation, 'what it names could not be written')
      throw error
    })
  }
  const reply = await sendReserved(parts, exchange, reservation, body)
  const headers = { ...reply.headers, ...callHeaders(call.id, asked) }
  const finish = (outcome: Outcome): Promise<Cost> => settle(parts, reservation, upstream, outcome)
  if (reply.status >= 400) return passRefusal(parts, outgoing, { reply, headers, finish })

  const place = `${target.route.method} /${target.route.path.split('/')[1] ?? ''}`
  const settled = (broken: OctroiError | null): Promise<Cost> =>
    finish({
      model: null,
      tier: null,
      usage: { request: 1 },
      basis: 'estimated',
      resent: null,
      status: reply.status,
      attempt: reply.attempt(),
      note: [`not metered: ${place}`, ...(broken === null ? [] : [broken.message])].join('; '),
    })
  const drain = drainWhenGone(reply, outgoing, parts.bounds.drainMsMax)
  try {
    await passBytes(exchange, { reply, headers, heldBytesMax: parts.bounds.heldBytesMax, settled })
  } finally {
    drain.stop()
  }
}

const passBytes = async (
  { outgoing, target }: Exchange,
  {
    reply,
    headers: { 'content-length': _, ...headers },
    heldBytesMax,
    settled,
  }: {
    readonly reply: UpstreamReply
    readonly headers: Record<string, string | string[]>
    readonly heldBytesMax: number
    readonly settled: (broken: OctroiError | null) => Promise<Cost>
  },
): Promise<void> => {
  const streams = String(reply.headers['content-type'] ?? '').startsWith('text/event-stream')
  if (streams) {
    outgoing.writeHead(reply.status, headers)
    outgoing.flushHeaders()
  }
  let broken: OctroiError | null = null
  let held: Buffer = Buffer.alloc(0)
  try {
    const began = await hold(reply.body, streams ? 0 : heldBytesMax, reply.heard)
    held = began.held
    if (began.rest !== null) {
      if (!outgoing.headersSent) outgoing.writeHead(reply.status, headers)
      await write(outgoing, held)
      for (let next = await began.rest.next(); next.done !== true; next = await began.rest.next()) {
        await write(outgoing, next.value)
      }
    }
  } catch (error) {
    broken = brokeOff(error)
  }
  await settled(broken)
  if (broken !== null) {
    if (!outgoing.headersSent) throw broken
    if (streams) breakOff(outgoing, target.endpoint.streamFault(broken))
    else outgoing.destroy()
    return
  }
  if (!outgoing.headersSent) {
    outgoing.writeHead(reply.status, { ...headers, 'content-length': held.length })
    outgoing.end(held)
  } else outgoing.end()
}
