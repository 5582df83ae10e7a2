import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCodes, OctroiError } from '../errors.ts'
import { bodyBytesMax, readBody } from './body.ts'
import { answerControl, type Control } from './control.ts'
import { deliver } from './deliver.ts'
import type { Fault, TakeFault } from './faults.ts'
import { hexFrom } from './random.ts'
import { Refusal, refusalBody } from './refusal.ts'
import { type FindRoute, routeFinder } from './routes.ts'
import { type Fields, isFields, type WireRoute, type World } from './world.ts'

/** What a server of the vendor is made of. */
export type ServerParts = {
  readonly world: World
  readonly routes: readonly WireRoute[]
  readonly control: Control
  readonly take: TakeFault
  /** Keys that are accepted; null accepts any. */
  readonly keys: ReadonlySet<string> | null
  readonly latencyMs: number
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
      answer(parts, find, request, response, id).catch((error: unknown) => refuse(parts, response, error))
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
  const { organization, apiVersion, refusals } = world.profile
  response.setHeader('x-request-id', requestId)
  response.setHeader('openai-organization', organization)
  response.setHeader('openai-version', apiVersion)
  checkKey(parts, request)
  const found = find({ method, path })
  if (found === null) throw refusals.unknownUrl({ method, path: path.slice(0, 200) })
  const { route, params } = found
  if (route.beta === true && !hasBeta(request)) throw refusals.noBeta()
  const body = parseBody(await wholeBody(request), parts)
  const fault = parts.take({
    endpoint: route.family,
    method,
    model: typeof body['model'] === 'string' ? body['model'] : null,
    startsRun: route.startsRun === true,
  })
  if (fault !== null && breakBefore(parts, response, fault, body)) return
  await pause(parts.latencyMs + (fault?.kind === 'slow' ? fault.delayMs : 0))
  const reply = route.handle({ params, query, body, requestId, fault })
  if (fault?.kind === 'reset-before-reply') {
    reset(response)
    return
  }
  response.setHeader('openai-processing-ms', String(Math.round(performance.now() - began)))
  await deliver(response, reply, fault)
}

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

const checkKey = ({ keys, world }: ServerParts, request: IncomingMessage): void => {
  const [, key = ''] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
  if (key === '') throw world.profile.refusals.noKey()
  if (keys !== null && !keys.has(key)) throw world.profile.refusals.wrongKey(key)
}

/** Today's official SDKs say v2 and are answered in the shapes of v1 all the same. */
const hasBeta = (request: IncomingMessage): boolean =>
  String(request.headers['openai-beta'] ?? '')
    .split(',')
    .some((name) => ['assistants=v1', 'assistants=v2'].includes(name.trim()))

const wholeBody = async (request: IncomingMessage): Promise<Buffer> => {
  const body = await readBody(request)
  if (body !== null) return body
  throw new Refusal(413, `The sandbox reads bodies of up to ${bodyBytesMax} bytes.`)
}

/** No body is an empty one. */
const parseBody = (body: Buffer, { world }: ServerParts): Fields => {
  if (body.length === 0) return {}
  const value = parseJson(body)
  if (!isFields(value)) throw world.profile.refusals.brokenJson()
  return value
}

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** Faults that strike before any work is done. True when the request has had its answer, or never will. */
const breakBefore = (parts: ServerParts, response: ServerResponse, fault: Fault, body: Fields): boolean => {
  if (fault.kind === 'status') {
    for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value)
    throw refusalOf(parts.world, fault, body)
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
const refuse = (parts: ServerParts, response: ServerResponse, error: unknown): void => {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { status, body } = errorAnswer(parts.world, error)
  // What the client may still be sending is thrown away, and the connection ends with this answer.
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.req.resume()
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body, null, 2))
}

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
