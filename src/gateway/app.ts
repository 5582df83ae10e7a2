import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OctroiError } from '../errors.ts'
import type { Database } from '../ledger/database.ts'
import { deferReservations } from '../ledger/deferred-reservations.ts'
import { openLedger } from '../ledger/ledger.ts'
import { createAdmission } from '../limits/admit.ts'
import type { Crossing } from '../limits/crossing.ts'
import type { VendorLimits } from '../limits/vendor-limits.ts'
import type { ModelFacts } from '../pricing/model-facts.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Clock } from '../time.ts'
import { type Accruals, createAccruals } from './accruals/accruals.ts'
import { isLoopback, refuseOpenControl } from './admin.ts'
import { createBeside } from './beside/beside.ts'
import type { GatewayConfig } from './config.ts'
import { createControl } from './control.ts'
import { createCounting } from './counting.ts'
import { openCredentials, withStored } from './credentials/credentials.ts'
import { createForward, defaultTimeouts, type ForwardTimeouts } from './forward.ts'
import { createHandler, type RefusedRequest } from './handle.ts'
import { createLeases } from './leases.ts'
import { createMetrics } from './metrics/metrics.ts'
import { createBurnWatch } from './notify/burn-watch.ts'
import { createNotify, type NotifyEvent } from './notify/notify.ts'
import { createSendWebhook } from './notify/webhook.ts'
import { defaultBounds, type GatewayBounds, type Parts } from './parts.ts'
import { createPolicy } from './policy.ts'
import { openAlerts } from './registry/alerts.ts'
import { openRegistry, type Registry } from './registry/registry.ts'
import { createRouter } from './route.ts'
import { startScheduler } from './scheduler.ts'
import { openSpool, type SpoolEvent } from './spool/spool.ts'
import { openSpoolFile, spoolPath } from './spool/spool-file.ts'
import { createStreamLimits } from './stream-limit.ts'
import { createTill, type TillLine } from './till.ts'
import { createVectorStorage } from './vector-storage.ts'
import { createVendorPools } from './vendor-pools.ts'
import { createWaiting } from './waiting.ts'
import { createWatches, defaultRhythms, type Rhythms } from './watches.ts'

export type GatewayOptions = {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly book: PriceBook
  readonly models: ModelFacts
  /** Opened with `ledgerStore` and `registryStore`. The gateway closes it. */
  readonly database: Database
  /** Keys the hashes of keys and end users. */
  readonly pepper: Uint8Array
  /** Opens the stored keys of vendors; without it there may be none. */
  readonly masterKey?: Uint8Array | null
  /** The vendors' own rate limits, for providers whose tier is configured. */
  readonly vendorLimits?: VendorLimits
  /** Default 127.0.0.1. Calls without a key need loopback. */
  readonly host?: string
  /** 0 is any free port. */
  readonly port: number
  /** The control plane's port; 0 is any free one, null is none. */
  readonly controlPort: number | null
  /** Default 127.0.0.1. Any other needs an admin token. */
  readonly controlHost?: string
  /** Where there is one, the control plane wants it, except for its health. */
  readonly adminToken?: string
  readonly onTill?: (line: TillLine) => void
  /** Told once of every share of a cap (`warnAt`) that a limit has reached. */
  readonly onCrossing?: (crossing: Crossing) => void
  /** Told of every fault, without content. */
  readonly onFault?: (error: unknown) => void
  /** Told of every request that is refused, without content. */
  readonly onRefused?: (request: RefusedRequest) => void
  readonly bounds?: Partial<GatewayBounds>
  readonly timeouts?: Partial<ForwardTimeouts>
  /** The folder of the spool's file, in which calls wait while the ledger cannot be written. Without one they wait in
   * memory only. */
  readonly spoolFolder?: string
  /** Told when calls begin to wait for the ledger, and when all of them are in it. */
  /** Told of every alert that is raised, and of what could not be delivered. */
  readonly onAlert?: (event: NotifyEvent) => void
  readonly onSpool?: (event: SpoolEvent) => void
  /** How often runs and jobs that go on at the vendor are asked after. */
  readonly rhythms?: Partial<Rhythms>
}

export type Gateway = {
  /** Where clients point their SDK, without `/v1`. */
  readonly url: string
  readonly controlUrl: string | null
  /** A token for the control plane that ends with this gateway; null where it wants none. */
  readonly controlToken: string | null
  readonly registry: Registry
  /** Limits as they stand now. */
  readonly limits: () => ReturnType<Parts['admission']['state']>
  /** Expires what no longer lives and posts what is due of accruals, now; the scheduler does so by itself. */
  readonly sweep: () => Promise<void>
  /** What goes on at vendors while nobody calls, and its closing at an instant. */
  readonly accruals: Pick<Accruals, 'open' | 'close'>
  /** Takes no more calls, waits for those in flight up to `waitMs`, breaks off what is still open and settles it, then
   * closes the ledger. */
  readonly close: (waitMs?: number) => Promise<void>
}

/** Starts a gateway: the data plane, its control plane, and what runs beside them. */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { config, clock, database } = options
  const host = options.host ?? '127.0.0.1'
  const report = options.onFault ?? (() => {})
  refuseOpenDoor(config, host)
  const controlHost = options.controlHost ?? '127.0.0.1'
  const adminToken = options.adminToken ?? null
  refuseOpenControl(controlHost, adminToken)
  const metrics = createMetrics()
  const written = metrics.timeLedger(openLedger(database))
  const spool = await openSpool({
    ledger: config.journal === 'before-reply' ? deferReservations(written) : written,
    written,
    file:
      options.spoolFolder === undefined
        ? null
        : openSpoolFile(spoolPath(options.spoolFolder, options.pepper), spoolBytesMax),
    report,
    told: options.onSpool ?? (() => {}),
  })
  const { ledger } = spool
  const registry = await openRegistry(database, options.pepper)
  const credentials = await openCredentials(database, options.masterKey ?? null)
  const upstreams = withStored(config.upstreams, credentials)
  const bounds = { ...defaultBounds, ...options.bounds }
  const counters = createAdmission(config.limits, await ledger.balances())
  const waiting = createWaiting(counters, clock, bounds, (crossing) => {
    options.onCrossing?.(crossing)
    notify.crossed(crossing)
  })
  const { admission } = waiting
  const vendorPools = createVendorPools(
    new Map(
      upstreams.flatMap(({ name, provider, tier }) =>
        tier === null ? [] : [[name, { provider: provider.id, tier }]],
      ),
    ),
    options.vendorLimits ?? null,
    clock,
  )
  const leases = createLeases({ ledger, admission, clock, left: (id) => vendorPools.ended(id, null) })
  const { book } = options
  const accruals = createAccruals({ ledger, book, admission, clock })
  const vectorStorage = createVectorStorage({ book, accruals, registry })
  const parts: Parts = {
    clock,
    book,
    models: options.models,
    admission,
    waiting,
    streamLimits: createStreamLimits({ admission, book }),
    ledger,
    spool,
    registry,
    leases,
    accruals,
    vectorStorage,
    forward: metrics.timeForward(createForward({ ...defaultTimeouts, ...options.timeouts })),
    counting: createCounting(),
    till: createTill((line) => {
      metrics.called(line)
      options.onTill?.(line)
    }),
    bounds,
    vendorPools,
    policy: createPolicy(config, { admission, ledger }),
  }
  const alerts = openAlerts(database)
  const notify = createNotify({
    store: alerts,
    webhooks: config.alerts.webhooks,
    transport: createSendWebhook(),
    limits: () => parts.policy.rules().limits,
    state: admission.state,
    burn: createBurnWatch(config.alerts.burn),
    clock,
    random: Math.random,
    told: options.onAlert ?? (() => {}),
    report,
  })
  const watches = createWatches(parts, { ...defaultRhythms, ...options.rhythms }, report)
  let taking = true
  const handler = createHandler({
    parts,
    isTaking: () => taking,
    watches,
    router: createRouter(upstreams),
    beside: createBeside(parts, upstreams),
    anonymous: config.anonymous,
    report,
    refused: (request) => {
      metrics.refused(request)
      options.onRefused?.(request)
    },
  })
  const data = await listen(createServer(serverOptions, handler.answer), options.port, host)
  const controlToken = adminToken === null ? null : randomBytes(32).toString('base64url')
  const tokens = [adminToken, controlToken].filter((token) => token !== null)
  const control =
    options.controlPort === null
      ? null
      : await createControl({
          parts,
          port: options.controlPort,
          admin: { host: controlHost, tokens },
          isReady: () => taking,
          journal: config.journal,
          alerts: { store: alerts, test: notify.test },
          credentials,
          metrics: () =>
            metrics.text({
              requestsInFlight: handler.inFlight(),
              callsOpen: leases.count(),
              limits: admission.state(clock.now()),
              alerts: notify.counts(),
              spool: spool.standing(),
              ready: taking,
            }),
        })
  const sweep = async (): Promise<void> => {
    await leases.sweep()
    const now = clock.now()
    await vectorStorage.expire(now)
    await accruals.close(now)
    await notify.look()
    await notify.watch()
    // What a receiver takes long to answer keeps nothing here waiting.
    notify.send().catch(report)
  }
  // What goes on at vendors is held again before anything expires.
  await watches.resume(upstreams)
  // Before the scheduler begins: of two sweeps at once, one could end while the other has not yet counted its part.
  await leases.sweep()
  const scheduler = startScheduler(sweep, report)

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(data.address() as AddressInfo).port}`,
    controlUrl: control?.url ?? null,
    controlToken,
    registry,
    limits: () => admission.state(clock.now()),
    sweep,
    accruals,
    close: async (waitMs = 10_000) => {
      taking = false
      waiting.close()
      await Promise.all([stop(data, waitMs), handler.idle(waitMs)])
      watches.close()
      await accruals.stop()
      await scheduler.stop()
      await notify.stop()
      await parts.forward.close()
      await handler.idle(settleMsMax)
      await parts.counting.close()
      await control?.close()
      metrics.close()
      await ledger.close()
    },
  }
}

const idleMs = 50

/** How large the spool's file may get. */
const spoolBytesMax = 64_000_000

/** How long what was broken off may take to be settled. */
const settleMsMax = 5_000

/** Strict parsing, and bounds on slow and large heads. The official clients keep connections for less than
 * `keepAliveTimeout`. */
const serverOptions = {
  headersTimeout: 30_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 65_536,
  insecureHTTPParser: false,
  noDelay: true,
} as const

/** Throws `bad_input` where calls without a key could come from other machines. */
export const refuseOpenDoor = (config: GatewayConfig, host: string): void => {
  if (config.anonymous && !isLoopback(host)) {
    throw new OctroiError(
      'bad_input',
      `Calls without a key are taken on loopback only, not on ${host}. Set "anonymous" to false and create keys.`,
    )
  }
}

const listen = (server: Server, port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OctroiError(
          'bad_input',
          `Cannot listen on ${host}:${port} (${error.code}). Choose another --port.`,
        ),
      )
    })
    server.listen(port, host, () => resolve(server))
  })

const stop = (server: Server, waitMs: number): Promise<void> =>
  new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), waitMs)
    // A kept connection is closed when its last reply has left, not when its client gives it up.
    const idle = setInterval(() => server.closeIdleConnections(), idleMs)
    server.close(() => {
      clearTimeout(force)
      clearInterval(idle)
      resolve()
    })
  })
