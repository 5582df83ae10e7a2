import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bundledModels } from '../src/cli/bundled.ts'
import { command } from '../src/cli/commands/import.ts'
import { withLedger } from '../src/cli/reports.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { ledgerFile } from '../src/gateway/data-folder.ts'
import { verify } from '../src/ledger/ledger.ts'
import { readSpend } from '../src/ledger/reading.ts'
import { formatPicos, parsePicos } from '../src/money/money.ts'
import { startWorld, type TestWorld } from './support/world.ts'

const run = commandRunner(command)
const november = ['--from', '2026-11-01', '--to', '2026-12-01', '--clock', '2026-12-02T08:00:00Z,fixed']

let folder = ''
let world: TestWorld
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-import-'))
  world = await startWorld({
    ...{ folder, at: '2026-11-25T12:00:00Z', gateway: { controlPort: 0 } },
    sandbox: { profile: 'now', models: await bundledModels() },
    config: ({ url, baseUrl }) => ({
      providers: {
        openai: { baseUrl, keyVariable: 'VENDOR_KEY' },
        anthropic: { baseUrl: `${url}/anthropic/v1`, keyVariable: 'VENDOR_KEY' },
      },
    }),
  })
  const { controlUrl, controlToken } = world.gateway
  await writeFile(join(folder, 'control.json'), JSON.stringify({ url: controlUrl, token: controlToken }))
})
afterEach(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

const vendors = ['openai', 'anthropic'] as const

type Said = {
  readonly reported: readonly { readonly amount: string }[]
  readonly posted: readonly { readonly amount: string }[]
}

const importing = async (importer: string) => {
  const { sandbox } = world
  const address = importer.startsWith('openai') ? sandbox.baseUrl : `${sandbox.url}/anthropic/v1`
  const words = ['import', importer, '--base-url', address, ...november, '--data', folder, '--json']
  const { exit, out, err } = await run(words, '', {
    OPENAI_ADMIN_KEY: 'sk-admin-test',
    ANTHROPIC_ADMIN_KEY: 'sk-ant-admin-test',
  })
  return { exit, err, said: JSON.parse(out || '{}') as Said }
}

const billed = (provider: string): string =>
  formatPicos(
    world.sandbox
      .books()
      .filter((row) => row.provider === provider)
      .reduce((sum, { amount }) => sum + parsePicos(amount ?? '0'), 0n),
  )

/** What the ledger has of a provider, in all and of it imported. */
const spent = (provider: string): Promise<{ readonly total: string; readonly imported: string }> =>
  withLedger({ ledger: ledgerFile(folder) }, async (database) => {
    expect((await verify(database)).agrees).toBe(true)
    const rows = await readSpend(database, { from: 0, to: Number.MAX_SAFE_INTEGER })
    const sum = (basis: string | null): string =>
      formatPicos(
        rows
          .filter((row) => row.provider === provider && (basis === null || row.basis === basis))
          .reduce((total, row) => total + (row.meter === null ? 0n : row.amount), 0n),
      )
    return { total: sum(null), imported: sum('imported') }
  })

/** What an application uses: two chats, an embedding, and a long prompt that is written to the cache for an hour and
 * read from it. */
const traffic = async (openai: OpenAI, anthropic: Anthropic): Promise<void> => {
  const messages = [{ role: 'user' as const, content: 'What is the toll?' }]
  for (const model of ['gpt-5.5', 'gpt-4o']) await openai.chat.completions.create({ model, messages })
  await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'A gate' })
  const system = [
    {
      type: 'text' as const,
      text: 'word '.repeat(5000),
      cache_control: { type: 'ephemeral' as const, ttl: '1h' as const },
    },
  ]
  const asked = { model: 'claude-haiku-4-5', max_tokens: 200, system, messages }
  await anthropic.messages.create(asked)
  await anthropic.messages.create(asked)
}

const directly = (): Promise<void> => {
  const { url, baseUrl } = world.sandbox
  return traffic(
    new OpenAI({ apiKey: 'sk-test', baseURL: baseUrl, maxRetries: 0 }),
    new Anthropic({ apiKey: 'sk-ant-test', authToken: null, baseURL: `${url}/anthropic`, maxRetries: 0 }),
  )
}

const throughGateway = async (): Promise<void> => {
  const openai = await world.client('search')
  const baseURL = `${world.gateway.url}/anthropic`
  await traffic(openai, new Anthropic({ apiKey: openai.apiKey, authToken: null, baseURL, maxRetries: 0 }))
}

it("is a month's bill of OpenAI and of Anthropic, which their usage comes to and their costs state", async () => {
  await directly()
  for (const vendor of vendors) {
    const bill = billed(vendor)
    expect(Number(bill)).toBeGreaterThan(0)
    expect(await importing(`${vendor}-usage`)).toMatchObject({
      exit: 0,
      said: { posted: [{ amount: bill }] },
    })
    expect((await importing(`${vendor}-costs`)).said).toMatchObject({
      reported: [{ amount: bill }],
      posted: [],
    })
    expect((await importing(`${vendor}-usage`)).said).toMatchObject({ written: 0, replaced: 0 })
    expect(await spent(vendor)).toEqual({ total: bill, imported: bill })
  }
})

it('stays the bill where the same passes the gateway as well and is imported again: nothing counts twice', async () => {
  await directly()
  const first = vendors.map(billed)
  for (const vendor of vendors) await importing(`${vendor}-usage`)
  await throughGateway()
  for (const [index, vendor] of vendors.entries()) {
    const both = billed(vendor)
    expect(Number(both)).toBeGreaterThan(Number(first[index]))
    expect(await spent(vendor)).toEqual({ total: both, imported: first[index] })
    for (const importer of [`${vendor}-usage`, `${vendor}-costs`, `${vendor}-usage`]) {
      expect(await importing(importer)).toMatchObject({ exit: 0, err: '' })
      expect(await spent(vendor)).toEqual({ total: both, imported: first[index] })
    }
    expect((await importing(`${vendor}-usage`)).said).toMatchObject({ written: 0, replaced: 0, withdrawn: 0 })
  }
})

it('is nothing where all of it passed the gateway', async () => {
  await throughGateway()
  for (const vendor of vendors) {
    expect((await importing(`${vendor}-usage`)).said).toMatchObject({ posted: [] })
    expect(await spent(vendor)).toEqual({ total: billed(vendor), imported: '0' })
  }
})
