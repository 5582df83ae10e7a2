import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { errorCodes, OctroiError } from '../errors.ts'
import type { Journal } from '../ledger/deferred-reservations.ts'
import { billPolicy } from '../reports/bill/page.ts'
import { formatInstant } from '../time.ts'
import { applyAdjustments, readAdjustments } from './adjustments.ts'
import { type Admin, permitAdmin } from './admin.ts'
import { openApi } from './api/openapi.ts'
import type { Credentials } from './credentials/credentials.ts'
import { applyImports, importsPath, readImports } from './imports.ts'
import {
  readEndUser,
  readGrace,
  readKeyChanges,
  readNewKey,
  readProviderKey,
  shownKey,
} from './key-requests.ts'
import { listedLimits } from './limit-states.ts'
import { asOctroiError } from './outgoing.ts'
import type { Parts } from './parts.ts'
import type { AlertStore, ListedAlert, StoredAlert } from './registry/alerts.ts'
import { readAsked } from './reporting/asked.ts'
import { answerFocus, focusPath } from './reporting/focus-route.ts'
import type { Reader } from './reporting/reader.ts'
import {
  closeBill,
  listPeriods,
  periodsPath,
  periodsQuery,
  readClose,
} from './reporting/reconciliation-close.ts'
import { type ReportSettings, reportPath, reports } from './reporting/registry.ts'
import { type Rerating, reratePath } from './reporting/rerate-route.ts'
import {
  parseDay,
  prunedJson,
  pruneRequest,
  readSealedAsked,
  type SealedDays,
  sealedDaysPath,
  sealedJson,
  sealRequest,
  thawRequest,
} from './sealed-days.ts'

/** What the control plane is started with. */
export type ControlOptions = {
  readonly parts: Parts
  readonly port: number
  readonly admin: Admin
  /** False while no new calls are taken. */
  readonly isReady: () => boolean
  /** When reservations go to the disk. */
  readonly journal: Journal
  readonly credentials: Credentials
  readonly sealedDays: SealedDays
  readonly rerating: Rerating
  readonly alerts: { readonly store: AlertStore; readonly test: () => Promise<StoredAlert> }
  /** Where reports are read, and what they go by. */
  readonly reporting: {
    readonly reader: Reader
    readonly sealed: string | null
    readonly settings: () => ReportSettings
  }
  /** The metrics as they stand, in the text format of Prometheus. */
  readonly metrics: () => string
}

const alertsListed = 100

const shownAlert = ({ id, at, body, deliveries }: ListedAlert) => ({
  id,
  at: formatInstant(at),
  ...(JSON.parse(body) as { type: string; data: object }),
  deliveries,
})

const policyPath = '/octroi/v1/policy'

const bodyUpTo = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new OctroiError('body_too_large', `The body is larger than ${maxSize} bytes.`)
    },
  })

const largePaths: ReadonlySet<string> = new Set([policyPath, importsPath, reratePath])
const smallBody = bodyUpTo(65_536)
/** A thousand limits have room in it, a batch of imported lines, and a price file. */
const largeBody = bodyUpTo(4_000_000)

const shownPolicy = ({ policy }: Parts) => ({ version: policy.version(), ...policy.rules().written })

const policyHeaders = ({ policy }: Parts) => ({ etag: `"${policy.version()}"` })

/** What the control plane answers: keys, limits, adjustments, metrics and health. */
export const createControlRoutes = ({
  parts,
  admin,
  isReady,
  journal,
  alerts,
  credentials,
  sealedDays,
  rerating,
  metrics,
  reporting,
}: Omit<ControlOptions, 'port'>): Hono => {
  const { registry, clock, admission, leases } = parts
  const app = new Hono()
  app
    .use(async (context, next) => {
      permitAdmin(context, admin)
      await next()
    })
    .use((context, next) => (largePaths.has(context.req.path) ? largeBody : smallBody)(context, next))
    .get('/healthz', (context) => context.json({ status: 'ok' }))
    .get('/readyz', async (context) => {
      const callsInFlight = leases.count()
      if (!isReady()) return context.json({ status: 'stopping', callsInFlight, journal }, 503)
      await parts.ledger.balances()
      return context.json({ status: 'ready', callsInFlight, journal })
    })
    .get('/metrics', (context) =>
      context.body(metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
    )
    .get('/octroi/v1/openapi.json', (context) => context.json(openApi()))
    .get('/octroi/v1/keys', (context) => context.json({ keys: registry.listKeys().map(shownKey) }))
    .post('/octroi/v1/keys', async (context) => {
      const { secret, key } = await registry.createKey(readNewKey(await context.req.json()), clock.now())
      return context.json({ secret, key: shownKey(key) }, 201)
    })
    .post('/octroi/v1/keys/:id', async (context) => {
      const changes = readKeyChanges(await context.req.json())
      return context.json({ key: shownKey(await registry.updateKey(context.req.param('id'), changes)) })
    })
    .post('/octroi/v1/keys/:id/rotate', async (context) => {
      const rotation = { at: clock.now(), graceMs: readGrace(await context.req.json()) }
      const { secret, key } = await registry.rotateKey(context.req.param('id'), rotation)
      return context.json({ secret, key: shownKey(key) }, 201)
    })
    .post('/octroi/v1/keys/:id/revoke', async (context) => {
      return context.json({ key: shownKey(await registry.revokeKey(context.req.param('id'), clock.now())) })
    })
    .post('/octroi/v1/end-users/find', async (context) =>
      context.json({ pseudonym: await registry.findEndUser(readEndUser(await context.req.json())) }),
    )
    .post('/octroi/v1/end-users/forget', async (context) =>
      context.json({ forgotten: await registry.forgetEndUser(readEndUser(await context.req.json())) }),
    )
    .post('/octroi/v1/adjustments', async (context) =>
      context.json(await applyAdjustments(parts, readAdjustments(await context.req.json()))),
    )
    .post(importsPath, async (context) =>
      context.json(await applyImports(parts, readImports(await context.req.json()))),
    )
    .get(periodsPath, async (context) => {
      const asked = readAsked(periodsQuery, queryOf(context))
      return context.json(await reporting.reader.read((database) => listPeriods(database, asked)))
    })
    .post(periodsPath, async (context) => {
      const asked = readClose(await context.req.json(), clock)
      const source = { ledger: parts.ledger, book: parts.book, sealed: reporting.sealed, clock }
      return context.json(
        await reporting.reader.read((database) => closeBill({ ...source, database }, asked)),
      )
    })
    .post(reratePath, async (context) => rerating.answer(await context.req.json()))
    .post(`${sealedDaysPath}/seal`, async (context) => {
      const { until, ...asked } = readSealedAsked(sealRequest, await context.req.json())
      const last = until === undefined ? undefined : parseDay(until)
      const sealed = await sealedDays.seal({ ...asked, until: last, at: clock.now() })
      return context.json(sealedJson(reporting.sealed ?? '', sealed))
    })
    .post(`${sealedDaysPath}/prune`, async (context) => {
      const asked = readSealedAsked(pruneRequest, await context.req.json())
      return context.json(prunedJson(await sealedDays.prune({ ...asked, at: clock.now() })))
    })
    .post(`${sealedDaysPath}/thaw`, async (context) => {
      const { day, callIds } = readSealedAsked(thawRequest, await context.req.json())
      return context.json({ calls: await sealedDays.thaw({ day: parseDay(day), callIds }) })
    })
    .get(policyPath, (context) => context.json(shownPolicy(parts), 200, policyHeaders(parts)))
    .put(policyPath, async (context) => {
      const basedOn = context.req.header('if-match')?.replaceAll('"', '') ?? null
      await parts.policy.replace(await context.req.json(), basedOn)
      return context.json(shownPolicy(parts), 200, policyHeaders(parts))
    })
    .get('/octroi/v1/provider-keys', (context) =>
      context.json({
        keys: credentials.list().map(({ setAt, ...rest }) => ({ ...rest, setAt: formatInstant(setAt) })),
      }),
    )
    .post('/octroi/v1/provider-keys/:name', async (context) => {
      const key = readProviderKey(await context.req.json())
      await credentials.set(context.req.param('name'), key, clock.now())
      return context.json({})
    })
    .post('/octroi/v1/provider-keys/:name/remove', async (context) => {
      await credentials.remove(context.req.param('name'))
      return context.json({})
    })
    .get('/octroi/v1/alerts', async (context) =>
      context.json({ alerts: (await alerts.store.list(alertsListed)).map(shownAlert) }),
    )
    .post('/octroi/v1/alerts/test', async (context) => {
      const { id } = await alerts.test()
      const listed = await alerts.store.list(alertsListed)
      return context.json({ alerts: listed.filter((alert) => alert.id === id).map(shownAlert) })
    })
    .get('/octroi/v1/limits', (context) =>
      context.json({
        limits: [
          ...listedLimits(admission.state(clock.now()), 'operator'),
          ...listedLimits(parts.vendorPools.state(), 'vendor'),
        ],
      }),
    )
  app.get(focusPath, (context) => answerFocus({ ...reporting, book: parts.book, clock }, queryOf(context)))
  for (const report of reports) {
    app.get(reportPath(report.name), async (context) => {
      const query = queryOf(context)
      const answered = await reporting.reader.read((database) =>
        report.answerTo({ database, sealed: reporting.sealed, clock }, query, reporting.settings()),
      )
      if (typeof answered !== 'string') return context.json(answered)
      return context.html(answered, 200, { 'content-security-policy': billPolicy })
    })
  }
  return app
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
}

/** The parameters of a query. Throws `bad_input` where one stands twice. */
const queryOf = (context: Context): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(context.req.queries()).map(([name, values]) => {
      if (values.length > 1) {
        throw new OctroiError('bad_input', `${name} stands ${values.length} times. Say it once.`)
      }
      return [name, values[0] ?? '']
    }),
  )

/** Starts the control plane, apart from the port that applications use. */
export const createControl = async (options: ControlOptions) => {
  const { port, admin } = options
  const app = createControlRoutes(options)
  const server = await new Promise<Server>((resolve, reject) => {
    const started = serve({ fetch: app.fetch, port, hostname: admin.host }, () => resolve(started as Server))
    started.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OctroiError(
          'bad_input',
          `Cannot listen on ${admin.host}:${port} (${error.code}). Choose another --control-port.`,
        ),
      )
    })
  })
  return {
    url: `http://${reachable(admin.host)}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** How this machine reaches an address that may stand for all of its own. */
const reachable = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

const answer = (context: Context, error: OctroiError) =>
  context.json(
    { error: { code: error.code, message: error.message, ...error.details } },
    errorCodes[error.code].status as 400,
  )
