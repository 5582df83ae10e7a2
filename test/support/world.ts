import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { bundledBook, bundledModels, bundledPrices } from '../../src/cli/bundled.ts'
import { priceFilePaths } from '../../src/cli/overlays.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/gateway/app.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { openDataFolder } from '../../src/gateway/data-folder.ts'
import type { TillLine } from '../../src/gateway/till.ts'
import type { Database } from '../../src/ledger/database.ts'
import { openModelFacts } from '../../src/pricing/model-facts.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'

/** A sandbox and a gateway before it, on a clock that stands in November 2023 until it is moved. */
export type TestWorld = {
  readonly sandbox: Sandbox
  readonly gateway: Gateway
  readonly folder: string
  readonly clock: ReturnType<typeof manualClock>
  readonly till: TillLine[]
  readonly faults: unknown[]
  /** The official SDK with a new key of a team, or without an Octroi key. */
  readonly client: (team: string | null, options?: { maxRetries?: number }) => Promise<OpenAI>
  readonly close: () => Promise<void>
}

export const startWorld = async (
  options: {
    /** What is configured, or what is when the sandbox is there. */
    readonly config?: Record<string, unknown> | ((sandbox: Sandbox) => Record<string, unknown>)
    readonly sandbox?: Partial<SandboxOptions>
    readonly gateway?: Partial<GatewayOptions>
    readonly folder?: string
    /** Stands between the gateway and its database. */
    readonly database?: (opened: Database) => Database
    readonly at?: string
    /** Beside the vendor's key. */
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<TestWorld> => {
  const clock = manualClock(parseInstant(options.at ?? '2023-11-15T12:00:00Z'))
  const sandbox = await createSandbox({
    profile: '2023-11',
    clock,
    prices: await bundledPrices(),
    seed: 7,
    runMs: 5,
    ...options.sandbox,
  })
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'octroi-test-')))
  const data = await openDataFolder(folder)
  const till: TillLine[] = []
  const faults: unknown[] = []
  const providers = { openai: { baseUrl: sandbox.baseUrl, keyVariable: 'VENDOR_KEY' } }
  const config = typeof options.config === 'function' ? options.config(sandbox) : options.config
  const gateway = await startGateway({
    config: readConfig(
      { anonymous: true, providers, ...config },
      {
        VENDOR_KEY: 'sk-vendor',
        ...options.environment,
      },
    ),
    clock,
    book: await bundledBook(),
    priceFiles: () => priceFilePaths(undefined, folder),
    models: openModelFacts(await bundledModels()),
    database: options.database?.(data.database) ?? data.database,
    openReader: data.openReader,
    sealedFolder: data.sealedFolder,
    pepper: data.pepper,
    port: 0,
    controlPort: null,
    // A busy machine changes nothing of what calls come to.
    counting: { waitMsMax: 30_000, workMsMax: 30_000 },
    onTill: (line) => till.push(line),
    onFault: (error) => faults.push(error),
    ...options.gateway,
  })
  return {
    sandbox,
    gateway,
    folder,
    clock,
    till,
    faults,
    client: async (team, { maxRetries = 0 } = {}) => {
      const none = { name: null, organization: null, project: null, environment: null }
      const created = team === null ? null : await gateway.registry.createKey({ ...none, team }, clock.now())
      return new OpenAI({ apiKey: created?.secret ?? 'sk-own', baseURL: `${gateway.url}/v1`, maxRetries })
    },
    close: async () => {
      await gateway.close()
      await sandbox.close()
      if (options.folder === undefined) await rm(folder, { recursive: true })
    },
  }
}
