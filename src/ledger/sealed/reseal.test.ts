import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { exampleCharge, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import type { Database } from '../database.ts'
import { openSqlite } from '../databases/sqlite.ts'
import { type Ledger, ledgerStore, openLedger, verify } from '../ledger.ts'
import { type CallLife, readLives } from '../reading.ts'
import { dayMs, dayOf, openSeals } from '../seal.ts'
import { openDetail } from './detail.ts'
import { groupDetail } from './groups.ts'
import { thawCalls } from './pruning.ts'
import { pruneDays, sealDays } from './sealing.ts'
import { verifyDays } from './verify-days.ts'

const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

let home: string
let folder: string
let database: Database
let ledger: Ledger

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-reseal-'))
  folder = join(home, 'sealed')
  database = await openSqlite({ file: join(home, 'ledger.sqlite'), stores: [ledgerStore] })
  ledger = openLedger(database)
  for (const id of ['call_1', 'call_2', 'call_3', 'last']) {
    await ledger.reserve(exampleReservation(id))
    await ledger.settle(exampleSettlement(id))
  }
})

afterEach(async () => {
  await ledger.close()
  await rm(home, { recursive: true })
})

const at = exampleReservation('call').call.at
const day = dayOf(at)
const late = at + 30 * dayMs

const collect = async (pages: AsyncIterable<readonly CallLife[]>): Promise<readonly CallLife[]> => {
  const all: CallLife[] = []
  for await (const page of pages) all.push(...page)
  return all.sort((a, b) => (a.reserved.call.id < b.reserved.call.id ? -1 : 1))
}

const idsInLedger = async () =>
  (await collect(readLives(database, always))).map(({ reserved }) => reserved.call.id)

const total = async () =>
  (await groupDetail({ database, folder }, { from: 0, to: late, by: [] })).reduce(
    (sum, { amount }) => sum + amount,
    0n,
  )

it('takes a corrected day up anew when it is pruned, so that its calls leave the ledger again', async () => {
  await sealDays(database, { folder, at: late, afterHours: 48 })
  await pruneDays(database, { folder, at: late, keepDays: 7 })
  expect(await idsInLedger()).toEqual(['last'])
  expect(await thawCalls(database, { folder, day, callIds: ['call_2'] })).toBe(1)
  const life = await ledger.life('call_2')
  const corrects = life?.ends[0]?.sequence ?? 0
  const adjustment = { ...exampleSettlement('call_2'), charges: [exampleCharge(20n)], corrects }
  expect((await ledger.adjust(adjustment)).outcome).toBe('done')
  const before = await collect(openDetail(database, folder).lives(always))
  expect([await total(), before[1]?.ends.map(({ kind }) => kind)]).toEqual([95n, ['settled', 'adjusted']])

  const { days } = await pruneDays(database, { folder, at: late, keepDays: 7 })
  expect(days).toEqual([{ day, calls: 1 }])
  // The last entry of the ledger is now the correction, so its call stays.
  expect(await idsInLedger()).toEqual(['call_2'])
  expect(await readdir(folder)).toEqual(['2023-11-15.2.parquet'])
  const [seal] = await openSeals(database).list()
  expect(seal).toMatchObject({ calls: 4, entries: 9, charges: 5, sums: { USD: 120n }, isPruned: true })
  expect(await collect(openDetail(database, folder).lives(always))).toEqual(before)
  expect(await total()).toBe(95n)
  expect((await verify(database)).differences).toEqual([])
  expect((await verifyDays(database, folder)).differences).toEqual([])

  await ledger.reserve(exampleReservation('later'))
  expect((await pruneDays(database, { folder, at: late, keepDays: 7 })).days).toEqual([{ day, calls: 1 }])
  expect(await idsInLedger()).toEqual(['later'])
  expect((await verify(database)).differences).toEqual([])
}, 60_000)

it('lets no seal be changed but for a day that was written anew', async () => {
  await sealDays(database, { folder, at: late, afterHours: 48 })
  const file = new DatabaseSync(join(home, 'ledger.sqlite'))
  for (const change of [
    "sha256 = 'x'",
    'last_sequence = last_sequence - 1',
    'last_sequence = last_sequence + 1, calls = calls - 1',
    'last_sequence = last_sequence + 1, day = day + 1',
  ]) {
    expect(() => file.exec(`UPDATE seals SET ${change}`)).toThrow('stays sealed')
  }
  file.close()
}, 30_000)
