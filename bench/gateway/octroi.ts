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
 * for each call, metered and settled before its last byte. `octroi.ts URL JOURNAL [LIMITS]`: the budget alone, or with
 * more limits of every kind beside it. */
const month = { calendar: 'month' }
const limits = [
  { name: 'bench', match: { team: 'bench' }, measure: 'cost', cap: '1000000', window: month },
  { name: 'a day', measure: 'cost', cap: '1000000', window: { calendar: 'day', timeZone: 'Europe/Paris' } },
  { name: 'a key', each: ['key'], measure: 'cost', cap: '1000000', window: { rolling: '24h' } },
  { name: 'requests', each: ['model'], measure: 'requests', cap: '10000000', window: { bucket: '1m' } },
  { name: 'tokens', each: ['model'], measure: 'tokens', cap: '100000000000', window: { bucket: '1m' } },
  {
    name: 'tokens out',
    match: { model: 'gpt-*' },
    measure: 'output_tokens',
    cap: '100000000000',
    window: month,
  },
  {
    name: 'an end user',
    each: ['endUser'],
    measure: 'requests',
    cap: '100000000',
    window: { rolling: '1h' },
  },
  { name: 'at once', each: ['key'], measure: 'concurrent', cap: '10000' },
]
const folder = await mkdtemp(join(tmpdir(), 'octroi-bench-'))
const data = await openDataFolder(folder)
const clock = manualClock(parseInstant('2025-06-01T12:00:00Z'))
let settled = 0
const gateway = await startGateway({
  config: readConfig(
    {
      journal: process.argv[3] ?? 'before-send',
      providers: { openai: { baseUrl: `${process.argv[2]}/v1`, keyVariable: 'VENDOR_KEY' } },
      limits: limits.slice(0, Number(process.argv[4] ?? 1)),
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
  const held = gateway.limits().reduce((sum, limit) => sum + limit.held, 0n)
  await gateway.close()
  await rm(folder, { recursive: true, force: true })
  const sound = agrees && calls === settled && entries === 2 * calls && held === 0n
  return `${process.argv[3] ?? 'before-send'}: ${calls} calls reserved, ${settled} settled at their measured price; the ledger ${sound ? 'agrees' : 'DIFFERS'}`
})
