import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { OctroiError } from '../errors.ts'
import { deferReservations } from '../ledger/deferred-reservations.ts'
import { openLedger } from '../ledger/ledger.ts'
import { createLender } from '../limits/lender.ts'
import { openVendorLimits } from '../limits/vendor-limits.ts'
import { type Accruals, createAccruals } from './accruals/accruals.ts'
import { isLoopback, refuseOpenControl } from './admin.ts'
import { createAdmitCall } from './admit-call.ts'
import { createBeside } from './beside/beside.ts'
import { createBooking } from './booking.ts'
import type { GatewayConfig } from './config.ts'
import { createControl } from './control.ts'
import { createCounting } from './counting.ts'
import { type Credentials, openCredentials, withStored } from './credentials/credentials.ts'
import { createForward, defaultTimeouts } from './forward.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { createHandler } from './handle.ts'
import { createLeases } from './leases.ts'
import { listen, stop } from './listening.ts'
import { createMetrics } from './metrics/metrics.ts'
import { createBurnWatch } from './notify/burn-watch.ts'
import { createNotify } from './notify/notify.ts'
import { createSendWebhook } from './notify/webhook.ts'
import { defaultBounds, type Parts } from './parts.ts'
import { createPolicy } from './policy.ts'
import { openAlerts } from './registry/alerts.ts'
import { openRegistry, type Registry } from './registry/registry.ts'
import { createReader } from './reporting/reader.ts'
import { createRerating } from './reporting/rerate-route.ts'
import { createRouter } from './route.ts'
import { startScheduler } from './scheduler.ts'
import { createSealedDays } from './sealed-days.ts'
import { openSpool } from './spool/spool.ts'
import { openSpoolFile, spoolPath } from './spool/spool-file.ts'
import { createStreamLimits } from './stream-limit.ts'
import { createTill } from './till.ts'
import { createVectorStorage } from './vector-storage.ts'
import { createVendorPools } from './vendor-limits/vendor-pools.ts'
import { createWaiting } from './waiting.ts'
import { createWatches, defaultRhythms } from './watches.ts'
import { createKeeper, type Keeper } from './workers/keeper.ts'

export type { GatewayOptions } from './gateway-options.ts'

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
  /** What worker processes are served by. */
  readonly keeper: Keeper
  /** Puts another configuration and other prices in the place of those it has, for calls that come from now on. When
   * reservations are written, the alerts and the addresses stay as they are. Throws `bad_input`; then all stays. */
  readonly reload: (next: Configured) => Promise<void>
  /** Takes no more calls, waits for those in flight up to `waitMs`, breaks off what is still open and settles it, then
   * closes the ledger. `workers` ends those there are, before anything that they need. */
  readonly close: (waitMs?: number, workers?: () => Promise<void>) => Promise<void>
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
  const keeper = createKeeper(createLender(config.limits, await ledger.balances()), clock, report)
  const registry = tellingKeys(await openRegistry(database, options.pepper), keeper)
  const credentials = tellingProviderKeys(await openCredentials(database, options.masterKey ?? null), keeper)
  const bounds = { ...defaultBounds, ...options.bounds }
  const waiting = createWaiting(keeper.lender.admission, clock, bounds, (crossing) => {
    options.onCrossing?.(crossing)
    notify.crossed(crossing)
  })
  const { admission } = waiting
  const vendorLimits = options.vendorLimits ?? openVendorLimits([])
  const leases = createLeases({
    ...{ ledger, admission, clock },
    left: (id) => configured.vendorPools.ended(id, null),
  })
  const till = createTill((line) => {
    metrics.called(line)
    options.onTill?.(line)
  })

  /** What the configuration and the prices make. */
  const configure = ({ config, book }: Configured) => {
    const { upstreams: named, anonymous, allocation, sealing } = config
    const upstreams = withStored(named, credentials)
    const accruals = createAccruals({ ledger, book, admission, clock })
    return {
      ...{ upstreams, anonymous, allocation, sealing, book, accruals },
      router: createRouter(upstreams),
      vectorStorage: createVectorStorage({ book, accruals, registry }),
      streamLimits: createStreamLimits({ admission, book }),
      vendorPools: createVendorPools(upstreams, vendorLimits, clock, bounds),
    }
  }
  let configured = configure(options)

  const parts: Parts = {
    clock,
    get book() {
      return configured.book
    },
    models: options.models,
    admission,
    waiting,
    admitCall: createAdmitCall({ admission, waiting, clock }, keeper.fetch),
    get booking() {
      return booking
    },
    get streamLimits() {
      return configured.streamLimits
    },
    ledger,
    spool,
    registry,
    leases,
    get accruals() {
      return configured.accruals
    },
    get vectorStorage() {
      return configured.vectorStorage
    },
    forward: metrics.timeForward(createForward({ ...defaultTimeouts, ...options.timeouts })),
    counting: createCounting(options.counting),
    till,
    bounds,
    get vendorPools() {
      return configured.vendorPools
    },
    policy: createPolicy(config, {
      ...{ admission, ledger },
      changed: ({ written }) => keeper.tell('rules', { written, epoch: keeper.lender.epoch() }),
    }),
  }
  const booking = createBooking(parts)
  keeper.serve({
    ...{ parts, database, pepper: options.pepper },
    timed: metrics.timed,
    refused: (request) => {
      metrics.refused(request)
      options.onRefused?.(request)
    },
  })
  const alerts = openAlerts(database)
  const notify = createNotify({
    store: alerts,
    webhooks: config.alerts.webhooks,
    transport: createSendWebhook(),
    limits: () => parts.policy.rules().limits,
    state: admission.state,
    burn: createBurnWatch(),
    clock,
    random: Math.random,
    told: options.onAlert ?? (() => {}),
    report,
  })
  const watches = createWatches(parts, { ...defaultRhythms, ...options.rhythms }, report)
  let [isReady, taking] = [true, true]
  let beside = createBeside(parts, configured.upstreams)
  const handler = createHandler({
    parts,
    isTaking: () => taking,
    watches,
    router: {
      find: (...asked) => configured.router.find(...asked),
      unmetered: (...asked) => configured.router.unmetered(...asked),
      nearest: (...asked) => configured.router.nearest(...asked),
    },
    beside: (...asked) => beside(...asked),
    get anonymous() {
      return configured.anonymous
    },
    report,
    refused: (request) => {
      metrics.refused(request)
      options.onRefused?.(request)
    },
  })
  const place =
    options.workersPath === undefined ? { host, port: options.port } : { path: options.workersPath }
  const data = await listen(handler.answer, place)
  const reader = createReader(options.openReader ?? (async () => ({ ...database, close: async () => {} })))
  const sealedDays = createSealedDays({
    ...{ database, folder: options.sealedFolder ?? null, clock, report },
    told: options.onSealing ?? (() => {}),
  })
  const rerating = createRerating({
    ...{ parts, database, sealedDays, report },
    sealed: options.sealedFolder ?? null,
    prices: options.priceFiles ?? null,
  })
  const controlToken = adminToken === null ? null : randomBytes(32).toString('base64url')
  const tokens = [adminToken, controlToken].filter((token) => token !== null)
  const control =
    options.controlPort === null
      ? null
      : await createControl({
          parts,
          port: options.controlPort,
          admin: { host: controlHost, tokens },
          isReady: () => isReady,
          journal: config.journal,
          alerts: { store: alerts, test: notify.test },
          credentials,
          sealedDays,
          rerating,
          reporting: {
            ...{ reader, sealed: options.sealedFolder ?? null },
            settings: () => ({ ...configured, promises: options.promises ?? [] }),
          },
          metrics: () =>
            metrics.text({
              requestsInFlight: handler.inFlight() + keeper.standing().requestsInFlight,
              workersBytes: keeper.standing().residentBytes,
              callsOpen: leases.count(),
              limits: admission.state(clock.now()),
              alerts: notify.counts(),
              spool: spool.standing(),
              vendors: {
                limits: configured.vendorPools.state(),
                waiting: configured.vendorPools.waiting(),
              },
              ready: isReady,
            }),
        })
  const sweep = async (): Promise<void> => {
    await leases.sweep()
    const now = clock.now()
    await configured.vectorStorage.expire(now)
    await configured.accruals.close(now)
    await notify.look()
    // What a receiver takes long to answer keeps nothing here waiting.
    notify.send().catch(report)
    sealedDays.look(configured.sealing)
  }
  // What goes on at vendors is held again before anything expires.
  await watches.resume(configured.upstreams)
  // Before the scheduler begins: of two sweeps at once, one could end while the other has not yet counted its part.
  await leases.sweep()
  const scheduler = startScheduler(sweep, report)

  return {
    url:
      options.workersPath ??
      `http://${host.includes(':') ? `[${host}]` : host}:${(data.address() as AddressInfo).port}`,
    controlUrl: control?.url ?? null,
    controlToken,
    registry,
    limits: () => admission.state(clock.now()),
    sweep,
    accruals: {
      open: (at) => configured.accruals.open(at),
      close: (...asked) => configured.accruals.close(...asked),
    },
    keeper,
    reload: async (next) => {
      refuseOpenDoor(next.config, host)
      const made = configure(next)
      await parts.policy.replace(next.config.written, null)
      await configured.accruals.stop()
      configured = made
      beside = createBeside(parts, made.upstreams)
    },
    close: async (waitMs = 10_000, workers) => {
      isReady = false
      waiting.close()
      await workers?.()
      taking = false
      configured.vendorPools.close()
      await Promise.all([stop(data, waitMs), handler.idle(waitMs)])
      watches.close()
      await configured.accruals.stop()
      await scheduler.stop()
      await rerating.close()
      await sealedDays.close()
      await notify.stop()
      await parts.forward.close()
      await handler.idle(settleMsMax)
      await parts.counting.close()
      await control?.close()
      await reader.close()
      metrics.close()
      await ledger.close()
    },
  }
}

/** How large the spool's file may get. */
const spoolBytesMax = 64_000_000

/** How long what was broken off may take to be settled. */
const settleMsMax = 5_000

/** Throws `bad_input` where calls without a key could come from other machines. */
export const refuseOpenDoor = (config: GatewayConfig, host: string): void => {
  if (config.anonymous && !isLoopback(host)) {
    throw new OctroiError(
      'bad_input',
      `Calls without a key are taken on loopback only, not on ${host}. Set "anonymous" to false and create keys.`,
    )
  }
}

/** What of the options a reload replaces. */
type Configured = Pick<GatewayOptions, 'config' | 'book'>

/** The same keys; a change resolves when workers know it too. */
const tellingKeys = (registry: Registry, { tell }: Keeper): Registry => {
  const told = async <Result>(change: Promise<Result>, idOf: (result: Result) => string): Promise<Result> => {
    const result = await change
    await tell('keyChanged', idOf(result))
    return result
  }
  return {
    ...registry,
    createKey: (...asked) => told(registry.createKey(...asked), ({ key }) => key.id),
    rotateKey: (...asked) => told(registry.rotateKey(...asked), ({ key }) => key.id),
    updateKey: (...asked) => told(registry.updateKey(...asked), ({ id }) => id),
    revokeKey: (...asked) => told(registry.revokeKey(...asked), ({ id }) => id),
  }
}

/** The same vendors' keys; a change resolves when workers know it too. */
const tellingProviderKeys = (credentials: Credentials, { tell }: Keeper): Credentials => ({
  ...credentials,
  set: async (...asked) => {
    await credentials.set(...asked)
    await tell('providerKeysChanged', null)
  },
  remove: async (...asked) => {
    await credentials.remove(...asked)
    await tell('providerKeysChanged', null)
  },
})
