import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClosedRoute, LaterRoute, Route } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import { type ErrorCode, errorCodes, OctroiError } from '../errors.ts'
import { besideRefusal, type createBeside, isBeside } from './beside/beside.ts'
import { readBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { parseRequest } from './form.ts'
import { identify, withoutKeys } from './identify.ts'
import { isMultipart } from './multipart.ts'
import { readLoosely } from './named-ids.ts'
import { asOctroiError, refuse } from './outgoing.ts'
import { ownedObjects } from './ownership.ts'
import type { Parts } from './parts.ts'
import { passFree } from './pass-free.ts'
import { passJob } from './pass-job.ts'
import { passReply } from './pass-reply.ts'
import { passRun } from './pass-run.ts'
import { passUnmetered } from './pass-unmetered.ts'
import { permitEndpoint } from './permission.ts'
import type { Key } from './registry/keys.ts'
import type { Router, Target } from './route.ts'
import { toldBy } from './told.ts'
import { permitUnmetered, type UnmeteredPolicy } from './unmetered.ts'
import { noVendorPools } from './vendor-limits/vendor-pools.ts'
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

/** Another process of this gateway, which answers what this one does not. */
export type Elsewhere = {
  /** True for what is answered there, by where it goes; and by what it asks. */
  readonly isPlace: (found: Target | null) => boolean
  readonly isAsked: (target: Target, request: Json) => boolean
  /** True for what a step throws to say that the call must be answered there. Nothing has been held or sent then. */
  readonly isDue: (error: unknown) => boolean
  /** Passes a request there, and its answer back, unchanged. `body`: what has been read of it already. */
  readonly pass: (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer | null) => Promise<void>
}

export type HandlerOptions = {
  readonly parts: Parts
  readonly watches: Watches
  readonly router: Router
  /** Answers what is asked of Octroi itself on the data port. */
  readonly beside: ReturnType<typeof createBeside>
  readonly anonymous: boolean
  readonly elsewhere?: Elsewhere
  readonly report: (error: unknown) => void
  readonly refused: (request: RefusedRequest) => void
  /** False from the moment the gateway is told to end. */
  readonly isTaking: () => boolean
}

/** The way of a call: find the route, identify the caller, read the request, check what it names; then pass
 * it on by what it costs. Every way out is an answer in the wire's own shape. */
export const createHandler = (options: HandlerOptions): Handler => {
  const { parts, watches, router, beside, elsewhere, report, refused, isTaking } = options
  let inFlight = 0
  let waiting: (() => void)[] = []

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = incoming.url ?? ''
    const method = incoming.method ?? ''
    const own = isBeside(url)
    const found = own ? null : (router.find(method, url) ?? router.unmetered(method, url))
    let key: string | null = null
    try {
      if (!isTaking()) throw ending()
      if (inFlight > parts.bounds.callsInFlightMax) throw overloaded()
      if (isWebSocket(incoming)) throw noWebSocket()
      if (elsewhere?.isPlace(found) === true) return await elsewhere.pass(incoming, outgoing, null)
      const { anonymous } = options
      const authorize = found?.upstream.provider.authorize ?? null
      const asked = { headers: incoming.headers, url, authorize }
      const caller = identify(asked, { registry: parts.registry, anonymous, at: parts.clock.now() })
      key = caller.key?.id ?? null
      if (own) return await beside(caller, incoming, outgoing)
      if (found === null) throw unknownPath(incoming)
      permitRoute(found.route, caller.key, parts.policy.rules().unmetered)
      permitEndpoint(caller.key, found.endpoint.id)
      const target = { ...found, path: withoutKeys(found.path, authorize) }
      const body = await readBody(incoming, parts.bounds)
      const read = await readRequest(incoming, body, target.route)
      if (elsewhere?.isAsked(target, read) === true) return await elsewhere.pass(incoming, outgoing, body)
      const told = toldBy(target, read)
      const request = told === null ? read : { ...Object(read), ...told }
      const objects =
        target.route.billing === 'unmetered'
          ? {}
          : await ownedObjects(parts.registry, { target, caller, request })
      await pass({ target, caller, incoming, outgoing, body, request, told, objects }).catch(
        (error: unknown) => {
          if (elsewhere?.isDue(error) === true) return elsewhere.pass(incoming, outgoing, body)
          throw error
        },
      )
    } catch (error) {
      const known = asOctroiError(error)
      if (known.code === 'internal') report(error)
      refused({
        method,
        provider: found?.upstream.name ?? null,
        endpoint: found?.endpoint.id ?? null,
        key,
        code: known.code,
        status: errorCodes[known.code].status,
      })
      const closing: Record<string, string> = known.code === 'no_websocket' ? { connection: 'close' } : {}
      const shape = own ? { refusal: besideRefusal } : (found?.endpoint ?? router.nearest(url))
      refuse(outgoing, shape, known, closing)
      discardRest(incoming)
    }
  }

  const pass = (exchange: Exchange): Promise<void> => {
    const { route } = exchange.target
    const isOurs = exchange.caller.ownCredential === null
    const parts = isOurs ? options.parts : { ...options.parts, vendorPools: apart(options.parts) }
    switch (route.billing) {
      case 'free':
        return passFree(parts, watches, exchange, route)
      case 'reply':
        return route.later?.isAsked(exchange.request) === true
          ? passJob(parts, watches, exchange, { ...route, billing: 'later', ...route.later })
          : passReply(parts, watches, exchange, route)
      case 'later':
        return passLater(parts, exchange, route)
      case 'unmetered':
        return passUnmetered(parts, exchange)
      case 'closed':
        throw closedRoute(route)
    }
  }

  const passLater = (parts: Parts, exchange: Exchange, { wire, ...route }: LaterRoute): Promise<void> =>
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

const apart = ({ vendorPools }: Parts): Parts['vendorPools'] => ({ ...vendorPools, ...noVendorPools })

/** How long the rest of a refused body is read, so that the client gets to see the refusal. */
const discardMsMax = 5_000

const discardRest = (incoming: IncomingMessage): void => {
  if (incoming.complete) return
  const timer = setTimeout(() => incoming.destroy(), discardMsMax)
  incoming.once('close', () => clearTimeout(timer))
  incoming.resume()
}

/** Closed routes are closed for everyone, whatever a key may do. */
const permitRoute = (route: Route, key: Key | null, policy: UnmeteredPolicy): void => {
  if (route.billing === 'closed') throw closedRoute(route)
  if (route.billing === 'unmetered') permitUnmetered(route, key, policy)
}

const readRequest = async (incoming: IncomingMessage, body: Buffer, route: Route): Promise<Json> => {
  const { 'content-type': contentType, 'content-encoding': encoding } = incoming.headers
  return route.billing === 'unmetered' && !isMultipart(contentType)
    ? readLoosely(body, encoding)
    : parseRequest(body, contentType, route)
}

const isWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade !== undefined && /(^|,)\s*websocket\s*(,|$)/i.test(headers.upgrade)

const closedRoute = ({ why }: ClosedRoute): OctroiError =>
  new OctroiError('not_allowed', `This route is closed: ${why}.`)

const noWebSocket = (): OctroiError =>
  new OctroiError(
    'no_websocket',
    'Octroi passes no WebSockets yet, because it cannot meter them. Use the HTTP form of the same call.',
  )

const overloaded = (): OctroiError =>
  new OctroiError('overloaded', 'This gateway has as many calls in flight as it accepts. Try again shortly.')

const ending = (): OctroiError =>
  new OctroiError('overloaded', 'This gateway is being stopped and takes no new calls. Try again shortly.')

const unknownPath = (incoming: IncomingMessage): OctroiError =>
  new OctroiError(
    'unknown_path',
    `Octroi does not know ${incoming.method} ${(incoming.url ?? '').split('?')[0]?.slice(0, 200)}, so it cannot ` +
      'meter it and does not pass it on.',
  )
