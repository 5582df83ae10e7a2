import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { errorCodes, OctroiError } from '../errors.ts'
import { formatPicos } from '../money/money.ts'
import { formatInstant } from '../time.ts'
import { asOctroiError } from './outgoing.ts'
import type { Parts } from './parts.ts'
import type { Key } from './registry/registry.ts'

const name = z.string().min(1).max(128).nullable().default(null)
const keyOwner = z.strictObject({ name, organization: name, team: name, project: name, environment: name })

/** A key as the control plane shows it: never its secret, never its hash. */
export const shownKey = (key: Key) => ({
  ...key,
  createdAt: formatInstant(key.createdAt),
  revokedAt: key.revokedAt === null ? null : formatInstant(key.revokedAt),
})

/** The control plane: keys, limits and health, on loopback only, apart from the port that applications use. */
export const createControl = async ({ parts, port }: { parts: Parts; port: number }) => {
  const { registry, clock, admission, leases } = parts
  const app = new Hono()
    .use(async (context, next) => {
      refuseForeign(context)
      await next()
    })
    .use(bodyLimit({ maxSize: 65_536 }))
    .get('/healthz', (context) => context.json({ status: 'ok' }))
    .get('/readyz', async (context) => {
      await parts.ledger.balances()
      return context.json({ status: 'ready', callsInFlight: leases.count() })
    })
    .get('/octroi/v1/keys', (context) => context.json({ keys: registry.listKeys().map(shownKey) }))
    .post('/octroi/v1/keys', async (context) => {
      const { secret, key } = await registry.createKey(readOwner(await context.req.json()), clock.now())
      return context.json({ secret, key: shownKey(key) }, 201)
    })
    .post('/octroi/v1/keys/:id/revoke', async (context) => {
      return context.json({ key: shownKey(await registry.revokeKey(context.req.param('id'), clock.now())) })
    })
    .get('/octroi/v1/limits', (context) =>
      context.json({
        limits: admission.state(clock.now()).map((state) => ({
          limit: state.limit,
          currency: state.currency,
          cap: formatPicos(state.cap),
          settled: formatPicos(state.settled),
          held: formatPicos(state.held),
          unresolved: formatPicos(state.unresolved),
          free: formatPicos(state.free),
          over: formatPicos(state.over),
          windowStart: formatInstant(state.windowStart),
          resetsAt: formatInstant(state.resetsAt),
        })),
      }),
    )
    .notFound((context) =>
      answer(context, new OctroiError('unknown_path', `There is no ${context.req.path} here.`)),
    )
    .onError((error, context) =>
      answer(
        context,
        error instanceof SyntaxError
          ? new OctroiError('bad_json', 'The body is not JSON.')
          : asOctroiError(error),
      ),
    )

  const server = await new Promise<Server>((resolve, reject) => {
    const started = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => resolve(started as Server))
    started.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OctroiError(
          'bad_input',
          `Cannot listen on 127.0.0.1:${port} (${error.code}). Choose another --control-port.`,
        ),
      )
    })
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A page on another site must not reach the control plane through the browser of someone on this machine:
 * the Host must be loopback, and a body must be JSON. */
const refuseForeign = (context: Context): void => {
  const { hostname } = new URL(context.req.url)
  const loopback = hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]'
  const json =
    context.req.method === 'GET' || (context.req.header('content-type') ?? '').startsWith('application/json')
  if (!loopback || !json || context.req.header('origin') !== undefined) {
    throw new OctroiError('not_allowed', 'The control plane answers programs on this machine, in JSON, only.')
  }
}

const readOwner = (body: unknown) => {
  const parsed = keyOwner.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
}

const answer = (context: Context, error: OctroiError) =>
  context.json(
    { error: { code: error.code, message: error.message, ...error.details } },
    errorCodes[error.code].status as 400,
  )
