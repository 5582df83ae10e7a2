import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCalls, generatedBook } from '../../../test/support/generated-calls.ts'
import { loadCalls } from '../../../test/support/load-calls.ts'
import { format } from '../../money/rational.ts'
import type { Accrued } from '../accrual.ts'
import type { Database } from '../database.ts'
import { openSqlite } from '../databases/sqlite.ts'
import type { Imported } from '../imported.ts'
import { type Ledger, ledgerStore, openLedger, verify } from '../ledger.ts'
import { entryOfLine, parseLine } from '../lines.ts'
import { readAccrued, readCalls, readImported, readLives } from '../reading.ts'
import { dayOf, openSeals } from '../seal.ts'
import { readDay } from './day-file.ts'
import { type DayWorker, openDayWorker } from './day-worker.ts'
import { openDetail } from './detail.ts'
import { withDuck } from './duck.ts'
import {
  addAccrued,
  addCall,
  addImported,
  type Dimension,
  emptyGroups,
  type Group,
  type GroupsAsked,
  plainDimensions,
} from './grouping.ts'
import { groupDetail } from './groups.ts'
import { dropDay, pruneDay, thawCalls } from './pruning.ts'
import { sealDay } from './seal-day.ts'
import { verifyDays } from './verify-days.ts'

const from = Date.parse('2026-08-01')
const days = 4
const all = { from, to: from + days * 86_400_000 }

const owner: Accrued['owner'] = {
  ...{ key: null, organization: 'acme', team: 'team_1', project: null, environment: null },
  ...{ endUser: null, tags: { feature: 'it"s /~ odd' } },
}

const session: Accrued = {
  ...{ accrualId: '', at: from + 5, from: from + 5, to: from + 3_600_005, owner },
  ...{ provider: 'openai', model: null, endpoint: 'assistants', conversation: null },
  ...{ holder: 'thread_1', object: null, basis: 'measured', currency: 'USD' },
  charges: [
    {
      ...{ meter: 'code_interpreter_session', quantity: 1, unitPrice: '0.03', per: 1 },
      exact: { numerator: 3n, denominator: 100n },
      ...{ amount: 30_000_000_000n, price: 'session', source: 'here' },
    },
  ],
  ...{ unpriced: [], list: 30_000_000_000n, counts: [], bookVersion: 'generated' },
}

const line: Imported = {
  ...{ lineId: 'line_1', at: from + 86_400_000, importer: 'openai-usage', account: 'main', role: 'usage' },
  ...{
    from,
    to: from + 86_400_000,
    owner,
    provider: 'openai',
    model: 'gpt-4o',
    endpoint: 'chat-completions',
  },
  ...{ tier: null, currency: 'EUR', calls: 3, unpriced: [], bookVersion: 'generated' },
  reported: { usage: [], amount: -5n, requests: 3, lineItem: null, project: null, apiKey: null },
  charges: [
    {
      ...{
        meter: 'audio_seconds',
        quantity: { numerator: 61n, denominator: 3n },
        unitPrice: '0.006',
        per: 60,
      },
      exact: { numerator: 61n, denominator: 30_000n },
      // Beyond 2^63, where a column holds a text.
      ...{ amount: 12_345_678_901_234_567_890_123n, price: 'audio', source: 'here' },
    },
  ],
}

let home: string
let folder: string
let database: Database
let ledger: Ledger
let worker: DayWorker

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-sealed-'))
  folder = join(home, 'sealed')
  database = await openSqlite({ file: join(home, 'ledger.sqlite'), stores: [ledgerStore] })
  ledger = openLedger(database)
  await loadCalls(ledger, generateCalls({ calls: 1_200, from, days, book: await generatedBook() }))
  await ledger.accruals.use({ id: 'use_1', meter: 'code_interpreter_session', posting: session })
  await ledger.imports.post([line, { ...line, lineId: 'line_2' }])
  await ledger.imports.post([{ ...line, lineId: 'line_2', calls: 1 }])
  worker = await openDayWorker(database)
})

afterAll(async () => {
  await worker.close()
  await ledger.close()
  await rm(home, { recursive: true })
})

const collect = async <Row>(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> => {
  const rows: Row[] = []
  for await (const page of pages) rows.push(...page)
  return rows
}

/** By plain code, from the entries of a period. */
const plainly = async (asked: GroupsAsked): Promise<readonly Group[]> => {
  const groups = emptyGroups(asked)
  for (const row of await collect(openDetail(database, folder).calls(asked))) addCall(groups, row)
  for (const row of await collect(readAccrued(database, asked))) addAccrued(groups, row)
  for (const row of await collect(readImported(database, asked))) addImported(groups, row)
  return [...groups.sums.values()]
}

const sorted = (groups: readonly Group[]): readonly string[] =>
  groups
    .map(({ names, quantity, ...sums }) =>
      [...names, format(quantity), ...Object.entries(sums).sort()].join(' '),
    )
    .sort()

const askedOfSeal = fc.record({
  by: fc.uniqueArray(
    fc.constantFrom<Dimension>(...plainDimensions, 'tag:feature', 'tag:customer', 'tag:none', 'tag:a/"b~'),
    { maxLength: 4 },
  ),
  from: fc.integer({ min: from - 86_400_000, max: from + 2 * 86_400_000 }),
  to: fc.integer({ min: from + 2 * 86_400_000 + 1, max: from + 5 * 86_400_000 }),
  only: fc.constantFrom<NonNullable<GroupsAsked['only']>>(
    [],
    [{ dimension: 'team', value: 'team_1' }],
    [{ dimension: 'tag:feature', value: 'feature_1' }],
    [{ dimension: 'endUser', value: null }],
    [{ dimension: 'day', value: '2026-08-02' }],
  ),
})

const expectGroupsAgree = () =>
  fc.assert(
    fc.asyncProperty(askedOfSeal, async (asked) => {
      expect(sorted(await groupDetail({ database, folder }, asked))).toEqual(sorted(await plainly(asked)))
    }),
    { numRuns: 8 },
  )

let callsBefore: readonly unknown[] = []
let livesBefore: readonly unknown[] = []
const byId = <Row>(rows: readonly Row[], idOf: (row: Row) => string): Row[] =>
  [...rows].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
const sortedCalls = async () =>
  byId(await collect(openDetail(database, folder).calls(all)), ({ call }) => call.id)
const sortedLives = async () =>
  byId(await collect(openDetail(database, folder).lives(all)), ({ reserved }) => reserved.call.id)

// One ledger lives through all of it, in this order.
describe('a day of the ledger', () => {
  it('is read and grouped from the entries while nothing is sealed', async () => {
    callsBefore = byId(await collect(readCalls(database, all)), ({ call }) => call.id)
    livesBefore = byId(await collect(readLives(database, all)), ({ reserved }) => reserved.call.id)
    expect(callsBefore.length).toBeGreaterThan(1_150)
    expect(livesBefore).toHaveLength(1_200)
    await expectGroupsAgree()
  }, 60_000)

  it('cannot lose an entry before it is sealed', () => {
    const file = new DatabaseSync(join(home, 'ledger.sqlite'))
    for (const table of ['entries', 'charges', 'holds']) {
      expect(() => file.exec(`DELETE FROM ${table}`)).toThrow('append-only')
    }
    file.close()
  })

  it('is not ready while a call of it is open', async () => {
    const at = from + 86_400_000
    const [life] = await collect(readLives(database, all))
    if (life === undefined) throw new Error('no call')
    const { kind: _, sequence: __, ...reservation } = life.reserved
    await ledger.reserve({ ...reservation, call: { ...reservation.call, id: 'call_open', at } })
    const { daysToSeal } = openSeals(database)
    const first = dayOf(from)
    expect(await daysToSeal(first + 9)).toEqual({ days: [first, first + 2, first + 3], waiting: [first + 1] })
    expect(await daysToSeal(first + 3)).toMatchObject({ days: [first, first + 2] })
    await ledger.release({ callId: 'call_open', at, reason: 'never sent' })
    livesBefore = await sortedLives()
    expect(await daysToSeal(first + 9)).toMatchObject({ waiting: [] })
  })

  it('is sealed once, also when a crash left a file without a record', async () => {
    await sealDay(database, { worker, folder, day: dayOf(from), at: 1 })
    await writeFile(join(folder, '2026-08-02.parquet'), 'half a file')
    for (let day = 1; day < days; day += 1) {
      await sealDay(database, { worker, folder, day: dayOf(from) + day, at: 2 })
    }
    const again = await sealDay(database, { worker, folder, day: dayOf(from), at: 3 })
    expect(again).toMatchObject({ at: 1, file: '2026-08-01.parquet', isPruned: false })
    expect((await readdir(folder)).sort()).toEqual([1, 2, 3, 4].map((day) => `2026-08-0${day}.parquet`))
    const seals = await openSeals(database).list()
    expect(seals.reduce((sum, { calls }) => sum + calls, 0)).toBe(1_201)
    expect(Math.max(...seals.map(({ bytes, calls }) => bytes / calls))).toBeLessThan(400)
    expect(seals[0]?.sums['EUR']).toBe(3n * 12_345_678_901_234_567_890_123n)
  })

  it('has each of its entries in its file, exactly', async () => {
    const seals = openSeals(database)
    const [seal] = await seals.list()
    if (seal === undefined) throw new Error('no seal')
    const { day, lastSequence: last } = seal
    const asked = { day, last, after: 0, limit: 5_000 }
    const pages = [
      await seals.page({ ...asked, part: 'calls' }),
      await seals.page({ ...asked, part: 'posts' }),
    ]
    const written = pages.flatMap(({ lines }) => lines.map((text) => entryOfLine(parseLine(text))))
    const columns = await seals.columns()
    const read = await withDuck({}, async (duck) => {
      const groups = await collect(readDay(duck, join(folder, seal.file), columns))
      return groups.flat().map(entryOfLine)
    })
    const inOrder = (entries: typeof read) => [...entries].sort((a, b) => a.sequence - b.sequence)
    expect(inOrder(read)).toEqual(inOrder(written))
    expect(read.filter(({ kind }) => kind === 'imported')).toHaveLength(3)
    expect(read.filter(({ kind }) => kind === 'accrued')).toHaveLength(1)
  })

  it('is grouped from its file as from its entries', () => expectGroupsAgree(), 60_000)

  it('gives up its calls to the file, and nothing that is read changes', async () => {
    for (let day = 0; day < days; day += 1)
      await pruneDay(database, { worker, folder, day: dayOf(from) + day })
    const left = await collect(readLives(database, all))
    expect(left.length).toBeLessThan(10)
    expect(await sortedLives()).toEqual(livesBefore)
    expect(await sortedCalls()).toEqual(callsBefore)
    await expectGroupsAgree()
    const verification = await verify(database)
    expect(verification.differences).toEqual([])
    expect(verification).toMatchObject({ agrees: true, calls: 1_201 })
    expect(await verifyDays(database, folder)).toEqual({ days: 4, differences: [] })
  }, 60_000)

  it('is corrected after a call was put back as it was', async () => {
    const [row] = await collect(openDetail(database, folder).calls(all))
    if (row === undefined) throw new Error('no call')
    const { call, settlement } = row
    const { kind: _, sequence: corrects, ...content } = settlement
    const corrected = { ...content, charges: content.charges.slice(0, 1), note: 'a better price', corrects }
    expect((await ledger.adjust(corrected)).outcome).toBe('unknown')
    const asked = { folder, day: dayOf(call.at), callIds: [call.id] }
    expect([await thawCalls(database, asked), await thawCalls(database, asked)]).toEqual([1, 0])
    expect(await sortedCalls()).toEqual(callsBefore)
    expect((await verify(database)).differences).toEqual([])
    expect((await ledger.adjust(corrected)).outcome).toBe('done')
    const after = (await sortedCalls()).find((each) => each.call.id === call.id)
    expect(after?.settlement).toMatchObject({ kind: 'adjusted', note: 'a better price' })
    expect((await verify(database)).differences).toEqual([])
    expect((await verifyDays(database, folder)).differences).toEqual([])
    await expectGroupsAgree()
  }, 60_000)

  it('is named when its file was changed, and nothing is taken from it', async () => {
    await appendFile(join(folder, '2026-08-02.parquet'), 'x')
    const { differences } = await verifyDays(database, folder)
    expect(differences).toMatchObject([{ where: 'sealed days', key: '2026-08-02.parquet' }])
    await expect(pruneDay(database, { worker, folder, day: dayOf(from) + 1 })).rejects.toThrow('was changed')
    await rm(join(folder, '2026-08-02.parquet'))
    await expect(collect(openDetail(database, folder).calls(all))).rejects.toThrow('is not there')
  })

  it('keeps its sums when its file is given up', async () => {
    await dropDay(database, { folder, day: dayOf(from) + 1, at: 9 })
    expect((await verify(database)).differences).toEqual([])
    expect((await verifyDays(database, folder)).differences).toEqual([])
    await expect(collect(openDetail(database, folder).calls(all))).rejects.toThrow('given up')
  })
})
