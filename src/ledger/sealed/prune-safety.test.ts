import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exampleCharge, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import type { Database } from '../database.ts'
import { openSqlite } from '../databases/sqlite.ts'
import type { Reservation, Settlement } from '../entry.ts'
import { type Ledger, ledgerStore, openLedger, verify } from '../ledger.ts'
import { type CallLife, readLives } from '../reading.ts'
import { type Day, dayOf, openSeals } from '../seal.ts'
import { fileHashes } from './day-hashes.ts'
import { openDaySource } from './day-source.ts'
import { type DayWorker, openDayWorker } from './day-worker.ts'
import { openDetail } from './detail.ts'
import { quoted, withDuck } from './duck.ts'
import { pruneDay, thawCalls } from './pruning.ts'
import { sealDay } from './seal-day.ts'
import { verifyDays } from './verify-days.ts'

const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

let home: string
let folder: string
let file: string
let database: Database
let ledger: Ledger
let worker: DayWorker

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-safety-'))
  folder = join(home, 'sealed')
  file = join(home, 'ledger.sqlite')
  database = await openSqlite({ file, stores: [ledgerStore] })
  ledger = openLedger(database)
  worker = await openDayWorker(database)
})

afterEach(async () => {
  await worker.close()
  await ledger.close()
  await rm(home, { recursive: true })
})

const write = async (
  id: string,
  { call, settlement }: { call?: Partial<Reservation['call']>; settlement?: Partial<Settlement> } = {},
): Promise<Day> => {
  const reservation = exampleReservation(id)
  await ledger.reserve({ ...reservation, call: { ...reservation.call, ...call } })
  await ledger.settle(exampleSettlement(id, 25n, settlement))
  return dayOf(reservation.call.at)
}

const lives = async (pages: AsyncIterable<readonly CallLife[]>): Promise<readonly CallLife[]> => {
  const all: CallLife[] = []
  for await (const page of pages) all.push(...page)
  return all.sort((a, b) => (a.reserved.call.id < b.reserved.call.id ? -1 : 1))
}

const seal = (day: Day) => sealDay(database, { worker, folder, day, at: 1 })
const prune = (day: Day) => pruneDay(database, { worker, folder, day })
const kept = () => lives(readLives(database, always))

const odd = 'naïve \u{1f680} "quoted" \\ \n\t \u0000 NUL  한국어'
const beyond = 12_345_678_901_234_567_890_123n

describe('a sealed day', () => {
  it('has every value at its edges as it was written, and gives it back', async () => {
    const edges: Parameters<typeof write>[1][] = [
      { call: { tags: {} } },
      { call: { tags: { '': '', [odd]: odd, much: 'x'.repeat(100_000) }, endUser: odd, conversation: odd } },
      { call: { key: null, team: null, conversation: null, tags: { one: 'null' } } },
      { call: { team: 'null', organization: '', endUser: '' }, settlement: { note: '', tier: null } },
      { settlement: { charges: [] } },
      { settlement: { charges: [{ ...exampleCharge(beyond), amount: beyond }], note: odd } },
      { settlement: { charges: [exampleCharge(10n ** 30n), exampleCharge(-(10n ** 30n))] } },
      { settlement: { charges: [exampleCharge(2n ** 63n), exampleCharge(2n ** 63n - 1n)] } },
      { settlement: { charges: [{ ...exampleCharge(1n), quantity: { numerator: 61n, denominator: 3n } }] } },
      { settlement: { charges: [{ ...exampleCharge(1n), quantity: Number.MAX_SAFE_INTEGER }] } },
      {
        settlement: {
          charges: [{ ...exampleCharge(0n), quantity: { numerator: 2n ** 80n, denominator: 3n } }],
        },
      },
      {
        settlement: {
          unpriced: [{ meter: 'image', quantity: 2, code: 'no_price', message: odd }],
          resent: null,
          status: null,
          unresolved: [{ limit: 'budget', counter: odd, windowStart: 0, amount: beyond }],
          attempt: { durationMs: 0, firstByteMs: null, retry: 0 },
        },
      },
    ]
    let day = 0
    for (const [index, edge] of edges.entries()) day = await write(`call_${index}`, edge)
    await write('last')
    const before = await kept()
    await seal(day)
    expect((await verifyDays(database, folder)).differences).toEqual([])
    expect(await prune(day)).toBe(edges.length)
    expect(await kept()).toHaveLength(1)
    expect(await lives(openDetail(database, folder).lives(always))).toEqual(before)
    expect((await verify(database)).differences).toEqual([])
    expect(await thawCalls(database, { folder, day, callIds: null })).toBe(edges.length)
    expect(await kept()).toEqual(before)
    expect((await verify(database)).differences).toEqual([])
    expect((await verifyDays(database, folder)).differences).toEqual([])
  }, 30_000)

  it('never gives a sequence a second time', async () => {
    const day = await write('call_1')
    await write('call_2')
    const { lastSequence } = await seal(day)
    expect([lastSequence, await prune(day)]).toEqual([4, 1])
    await write('call_3')
    const after = (await kept()).find(({ reserved }) => reserved.call.id === 'call_3')
    expect([after?.reserved.sequence, after?.ends[0]?.sequence]).toEqual([5, 6])
    expect(await thawCalls(database, { folder, day, callIds: ['call_1'] })).toBe(1)
    expect((await verify(database)).differences).toEqual([])
  }, 30_000)
})

/** What a file could say instead, each with hashes that fit it. */
const changes: readonly (readonly [what: string, select: (from: string) => string])[] = [
  [
    'an amount',
    (from) => changed(from, 'charges', chargesWith('amount := x.amount + 0.000000000001::DECIMAL(38,12)')),
  ],
  ['another quantity', (from) => changed(from, 'charges', chargesWith('units := x.units + 1'))],
  ['another meter', (from) => changed(from, 'charges', chargesWith("meter := 'image'"))],
  ['a charge less', (from) => changed(from, 'charges', '[]')],
  ['a hold less', (from) => changed(from, 'holds', '[]')],
  ['another tag', (from) => changed(from, 'tags', "replace(tags, 'rerank', 'search')")],
  ['a text where there is none', (from) => changed(from, 'note', "''")],
  ['another time', (from) => changed(from, '"at"', '"at" + 1')],
  ['another team of a cost', (from) => changed(from, 'call_team', "'other'")],
  ['another cost', (from) => changed(from, 'call_cost', 'call_cost * 2')],
  ['a row less', (from) => `SELECT * FROM ${from} WHERE NOT (call_id = 'call_1' AND kind = 'settled')`],
  ['a row twice', (from) => `SELECT * FROM ${from} UNION ALL (SELECT * FROM ${from} LIMIT 1)`],
  ['a call less', (from) => `SELECT * FROM ${from} WHERE call_id <> 'call_1'`],
]

const changed = (from: string, column: string, value: string): string =>
  `SELECT * REPLACE ((CASE WHEN call_id = 'call_1' THEN ${value} ELSE ${column} END) AS ${column}) FROM ${from}`

const chargesWith = (change: string): string => {
  const fields = ['price_name', 'meter', 'units', 'fraction', 'amount', 'exact'].map((name) =>
    change.startsWith(`${name} :=`) ? change : `${name} := x.${name}`,
  )
  return `list_transform(charges, lambda x: struct_pack(${fields.join(', ')}))`
}

/** Puts another file in the place of a day's, and records its hashes as if it had been sealed so. */
const replaceFile = async (select: (from: string) => string): Promise<void> => {
  const path = join(folder, '2023-11-15.parquet')
  const original = join(home, 'original.parquet')
  await copyFile(path, original)
  const source = openDaySource(file, await openSeals(database).columns())
  const content = createHash('sha256')
  let entries = 0
  await withDuck({}, async (duck) => {
    const written = join(home, 'written.parquet')
    await duck.run(
      `COPY (${select(`read_parquet(${quoted(original)})`)}) TO ${quoted(written)} (FORMAT parquet)`,
    )
    for await (const rows of fileHashes(duck, written, source.columns)) {
      entries += rows.length
      for (const { hash } of rows) content.update(hash)
    }
    await rename(written, path)
  })
  source.close()
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  const other = new DatabaseSync(file)
  other.exec('DROP TRIGGER seals_stay')
  other
    .prepare('UPDATE seals SET sha256 = ?, content = ?, entries = ?')
    .run(sha256, content.digest('hex'), entries)
  other.close()
}

describe('a sealed file that says something else, with hashes that fit it', () => {
  it.each(changes)(
    'is refused: %s',
    async (_, select) => {
      const day = await write('call_1')
      await write('call_2')
      await write('last')
      const before = await kept()
      await seal(day)
      await replaceFile(select)
      await expect(prune(day)).rejects.toMatchObject({
        code: 'ledger_corrupt',
        message: expect.stringMatching(
          /does not say what the ledger has of 2023-11-15: .*Nothing was removed/,
        ),
      })
      expect(await kept()).toEqual(before)
      expect((await verifyDays(database, folder)).differences[0]).toMatchObject({ where: 'sealed days' })
      expect((await verify(database)).differences).toEqual([])
    },
    30_000,
  )

  it('is pruned when it says the same', async () => {
    const day = await write('call_1')
    await write('last')
    await seal(day)
    await replaceFile((from) => `SELECT * FROM ${from}`)
    expect(await prune(day)).toBe(1)
  }, 30_000)
})
