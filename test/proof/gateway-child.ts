import { bundledBook, bundledModels } from '../../src/cli/bundled.ts'
import { startGateway } from '../../src/gateway/app.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { openDataFolder } from '../../src/gateway/data-folder.ts'
import { verify } from '../../src/ledger/ledger.ts'
import { openModelFacts } from '../../src/pricing/model-facts.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import type { FromChild, ToChild } from './gateway-process.ts'

/** A gateway in a process of its own, to be killed: `gateway-child.ts FOLDER BASE_URL INSTANT`. Its clock
 * stands at the instant. It tells its parent when it is up, and dies with it. */
const [folder = '', baseUrl = '', at = ''] = process.argv.slice(2)
const tell = (message: FromChild): void => {
  process.send?.(message)
}

const data = await openDataFolder(folder)
const verification = await verify(data.database)
const clock = manualClock(parseInstant(at))
const gateway = await startGateway({
  config: readConfig(
    {
      providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } },
      limits: [
        {
          name: 'all',
          measure: 'cost',
          cap: '1000',
          window: { calendar: 'month' },
          unpriced: { ceiling: { perCall: '1' } },
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
  onFault: (error) => tell({ fault: String(error) }),
})
const owner = { name: null, organization: null, team: 'search', project: null, environment: null }
const isNew = gateway.registry.listKeys().length === 0
const secret = isNew ? (await gateway.registry.createKey(owner, clock.now())).secret : null
tell({ up: { url: gateway.url, secret, verification, limits: gateway.limits() } })

process.on('message', (message: ToChild) => {
  if (message === 'limits') tell({ limits: gateway.limits() })
  else void gateway.close().then(() => process.disconnect())
})
process.on('disconnect', () => process.exit())
