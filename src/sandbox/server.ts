import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCodes, OctroiError } from '../errors.ts'
import { bodyBytesMax, parseBody, readBody } from './body.ts'
import { answerControl, type Control } from './control.ts'
import { deliver } from './deliver.ts'
import type { Face } from './face.ts'
import type { Fault, TakeFault } from './faults.ts'
import type { Callers } from './now/callers.ts'
import { checkAdminKey } from './organization.ts'
import { hexFrom } from './random.ts'
import type { Rated } from './rate-limits.ts'
import { Refusal, refusalBody } from './refusal.ts'
import { type FindRoute, routeFinder } from './routes.ts'
import type { Answer, Exchange, Fields, WireRoute, World } from './world.ts'

/** What a server of the vendor is made of. */
export type ServerParts = {
  readonly world: World
  readonly routes: readonly WireRoute[]
  readonly control: Control
  readonly take: TakeFault
  /** Keys that are accepted; null accepts any. */
  readonly keys: ReadonlySet<string> | null
  /** Admin keys that are accepted; null accepts any that begins with `sk-admin`. */
  readonly adminKeys: ReadonlySet<string> | null
  /** Whether the account may make a request: its limits, and its credit. */
  readonly admit: (request: { readonly route: WireRoute; readonly body: Fields }) => Rated
  readonly latencyMs: number
  /** Other vendors on the same server, each on paths of its own. */
  readonly faces?: readonly Face[]
  /** Where the bill tells whose calls were whose. */
  readonly callers?: Callers
}

/** The vendor, over HTTP. Every request gets an answer in its shape, or a fault on purpose. */
export const vendorServer = (parts: ServerParts): Server => {
  const find = routeFinder(parts.routes)
  let requests = 0
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 70_000 },
    (request, response) => {
      requests += 1
      const id = hexFrom(32, parts.world.seed, String(parts.world.state.opening), 'request', String(requests))
      answer(parts, find, request, response, id).catch((error: unknown) =>
        refuse(parts, response, { error, face: faceOf(parts, urlOf(request).pathname), requestId: id }),
      )
    },
  )
  return server
}

const answer = async (
  parts: ServerParts,
  find: FindRoute,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> => {
  const began = performance.now()
  const method = request.method ?? 'GET'
  const { pathname: path, searchParams: query } = urlOf(request)
  if (path.startsWith('/sandbox/')) return control(parts, request, response, { method, path })

  const { world } = parts
  const { refusals } = world.profile
  const face = faceOf(parts, path)
  const headers = face?.headers(requestId) ?? openaiHeaders(world, requestId)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  const found = find({ method, path })
  if (face !== null) face.checkKey(request, { query, admin: found?.route.admin === true })
  else if (found?.route.open !== true) checkKey(parts, request, found?.route.admin === true)
  if (found === null) throw (face ?? refusals).unknownUrl({ method, path: path.slice(0, 200) })
  const { route, params } = found
  if (route.beta === true && !hasBeta(request, world.assistants)) throw refusals.noBeta()
  const { body, uploads } = await parseBody(await wholeBody(request), {
    contentType: request.headers['content-type'] ?? '',
    form: route.form === true,
    refusals: face === null ? refusals : { ...refusals, brokenJson: face.brokenJson },
  })
  const fault = parts.take({
    endpoint: route.family,
    method,
    model: typeof body['model'] === 'string' ? body['model'] : null,
    startsRun: route.startsRun === true,
  })
  if (fault !== null && breakBefore(parts, response, { fault, body, face })) return
  await pause(parts.latencyMs + (fault?.kind === 'slow' ? fault.delayMs : 0))
  admit(parts, response, { route, body })
  const exchange = { origin: originOf(request), params, query, body, uploads, requestId, fault }
  const reply = await handled(parts, route, { request, exchange })
  if (fault?.kind === 'reset-before-reply') {
    reset(response)
    return
  }
  if (face === null) response.setHeader('openai-processing-ms', String(Math.round(performance.now() - began)))
  await deliver(response, reply, fault)
}

/** The answer of a route, while it is known whose request it is. */
const handled = async (
  { callers }: ServerParts,
  route: WireRoute,
  { request, exchange }: { readonly request: IncomingMessage; readonly exchange: Exchange },
): Promise<Answer> => {
  callers?.enter(exchange.requestId, request)
  try {
    return await route.handle(exchange)
  } finally {
    callers?.leave(exchange.requestId)
  }
}

/** The vendor whose paths these are; null where they are OpenAI's. */
const faceOf = ({ faces = [] }: ServerParts, path: string): Face | null =>
  faces.find(({ prefix }) => path.startsWith(prefix)) ?? null

const openaiHeaders = ({ profile }: World, requestId: string): Readonly<Record<string, string>> => ({
  'x-request-id': requestId,
  'openai-organization': profile.organization,
  'openai-version': profile.apiVersion,
})

/** The wait of one request keeps no process alive; its socket does. */
const pause = async (milliseconds: number): Promise<void> => {
  if (milliseconds > 0) await sleep(milliseconds, undefined, { ref: false })
}

/** A target that cannot be read as a path is a path that nothing has. */
const urlOf = (request: IncomingMessage): { pathname: string; searchParams: URLSearchParams } => {
  const target = request.url ?? '/'
  try {
    return new URL(target.startsWith('/') ? `http://sandbox${target}` : target)
  } catch {
    return { pathname: target, searchParams: new URLSearchParams() }
  }
}

/** As the socket has it: what a client says in its headers is not repeated. */
const originOf = ({ socket }: IncomingMessage): string =>
  `http://${socket.localAddress ?? '127.0.0.1'}:${socket.localPort ?? 0}`

const admit = (
  parts: ServerParts,
  response: ServerResponse,
  asked: { route: WireRoute; body: Fields },
): void => {
  const { headers, refusal } = parts.admit(asked)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (refusal !== null) throw refusal
}

const checkKey = (
  { keys, adminKeys, world }: ServerParts,
  request: IncomingMessage,
  admin: boolean,
): void => {
  const [, key = ''] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
  if (key === '') throw world.profile.refusals.noKey()
  if (admin) checkAdminKey(key, adminKeys)
  else if (keys !== null && !keys.has(key)) throw world.profile.refusals.wrongKey(key)
}

/** Today's official SDKs say v2; a sandbox of v1 answers them in the shapes of v1 all the same. One of v2 takes
 * nothing else. */
const hasBeta = (request: IncomingMessage, spoken: World['assistants']): boolean =>
  String(request.headers['openai-beta'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .some((name) => name === 'assistants=v2' || (name === 'assistants=v1' && spoken === 'v1'))

const wholeBody = async (request: IncomingMessage): Promise<Buffer<ArrayBuffer>> => {
  const body = await readBody(request)
  if (body !== null) return body
  throw new Refusal(413, `The sandbox reads bodies of up to ${bodyBytesMax} bytes.`)
}

/** Faults that strike before any work is done. True when the request has had its answer, or never will. */
const breakBefore = (
  parts: ServerParts,
  response: ServerResponse,
  { fault, body, face }: { readonly fault: Fault; readonly body: Fields; readonly face: Face | null },
): boolean => {
  if (fault.kind === 'status') {
    for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value)
    const model = String(body['model'] ?? '').slice(0, 100)
    throw face?.ofStatus(fault.status, { ...fault, model }) ?? refusalOf(parts.world, fault, body)
  }
  if (fault.kind === 'html') {
    response.writeHead(fault.status ?? 502, { 'content-type': 'text/html' })
    response.end(
      '<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>Bad Gateway</body>\r\n</html>\r\n',
    )
    return true
  }
  if (fault.kind === 'reset-before-reply' && fault.billed !== true) {
    reset(response)
    return true
  }
  return fault.kind === 'hang'
}

const refusalOf = (world: World, fault: Extract<Fault, { kind: 'status' }>, body: Fields): Refusal => {
  const { refusals } = world.profile
  if (fault.code === 'insufficient_quota') return refusals.quotaExceeded()
  if (fault.status === 429)
    return refusals.rateLimited(String(body['model'] ?? 'the assistants').slice(0, 100))
  if (fault.status >= 500) return refusals.serverError(fault.status)
  return new Refusal(fault.status, `The sandbox was told to answer ${fault.status}.`)
}

const reset = (response: ServerResponse): void => {
  response.socket?.resetAndDestroy()
}

const control = async (
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  place: { method: string; path: string },
): Promise<void> => {
  const told = answerControl(parts.control, { ...place, body: await wholeBody(request) })
  if (told === null)
    throw new OctroiError('unknown_path', `The sandbox has no ${place.method} ${place.path}.`)
  await deliver(response, { json: told }, null)
}

/** Tells what went wrong, unless the reply has begun: then it can only be broken off. */
const refuse = (
  parts: ServerParts,
  response: ServerResponse,
  failed: { readonly error: unknown; readonly face: Face | null; readonly requestId: string },
): void => {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { error, face, requestId } = failed
  const { status, body } =
    face === null
      ? errorAnswer(parts.world, error)
      : faceAnswer(face, error instanceof Refusal ? error : faultOfOurs(error), requestId)
  // What the client may still be sending is thrown away, and the connection ends with this answer.
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.req.resume()
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body, null, 2))
}

const faceAnswer = (face: Face, refusal: Refusal, requestId: string) => ({
  status: refusal.status,
  body: face.body(refusal, requestId),
})

/** A fault of the sandbox itself, which must be found: its message is told. */
const faultOfOurs = (error: unknown): Refusal =>
  error instanceof OctroiError
    ? new Refusal(errorCodes[error.code].status, error.message)
    : new Refusal(500, `(sandbox: ${error instanceof Error ? error.message : String(error)})`)

const errorAnswer = (world: World, error: unknown): { status: number; body: unknown } => {
  if (error instanceof Refusal) return { status: error.status, body: refusalBody(error) }
  if (error instanceof OctroiError) {
    return {
      status: errorCodes[error.code].status,
      body: { error: { message: error.message, code: error.code } },
    }
  }
  // A fault of the sandbox itself, which must be found: its message is told.
  const refusal = world.profile.refusals.serverError(500)
  const message = `${refusal.message} (sandbox: ${error instanceof Error ? error.message : String(error)})`
  return { status: 500, body: { error: { ...refusalBody(refusal).error, message } } }
}
