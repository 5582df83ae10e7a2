import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { command as prune } from '../src/cli/commands/ledger-prune.ts'
import { command as seal } from '../src/cli/commands/ledger-seal.ts'
import { command as verify } from '../src/cli/commands/ledger-verify.ts'
import { command as reconcile } from '../src/cli/commands/reconcile-runs.ts'
import { command as report } from '../src/cli/commands/report-spend.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { ledgerFile } from '../src/gateway/data-folder.ts'
import { type CallRow, readCalls } from '../src/ledger/reading.ts'
import { openDetail } from '../src/ledger/sealed/detail.ts'
import { sealedFolderOf } from '../src/ledger/sealed/sealing.ts'
import { parsePicos } from '../src/money/money.ts'
import { conversation, runOn, say } from '../src/sandbox/assistants.fixture.ts'
import { textOfTokens } from '../src/sandbox/replies.ts'
import { costOf } from './proof/entries.ts'
import { readAll } from './support/ledger.ts'
import { startWorld, type TestWorld } from './support/world.ts'

const octroi = commandRunner(reconcile, report, seal, prune, verify)
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }
const period = ['--from', '2023-11-15T23:00:00Z', '--to', '2023-11-16T01:00:00Z']
const late = '2023-11-20T00:00:00Z'

let folder: string
let world: TestWorld

/** Ten minutes around midnight, with tokens that nobody can see: five runs on one day and five on the next. Then a
 * call of another kind, the last of the ledger, which stays in it. */
const talk = async (): Promise<void> => {
  const client = await world.client('support')
  const at = await conversation(client, { instructions: textOfTokens(60, 'instructions') })
  for (let turn = 1; turn <= 10; turn += 1) {
    await say(client, at.thread, textOfTokens(20, turn))
    await runOn(client, at)
    world.clock.advance(61_000)
  }
  world.clock.advance(3_600_000)
  const messages = [{ role: 'user' as const, content: 'Good night' }]
  await client.chat.completions.create({ model: 'gpt-4-1106-preview', messages })
}

const tokensOf = ({ settlement }: CallRow) =>
  Object.fromEntries(settlement.charges.map(({ meter, quantity }) => [meter, quantity]))

const kept = (): Promise<readonly CallRow[]> => readAll(folder, (database) => readCalls(database, always))

const everywhere = (): Promise<readonly CallRow[]> =>
  readAll(folder, (database) => openDetail(database, sealedFolderOf(ledgerFile(folder))).calls(always))

const reconciled = async (...more: readonly string[]) => {
  const words = ['reconcile', 'runs', ...period, '--data', folder, '--base-url', world.sandbox.baseUrl]
  const { out, err, exit } = await octroi([...words, '--clock', `${late},fixed`, '--json', ...more], '', {
    OPENAI_ADMIN_KEY: 'sk-admin-test',
  })
  return { exit, err, told: JSON.parse(out === '' ? '{}' : out) }
}

const sealAndPrune = async (): Promise<void> => {
  const data = ['--data', folder, '--clock', late]
  expect((await octroi(['ledger', 'seal', ...data])).exit).toBe(0)
  const pruned = await octroi(['ledger', 'prune', '--keep-days', '1', ...data, '--json'])
  expect([pruned.exit, JSON.parse(pruned.out).pruned]).toEqual([
    0,
    [
      { day: '2023-11-15', calls: 5 },
      { day: '2023-11-16', calls: 5 },
    ],
  ])
}

const spent = async (): Promise<string> => {
  const { out } = await octroi([
    'report',
    'spend',
    '--ledger',
    ledgerFile(folder),
    '--to',
    '2023-11-16T01:00:00Z',
    '--json',
  ])
  return JSON.parse(out).totals[0].amount
}

/** What the vendor billed for the runs, without the call after them. */
const billed = () => world.sandbox.calls().slice(0, 10)

/** Reconciles runs that only sealed files have, and finds each to the token. */
const reconcilesAll = async (): Promise<void> => {
  const before = await reconciled()
  expect(before).toMatchObject({ exit: 0, told: { applied: false, unexplained: [] } })
  expect(before.told.calls.length).toBe(10)
  await sealAndPrune()
  expect(await kept()).toHaveLength(1)

  const dry = await reconciled()
  expect([dry.exit, dry.told]).toEqual([0, before.told])
  expect([dry.err, (await kept()).length]).toEqual([before.err, 1])

  const { told, exit, err } = await reconciled('--apply')
  expect([exit, err]).toEqual([0, 'octroi: 10 of 10 adjustments are in the ledger.\n'])
  expect(told.calls.every(({ outcome }: { outcome: string }) => outcome === 'done')).toBe(true)
  expect(told.after).toEqual(told.billed)
  const rows = (await everywhere()).slice(0, 10)
  expect(rows.map(tokensOf)).toEqual(billed().map(({ usage }) => usage))
  expect(rows.map(({ settlement }) => settlement.basis)).toEqual(rows.map(() => 'reconciled'))
  const verified = await octroi(['ledger', 'verify', '--ledger', ledgerFile(folder)])
  expect([verified.exit, verified.err]).toEqual([0, ''])
  const sum = await spent()
  expect(parsePicos(sum)).toBe(rows.reduce((total, { settlement }) => total + costOf(settlement), 0n))

  expect(await reconciled('--apply')).toMatchObject({
    exit: 0,
    err: 'octroi: 0 of 0 adjustments are in the ledger.\n',
    told: { calls: [], unexplained: [], after: told.billed },
  })
  await octroi(['ledger', 'seal', '--data', folder, '--clock', late])
  await octroi(['ledger', 'prune', '--keep-days', '1', '--data', folder, '--clock', late])
  expect([(await kept()).length, await spent()]).toEqual([1, sum])
  expect(await reconciled()).toMatchObject({ exit: 0, told: { calls: [], after: told.billed } })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-pruned-'))
})
afterEach(async () => {
  expect(world.faults).toEqual([])
  await rm(folder, { recursive: true })
})

const sandbox = { outputTokens: 40, hiddenTokens: true }
const at = '2023-11-15T23:55:00Z'

describe('octroi reconcile runs, where only sealed files have the calls', () => {
  it('puts back those that it adjusts, in the folder itself', { timeout: 120_000 }, async () => {
    world = await startWorld({ sandbox, folder, at })
    await talk()
    await world.gateway.close()
    await reconcilesAll()
    await world.sandbox.close()
  })

  it('asks the gateway that holds the folder to put them back', { timeout: 120_000 }, async () => {
    world = await startWorld({ sandbox, folder, at, gateway: { controlPort: 0 } })
    await writeFile(join(folder, 'control.json'), JSON.stringify({ url: world.gateway.controlUrl }))
    await talk()
    world.clock.advance(5 * 86_400_000)
    await reconcilesAll()
    await world.close()
  })
})
