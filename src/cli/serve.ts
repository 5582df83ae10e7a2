import { readFile } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { startGateway } from '../gateway/app.ts'
import { defaultConfig, type GatewayConfig, readConfig } from '../gateway/config.ts'
import { openDataFolder } from '../gateway/data-folder.ts'
import { openModelFacts } from '../pricing/model-facts.ts'
import { bundledModels } from './bundled.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { openBook } from './overlays.ts'
import { tillLine } from './till-line.ts'

type Options = Readonly<Record<string, unknown>>

/** Runs the gateway until the process is told to end, printing one line a call. */
export const serve = async (options: Options, io: Io): Promise<number> => {
  const config = await configOf(options, io)
  const folder = String(options.data)
  const book = await openBook(options.prices === undefined ? undefined : String(options.prices), folder)
  const data = await openDataFolder(folder)
  const gateway = await startGateway({
    config,
    clock: clockFrom(options.clock === undefined ? undefined : String(options.clock)),
    book,
    models: openModelFacts(await bundledModels()),
    database: data.database,
    pepper: data.pepper,
    host: String(options.host),
    port: portOf(options.port, '--port'),
    controlPort: portOf(options.controlPort, '--control-port'),
    onFault: (error) =>
      io.err(`octroi: ${error instanceof Error ? (error.stack ?? error.message) : 'fault'}\n`),
    ...(options.quiet !== true && { onTill: (line) => io.out(`${tillLine(line)}\n`) }),
  })
  if (gateway.controlUrl !== null)
    await data.announceControl({ url: gateway.controlUrl, token: gateway.controlToken })
  io.err(greeting(gateway.url, config, folder))
  await aborted(io.signal)
  io.err('octroi: no new calls; waiting for those in flight\n')
  await gateway.close()
  await data.forgetControl()
  return 0
}

const configOf = async (options: Options, io: Io): Promise<GatewayConfig> => {
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

const greeting = (url: string, { upstreams, limits, anonymous }: GatewayConfig, folder: string): string => {
  const lines = [
    `octroi: listening on ${url}, forwarding to ${upstreams.map(({ name, baseUrl }) => `${name} (${baseUrl.href})`).join(', ')}`,
    `octroi: ledger in ${folder}, ${limits.length} limit${limits.length === 1 ? '' : 's'}, ` +
      (anonymous ? "calls without an Octroi key pass with the client's own key" : 'calls need an Octroi key'),
    'octroi: point an application here:',
    `  export OPENAI_BASE_URL=${url}/v1`,
    '',
  ]
  return lines.join('\n')
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
