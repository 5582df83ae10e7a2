import type { FreeRoute } from '../endpoints/endpoint.ts'
import { parseJson } from '../endpoints/json.ts'
import type { Exchange } from './exchange.ts'
import { wasNotSent } from './forward.ts'
import { hold } from './held.ts'
import { write } from './outgoing.ts'
import type { Parts } from './parts.ts'
import type { ObjectName } from './registry/registry.ts'
import { rememberObjects } from './remember.ts'
import type { Runs } from './runs.ts'

/** What a request adds to an object, told before it is sent: a reply that never comes must not hide it. */
const growth = (
  { target, request }: Exchange,
  { grows }: FreeRoute,
): { name: ObjectName; by: number } | null => {
  const id = grows === undefined ? undefined : target.params[grows.kind]
  if (grows === undefined || id === undefined) return null
  return { name: { upstream: target.upstream.name, kind: grows.kind, id }, by: grows.by(request) }
}

/** Passes on what costs nothing. What its reply shows of an object is remembered; a reply that shows a run to
 * have ended waits until the run is settled. */
export const passFree = async (
  parts: Parts,
  runs: Runs,
  exchange: Exchange,
  route: FreeRoute,
): Promise<void> => {
  const { target, caller, incoming, outgoing, body } = exchange
  const { upstream, path } = target
  const grown = growth(exchange, route)
  if (grown !== null) await parts.registry.grow(grown.name, grown.by)
  const shrink = async (): Promise<void> => {
    if (grown !== null) await parts.registry.grow(grown.name, -grown.by)
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
  const { held, rest } = await hold(reply.body, parts.bounds.heldBytesMax)
  if (reply.status >= 400) await shrink()
  if (reply.status < 300 && rest === null && (route.learn !== undefined || route.observes !== undefined)) {
    const answer = parseJson(held.toString('utf8'))
    if (route.learn !== undefined)
      await rememberObjects(parts.registry, exchange, { learn: route.learn, reply: answer })
    const run = route.observes?.readRun(answer) ?? null
    if (run?.ended === true && route.observes !== undefined) await runs.ended(run, route.observes, exchange)
  }
  outgoing.writeHead(reply.status, reply.headers)
  await write(outgoing, held)
  for (let next = await rest?.next(); next !== undefined && next.done !== true; next = await rest?.next()) {
    await write(outgoing, next.value)
  }
  outgoing.end()
}
