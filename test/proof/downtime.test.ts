import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import type { AccruedRow } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import { conversation, post, runOn, say, upload } from '../../src/sandbox/assistants.fixture.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { formatInstant, manualClock, parseInstant } from '../../src/time.ts'
import { costOf, readEntries } from './entries.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts'
import { until } from './work.ts'

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

const hour = 3_600_000
const start = parseInstant('2024-03-15T12:20:00Z')
const tools = [{ type: 'code_interpreter' }, { type: 'retrieval' }] as const

/** Two assistants keep a megabyte each, one of them half as much again; two threads open a session each. */
const work = async ({ url, secret }: GatewayProcess): Promise<void> => {
  const client = new OpenAI({ apiKey: secret ?? '', baseURL: `${url}/v1`, maxRetries: 0 })
  const [large, small] = [
    await upload(client, 'x'.repeat(1_000_003)),
    await upload(client, 'y'.repeat(500_009)),
  ]
  for (const files of [[large], [large, small]]) {
    const at = await conversation(client, { tools, file_ids: files })
    await say(client, at.thread, '[code]')
    expect((await runOn(client, at)).status).toBe('completed')
  }
  await post(client, '/threads')
}

const accrued = (folder: string): readonly AccruedRow[] =>
  readEntries(folder).filter((entry) => entry.kind === 'accrued')

/** What a meter came to in the ledger, and at the vendor. */
const bothSides = (folder: string, sandbox: Sandbox) =>
  ['code_interpreter_session', 'retrieval_gb_day'].map((meter) => {
    const own = accrued(folder).filter(({ charges }) => charges.some((charge) => charge.meter === meter))
    return {
      meter,
      ledger: formatPicos(own.reduce((sum, entry) => sum + costOf(entry), 0n)),
      vendor: sandbox.books().find((row) => row.meter === meter)?.amount,
    }
  })

it.each(['killed', 'closed in good order'] as const)(
  'a gateway that is %s for three hours posts what accrued meanwhile, exactly and once',
  async (how) => {
    const folder = await mkdtemp(join(tmpdir(), 'octroi-downtime-'))
    folders.push(folder)
    const clock = manualClock(start)
    const sandbox = await createSandbox({
      ...{ profile: '2023-11', clock, prices: await bundledPrices(), seed: 'downtime', runMs: 5 },
    })
    const begin = () => startGatewayProcess(folder, sandbox.baseUrl, formatInstant(clock.now()))
    const end = async (gateway: GatewayProcess): Promise<void> => {
      expect(gateway.faults).toEqual([])
      if (how === 'killed') await gateway.kill()
      else await gateway.close()
    }
    const stays = () => accrued(folder).filter(({ object }) => object !== null)

    const first = await begin()
    await work(first)
    expect(accrued(folder).length).toBe(2)
    await end(first)

    clock.advance(3 * hour)
    const second = await begin()
    // Three stays from 12:20 to 13:00, 14:00 and 15:00.
    await until(() => stays().length >= 9)
    await end(second)

    clock.advance(40 * 60_000)
    const third = await begin()
    await until(() => stays().length >= 12)
    await end(third)
    const fourth = await begin()
    await fourth.limitsNow()
    await end(fourth)

    const byStay = Map.groupBy(stays(), ({ accrualId }) => accrualId)
    expect([...byStay.values()].map((entries) => entries.map(({ from }) => (from - start) / 60_000))).toEqual(
      Array.from({ length: 3 }, () => [0, 40, 100, 160]),
    )
    // 2,500,015 bytes for 220 minutes at 0.20 USD a gigabyte and day: 0.0000711..., and 0.03 for each session.
    const [sessions, storage] = bothSides(folder, sandbox)
    expect(sessions).toMatchObject({ ledger: '0.06', vendor: '0.06' })
    expect(storage?.ledger).toBe(storage?.vendor)
    expect(Number(storage?.vendor)).toBeCloseTo((2_500_015 / 2 ** 30) * (220 / 1_440) * 0.2, 11)
    const last = await begin()
    for (const { verification } of [first, second, third, fourth, last]) {
      expect(verification.differences).toEqual([])
    }
    const entries = readEntries(folder)
    const [limit] = await last.limitsNow()
    const sum = entries.reduce((total, entry) => ('charges' in entry ? total + costOf(entry) : total), 0n)
    expect(limit).toMatchObject({ settled: sum, held: 0n, unresolved: 0n })
    await last.close()
    await sandbox.close()
  },
  60_000,
)
