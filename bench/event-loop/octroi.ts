import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundledBook, bundledModels } from '../../src/cli/bundled.ts'
import { startGateway } from '../../src/gateway/app.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { openDataFolder } from '../../src/gateway/data-folder.ts'
import { openModelFacts } from '../../src/pricing/model-facts.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { answerParent } from '../gateway/child.ts'

/** The gateway with a budget for each team, and a key of each: `octroi.ts URL '{"TEAM":"CAP"}' [INSTANT]`. The
 * keys come as JSON, by team. */
const caps = JSON.parse(process.argv[3] ?? '{}') as Readonly<Record<string, string>>
const folder = await mkdtemp(join(tmpdir(), 'octroi-bench-'))
const data = await openDataFolder(folder)
const clock = manualClock(parseInstant(process.argv[4] ?? '2025-06-01T12:00:00Z'))
const gateway = await startGateway({
  config: readConfig(
    {
      providers: { openai: { baseUrl: `${process.argv[2]}/v1`, keyVariable: 'VENDOR_KEY' } },
      limits: Object.entries(caps).map(([team, cap]) => ({
        name: team,
        match: { team },
        measure: 'cost',
        cap,
        window: { calendar: 'month' },
      })),
    },
    { VENDOR_KEY: 'sk-vendor' },
  ),
  clock,
  book: await bundledBook(),
  models: openModelFacts(await bundledModels()),
  database: data.database,
  pepper: data.pepper,
  port: 0,
  controlPort: null,
})
const keys: Record<string, string> = {}
for (const team of Object.keys(caps)) {
  const owner = { name: team, organization: null, team, project: null, environment: null }
  keys[team] = (await gateway.registry.createKey(owner, clock.now())).secret
}

answerParent({ url: gateway.url, key: JSON.stringify(keys) }, async () => {
  await gateway.close()
  await rm(folder, { recursive: true, force: true })
  return null
})
