import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exampleCall, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { pruneDays, sealDays } from '../../ledger/sealed/sealing.ts'
import { openSums } from '../../ledger/sealed-sums.ts'
import { parseInstant } from '../../time.ts'
import { readAsked } from './asked.ts'
import { receiptRoute } from './receipt.ts'
import { spendRoute } from './spend.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-spend-sealed-'))
const sealed = join(folder, 'sealed')
const clock = { now: () => 0 }
let database: Database

beforeAll(async () => {
  database = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
  const ledger = openLedger(database)
  for (const [id, at] of [
    ['a', '2023-11-15T12:00:00Z'],
    ['b', '2023-11-16T12:00:00Z'],
  ] as const) {
    const call = exampleCall(id, { at: parseInstant(at) })
    await ledger.reserve({ ...exampleReservation(id, 60n, []), call })
    await ledger.settle(exampleSettlement(id, 25n, { at: call.at + 2_000 }))
  }
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

const byTag = (at: string | null) =>
  spendRoute.read({ database, sealed: at, clock }, readAsked(spendRoute.asked, { by: 'tag:feature' }))

const receipt = (texts: Readonly<Record<string, string>>) =>
  receiptRoute.read({ database, sealed, clock }, readAsked(receiptRoute.asked, texts))

it('reads calls that only a sealed day has, and says where it cannot', async () => {
  const [before, all] = [await byTag(sealed), await receipt({})]
  const at = parseInstant('2023-12-01')
  await sealDays(database, { folder: sealed, at, afterHours: 48 })
  // Days of one call are too small for sums, which is noted.
  const sums = await openSums(database).list()
  expect(sums.map(({ file }) => file)).toEqual([null, null, null, null, null, null])
  await pruneDays(database, { folder: sealed, at, keepDays: 15 })
  expect((await byTag(sealed)).groups).toEqual(before.groups)
  expect(before.groups).toMatchObject([{ names: ['rerank'], amount: 50n, calls: 2 }])
  expect((await receipt({})).lines).toEqual(all.lines)
  await expect(byTag(null)).rejects.toMatchObject({ code: 'ledger_unavailable' })
  const hours = await spendRoute.read({ database, sealed: null, clock }, readAsked(spendRoute.asked, {}))
  expect(hours.totals).toMatchObject([{ amount: 50n, list: 50n }])
  expect((await receipt({ call: 'a' })).lines).toEqual(all.lines.filter(({ id }) => id === 'a'))
})
