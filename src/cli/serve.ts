import { readFile } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { startGateway } from '../gateway/app.ts'
import { defaultConfig, type GatewayConfig, readConfig } from '../gateway/config.ts'
import { masterKeyVariable, readMasterKey } from '../gateway/credentials/sealed-key.ts'
import { openDataFolder } from '../gateway/data-folder.ts'
import { unmatchedLine, unmatchedOf } from '../gateway/unmatched.ts'
import { openVendorLimits } from '../limits/vendor-limits.ts'
import { openModelFacts } from '../pricing/model-facts.ts'
import { bundledLimits, bundledModels } from './bundled.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { crossingLine } from './crossing-line.ts'
import { secondsOf } from './key-options.ts'
import { openBook } from './overlays.ts'
import { openServeLog } from './serve-log.ts'
import { spoolFacts, spoolLine } from './spool-line.ts'
import { tillLine } from './till-line.ts'

type Options = Readonly<Record<string, unknown>>

/** Runs the gateway until the process is told to end, printing one line a call. */
export const serve = async (options: Options, io: Io): Promise<number> => {
  const config = await configOf(options, io)
  const folder = String(options.data)
  const clock = clockFrom(options.clock === undefined ? undefined : String(options.clock))
  const form = { form: String(options.log), level: String(options.logLevel) }
  const log = openServeLog(form, { clock, write: io.err })
  const drainMs = secondsOf(String(options.drain)) * 1_000
  const book = await openBook(options.prices === undefined ? undefined : String(options.prices), folder)
  const data = await openDataFolder(folder)
  const gateway = await startGateway({
    config,
    clock,
    book,
    models: openModelFacts(await bundledModels()),
    database: data.database,
    pepper: data.pepper,
    vendorLimits: openVendorLimits(await bundledLimits()),
    masterKey: readMasterKey(io.environment[masterKeyVariable]),
    host: String(options.host),
    port: portOf(options.port, '--port'),
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
    onRefused: log.refused,
    onTill: (line) => {
      log.called(line)
      if (options.quiet !== true) io.out(`${tillLine(line)}\n`)
    },
  }).catch(async (error: unknown) => {
    await data.database.close()
    throw error
  })
  if (gateway.controlUrl !== null) {
    await data.announceControl({ url: gateway.controlUrl, token: gateway.controlToken })
  }
  const { url, controlUrl } = gateway
  log.said(greeting(url, config, folder), 'listening', { url, controlUrl, ledger: folder })
  for (const unmatched of unmatchedOf(config.limits, { keys: gateway.registry.listKeys(), config, book })) {
    const { limit, dimension } = unmatched
    log.said(unmatchedLine(unmatched), 'unmatched', { limit, dimension })
  }
  await aborted(io.signal)
  log.said('octroi: no new calls; waiting for those in flight', 'stopping')
  await gateway.close(drainMs)
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
}): string =>
  `octroi: alert ${alert.id} was not taken by ${new URL(receiver).host} for a day, and is given up: ${said}`

/** The operator's token for the control plane, where the environment has one. */
export const adminTokenOf = ({ environment }: Pick<Io, 'environment'>): { adminToken?: string } => {
  const token = environment['OCTROI_ADMIN_TOKEN']
  return token === undefined || token === '' ? {} : { adminToken: token }
}

/** Reads the configuration that `--config` names; without it the one for a single person. Throws `bad_input` and
 * `bad_json`. */
export const configOf = async (options: Options, io: Io): Promise<GatewayConfig> => {
  const { config, upstream } = options
  if (config === undefined)
    return defaultConfig(io.environment, upstream === undefined ? undefined : String(upstream))
  const text = await readFile(String(config), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OctroiError('bad_input', `The configuration ${String(config)} cannot be read (${error.code}).`)
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new OctroiError(
      'bad_json',
      `The configuration ${String(config)} is not JSON: ${(error as Error).message}.`,
    )
  }
  return readConfig(json, io.environment)
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
