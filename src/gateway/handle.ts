import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LaterRoute } from '../endpoints/endpoint.ts'
import { type ErrorCode, errorCodes, OctroiError } from '../errors.ts'
import { readBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { parseRequest } from './form.ts'
import { identify, withoutKeys } from './identify.ts'
import { asOctroiError, refuse } from './outgoing.ts'
import { ownedObjects } from './ownership.ts'
import type { Parts } from './parts.ts'
import { passFree } from './pass-free.ts'
import { passJob } from './pass-job.ts'
import { passReply } from './pass-reply.ts'
import { passRun } from './pass-run.ts'
import { permitEndpoint } from './permission.ts'
import type { Router } from './route.ts'
import { toldBy } from './told.ts'
import type { Watches } from './watches.ts'

/** A request that Octroi refused, or could not answer to the end. What it said is not in it. */
export type RefusedRequest = {
  readonly method: string
  readonly provider: string | null
  readonly endpoint: string | null
  /** The id of its key, where it came with one that is known. */
  readonly key: string | null
  readonly code: ErrorCode
  readonly status: number
}

/** Answers requests, and knows how many it is answering. */
export type Handler = {
  readonly answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void
  readonly inFlight: () => number
  /** Resolves when nothing is in flight, or the time is over. */
  readonly idle: (waitMs: number) => Promise<void>
}

export type HandlerOptions = {
  readonly parts: Parts
  readonly watches: Watches
  readonly router: Router
  readonly anonymous: boolean
  readonly report: (error: unknown) => void
  readonly refused: (request: RefusedRequest) => void
}

/** The way of a call: find the route, identify the caller, read the request, check what it names; then pass
 * it on by what it costs. Every way out is an answer in the wire's own shape. */
export const createHandler = (options: HandlerOptions): Handler => {
  const { parts, watches, router, anonymous, report, refused } = options
  let inFlight = 0
  let waiting: (() => void)[] = []

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = incoming.url ?? ''
    const found = router.find(incoming.method ?? '', url)
    let key: string | null = null
    try {
      if (inFlight > parts.bounds.callsInFlightMax) throw overloaded()
      const authorize = found?.upstream.provider.authorize ?? null
      const asked = { headers: incoming.headers, url, authorize }
      const caller = identify(asked, { registry: parts.registry, anonymous, at: parts.clock.now() })
      key = caller.key?.id ?? null
      if (found === null) throw unknownPath(incoming)
      permitEndpoint(caller.key, found.endpoint.id)
      const target = { ...found, path: withoutKeys(found.path, authorize) }
      const body = await readBody(incoming, parts.bounds)
      const read = await parseRequest(body, incoming.headers['content-type'], target.route)
      const told = toldBy(target, read)
      const request = told === null ? read : { ...Object(read), ...told }
      const objects = await ownedObjects(parts.registry, { target, caller, request })
      await pass({ target, caller, incoming, outgoing, body, request, told, objects })
    } catch (error) {
      const known = asOctroiError(error)
      if (known.code === 'internal') report(error)
      refused({
        method: incoming.method ?? '',
        provider: found?.upstream.name ?? null,
        endpoint: found?.endpoint.id ?? null,
        key,
        code: known.code,
        status: errorCodes[known.code].status,
      })
      refuse(outgoing, found?.endpoint ?? router.nearest(url), known)
      discardRest(incoming)
    }
  }

  const pass = (exchange: Exchange): Promise<void> => {
    const { route } = exchange.target
    switch (route.billing) {
      case 'free':
        return passFree(parts, watches, exchange, route)
      case 'reply':
        return route.later?.isAsked(exchange.request) === true
          ? passJob(parts, watches, exchange, { ...route, billing: 'later', ...route.later })
          : passReply(parts, watches, exchange, route)
      case 'later':
        return passLater(exchange, route)
      case 'closed':
        throw new OctroiError('not_allowed', `This route is closed: ${route.why}.`)
    }
  }

  const passLater = (exchange: Exchange, { wire, ...route }: LaterRoute): Promise<void> =>
    wire.kind === 'run'
      ? passRun(parts, watches, exchange, { ...route, wire })
      : passJob(parts, watches, exchange, { ...route, wire })

  const ended = (): void => {
    inFlight -= 1
    if (inFlight > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }

  return {
    answer: (incoming, outgoing) => {
      inFlight += 1
      void handle(incoming, outgoing).finally(ended)
    },
    inFlight: () => inFlight,
    idle: (waitMs) =>
      new Promise((resolve) => {
        if (inFlight === 0) return resolve()
        const timer = setTimeout(resolve, waitMs)
        waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
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
