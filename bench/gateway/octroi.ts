import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundledBook, bundledModels } from '../../src/cli/bundled.ts'
import { startGateway } from '../../src/gateway/app.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { openDataFolder } from '../../src/gateway/data-folder.ts'
import { verify } from '../../src/ledger/ledger.ts'
import { openModelFacts } from '../../src/pricing/model-facts.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { answerParent } from './child.ts'

/** The gateway as it is sold: a ledger on the disk, a key, a quote and a reservation against a monthly budget
 * for each call, metered and settled before its last byte. `octroi.ts URL JOURNAL`. */
const folder = await mkdtemp(join(tmpdir(), 'octroi-bench-'))
const data = await openDataFolder(folder)
const clock = manualClock(parseInstant('2025-06-01T12:00:00Z'))
let settled = 0
const gateway = await startGateway({
  config: readConfig(
    {
      journal: process.argv[3] ?? 'before-send',
      providers: { openai: { baseUrl: `${process.argv[2]}/v1`, keyVariable: 'VENDOR_KEY' } },
      limits: [
        {
          name: 'bench',
          match: { team: 'bench' },
          measure: 'cost',
          cap: '1000000',
          window: { calendar: 'month' },
        },
      ],
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
  onTill: ({ settlement }) => {
    if (settlement.basis === 'measured' && settlement.unpriced.length === 0) settled += 1
  },
})
const owner = { name: 'bench', organization: null, team: 'bench', project: null, environment: null }
const { secret } = await gateway.registry.createKey(owner, clock.now())

answerParent({ url: gateway.url, key: secret }, async () => {
  const { agrees, calls, entries } = await verify(data.database)
  const [limit] = gateway.limits()
  await gateway.close()
  await rm(folder, { recursive: true, force: true })
  const sound = agrees && calls === settled && entries === 2 * calls && limit?.held === 0n
  return `${process.argv[3] ?? 'before-send'}: ${calls} calls reserved, ${settled} settled at their measured price; the ledger ${sound ? 'agrees' : 'DIFFERS'}`
})
