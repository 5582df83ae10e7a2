import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledModels } from '../src/cli/bundled.ts'
import { command as importCommand } from '../src/cli/commands/import.ts'
import { command as closeCommand } from '../src/cli/commands/period-close.ts'
import { command as listCommand } from '../src/cli/commands/period-list.ts'
import { command as reconcileCommand } from '../src/cli/commands/reconcile.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { OctroiError } from '../src/errors.ts'
import { ledgerFile } from '../src/gateway/data-folder.ts'
import type { Database } from '../src/ledger/database.ts'
import type { Settlement } from '../src/ledger/entry.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import { parsePicos } from '../src/money/money.ts'
import type { BillFault } from '../src/sandbox/now/bill-faults.ts'
import { exampleSettlement } from './conformance/ledger.ts'
import { call } from './reconcile.fixture.ts'
import { startWorld, type TestWorld } from './support/world.ts'

const run = commandRunner(importCommand, reconcileCommand, closeCommand, listCommand)
const model = 'gpt-4o'
const dayMs = 86_400_000

/** On which day of November 2026 the bill says what otherwise. On the 3rd the ledger loses a call itself. */
const planted: readonly BillFault[] = [
  { kind: 'billed-twice', day: '2026-11-04' },
  {
    kind: 'outside',
    day: '2026-11-05',
    provider: 'openai',
    model,
    usage: { input_text_tokens: 4_321, output_text_tokens: 123 },
  },
  { kind: 'wrong-price', day: '2026-11-06', meter: 'input_text_tokens', factor: '1.2' },
  { kind: 'wrong-tier', day: '2026-11-07', meter: 'output_text_tokens', tier: 'priority' },
  { kind: 'cache-class', day: '2026-11-08' },
  { kind: 'late-day', day: '2026-11-09' },
  { kind: 'rounding', day: '2026-11-11', meter: 'input_text_tokens', places: 4 },
  { kind: 'credit', day: '2026-11-12', provider: 'openai', model, amount: '0.25' },
  { kind: 'currency', day: '2026-11-13', meter: 'output_text_tokens', currency: 'EUR', rate: '0.9' },
  // Two at once: one more call, and its output at another price.
  { kind: 'billed-twice', day: '2026-11-14' },
  { kind: 'wrong-price', day: '2026-11-14', meter: 'output_text_tokens', factor: '1.3' },
]

type Told = {
  readonly explained: boolean
  readonly totals: readonly {
    readonly currency: string
    readonly gap: string
    readonly parts: readonly { readonly kind: string; readonly amount: string }[]
  }[]
  readonly cells: readonly {
    readonly day: string
    readonly meter: string | null
    readonly lineItem: string | null
    readonly kind: string | null
    readonly because: string | null
    readonly amounts: readonly { readonly currency: string; readonly gap: string }[]
  }[]
}

let folder = ''
let world: TestWorld
let isLosing = false
let lost = ''
let ledger: Database

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-reconcile-'))
  world = await startWorld({
    folder,
    at: '2026-11-02T12:00:00Z',
    sandbox: {
      profile: 'now',
      models: await bundledModels(),
      adminKeys: ['sk-admin-test'],
      outputTokens: 100,
      bill: planted,
    },
    gateway: { controlPort: 0 },
    database: (opened) => {
      ledger = opened
      const call: Database['call'] = (store, verb, argument) => {
        if (!isLosing || verb !== 'settle') return opened.call(store, verb, argument)
        lost = (argument as Settlement).callId
        return Promise.reject(new OctroiError('internal', 'The power went.'))
      }
      return { ...opened, call }
    },
  })
  const { controlUrl, controlToken } = world.gateway
  await writeFile(join(folder, 'control.json'), JSON.stringify({ url: controlUrl, token: controlToken }))
  const client = await world.client('search')
  const words = 'word '.repeat(1_500)
  const ask = (content: string) =>
    client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
  for (let day = 2; day <= 14; day += 1) {
    await ask(`How much is the toll on day ${day}?`)
    await ask(`${words} ${day}`)
    if (day === 8) await ask(`${words} ${day}`)
    if (day === 3) {
      isLosing = true
      await ask('Who goes there, and with how many barrels?').catch(() => {})
      isLosing = false
    }
    world.clock.advance(dayMs)
  }
  for (const importer of ['openai-costs', 'openai-usage']) {
    const asked = [
      '--base-url',
      world.sandbox.baseUrl,
      '--from',
      '2026-11-01',
      '--to',
      '2026-12-01',
      '--data',
      folder,
    ]
    const ran = await run(['import', importer, ...asked], '', { OPENAI_ADMIN_KEY: 'sk-admin-test' })
    expect([importer, ran.exit, ran.err]).toEqual([importer, 0, expect.anything()])
  }
}, 60_000)

afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

const november = ['--from', '2026-11-01', '--to', '2026-12-01']
const reconcile = async (...more: readonly string[]) => {
  const ran = await run(['reconcile', ...november, '--ledger', ledgerFile(folder), ...more])
  return { ...ran, said: more.includes('--json') ? (JSON.parse(ran.out) as Told) : null }
}

const sum = (amounts: readonly string[]): bigint =>
  amounts.reduce((total, each) => total + parsePicos(each), 0n)

describe('the bill of a sandbox that plants ten kinds of differences and a mixed one', () => {
  it('is explained: each is found and named, and nothing else', async () => {
    const { exit, said } = await reconcile('--json')
    const found = said?.cells.flatMap(({ day, meter, lineItem, kind }) =>
      kind === null ? [] : [[Number(day.slice(8)), meter ?? lineItem, kind]],
    )
    expect(found).toEqual([
      [3, 'input_text_tokens', 'missing'],
      [3, 'output_text_tokens', 'missing'],
      [4, 'input_text_tokens', 'billed_twice'],
      [4, 'output_text_tokens', 'billed_twice'],
      [5, 'input_text_tokens', 'outside'],
      [5, 'output_text_tokens', 'outside'],
      [6, 'input_text_tokens', 'price'],
      [7, 'output_text_tokens', 'tier'],
      [8, 'cached_input_tokens', 'cache'],
      [8, 'input_text_tokens', 'cache'],
      [9, 'input_text_tokens', 'timing'],
      [9, 'output_text_tokens', 'timing'],
      [10, 'input_text_tokens', 'timing'],
      [10, 'output_text_tokens', 'timing'],
      [11, 'input_text_tokens', 'rounding'],
      [12, 'gpt-4o, credit', 'credit'],
      [13, 'output_text_tokens', 'currency'],
      [14, 'input_text_tokens', 'billed_twice'],
      [14, 'output_text_tokens', 'unknown'],
    ])
    expect([exit, said?.explained]).toEqual([4, false])
  })

  it('has parts that sum to its gap, to the last unit, in each currency', async () => {
    const { said } = await reconcile('--json')
    expect(said?.totals.map(({ currency }) => currency)).toEqual(['EUR', 'USD'])
    for (const { currency, gap, parts } of said?.totals ?? []) {
      const ofCells = said?.cells.flatMap(({ amounts }) =>
        amounts.filter((each) => each.currency === currency),
      )
      expect(sum(parts.map(({ amount }) => amount))).toBe(parsePicos(gap))
      expect(sum((ofCells ?? []).map((each) => each.gap))).toBe(parsePicos(gap))
    }
  })

  it('is shown in quantity, then in money, then in words', async () => {
    const { out, err } = await reconcile()
    expect(out.indexOf('because')).toBeLessThan(out.indexOf('billed'))
    expect(out).toContain('the vendor billed a call of the ledger a second time')
    expect(out).toContain('exactly what a call used')
    expect(out).toMatch(/1 request more, exactly what a call used: call_\w+; the money does not follow/)
    expect(err).toBe('octroi: 1 difference is not explained.\n')
  })

  it('is the same over HTTP', async () => {
    const { controlUrl, controlToken } = world.gateway
    const query = 'provider=openai&from=2026-11-01&to=2026-12-01'
    const reply = await fetch(`${controlUrl}/octroi/v1/reports/reconciliation?${query}`, {
      headers: { authorization: `Bearer ${controlToken}` },
    })
    expect(await reply.json()).toEqual((await reconcile('--json')).said)
  })
})

describe('a period', () => {
  const close = (from: string, to: string, ...more: readonly string[]) =>
    run(['period', 'close', '--provider', 'openai', '--from', from, '--to', to, '--data', folder, ...more])

  it('is not closed while a gap is unknown, unless that is accepted, and only once', async () => {
    const refused = await close('2026-11-14', '2026-11-15')
    expect([refused.exit, refused.out]).toEqual([4, ''])
    expect(refused.err).toContain('has 1 difference that nothing explains')
    expect((await close('2026-11-02', '2026-11-10')).exit).toBe(0)
    expect((await close('2026-11-05', '2026-11-06')).err).toContain('period_closed')
    const accepted = await close('2026-11-14', '2026-11-15', '--accept-gap', 'the vendor looks into it')
    expect([accepted.exit, accepted.err]).toEqual([0, ''])
  })

  it('is listed at what it was closed at, what was corrected since, and what it is now', async () => {
    const { out } = await run(['period', 'list', '--ledger', ledgerFile(folder), '--json'])
    const { periods } = JSON.parse(out)
    const { controlUrl, controlToken } = world.gateway
    const list = async (query: string) =>
      (
        await fetch(`${controlUrl}/octroi/v1/periods${query}`, {
          headers: { authorization: `Bearer ${controlToken}` },
        })
      ).json()
    expect(await list('')).toEqual(JSON.parse(out))
    expect(await list('?provider=anthropic')).toMatchObject({ periods: [] })
    expect(periods).toMatchObject([
      { from: '2026-11-02T00:00:00Z', to: '2026-11-10T00:00:00Z', note: null, totals: [{ corrected: '0' }] },
      { from: '2026-11-14T00:00:00Z', note: expect.stringContaining('accepted: the vendor looks into it') },
    ])
    // The truth of the lost call comes after all: 17 tokens in at 2.50 a million, 100 out at 10.
    const { charges } = call(
      'late',
      { on: 3, model },
      { input_text_tokens: 17, output_text_tokens: 100 },
    ).settlement
    const truth = exampleSettlement(lost, 0n, { at: world.clock.now(), model, charges })
    // The gateway lets it expire when it looks; here, at the latest now.
    await openLedger(ledger).expire(world.clock.now())
    expect(await openLedger(ledger).settle(truth)).toBe('late')
    const after = await run(['period', 'list', '--ledger', ledgerFile(folder), '--json'])
    const [first] = JSON.parse(after.out).periods
    const [{ closed, corrected, now }] = first.totals
    expect(corrected).toBe('0.0010425')
    expect(parsePicos(now)).toBe(parsePicos(closed) + parsePicos(corrected))
    expect((await reconcile()).out).toContain('+0.0010425')
  })
})
