import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { expect, it, onTestFinished } from 'vitest'
import { bundledModels } from '../src/cli/bundled.ts'
import { command as importCommand } from '../src/cli/commands/import.ts'
import { command as pruneCommand } from '../src/cli/commands/ledger-prune.ts'
import { command as sealCommand } from '../src/cli/commands/ledger-seal.ts'
import { command as reconcileCommand } from '../src/cli/commands/reconcile.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { ledgerFile } from '../src/gateway/data-folder.ts'
import type { BillFault } from '../src/sandbox/now/bill-faults.ts'
import { startWorld } from './support/world.ts'

const run = commandRunner(importCommand, reconcileCommand, sealCommand, pruneCommand)
const model = 'claude-haiku-4-5'
const dayMs = 86_400_000
const onDay = { provider: 'anthropic', model } as const

const planted: readonly BillFault[] = [
  {
    kind: 'wrong-price',
    provider: 'anthropic',
    day: '2026-11-03',
    meter: 'output_text_tokens',
    factor: '1.2',
  },
  { kind: 'billed-twice', provider: 'anthropic', day: '2026-11-04' },
  { kind: 'credit', ...onDay, day: '2026-11-05', amount: '0.01' },
  {
    kind: 'outside',
    ...onDay,
    model: 'claude-haiku-4-5-20251001',
    day: '2026-11-06',
    usage: { input_text_tokens: 3_210, output_text_tokens: 99 },
  },
]

it('reads a bill of Anthropic, which says neither quantities nor requests, beside its usage report', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-reconcile-'))
  const world = await startWorld({
    folder,
    at: '2026-11-02T12:00:00Z',
    sandbox: { profile: 'now', models: await bundledModels(), outputTokens: 100, bill: planted },
    gateway: { controlPort: 0 },
    config: ({ url }) => ({
      providers: { anthropic: { baseUrl: `${url}/anthropic/v1`, keyVariable: 'VENDOR_KEY' } },
    }),
  })
  let isOpen = true
  const close = async () => {
    if (isOpen) await world.close()
    isOpen = false
  }
  onTestFinished(async () => {
    await close()
    await rm(folder, { recursive: true })
  })
  const { controlUrl, controlToken } = world.gateway
  await writeFile(join(folder, 'control.json'), JSON.stringify({ url: controlUrl, token: controlToken }))
  const none = { name: null, organization: null, project: null, environment: null }
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'search' }, world.clock.now())
  const client = new Anthropic({
    apiKey: secret,
    authToken: null,
    baseURL: `${world.gateway.url}/anthropic`,
    maxRetries: 0,
  })
  for (let day = 2; day <= 6; day += 1) {
    for (const content of [
      `How much is the toll on day ${day}?`,
      `And for ${day} barrels of wine and a cart?`,
    ]) {
      await client.messages.create({ model, max_tokens: 200, messages: [{ role: 'user', content }] })
    }
    world.clock.advance(dayMs)
  }
  for (const importer of ['anthropic-costs', 'anthropic-usage']) {
    const asked = [
      '--base-url',
      `${world.sandbox.url}/anthropic/v1`,
      '--from',
      '2026-11-01',
      '--to',
      '2026-12-01',
      '--data',
      folder,
    ]
    const ran = await run(['import', importer, ...asked], '', { ANTHROPIC_ADMIN_KEY: 'sk-ant-admin-test' })
    expect([importer, ran.exit, ran.err]).toEqual([importer, 0, expect.anything()])
  }
  const asked = [
    '--provider',
    'anthropic',
    '--from',
    '2026-11-01',
    '--to',
    '2026-12-01',
    '--ledger',
    ledgerFile(folder),
  ]
  const { out } = await run(['reconcile', ...asked, '--json'])
  const { cells } = JSON.parse(out) as {
    cells: { day: string; meter: string | null; lineItem: string | null; kind: string | null }[]
  }
  expect(cells.filter(({ kind }) => kind === null).map(({ day }) => day)).toContain('2026-11-02')
  expect(
    cells.flatMap(({ day, meter, lineItem, kind }) =>
      kind === null ? [] : [[Number(day.slice(8)), meter ?? lineItem, kind]],
    ),
  ).toEqual([
    [3, 'output_text_tokens', 'price'],
    [4, 'input_text_tokens', 'billed_twice'],
    [4, 'output_text_tokens', 'billed_twice'],
    [5, 'claude-haiku-4-5, credit', 'credit'],
    // Without requests nothing tells traffic from outside from calls that used more than the ledger says.
    [6, 'input_text_tokens', 'unknown'],
    [6, 'output_text_tokens', 'unknown'],
  ])

  // The same when the calls are in the files of sealed days only.
  await close()
  const later = ['--data', folder, '--clock', '2027-06-01T00:00:00Z,fixed']
  const sealed = await run(['ledger', 'seal', ...later])
  const pruned = await run(['ledger', 'prune', '--keep-days', '1', ...later])
  expect([sealed.exit, pruned.exit, pruned.err]).toEqual([0, 0, ''])
  expect(pruned.out).toContain('10 calls of 5 sealed days')
  expect((await run(['reconcile', ...asked, '--json'])).out).toBe(out)
})
