import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleUse } from '../../../test/conformance/accruals.ts'
import { exampleLine } from '../../../test/conformance/imports.ts'
import { exampleCall, exampleCharge, exampleReservation } from '../../../test/conformance/ledger.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { dayMs, dayOf } from '../../ledger/seal.ts'
import { withDayWorker } from '../../ledger/sealed/day-worker.ts'
import { pruneDay } from '../../ledger/sealed/pruning.ts'
import { sealDay } from '../../ledger/sealed/seal-day.ts'
import { sumDays } from '../../ledger/sealed/sum-days.ts'
import { openSums } from '../../ledger/sealed-sums.ts'
import { createSpendFold, type SpendReport } from '../../reports/spend.ts'
import { periodBefore } from '../../reports/spend-change.ts'
import { parseInstant } from '../../time.ts'
import { readAsked } from './asked.ts'
import { spendAsked } from './spend-asked.ts'
import { detailQuestion } from './spend-detail.ts'
import { boundsOf, readEntries, readSpendReport } from './spend-reading.ts'

const start = parseInstant('2023-11-11')
const days = 10

const home = mkdtempSync(join(tmpdir(), 'octroi-spend-detail-'))
const sealed = join(home, 'sealed')
let database: Database

const made = fc.record({
  hour: fc.integer({ min: 0, max: (days + 1) * 24 - 1 }),
  user: fc.integer({ min: 0, max: 3 }),
  tags: fc.integer({ min: 0, max: 3 }),
  euros: fc.boolean(),
  amount: fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.constant(12_345_678_901_234_567_890_123n)),
  seconds: fc.option(fc.bigInt({ min: 1n, max: 100n })),
  isPriced: fc.boolean(),
})

beforeAll(async () => {
  database = await openSqlite({ file: join(home, 'ledger.sqlite'), stores: [ledgerStore] })
  const ledger = openLedger(database)
  for (const [index, call] of fc.sample(made, { numRuns: 250, seed: 8 }).entries()) {
    const at = start + call.hour * 3_600_000 + index
    const named = exampleCall(`call_${index}`, {
      ...{
        at,
        team: ['search', 'ads', null][index % 3] ?? null,
        endUser: ['ann', 'bob', 'c*'][call.user] ?? null,
      },
      conversation: `conversation_${index % 7}`,
      tags: [{}, { feature: 'a' }, { feature: 'b', plan: 'free' }, { plan: 'paid' }][call.tags] ?? {},
    })
    const currency = call.euros ? 'EUR' : 'USD'
    await ledger.reserve({ ...exampleReservation(named.id, 5n, []), call: named, currency })
    await ledger.settle({
      ...{ callId: named.id, at, model: `model_${index % 2}`, tier: 'default', basis: 'measured', currency },
      charges: [
        ...(call.isPriced ? [exampleCharge(call.amount)] : []),
        ...(call.seconds === null
          ? []
          : [
              {
                ...{ ...exampleCharge(call.amount), meter: 'audio_seconds' as const },
                quantity: { numerator: call.seconds, denominator: 3n },
              },
            ]),
      ],
      unpriced: call.isPriced
        ? []
        : [{ meter: 'output_text_tokens', quantity: 7, code: 'no_price', message: 'No price.' }],
      resent: { tokens: 3, amount: call.amount, exact: true },
      ...{ status: 200, note: null, bookVersion: 'book-1' },
    })
  }
  await ledger.imports.post([exampleLine('line_1', 9n, { from: start, to: start + dayMs, currency: 'EUR' })])
  await ledger.accruals.use(exampleUse('use_1', start + 5))
}, 60_000)

afterAll(async () => {
  await database.close()
  rmSync(home, { recursive: true })
})

const questions: readonly Readonly<Record<string, string>>[] = [
  { by: 'endUser' },
  { by: 'endUser', top: '2' },
  { by: 'conversation,currency', top: '3', from: '2023-11-11', to: '2023-11-21' },
  { by: 'tag:feature', from: '2023-11-12T13:00:00Z', to: '2023-11-18' },
  { by: 'tag:plan', where: 'tag:feature=(none),tag:feature=b' },
  { by: 'tag:feature,team,tier', where: 'endUser=*n*,endUser=c\\*' },
  { by: 'endUser,day' },
  { by: 'week,tag:plan', top: '2' },
  { by: 'hour,endUser', where: 'currency=EUR,team=ads' },
  { by: 'endUser,meter', top: '3' },
  { by: 'endUser', from: '2023-11-15', to: '2023-11-18', compare: 'previous', top: '2' },
  { by: 'tag:none,basis,model', top: '1' },
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

/** Totals and others are in the order in which currencies were met. */
const comparable = ({ zone: _, totals, others, ...rest }: SpendReport) => {
  const byCurrency = <Each extends { readonly currency: string }>(some: readonly Each[]) =>
    some.toSorted((a, b) => (a.currency < b.currency ? -1 : 1))
  return { ...rest, totals: byCurrency(totals), others: byCurrency(others) }
}

const expectSame = async (isSealed: boolean): Promise<void> => {
  for (const texts of questions) {
    const asked = readAsked(spendAsked, texts)
    const question = await detailQuestion({ database, sealed }, asked, boundsOf(asked))
    expect(question !== null).toBe(isSealed)
    expect(comparable(await readSpendReport({ database, sealed }, asked))).toEqual(
      comparable(await plainly(texts)),
    )
  }
}

// One ledger lives through all of it, in this order.
describe('a report by what only calls know', () => {
  it('is a fold of the entries while nothing is sealed', () => expectSame(false), 60_000)

  it('says the same from sealed days, from their sums, and when the calls are only there', async () => {
    await withDayWorker(database, async (worker) => {
      const each = Array.from({ length: days }, (_, index) => dayOf(start) + index)
      for (const day of each) await sealDay(database, { worker, folder: sealed, day, at: 1 })
      await expectSame(true)
      const limits = { rows: 1, bytes: 1_000, calls: 1 }
      await sumDays(database, { worker, folder: sealed, limits })
      const sums = await openSums(database).list()
      expect(sums.filter(({ days, file }) => days === 10 && file !== null)).toHaveLength(3)
      await expectSame(true)
      for (const day of each) await pruneDay(database, { worker, folder: sealed, day })
      await expectSame(true)
    })
  }, 120_000)
})
