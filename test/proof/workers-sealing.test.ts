import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { readSpend } from '../../src/ledger/reading.ts'
import { sealedFolderOf } from '../../src/ledger/sealed/sealing.ts'
import { verifyDays } from '../../src/ledger/sealed/verify-days.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { foldByMeter } from './folds.ts'
import { doAll } from './work.ts'
import { type ServedByWorkers, serveByWorkers } from './workers-process.ts'

/** A keeper seals and prunes days while its workers serve: nobody waits for it, nothing is lost, and a report by what
 * only the files of the days have left says what it said before. */

const ask = async ({ url }: ServedByWorkers, secret: string, content: string): Promise<void> => {
  const client = new OpenAI({ apiKey: secret, baseURL: `${url}/v1`, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content }]
  await client.chat.completions.create({ model: 'gpt-3.5-turbo-1106', max_tokens: 20, messages })
}

type Report = { readonly groups: readonly Readonly<Record<string, unknown>>[] }
const byFeature = async (served: ServedByWorkers): Promise<Report['groups']> => {
  const day = 'from=2023-11-15&to=2023-11-16'
  return (await served.control<Report>(`/octroi/v1/reports/spend?by=tag:feature&${day}`)).groups
}

it('seals and prunes beside two workers that serve', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-workers-'))
  const clock = manualClock(parseInstant('2023-11-15T12:00:00Z'))
  const sandbox = await createSandbox({ profile: '2023-11', clock, prices: await bundledPrices(), seed: 7 })
  const config = { providers: { openai: { baseUrl: sandbox.baseUrl, keyVariable: 'VENDOR_KEY' } } }
  let served = await serveByWorkers(folder, 2, config)
  try {
    const keys = await Promise.all(
      ['search', 'mail'].map((feature) => served.createKey({ team: 'web', tags: { feature } })),
    )
    const load = (count: number) =>
      Array.from({ length: count }, (_, index) => () => {
        const { secret = '' } = keys[index % 3 === 0 ? 1 : 0] ?? {}
        return ask(served, secret, `What is ${index} and ${index}?`)
      })
    await doAll(load(120), 16)
    const before = await byFeature(served)
    expect(before.map((group) => [group['tag:feature'], group['calls']])).toEqual([
      ['search', 80],
      ['mail', 40],
    ])
    expect(await served.stop()).toBe(0)

    clock.advance(5 * 86_400_000)
    served = await serveByWorkers(folder, 2, config, { at: '2023-11-20T12:00:00Z' })
    const days = async (verb: string, asked: object) =>
      served.control<Readonly<Record<string, unknown>>>(`/octroi/v1/sealed-days/${verb}`, asked)
    const sealing = days('seal', {}).then((sealed) =>
      days('prune', { keepDays: 2 }).then((pruned) => [sealed, pruned]),
    )
    await doAll(load(120), 16)
    expect(await sealing).toMatchObject([
      { sealed: [{ day: '2023-11-15', calls: 120 }] },
      { pruned: [{ day: '2023-11-15', calls: 120 }] },
    ])
    expect(await byFeature(served)).toEqual(before)
    expect(served.log.filter(({ event }) => event === 'fault')).toEqual([])
    expect(await served.stop()).toBe(0)

    const file = ledgerFile(join(folder, 'data'))
    const ledger = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
    expect(await verify(ledger)).toMatchObject({ agrees: true, calls: 240 })
    expect((await verifyDays(ledger, sealedFolderOf(file))).differences).toEqual([])
    const rows = await readSpend(ledger, { from: 0, to: Number.MAX_SAFE_INTEGER })
    await ledger.close()
    expect(foldByMeter(rows)).toEqual(
      sandbox.books().map(({ model, meter, quantity, amount, currency }) => ({
        ...{ model, meter, amount, currency },
        quantity: `${quantity}`,
      })),
    )
  } finally {
    await served.stop()
    await sandbox.close()
    await rm(folder, { recursive: true })
  }
}, 120_000)
