import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { bundledBook } from '../../src/cli/bundled.ts'
import { command as reconcile } from '../../src/cli/commands/reconcile-runs.ts'
import { command as report } from '../../src/cli/commands/report-spend.ts'
import { commandRunner } from '../../src/cli/run-command.fixture.ts'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, type Verification, verify } from '../../src/ledger/ledger.ts'
import { type CallRow, readCalls } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import { plan } from '../../src/planning/conversation.ts'
import { parsePlanRequest } from '../../src/planning/plan-request.ts'
import { readRunNote } from '../../src/reports/run-note.ts'
import { conversation, runOn, say } from '../../src/sandbox/assistants.fixture.ts'
import { textOfTokens } from '../../src/sandbox/replies.ts'
import { readAll } from '../support/ledger.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { costOf } from './entries.ts'

const limits = [{ name: 'all', measure: 'cost', cap: '100', window: { calendar: 'month' } }]
const turns = 20
const octroi = commandRunner(reconcile, report)
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

let world: TestWorld
const folders: string[] = []
afterEach(async () => {
  await world.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

/** The article's conversation: 1,000 tokens of instructions, questions of 50 and answers of 200, a turn every
 * 40 seconds. */
const talk = async (): Promise<void> => {
  const client = await world.client('support')
  const at = await conversation(client, { instructions: textOfTokens(1_000, 'instructions') })
  for (let turn = 1; turn <= turns; turn += 1) {
    await say(client, at.thread, textOfTokens(50, turn))
    await runOn(client, at)
    world.clock.advance(40_000)
  }
}

const callsOf = (): Promise<readonly CallRow[]> =>
  readAll(world.folder, (database) => readCalls(database, always))

const tokensOf = ({ settlement }: CallRow) =>
  Object.fromEntries(settlement.charges.map(({ meter, quantity }) => [meter, quantity]))

const verified = async (): Promise<Verification> => {
  const ledger = await openSqlite({ file: ledgerFile(world.folder), stores: [ledgerStore], readOnly: true })
  const verification = await verify(ledger)
  await ledger.close()
  return verification
}

/** What the limit counts, and what the ledger's calls come to. */
const settledNow = async (): Promise<readonly string[]> => {
  const sum = (await callsOf()).reduce((total, { settlement }) => total + costOf(settlement), 0n)
  return [world.gateway.limits()[0]?.settled ?? 0n, sum].map(formatPicos)
}

const period = ['--from', '2023-11-15T12:00:00Z', '--to', '2023-11-15T13:00:00Z']

/** The command with the vendor's admin key, held against the sandbox. */
const reconciled = async (...more: readonly string[]) => {
  const words = ['reconcile', 'runs', ...period, '--data', world.folder, '--base-url', world.sandbox.baseUrl]
  const ran = await octroi([...words, '--clock', '2023-11-16T00:00:00Z,fixed', '--json', ...more], '', {
    OPENAI_ADMIN_KEY: 'sk-admin-test',
  })
  return { ...ran, told: JSON.parse(ran.out === '' ? '{}' : ran.out) }
}

describe('a thread of 20 turns', () => {
  it('comes to the token to what was planned and to what the vendor booked', async () => {
    world = await startWorld({ config: { limits }, sandbox: { outputTokens: 200 } })
    await talk()
    const asked = { model: 'gpt-4-1106-preview', system: 1_000, user: 50, assistant: 200, turns }
    const planned = plan(parsePlanRequest(asked, world.clock.now()), await bundledBook())
    expect([planned.total.input, planned.total.history, planned.total.output]).toEqual([
      68_500, 47_500, 4_000,
    ])
    const calls = await callsOf()
    expect(calls.map(tokensOf)).toEqual(world.sandbox.calls().map(({ usage }) => usage))
    expect(calls.map(tokensOf)).toEqual(
      planned.turns.map(({ input, output }) => ({ input_text_tokens: input, output_text_tokens: output })),
    )
    expect(formatPicos(planned.cost ?? 0n)).toBe('0.805')
    expect(world.sandbox.total().amount).toBe('0.805')
    expect(await settledNow()).toEqual(['0.805', '0.805'])
  })

  it('with tokens that nobody can see is within its intervals, and reconciled to the token', async () => {
    const sandbox = { outputTokens: 200, hiddenTokens: true }
    world = await startWorld({ config: { limits }, sandbox, gateway: { controlPort: 0 } })
    await writeFile(join(world.folder, 'control.json'), JSON.stringify({ url: world.gateway.controlUrl }))
    await talk()
    const billed = world.sandbox.calls().map(({ usage }) => usage)
    const before = await callsOf()
    expect(await settledNow()).toEqual(['0.805', '0.805'])
    for (const [index, { settlement }] of before.entries()) {
      const { ranges } = readRunNote(settlement.note)
      for (const [meter, quantity] of Object.entries(billed[index] ?? {})) {
        const { low = 0, high = 0 } = ranges.get(meter) ?? {}
        expect(quantity).toBeGreaterThanOrEqual(low)
        expect(quantity).toBeLessThanOrEqual(high ?? 0)
      }
    }

    const dry = await reconciled()
    expect(dry).toMatchObject({ exit: 0, told: { applied: false, unexplained: [] } })
    expect((await callsOf()).map(tokensOf)).toEqual(before.map(tokensOf))

    const { told, exit } = await reconciled('--apply')
    expect(exit).toBe(0)
    expect(told.unexplained).toEqual([])
    expect(told.after).toEqual(told.billed)
    expect(told.calls.every(({ outcome }: { outcome: string }) => outcome === 'done')).toBe(true)
    const after = await callsOf()
    // Several runs fall into one minute, so only their sum is known; none leaves its interval.
    const sumOf = (all: readonly Readonly<Record<string, unknown>>[], meter: string): number =>
      all.reduce((sum, each) => sum + Number(each[meter]), 0)
    for (const meter of ['input_text_tokens', 'output_text_tokens']) {
      expect(sumOf(after.map(tokensOf), meter)).toBe(sumOf(billed, meter))
    }
    const basis = after.map(({ settlement }) => [settlement.kind, settlement.basis])
    expect(basis).toEqual(after.map(() => ['adjusted', 'reconciled']))
    const { amount } = world.sandbox.total()
    expect(Number(amount)).toBeGreaterThan(0.805)
    expect(await settledNow()).toEqual([amount, amount])
    expect((await verified()).differences).toEqual([])

    const spent = await octroi(['report', 'spend', '--ledger', ledgerFile(world.folder), '--json'])
    expect(JSON.parse(spent.out).totals).toMatchObject([
      { amount, calls: turns, basis: { estimated: '0', measured: '0', reconciled: amount } },
    ])

    const again = await reconciled('--apply')
    expect(again).toMatchObject({ exit: 0, told: { calls: [], unexplained: [], after: told.billed } })
    expect((await verified()).entries).toBe(3 * turns)
    expect(world.faults).toEqual([])
  })

  it('is reconciled run by run, a minute apart, in the folder itself when no gateway holds it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'octroi-runs-'))
    folders.push(folder)
    const sandbox = { outputTokens: 40, hiddenTokens: true }
    world = await startWorld({ config: { limits }, sandbox, folder })
    const client = await world.client('support')
    const at = await conversation(client, { instructions: textOfTokens(60, 'instructions') })
    for (let turn = 1; turn <= 5; turn += 1) {
      await say(client, at.thread, textOfTokens(20, turn))
      await runOn(client, at)
      world.clock.advance(61_000)
    }
    await world.gateway.close()
    expect(await reconciled('--apply')).toMatchObject({ exit: 0, told: { unexplained: [] } })
    expect((await callsOf()).map(tokensOf)).toEqual(world.sandbox.calls().map(({ usage }) => usage))
    expect((await verified()).differences).toEqual([])
    expect(await octroi(['reconcile', 'runs', ...period, '--data', folder])).toMatchObject({
      exit: 1,
      out: '',
    })
    await world.sandbox.close()
    world = await startWorld({ config: { limits }, folder, at: '2023-11-15T13:00:00Z' })
    const { settled = 0n } = world.gateway.limits()[0] ?? {}
    const sum = (await callsOf()).reduce((total, { settlement }) => total + costOf(settlement), 0n)
    expect(settled).toBe(sum)
  })
})
