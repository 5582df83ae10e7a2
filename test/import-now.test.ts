import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bundledModels, bundledPrices } from '../src/cli/bundled.ts'
import { command } from '../src/cli/commands/import.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { formatPicos, parsePicos } from '../src/money/money.ts'
import { createSandbox, type Sandbox } from '../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../src/time.ts'

const run = commandRunner(command)
const november = ['--from', '2026-11-01', '--to', '2026-12-01', '--clock', '2026-12-02T08:00:00Z,fixed']

let folder = ''
let sandbox: Sandbox
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-import-'))
  sandbox = await createSandbox({
    profile: 'now',
    clock: manualClock(parseInstant('2026-11-25T12:00:00Z')),
    prices: await bundledPrices(),
    models: await bundledModels(),
    seed: 7,
  })
})
afterEach(async () => {
  await sandbox.close()
  await rm(folder, { recursive: true })
})

type Said = {
  readonly reported: readonly { readonly amount: string }[]
  readonly posted: readonly { readonly amount: string }[]
}

const importing = async (importer: string, baseUrl: string) => {
  const words = ['import', importer, '--base-url', baseUrl, ...november, '--data', folder, '--json']
  const { exit, out, err } = await run(words, '', {
    OPENAI_ADMIN_KEY: 'sk-admin-test',
    ANTHROPIC_ADMIN_KEY: 'sk-ant-admin-test',
  })
  return { exit, err, said: JSON.parse(out || '{}') as Said }
}

const billed = (provider: string): string =>
  formatPicos(
    sandbox
      .books()
      .filter((row) => row.provider === provider)
      .reduce((sum, { amount }) => sum + parsePicos(amount ?? '0'), 0n),
  )

it("is a month's bill of OpenAI and of Anthropic, which their usage comes to and their costs state", async () => {
  const openai = new OpenAI({ apiKey: 'sk-test', baseURL: sandbox.baseUrl, maxRetries: 0 })
  const anthropic = new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: `${sandbox.url}/anthropic`,
    maxRetries: 0,
  })
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

  const addresses = { openai: sandbox.baseUrl, anthropic: `${sandbox.url}/anthropic/v1` }
  for (const [vendor, address] of Object.entries(addresses)) {
    const bill = billed(vendor)
    expect(Number(bill)).toBeGreaterThan(0)
    expect(await importing(`${vendor}-usage`, address)).toMatchObject({
      exit: 0,
      said: { posted: [{ amount: bill }] },
    })
    expect((await importing(`${vendor}-costs`, address)).said).toMatchObject({
      reported: [{ amount: bill }],
      posted: [],
    })
    expect((await importing(`${vendor}-usage`, address)).said).toMatchObject({ written: 0, replaced: 0 })
  }
})
