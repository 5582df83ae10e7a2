import { readFile } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { defaultConfig, type GatewayConfig, readConfig } from '../gateway/config.ts'
import { openPriceBook, type PriceBook, type PriceFile } from '../pricing/price-book.ts'
import type { Io } from './command.ts'
import { readBookFiles } from './overlays.ts'

type Options = Readonly<Record<string, unknown>>

/** What `octroi serve` runs by, as it is written and as it is read. */
export type Settings = {
  /** Null where no file is named. */
  readonly json: unknown
  readonly config: GatewayConfig
  readonly prices: readonly PriceFile[]
  readonly book: PriceBook
}

/** Reads the configuration that `--config` names; without it the one for a single person. Throws `bad_input` and
 * `bad_json`. */
export const configOf = async (options: Options, io: Io): Promise<GatewayConfig> =>
  configFrom(await configJson(options), options, io)

/** The configuration as it was written, read; null is the one for a single person. Throws `bad_input`. */
export const configFrom = (json: unknown, { upstream }: Options, io: Io): GatewayConfig =>
  json === null
    ? defaultConfig(io.environment, upstream === undefined ? undefined : String(upstream))
    : readConfig(json, io.environment)

/** Null where no file is named. */
const configJson = async ({ config }: Options): Promise<unknown> => {
  if (config === undefined) return null
  const text = await readFile(String(config), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OctroiError('bad_input', `The configuration ${String(config)} cannot be read (${error.code}).`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new OctroiError(
      'bad_json',
      `The configuration ${String(config)} is not JSON: ${(error as Error).message}.`,
    )
  }
}

/** Reads what a gateway runs by, and checks it. */
export const readSettings = async (options: Options, io: Io): Promise<Settings> => {
  const json = await configJson(options)
  const config = configFrom(json, options, io)
  const named = options.prices === undefined ? undefined : String(options.prices)
  const prices = await readBookFiles(named, String(options.data))
  return { json, config, prices, book: openPriceBook(prices) }
}
