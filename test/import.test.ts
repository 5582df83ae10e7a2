import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { command } from '../src/cli/commands/import.ts'
import { withLedger } from '../src/cli/reports.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { ledgerFile } from '../src/gateway/data-folder.ts'
import { verify } from '../src/ledger/ledger.ts'
import { type ImportedRow, readImported, readSpend } from '../src/ledger/reading.ts'
import { formatPicos } from '../src/money/money.ts'
import { startWorld, type TestWorld } from './support/world.ts'

const run = commandRunner(command)
const month = ['--from', '2023-11-01', '--to', '2023-12-01', '--clock', '2023-12-02T08:00:00Z,fixed']

type Imported = Readonly<Record<string, unknown>> & {
  readonly lines: number
  readonly posted: readonly { readonly amount: string }[]
}

let folder = ''
let world: TestWorld
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-import-'))
  world = await startWorld({ folder, gateway: { controlPort: 0 }, sandbox: { adminKeys: ['sk-admin-test'] } })
  const { controlUrl, controlToken } = world.gateway
  await writeFile(join(folder, 'control.json'), JSON.stringify({ url: controlUrl, token: controlToken }))
})
afterEach(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

const importOpenai = async (importer: string, ...more: readonly string[]) => {
  const words = [
    'import',
    importer,
    '--base-url',
    world.sandbox.baseUrl,
    ...month,
    '--data',
    folder,
    '--json',
    ...more,
  ]
  const { exit, out, err } = await run(words, '', { OPENAI_ADMIN_KEY: 'sk-admin-test' })
  return { exit, err, said: JSON.parse(out || '{}') as Imported }
}

/** What a day of an application uses, twice over a midnight. */
const traffic = async (client: OpenAI): Promise<void> => {
  const messages = [{ role: 'user' as const, content: 'How much is the toll at the gate of the city?' }]
  for (const model of ['gpt-4', 'gpt-3.5-turbo', 'gpt-4-1106-preview']) {
    await client.chat.completions.create({ model, messages })
    await client.chat.completions.create({ model, messages: [...messages, ...messages] })
  }
  await client.embeddings.create({ model: 'text-embedding-ada-002', input: 'A gate, and a toll' })
  await client.images.generate({ model: 'dall-e-3', prompt: 'A gate', n: 1, size: '1792x1024' })
  await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'The toll is two deniers.' })
}

const spend = async (): Promise<{ total: string; imported: string; calls: number; agrees: boolean }> =>
  withLedger({ ledger: ledgerFile(folder) }, async (database) => {
    const rows = await readSpend(database, { from: 0, to: Number.MAX_SAFE_INTEGER })
    const sum = (of: typeof rows) =>
      formatPicos(of.reduce((total, row) => total + (row.meter === null ? 0n : row.amount), 0n))
    return {
      total: sum(rows),
      imported: sum(rows.filter(({ basis }) => basis === 'imported')),
      calls: rows.reduce((total, row) => total + (row.meter === null ? row.calls : 0), 0),
      agrees: (await verify(database)).agrees,
    }
  })

describe('a month that is imported from the vendor', () => {
  it('is the bill where nothing passed the gateway, stays the bill where some of it does, and is the same again', async () => {
    const direct = new OpenAI({ apiKey: 'sk-vendor', baseURL: world.sandbox.baseUrl, maxRetries: 0 })
    await traffic(direct)
    world.clock.advance(24 * 3_600_000)
    await traffic(direct)
    const bill = world.sandbox.total().amount
    expect(Number(bill)).toBeGreaterThan(0.1)

    const first = await importOpenai('openai-usage')
    expect(first).toMatchObject({
      exit: 0,
      said: { lines: 12, written: 12, repeated: 0, posted: [{ amount: bill }], unpriced: [] },
    })
    expect(await spend()).toEqual({ total: bill, imported: bill, calls: 18, agrees: true })

    await traffic(await world.client('search'))
    const both = world.sandbox.total().amount
    expect(Number(both)).toBeGreaterThan(Number(bill))
    expect((await spend()).total).toBe(both)

    const second = await importOpenai('openai-usage')
    expect(second).toMatchObject({
      exit: 0,
      said: { lines: 12, written: 0, requests: { reported: 27, passedGateway: 9, posted: 18 } },
    })
    expect(await spend()).toEqual({ total: both, imported: bill, calls: 27, agrees: true })

    const third = await importOpenai('openai-usage')
    expect(third.said).toMatchObject({ written: 0, repeated: 12, replaced: 0, withdrawn: 0 })
    expect((await spend()).total).toBe(both)
  })

  it('is nothing where all of it passed the gateway', async () => {
    await traffic(await world.client('search'))
    const { said } = await importOpenai('openai-usage')
    expect(said).toMatchObject({ posted: [], requests: { reported: 9, passedGateway: 9, posted: 0 } })
    expect(await spend()).toMatchObject({ total: world.sandbox.total().amount, imported: '0', calls: 9 })
  })

  it('says what it would write, and writes nothing', async () => {
    await traffic(new OpenAI({ apiKey: 'sk-vendor', baseURL: world.sandbox.baseUrl, maxRetries: 0 }))
    const dry = await importOpenai('openai-usage', '--dry-run')
    expect(dry.said).toMatchObject({
      dryRun: true,
      written: 6,
      posted: [{ amount: world.sandbox.total().amount }],
    })
    expect((await spend()).total).toBe('0')
  })

  it('has the costs as evidence, digit by digit, and no spend', async () => {
    await traffic(new OpenAI({ apiKey: 'sk-vendor', baseURL: world.sandbox.baseUrl, maxRetries: 0 }))
    const { said } = await importOpenai('openai-costs')
    expect(said).toMatchObject({
      role: 'bill',
      reported: [{ amount: world.sandbox.total().amount }],
      posted: [],
    })
    expect((await spend()).total).toBe('0')
    const lines = await withLedger({ ledger: ledgerFile(folder) }, async (database) => {
      const found: ImportedRow[] = []
      const asked = { from: 0, to: Number.MAX_SAFE_INTEGER, role: 'bill' } as const
      for await (const some of readImported(database, asked)) found.push(...some)
      return found
    })
    expect(lines).toHaveLength(Number(said['written']))
    expect(lines.map(({ reported }) => reported.lineItem)).toContain('gpt-4-0613, input')
  })
})
