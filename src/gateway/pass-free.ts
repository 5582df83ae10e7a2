import type { FreeRoute } from '../endpoints/endpoint.ts'
import { parseJson } from '../endpoints/json.ts'
import type { Exchange } from './handle.ts'
import { hold } from './held.ts'
import { write } from './outgoing.ts'
import type { Parts } from './parts.ts'
import { rememberObjects } from './remember.ts'
import type { Runs } from './runs.ts'

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
  const reply = await parts.forward.send({
    upstream,
    method: incoming.method ?? 'GET',
    path,
    headers: incoming.headers,
    caller,
    body: body.length === 0 ? null : body,
  })
  const { held, rest } = await hold(reply.body, parts.bounds.heldBytesMax)
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
