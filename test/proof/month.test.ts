import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command as reconcile } from '../../src/cli/commands/reconcile-runs.ts'
import { commandRunner } from '../../src/cli/run-command.fixture.ts'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from '../../src/ledger/ledger.ts'
import { readSpend, type SpendRow } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import { multiply, parseDecimal, rational } from '../../src/money/rational.ts'
import { formatInstant, parseInstant } from '../../src/time.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { foldByMeter } from './folds.ts'
import { liveMonth, type Month } from './month-load.ts'
import { longForm } from './work.ts'

const hour = 3_600_000
const everything = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }
const octroi = commandRunner(reconcile)
const limits = [
  {
    name: 'all',
    measure: 'cost',
    cap: '100000',
    window: { calendar: 'month' },
    unpriced: { ceiling: { perCall: '5' } },
  },
]

/** The promotion of sessions ends on 2023-12-13, that of storage on 2024-03-01. In the short form somebody works on the
 * days around these. */
const months: readonly Month[] = [
  { from: '2023-12-05', days: 30, isBusy: (day: number) => longForm || [0, 7, 8, 20].includes(day) },
  { from: '2024-02-15', days: 30, isBusy: (day: number) => longForm || [0, 14, 15, 26].includes(day) },
].map((month) => ({ ...month, rounds: longForm ? 3 : 1, hoursBetweenClosings: longForm ? 1 : 8 }))

describe.each(months)('the month from $from', (month) => {
  let world: TestWorld
  let ledger: Database
  let told: { readonly unexplained: readonly unknown[]; readonly calls: readonly unknown[] }
  let rows: readonly SpendRow[]

  beforeAll(async () => {
    world = await startWorld({
      at: `${month.from}T00:00:00Z`,
      config: { limits },
      sandbox: { hiddenTokens: true, runMs: 2, jobMs: 40 },
      gateway: { controlPort: 0 },
    })
    await writeFile(join(world.folder, 'control.json'), JSON.stringify({ url: world.gateway.controlUrl }))
    await liveMonth(world, month)
    await world.gateway.accruals.close(world.clock.now(), { final: true })
    told = await reconciled()
    ledger = await openSqlite({ file: ledgerFile(world.folder), stores: [ledgerStore], readOnly: true })
    rows = await readSpend(ledger, everything)
  }, 600_000)

  afterAll(async () => {
    await ledger.close()
    await world.close()
  })

  const reconciled = async () => {
    const to = formatInstant(Math.ceil((world.clock.now() + 1) / hour) * hour)
    const period = ['--from', `${month.from}T00:00:00Z`, '--to', to, '--apply', '--json']
    const ran = await octroi(
      ['reconcile', 'runs', ...period, '--data', world.folder, '--base-url', world.sandbox.baseUrl],
      '',
      { OPENAI_ADMIN_KEY: 'sk-admin-test' },
    )
    expect(ran.err).toMatch(/^octroi: (\d+) of \1 adjustments are in the ledger\.\n$/)
    return JSON.parse(ran.out)
  }

  it('is reconciled with nothing left over', async () => {
    expect(told.unexplained).toEqual([])
    expect(told.calls.length).toBeGreaterThan(longForm ? 300 : 20)
    expect(await reconciled()).toMatchObject({ calls: [], unexplained: [] })
  })

  it('is in the ledger as it is in the books of the vendor, per model and meter, to the last unit', () => {
    const booked = world.sandbox.books().map(({ model, meter, quantity, amount, currency, ...more }) => ({
      ...{ model, meter, amount, currency },
      quantity: more.byteMilliseconds ?? `${quantity}`,
    }))
    const unitOf = (meter: string | null | undefined) =>
      meter === 'retrieval_gb_day' ? rational(2n ** 30n * 86_400_000n) : rational(1n)
    const posted = foldByMeter(rows).map(({ quantity, ...line }) => {
      const exact = quantity.includes('/') ? fraction(quantity) : parseDecimal(quantity)
      const { numerator, denominator } = multiply(exact, unitOf(line.meter))
      return { ...line, quantity: denominator === 1n ? `${numerator}` : quantity }
    })
    expect(inOrder(posted)).toEqual(inOrder(booked))
    expect(new Set(booked.map(({ meter }) => meter)).size).toBe(8)
    expect(booked.some(({ meter, amount }) => meter === 'training_tokens' && amount !== '0')).toBe(true)
    expect(world.sandbox.total().unpriced).toEqual([])
  })

  it('counts in the months of the limit what the vendor bills, and holds nothing', async () => {
    const { amount } = world.sandbox.total()
    const sum = rows.reduce((total, row) => total + (row.meter === null ? 0n : row.amount), 0n)
    expect(formatPicos(sum)).toBe(amount)
    const balances = await openLedger(ledger).balances()
    expect(balances.length).toBe(2)
    expect(formatPicos(balances.reduce((total, { settled }) => total + settled, 0n))).toBe(amount)
    expect(balances.every(({ held, unresolved }) => held === 0n && unresolved === 0n)).toBe(true)
    const now = balances.at(-1)
    expect(world.gateway.limits()).toMatchObject([
      { windowStart: now?.windowStart, settled: now?.settled, held: 0n, unresolved: 0n },
    ])
  })

  it('has both sides of its promotion', () => {
    const [meter, ends] =
      month.from === '2023-12-05'
        ? ['code_interpreter_session', '2023-12-13']
        : ['retrieval_gb_day', '2024-03-01']
    const own = rows.flatMap((row) => (row.meter === meter ? [row] : []))
    const free = own.filter(({ hour }) => hour < parseInstant(ends))
    const billed = own.filter(({ hour }) => hour >= parseInstant(ends))
    expect(free.length).toBeGreaterThan(0)
    expect(free.every(({ amount }) => amount === 0n)).toBe(true)
    expect(billed.some(({ amount }) => amount > 0n)).toBe(true)
  })

  it('agrees with itself when every entry is folded anew', async () => {
    expect((await verify(ledger)).differences).toEqual([])
    expect(world.faults).toEqual([])
  })
})

/** The two sides put what has no model at different places. */
const inOrder = <Line extends { readonly model: unknown; readonly meter: unknown }>(lines: readonly Line[]) =>
  lines.toSorted((a, b) => (`${a.model} ${a.meter}` < `${b.model} ${b.meter}` ? -1 : 1))

const fraction = (text: string) => {
  const [numerator = '0', denominator = '1'] = text.split('/')
  return rational(BigInt(numerator), BigInt(denominator))
}
