import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OctroiError } from '../errors.ts'
import type { Database } from '../ledger/database.ts'
import { openLedger } from '../ledger/ledger.ts'
import { createAdmission } from '../limits/admit.ts'
import type { ModelFacts } from '../pricing/model-facts.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Clock } from '../time.ts'
import type { GatewayConfig } from './config.ts'
import { createControl } from './control.ts'
import { createCounting } from './counting.ts'
import { createForward, defaultTimeouts, type ForwardTimeouts } from './forward.ts'
import { createHandler } from './handle.ts'
import { createLeases } from './leases.ts'
import { loadCounters } from './meter.ts'
import { defaultBounds, type GatewayBounds, type Parts } from './parts.ts'
import { openRegistry, type Registry } from './registry/registry.ts'
import { createRouter } from './route.ts'
import { createRuns } from './runs.ts'
import { startScheduler } from './scheduler.ts'
import { createTill, type TillLine } from './till.ts'

export type GatewayOptions = {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly book: PriceBook
  readonly models: ModelFacts
  /** Opened with `ledgerStore` and `registryStore`. The gateway closes it. */
  readonly database: Database
  /** Keys the hashes of keys and end users. */
  readonly pepper: Uint8Array
  /** Default 127.0.0.1. Calls without a key need loopback. */
  readonly host?: string
  /** 0 is any free port. */
  readonly port: number
  /** The control plane's port on loopback; 0 is any free one, null is none. */
  readonly controlPort: number | null
  readonly onTill?: (line: TillLine) => void
  /** Told of every fault, without content. */
  readonly onFault?: (error: unknown) => void
  readonly bounds?: Partial<GatewayBounds>
  readonly timeouts?: Partial<ForwardTimeouts>
}

export type Gateway = {
  /** Where clients point their SDK, without `/v1`. */
  readonly url: string
  readonly controlUrl: string | null
  readonly registry: Registry
  /** Limits as they stand now. */
  readonly limits: () => ReturnType<Parts['admission']['state']>
  /** Expires what no longer lives, now; the scheduler does so by itself. */
  readonly sweep: () => Promise<void>
  /** Takes no more calls, waits for those in flight up to `waitMs`, then closes the ledger. */
  readonly close: (waitMs?: number) => Promise<void>
}

/** Starts a gateway: the data plane, its control plane, and what runs beside them. */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { config, clock, database } = options
  const host = options.host ?? '127.0.0.1'
  const report = options.onFault ?? (() => {})
  refuseOpenDoor(config, host)
  const ledger = openLedger(database)
  await loadCounters()
  const registry = await openRegistry(database, options.pepper)
  const admission = createAdmission(config.limits, await ledger.balances())
  const leases = createLeases({ ledger, admission, clock })
  const parts: Parts = {
    clock,
    book: options.book,
    models: options.models,
    admission,
    ledger,
    registry,
    leases,
    forward: createForward({ ...defaultTimeouts, ...options.timeouts }),
    counting: createCounting(),
    till: createTill(options.onTill ?? (() => {})),
    bounds: { ...defaultBounds, ...options.bounds },
  }
  const runs = createRuns(parts, report)
  const handler = createHandler({
    parts,
    runs,
    router: createRouter(config.upstreams),
    anonymous: config.anonymous,
    report,
  })
  const data = await listen(createServer(serverOptions, handler), options.port, host)
  const control =
    options.controlPort === null ? null : await createControl({ parts, port: options.controlPort })
  const scheduler = startScheduler(leases, report)
  await leases.sweep()

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(data.address() as AddressInfo).port}`,
    controlUrl: control?.url ?? null,
    registry,
    limits: () => admission.state(clock.now()),
    sweep: async () => {
      await leases.sweep()
    },
    close: async (waitMs = 10_000) => {
      await control?.close()
      await stop(data, waitMs)
      runs.close()
      await scheduler.stop()
      await parts.forward.close()
      await parts.counting.close()
      await ledger.close()
    },
  }
}

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

const refuseOpenDoor = (config: GatewayConfig, host: string): void => {
  const loopback = host === '127.0.0.1' || host === '::1' || host === 'localhost'
  if (config.anonymous && !loopback) {
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
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
