import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundledBook, bundledModels } from '../../src/cli/bundled.ts'
import { type Gateway, startGateway } from '../../src/gateway/app.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { openDataFolder } from '../../src/gateway/data-folder.ts'
import type { TillLine } from '../../src/gateway/till.ts'
import { openModelFacts } from '../../src/pricing/model-facts.ts'
import type { TestWorld } from './world.ts'

/** What a crash leaves: the files as they are now, and a gateway that starts over them, before the same vendor. */
export const startAfterCrash = async (
  world: TestWorld,
): Promise<{ gateway: Gateway; till: readonly TillLine[]; close: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-crash-'))
  await cp(world.folder, folder, { recursive: true })
  const data = await openDataFolder(folder)
  const till: TillLine[] = []
  const providers = { openai: { baseUrl: world.sandbox.baseUrl, keyVariable: 'VENDOR_KEY' } }
  const gateway = await startGateway({
    config: readConfig({ anonymous: true, providers }, { VENDOR_KEY: 'sk-vendor' }),
    clock: world.clock,
    book: await bundledBook(),
    models: openModelFacts(await bundledModels()),
    database: data.database,
    pepper: data.pepper,
    port: 0,
    controlPort: null,
    onTill: (line) => till.push(line),
  })
  return {
    gateway,
    till,
    close: async () => {
      await gateway.close()
      await rm(folder, { recursive: true })
    },
  }
}
