import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { type Gateway, startGateway } from '../../gateway/app.ts'
import { readConfig } from '../../gateway/config.ts'
import { ledgerFile, openDataFolder } from '../../gateway/data-folder.ts'
import type { Database } from '../../ledger/database.ts'
import { openModelFacts } from '../../pricing/model-facts.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.ts'
import type { Clock } from '../../time.ts'
import { bundledBook, bundledModels, bundledPrices } from '../bundled.ts'
import { replyTokens, type TeamBudget } from './scenario.ts'

/** A sandbox, a gateway before it and its ledger, all on loopback and in a folder of their own. */
export type DemoWorld = {
  readonly sandbox: Sandbox
  readonly gateway: Gateway
  readonly book: PriceBook
  readonly database: Database
  readonly ledger: string
  /** The official SDK with a new key of a team, pointed at the gateway; and the key. */
  readonly clientOf: (team: string) => Promise<{ client: OpenAI; secret: string }>
  readonly close: () => Promise<void>
}

/** Starts it. `ports`: of the gateway, its control plane and the sandbox; 0 is any free one. */
export const startDemoWorld = async (options: {
  readonly clock: Clock
  readonly budgets: readonly TeamBudget[]
  readonly ports: { readonly gateway: number; readonly sandbox: number }
  /** How the sandbox differs from the usual one of the demo. */
  readonly sandbox?: Partial<SandboxOptions>
  readonly onFault: (error: unknown) => void
}): Promise<DemoWorld> => {
  const { clock, budgets, ports } = options
  const [prices, book, models] = await Promise.all([bundledPrices(), bundledBook(), bundledModels()])
  const sandbox = await createSandbox({
    profile: '2023-11',
    clock,
    prices,
    port: ports.sandbox,
    seed: 2023,
    outputTokens: replyTokens,
    runMs: 10,
    ...options.sandbox,
  })
  const folder = await mkdtemp(join(tmpdir(), 'octroi-demo-'))
  const data = await openDataFolder(folder)
  const gateway = await startGateway({
    config: readConfig(
      {
        providers: { openai: { baseUrl: sandbox.baseUrl, keyVariable: 'SANDBOX_KEY' } },
        limits: budgets.map(({ team, cap }) => ({
          name: `${team}, a month`,
          match: { team },
          measure: 'cost',
          cap,
          window: { calendar: 'month', timeZone: 'UTC' },
        })),
      },
      { SANDBOX_KEY: 'sk-sandbox' },
    ),
    clock,
    book,
    models: openModelFacts(models),
    database: data.database,
    openReader: data.openReader,
    sealedFolder: data.sealedFolder,
    pepper: data.pepper,
    port: ports.gateway,
    controlPort: null,
    onFault: options.onFault,
  })
  return {
    sandbox,
    gateway,
    book,
    database: data.database,
    ledger: ledgerFile(folder),
    clientOf: async (team) => {
      const owner = { name: 'demo', organization: null, team, project: null, environment: null }
      const { secret } = await gateway.registry.createKey(owner, clock.now())
      return { client: new OpenAI({ apiKey: secret, baseURL: `${gateway.url}/v1`, maxRetries: 0 }), secret }
    },
    close: async () => {
      await gateway.close()
      await sandbox.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
