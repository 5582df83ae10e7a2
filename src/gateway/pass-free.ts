import type { FreeRoute } from '../endpoints/endpoint.ts'
import { parseJson } from '../endpoints/json.ts'
import { readLater } from '../endpoints/later.ts'
import type { Run } from '../endpoints/run.ts'
import { askingAs } from './ask.ts'
import { ownerOf } from './call.ts'
import type { Exchange } from './exchange.ts'
import { wasNotSent } from './forward.ts'
import { hold } from './held.ts'
import { write } from './outgoing.ts'
import type { Parts } from './parts.ts'
import { isEventStream, passRunStream } from './pass-run-stream.ts'
import type { ObjectName } from './registry/registry.ts'
import { rememberObjects } from './remember.ts'
import { applyStanding } from './standing.ts'
import { drainWhenGone } from './stream.ts'
import type { Watches } from './watches.ts'

/** What a request adds to an object, told before it is sent: a reply that never comes must not hide it. */
const growth = (
  { target, request }: Exchange,
  { grows }: FreeRoute,
): { name: ObjectName; by: number | null } | null => {
  const id = grows === undefined ? undefined : target.params[grows.kind]
  if (grows === undefined || id === undefined) return null
  return { name: { upstream: target.upstream.name, kind: grows.kind, id }, by: grows.by(request) }
}

/** Passes on what costs nothing. What its reply shows of an object is remembered, and so is what begins or ends to
 * cost with time; a reply that shows a run or a job to have ended waits until that is settled. */
export const passFree = async (
  parts: Parts,
  watches: Watches,
  exchange: Exchange,
  route: FreeRoute,
): Promise<void> => {
  const { target, caller, incoming, outgoing, body } = exchange
  const { upstream, path } = target
  if (route.deletes !== undefined) {
    const id = target.params[route.deletes]
    if (id !== undefined) await watches.catchUp(upstream.name, id)
  }
  const grown = growth(exchange, route)
  if (grown !== null) await parts.registry.grow(grown.name, grown.by)
  const shrink = async (): Promise<void> => {
    if (grown !== null && grown.by !== null) await parts.registry.grow(grown.name, -grown.by)
  }
  const sent = {
    upstream,
    method: incoming.method ?? 'GET',
    path,
    headers: incoming.headers,
    caller,
    body: body.length === 0 ? null : body,
  }
  const reply = await parts.forward.send(sent).catch(async (error: unknown) => {
    if (wasNotSent(error)) await shrink()
    throw error
  })
  const wire = route.observes
  if (wire?.kind === 'run' && reply.status < 300 && isEventStream(reply)) {
    const { 'content-length': _, ...headers } = reply.headers
    outgoing.writeHead(reply.status, headers)
    outgoing.flushHeaders()
    const ended = (run: Run): Promise<void> => watches.ended({ kind: 'run', wire, seen: run }, exchange)
    return passRunStream(parts, exchange, { reply, wire, seen: { began: async () => {}, ended } })
  }
  const drain = drainWhenGone(reply, outgoing, parts.bounds.drainMsMax)
  try {
    const { held, rest } = await hold(reply.body, isEventStream(reply) ? 0 : parts.bounds.heldBytesMax)
    if (reply.status >= 400) await shrink()
    if (reply.status < 300 && rest === null) await seeReply(parts, watches, exchange, { route, held })
    outgoing.writeHead(reply.status, reply.headers)
    await write(outgoing, held)
    for (let next = await rest?.next(); next !== undefined && next.done !== true; next = await rest?.next()) {
      await write(outgoing, next.value)
    }
  } finally {
    drain.stop()
  }
  outgoing.end()
}

const seeReply = async (
  parts: Parts,
  watches: Watches,
  exchange: Exchange,
  { route, held }: { route: FreeRoute; held: Buffer },
): Promise<void> => {
  const { learn, observes, standing } = route
  if (learn === undefined && observes === undefined && standing === undefined) return
  const reply = parseJson(held.toString('utf8'))
  if (learn !== undefined) await rememberObjects(parts.registry, exchange, { learn, reply })
  if (standing !== undefined) {
    const { request, target, caller } = exchange
    const owner = { ...ownerOf(caller), endUser: null }
    const standsAs = {
      asking: askingAs(exchange),
      owner,
      endpoint: target.endpoint.id,
      at: parts.clock.now(),
    }
    await applyStanding(parts, standsAs, standing({ request, reply, params: target.params }))
  }
  const later = observes === undefined ? null : readLater(observes, reply)
  if (later?.seen.ended === true) await watches.ended(later, exchange)
}
