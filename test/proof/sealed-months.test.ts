import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from '../../src/ledger/ledger.ts'
import { readCalls, readSpend } from '../../src/ledger/reading.ts'
import { dayOf, openSeals } from '../../src/ledger/seal.ts'
import { openDetail } from '../../src/ledger/sealed/detail.ts'
import { addCall, type Dimension, emptyGroups, type Group } from '../../src/ledger/sealed/grouping.ts'
import { groupDetail } from '../../src/ledger/sealed/groups.ts'
import { thawCalls } from '../../src/ledger/sealed/pruning.ts'
import { pruneDays, sealDays } from '../../src/ledger/sealed/sealing.ts'
import { verifyDays } from '../../src/ledger/sealed/verify-days.ts'
import { createSpendFold, spend } from '../../src/reports/spend.ts'
import type { SpendDimension } from '../../src/reports/spend-dimensions.ts'
import { generateCalls, generatedBook } from '../support/generated-calls.ts'
import { loadCalls } from '../support/load-calls.ts'
import { longForm } from './work.ts'

/** Days of a company (ninety in the long form): sums by everything that can be asked for are the same, to the unit, before
 * and after the days are sealed and their calls are left to the files. 200,000 calls in the long form, which also says how
 * fast that goes; `reports-agree` has every report of 1,000,000. */

const calls = longForm ? 200_000 : 4_000
const days = longForm ? 90 : 14
const from = Date.parse('2026-08-01')
const period = { from, to: from + days * 86_400_000 }
const minutes = longForm ? 120 : 5

const inSpend = ['team', 'project', 'environment', 'key', 'provider', 'model', 'endpoint', 'day'] as const
const inDetailOnly = ['endUser', 'conversation', 'tag:feature', 'tag:customer', 'tag:none'] as const

let home: string
let folder: string
let database: Database

/** What the entries come to, folded one by one before anything was sealed. */
const plain = new Map<Dimension | 'total', readonly string[]>()

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-months-'))
  folder = join(home, 'sealed')
  database = await openSqlite({ file: join(home, 'ledger.sqlite'), stores: [ledgerStore] })
  await loadCalls(openLedger(database), generateCalls({ calls, from, days, book: await generatedBook() }))
  const folds = [...inSpend, ...inDetailOnly].map((dimension) => emptyGroups({ ...period, by: [dimension] }))
  const total = emptyGroups({ ...period, by: [] })
  for await (const page of readCalls(database, period)) {
    for (const row of page) for (const fold of [...folds, total]) addCall(fold, row)
  }
  for (const fold of folds) plain.set(fold.asked.by[0] ?? 'team', sums([...fold.sums.values()]))
  plain.set('total', sums([...total.sums.values()]))
}, minutes * 60_000)

afterAll(async () => {
  await database.close()
  await rm(home, { recursive: true })
})

/** Calls and amount of each group, all bases together. */
const sums = (
  groups: readonly Pick<Group, 'names' | 'currency' | 'amount' | 'calls'>[],
): readonly string[] => {
  const all = new Map<string, { amount: bigint; calls: bigint }>()
  for (const { names, currency, amount, calls } of groups) {
    const key = JSON.stringify([...names, currency])
    const before = all.get(key) ?? { amount: 0n, calls: 0n }
    all.set(key, { amount: before.amount + amount, calls: before.calls + calls })
  }
  return [...all].map(([key, { amount, calls }]) => `${key} ${calls} ${amount}`).sort()
}

const spendBy = async (by: readonly SpendDimension[]): Promise<readonly string[]> => {
  const { groups } = spend(await readSpend(database, period), { by })
  return sums(groups.map((group) => ({ ...group, calls: BigInt(group.calls ?? 0) })))
}

/** Detail is asked by several dimensions at once, and each is summed over the others. */
const together: readonly (readonly Dimension[])[] = [
  inSpend,
  ['endUser', 'tag:feature'],
  ['conversation', 'tag:none'],
  ['tag:customer', 'tag:feature', 'day'],
]

const everyReportAgrees = async (): Promise<void> => {
  for (const dimension of inSpend) expect(await spendBy([dimension])).toEqual(plain.get(dimension))
  expect(await spendBy([])).toEqual(plain.get('total'))
  for (const by of together) {
    const groups = await groupDetail({ database, folder }, { ...period, by })
    for (const [index, dimension] of by.entries()) {
      const alone = groups.map((group) => ({ ...group, names: [group.names[index] ?? null] }))
      expect(sums(alone)).toEqual(plain.get(dimension))
    }
    expect(sums(groups.map((group) => ({ ...group, names: [] })))).toEqual(plain.get('total'))
  }
  const byMeter = await groupDetail({ database, folder }, { ...period, by: ['meter', 'tag:feature'] })
  const amounts = (lines: readonly string[] = []): unknown => lines.map((line) => line.split(' ').at(-1))
  expect(amounts(sums(byMeter.map((group) => ({ ...group, names: [] }))))).toEqual(
    amounts(plain.get('total')),
  )
  const read = createSpendFold({ by: ['tag:customer'] })
  for await (const page of openDetail(database, folder).calls(period)) read.now.calls(page)
  const counted = read.result().groups.map((group) => ({ ...group, calls: BigInt(group.calls ?? 0) }))
  expect(sums(counted)).toEqual(plain.get('tag:customer'))
  const { differences } = await verify(database)
  expect(differences).toEqual([])
}

const timed = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
  const start = performance.now()
  const result = await work()
  const seconds = (performance.now() - start) / 1_000
  if (longForm) console.log(`${what}: ${seconds.toFixed(1)} s, ${Math.round(calls / seconds)} calls a second`)
  return result
}

describe('days of a company', () => {
  it('come to the same in every report', everyReportAgrees, minutes * 60_000)

  it(
    'come to the same when every day is sealed',
    async () => {
      const { seals, waiting } = await timed('sealed', () =>
        sealDays(database, { folder, at: period.to + 3 * 86_400_000, afterHours: 48 }),
      )
      expect([seals.length, waiting]).toEqual([days, []])
      expect(seals.reduce((sum, seal) => sum + seal.calls, 0)).toBe(calls)
      await everyReportAgrees()
    },
    minutes * 60_000,
  )

  it(
    'come to the same when their calls are only in the files',
    async () => {
      await timed('pruned', () => pruneDays(database, { folder, at: period.to, keepDays: 7 }))
      const pruned = (await openSeals(database).list()).filter(({ isPruned }) => isPruned)
      expect(pruned).toHaveLength(days - 7)
      await everyReportAgrees()
      const verified = await timed('sealed days verified', () => verifyDays(database, folder))
      expect(verified.differences).toEqual([])
      const day = dayOf(from)
      const back = await thawCalls(database, { folder, day, callIds: null })
      expect(back).toBeGreaterThan(0)
      expect((await verify(database)).differences).toEqual([])
      await pruneDays(database, { folder, at: period.to, keepDays: 7 })
      expect((await verify(database)).differences).toEqual([])
    },
    minutes * 60_000,
  )
})
