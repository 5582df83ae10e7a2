import { OctroiError } from '../errors.ts'
import { startGateway } from '../gateway/app.ts'
import type { GatewayConfig } from '../gateway/config.ts'
import { masterKeyVariable, readMasterKey } from '../gateway/credentials/sealed-key.ts'
import { openDataFolder } from '../gateway/data-folder.ts'
import { unmatchedLines, unmatchedOf } from '../gateway/unmatched.ts'
import { openVendorLimits } from '../limits/vendor-limits.ts'
import { openModelFacts } from '../pricing/model-facts.ts'
import { readPromises } from '../reports/service-promise.ts'
import { bundledLimits, bundledModels, bundledPromises } from './bundled.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { crossingLine } from './crossing-line.ts'
import { secondsOf } from './key-options.ts'
import { priceFilePaths } from './overlays.ts'
import { openServeLog } from './serve-log.ts'
import { readSettings } from './serve-settings.ts'
import { isWorker, keeperPathIn, startWorkers, workersOf } from './serve-workers.ts'
import { spoolFacts, spoolLine } from './spool-line.ts'
import { tillLine } from './till-line.ts'

type Options = Readonly<Record<string, unknown>>

/** Runs the gateway until the process is told to end, printing one line a call. */
export const serve = async (options: Options, io: Io): Promise<number> => {
  const size = workersOf(options)
  if (size !== null && isWorker()) {
    const { serveWorker } = await import('./serve-worker.ts')
    return serveWorker(options, io)
  }
  const settings = await readSettings(options, io)
  const { config, book } = settings
  const folder = String(options.data)
  const clock = clockFrom(options.clock === undefined ? undefined : String(options.clock))
  const form = { form: String(options.log), level: String(options.logLevel) }
  const log = openServeLog(form, { clock, write: io.err })
  const drainMs = secondsOf(String(options.drain)) * 1_000
  const data = await openDataFolder(folder)
  const place = { host: String(options.host), port: portOf(options.port, '--port') }
  const keeperPath = size === null ? null : await keeperPathIn(folder)
  const gateway = await startGateway({
    config,
    clock,
    book,
    priceFiles: () =>
      priceFilePaths(options.prices === undefined ? undefined : String(options.prices), folder),
    models: openModelFacts(await bundledModels()),
    database: data.database,
    openReader: data.openReader,
    sealedFolder: data.sealedFolder,
    pepper: data.pepper,
    vendorLimits: openVendorLimits(await bundledLimits()),
    promises: readPromises(await bundledPromises()),
    masterKey: readMasterKey(io.environment[masterKeyVariable]),
    ...place,
    ...(keeperPath !== null && { workersPath: keeperPath }),
    controlHost: String(options.controlHost),
    controlPort: portOf(options.controlPort, '--control-port'),
    ...adminTokenOf(io),
    spoolFolder: options.spool === undefined ? folder : String(options.spool),
    onSpool: (event) => log.said(spoolLine(event), 'spool', spoolFacts(event)),
    onFault: log.fault,
    onCrossing: (crossing) => {
      const { id, limit, share } = crossing
      log.said(crossingLine(crossing), 'crossing', { id, limit, share })
    },
    onAlert: (event) => {
      const { id, type } = event.alert
      if (event.kind === 'given up') log.said(givenUpLine(event), 'alert', { id, type, said: event.said })
      else log.said(`octroi: alert ${id} (${type})`, 'alert', { id, type })
    },
    onSealing: ({ kind, day, calls }) =>
      log.said(`octroi: ${kind} ${day} (${calls} calls)`, 'sealing', { kind, day, calls }),
    onRefused: log.refused,
    onTill: (line) => {
      log.called(line)
      if (options.quiet !== true) io.out(`${tillLine(line)}\n`)
    },
  }).catch(async (error: unknown) => {
    await data.database.close()
    throw error
  })
  const workers =
    size === null || keeperPath === null
      ? null
      : await startWorkers(
          {
            ...{ gateway, size, settings, keeperPath, place, clock, drainMs, log },
            read: () => readSettings(options, io),
            clockText: options.clock === undefined ? undefined : String(options.clock),
          },
          io,
        ).catch(async (error: unknown) => {
          await gateway.close(0)
          throw error
        })
  if (gateway.controlUrl !== null) {
    await data.announceControl({ url: gateway.controlUrl, token: gateway.controlToken })
  }
  const { controlUrl } = gateway
  const url = workers?.url ?? gateway.url
  log.said(greeting(url, config, folder), 'listening', { url, controlUrl, ledger: folder })
  const keys = gateway.registry.listKeys()
  for (const line of unmatchedLines(unmatchedOf(config, { ...config, keys, book }))) {
    log.said(`octroi: ${line}`, 'unmatched', { said: line })
  }
  await aborted(io.signal)
  log.said('octroi: no new calls; waiting for those in flight', 'stopping')
  await gateway.close(drainMs, workers?.stop)
  await data.forgetControl()
  log.said('octroi: stopped', 'stopped')
  return 0
}

const givenUpLine = ({
  alert,
  receiver,
  said,
}: {
  alert: { id: string }
  receiver: string
  said: string
}): string => `octroi: alert ${alert.id} for ${new URL(receiver).host} is given up: ${said}`

/** The operator's token for the control plane, where the environment has one. */
export const adminTokenOf = ({ environment }: Pick<Io, 'environment'>): { adminToken?: string } => {
  const token = environment['OCTROI_ADMIN_TOKEN']
  return token === undefined || token === '' ? {} : { adminToken: token }
}

/** Reads a port from 0 to 65535. Throws `bad_number`. */
export const portOf = (value: unknown, option: string): number => {
  const port = Number(value)
  if (/^\d{1,5}$/.test(String(value)) && port <= 65_535) return port
  throw new OctroiError('bad_number', `${option}: "${String(value)}" is not a port (0 to 65535).`)
}

const greeting = (
  url: string,
  { upstreams, limits, anonymous, journal }: GatewayConfig,
  folder: string,
): string => {
  const lines = [
    `octroi: listening on ${url}, forwarding to ${upstreams.map(({ name, baseUrl }) => `${name} (${baseUrl.origin}${baseUrl.pathname})`).join(', ')}`,
    `octroi: ledger in ${folder}, ${limits.length} limit${limits.length === 1 ? '' : 's'}, ` +
      (anonymous ? "calls without an Octroi key pass with the client's own key" : 'calls need an Octroi key'),
    ...(journal === 'before-reply' ? [inFlightLost] : []),
    'octroi: point an application here:',
    `  export OPENAI_BASE_URL=${url}/v1`,
  ]
  return lines.join('\n')
}

const inFlightLost =
  'octroi: journal before-reply: calls in flight at a crash are lost to the ledger, though the vendor may bill them'

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
