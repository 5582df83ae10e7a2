import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exampleUse } from '../../../test/conformance/accruals.ts'
import { exampleLine } from '../../../test/conformance/imports.ts'
import { exampleCall, exampleCharge, exampleReservation } from '../../../test/conformance/ledger.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import type { Settlement } from '../../ledger/entry.ts'
import { type Ledger, ledgerStore, openLedger, verify } from '../../ledger/ledger.ts'
import { pruneDays, sealDays } from '../../ledger/sealed/sealing.ts'
import { readSpendSpans } from '../../ledger/spend-sums.ts'
import { createSpendFold, type SpendReport } from '../../reports/spend.ts'
import { periodBefore } from '../../reports/spend-change.ts'
import { parseInstant } from '../../time.ts'
import { readAsked } from './asked.ts'
import { spendAsked } from './spend-asked.ts'
import { boundsOf, readEntries, readSpendReport } from './spend-reading.ts'

const start = parseInstant('2023-11-14')
const [hourMs, dayMs] = [3_600_000, 86_400_000]

let folder: string
let sealed: string
let database: Database
let ledger: Ledger

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'octroi-spend-rollups-'))
  sealed = join(folder, 'sealed')
  database = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
  ledger = openLedger(database)
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

/** What is written of a call, which uses something: use of nothing is in entries, but not always in the hours. The place in an array says which team, model and so on. */
type Made = {
  readonly hour: number
  readonly team: number
  readonly model: number
  readonly euros: boolean
  readonly amount: bigint
  readonly quantity: number
  readonly seconds: bigint | null
  readonly isPriced: boolean
}

const made: fc.Arbitrary<Made> = fc.record({
  hour: fc.integer({ min: 0, max: 71 }),
  team: fc.integer({ min: 0, max: 2 }),
  model: fc.integer({ min: 0, max: 1 }),
  euros: fc.boolean(),
  amount: fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.constant(12_345_678_901_234_567_890_123n)),
  quantity: fc.integer({ min: 1, max: 3 }),
  seconds: fc.option(fc.bigInt({ min: 1n, max: 100n })),
  isPriced: fc.boolean(),
})

/** A step: a new call, another settlement of an earlier one, what else posts spend, or a step of the rollups. */
const step = fc.oneof(
  { weight: 6, arbitrary: made.map((call) => ({ do: 'call' as const, ...call })) },
  { weight: 3, arbitrary: made.map((call) => ({ do: 'adjust' as const, ...call })) },
  { weight: 2, arbitrary: made.map((call) => ({ do: 'import' as const, ...call })) },
  { weight: 1, arbitrary: made.map((call) => ({ do: 'accrue' as const, ...call })) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('roll' as const),
      day: fc.integer({ min: 0, max: 2 }),
      rowsMost: fc.integer({ min: 1, max: 60 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const chargesOf = ({
  amount,
  quantity,
  seconds,
  isPriced,
}: Made): Pick<Settlement, 'charges' | 'unpriced'> => ({
  charges: [
    ...(isPriced ? [{ ...exampleCharge(amount), quantity }] : []),
    ...(seconds === null
      ? []
      : [
          {
            ...{ ...exampleCharge(amount), meter: 'audio_seconds' as const },
            quantity: { numerator: seconds, denominator: 3n },
          },
        ]),
  ],
  unpriced: isPriced
    ? []
    : [{ meter: 'output_text_tokens', quantity, code: 'no_price', message: 'No price.' }],
})

const currencyOf = ({ euros }: Made): string => (euros ? 'EUR' : 'USD')
const modelOf = ({ model }: Made): string => `model_${model}`

const settlementOf = (callId: string, call: Made, currency: string): Settlement => ({
  ...{ callId, at: start, model: modelOf(call), tier: null, basis: 'measured', currency },
  ...{ ...chargesOf(call), status: 200, note: null, bookVersion: 'book-1' },
  resent: { tokens: call.quantity, amount: call.amount, exact: true },
})

const write = async (steps: readonly Step[]): Promise<void> => {
  const calls: { id: string; currency: string }[] = []
  for (const [index, each] of steps.entries()) {
    if (each.do === 'roll') {
      await database.call('ledger', 'rollUp', { day: start / dayMs + each.day, rowsMost: each.rowsMost })
      continue
    }
    const at = start + each.hour * hourMs + 5
    const team = ['search', 'ads', null][each.team] ?? null
    const currency = currencyOf(each)
    if (each.do === 'call') {
      const call = exampleCall(`call_${index}`, { at, team, model: modelOf(each), project: `p${each.model}` })
      await ledger.reserve({ ...exampleReservation(call.id, 5n, []), call, currency })
      await ledger.settle(settlementOf(call.id, each, currency))
      calls.push({ id: call.id, currency })
    } else if (each.do === 'adjust') {
      const { id, currency: before } = calls[each.hour % Math.max(1, calls.length)] ?? {
        id: '',
        currency: '',
      }
      const corrects = (await ledger.life(id))?.ends.at(-1)?.sequence ?? 0
      await ledger.adjust({ ...settlementOf(id, each, before), corrects, at: start + index })
    } else if (each.do === 'import') {
      const line = exampleLine(`line_${each.team}`, 0n, { from: start + (each.hour % 3) * dayMs, currency })
      await ledger.imports.post([
        { ...line, to: line.from + dayMs, ...chargesOf(each), calls: each.quantity },
      ])
    } else {
      await ledger.accruals.use(exampleUse(`use_${index}`, at))
    }
  }
}

const questions: readonly Readonly<Record<string, string>>[] = [
  { by: 'day,model' },
  { by: 'team' },
  { by: 'hour', where: 'team=search' },
  { by: 'project,environment', from: '2023-11-14T07:00:00Z', to: '2023-11-16' },
  { by: 'team,model,currency', where: 'currency=EUR' },
  { by: 'meter,basis', where: 'provider=open*,team=(none),team=ads' },
  { by: 'day', zone: 'Europe/Paris', where: 'model=model_1' },
  { by: 'week', zone: 'Asia/Kolkata' },
  { by: 'month', where: 'day=2023-11-15' },
  { by: 'team', from: '2023-11-15', to: '2023-11-16', compare: 'previous' },
]

/** The same report, as entries are folded one by one. */
const plainly = async (texts: Readonly<Record<string, string>>): Promise<SpendReport> => {
  const asked = readAsked(spendAsked, texts)
  const now = boundsOf(asked)
  const before = asked.isCompared ? periodBefore(now, asked.timeZone) : null
  const fold = createSpendFold({ ...asked, before })
  await readEntries({ database, sealed }, fold.now, now)
  if (before !== null) await readEntries({ database, sealed }, fold.before, before)
  return fold.result()
}

/** Totals are in the order in which currencies were met. */
const comparable = ({ zone: _, totals, ...rest }: SpendReport) => ({
  ...rest,
  totals: totals.toSorted((a, b) => (a.currency < b.currency ? -1 : 1)),
})

const expectSame = async (): Promise<void> => {
  const { differences } = await verify(database)
  expect(differences).toEqual([])
  for (const texts of questions) {
    const report = await readSpendReport({ database, sealed }, readAsked(spendAsked, texts))
    expect(comparable(report)).toEqual(comparable(await plainly(texts)))
  }
}

describe('a report from rollups', () => {
  it('says what the entries say, whatever was rolled up and corrected in between', async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
          await write(steps)
          await expectSame()
        })
        .beforeEach(async () => {
          await database.close()
          rmSync(folder, { recursive: true })
          folder = mkdtempSync(join(tmpdir(), 'octroi-spend-rollups-'))
          database = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
          ledger = openLedger(database)
        }),
      { numRuns: 25 },
    )
  }, 120_000)

  it('stays so when days are sealed and removed, and corrected after that', async () => {
    const call: Made = {
      ...{ hour: 3, team: 0, model: 0, euros: false, amount: 40n, quantity: 2, seconds: 7n, isPriced: true },
    }
    await write([
      { do: 'call', ...call },
      { do: 'call', ...call, hour: 30, team: 1 },
      { do: 'import', ...call },
      { do: 'accrue', ...call, hour: 4 },
    ])
    const at = start + 20 * dayMs
    await sealDays(database, { folder: sealed, at, afterHours: 48 })
    expect(await readSpendSpans(database, { from: start, to: at, by: ['model'], grain: 'day' })).toEqual([
      { from: start, to: start + 2 * dayMs, rollup: 'models' },
    ])
    await expectSame()
    await pruneDays(database, { folder: sealed, at, keepDays: 2 })
    await expectSame()
    await ledger.imports.post([exampleLine('line_0', 7n, { from: start, to: start + dayMs })])
    await write([{ do: 'call', ...call, hour: 31, model: 1 }])
    await expectSame()
  })

  it('is found where a rollup says something else', async () => {
    await write([
      {
        ...{ do: 'call', hour: 3, team: 0, model: 0, euros: false, amount: 40n, quantity: 2, seconds: null },
        isPriced: true,
      },
      { do: 'roll', day: 0, rowsMost: 100 },
    ])
    await database.close()
    const { DatabaseSync } = await import('node:sqlite')
    const file = new DatabaseSync(join(folder, 'ledger.sqlite'))
    file.exec(`UPDATE charge_rollups SET picos = 41 WHERE rollup = 'teams'`)
    file.exec(`DELETE FROM call_rollups WHERE rollup = 'models'`)
    file.exec(`INSERT INTO charge_rollups SELECT rollup, owner, time + 86400000, service, meter, basis, priced, 3, units,
      picos, parts FROM charge_rollups WHERE rollup = 'owners'`)
    file.close()
    database = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
    const { differences } = await verify(database)
    expect(differences.map(({ where, folded, kept }) => [where, folded, kept])).toEqual([
      ['rollups', '2 40 of 1', '2 41 of 1'],
      ['rollups', '1 0 2 40 of 1', null],
      ['rollups', null, '3 40 of 1'],
    ])
  })
})
