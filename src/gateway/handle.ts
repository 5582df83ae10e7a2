import type { IncomingMessage, ServerResponse } from 'node:http'
import { OctroiError } from '../errors.ts'
import { parseBody, readBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { identify } from './identify.ts'
import { asOctroiError, refuse } from './outgoing.ts'
import { ownedObjects } from './ownership.ts'
import type { Parts } from './parts.ts'
import { passFree } from './pass-free.ts'
import { passReply } from './pass-reply.ts'
import { passRun } from './pass-run.ts'
import type { createRouter } from './route.ts'
import type { Runs } from './runs.ts'

export type HandlerOptions = {
  readonly parts: Parts
  readonly runs: Runs
  readonly router: ReturnType<typeof createRouter>
  readonly anonymous: boolean
  readonly report: (error: unknown) => void
}

/** The way of a call: find the route, identify the caller, read the request, check what it names; then pass
 * it on by what it costs. Every way out is an answer in the wire's own shape. */
export const createHandler = (options: HandlerOptions) => {
  const { parts, runs, router, anonymous, report } = options
  let inFlight = 0

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const target = router(incoming.method ?? '', incoming.url ?? '')
    try {
      if (inFlight > parts.bounds.callsInFlightMax) throw overloaded()
      const caller = identify(incoming.headers, { registry: parts.registry, anonymous })
      if (target === null) throw unknownPath(incoming)
      const body = await readBody(incoming, parts.bounds.requestBytesMax)
      const request = parseBody(body)
      const objects = await ownedObjects(parts.registry, { target, caller, request })
      const exchange = { target, caller, incoming, outgoing, body, request, objects }
      await pass(exchange)
    } catch (error) {
      const known = asOctroiError(error)
      if (known.code === 'internal') report(error)
      refuse(outgoing, target, known)
      discardRest(incoming)
    }
  }

  const pass = (exchange: Exchange): Promise<void> => {
    const { route } = exchange.target
    switch (route.billing) {
      case 'free':
        return passFree(parts, runs, exchange, route)
      case 'reply':
        return passReply(parts, exchange, route.wire)
      case 'later':
        return passRun(parts, runs, exchange, route)
      case 'closed':
        throw new OctroiError('not_allowed', `This route is closed: ${route.why}.`)
    }
  }

  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    inFlight += 1
    void handle(incoming, outgoing).finally(() => {
      inFlight -= 1
    })
  }
}

/** How long the rest of a refused body is read, so that the client gets to see the refusal. */
const discardMsMax = 5_000

const discardRest = (incoming: IncomingMessage): void => {
  if (incoming.complete) return
  const timer = setTimeout(() => incoming.destroy(), discardMsMax)
  incoming.once('close', () => clearTimeout(timer))
  incoming.resume()
}

const overloaded = (): OctroiError =>
  new OctroiError('overloaded', 'This gateway has as many calls in flight as it accepts. Try again shortly.')

const unknownPath = (incoming: IncomingMessage): OctroiError =>
  new OctroiError(
    'unknown_path',
    `Octroi does not know ${incoming.method} ${(incoming.url ?? '').split('?')[0]?.slice(0, 200)}, so it cannot ` +
      'meter it and does not pass it on.',
  )
