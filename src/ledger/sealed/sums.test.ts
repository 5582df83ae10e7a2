import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleCall, exampleCharge, exampleReservation } from '../../../test/conformance/ledger.ts'
import { format } from '../../money/rational.ts'
import type { Database } from '../database.ts'
import { openSqlite } from '../databases/sqlite.ts'
import type { Settlement } from '../entry.ts'
import { type Ledger, ledgerStore, openLedger, verify } from '../ledger.ts'
import type { CallRow } from '../reading.ts'
import { dayMs, dayOf } from '../seal.ts'
import { openSums, tenOf } from '../sealed-sums.ts'
import { type DayWorker, openDayWorker } from './day-worker.ts'
import { openDetail } from './detail.ts'
import { addCall, type Dimension, emptyGroups, type Group, type GroupsAsked, type Only } from './grouping.ts'
import { groupDetail, groupFacts } from './groups.ts'
import { pruneDay, thawCalls } from './pruning.ts'
import { resealDay, sealDay } from './seal-day.ts'
import { sumDays } from './sum-days.ts'
import { verifyDays } from './verify-days.ts'

const start = Date.parse('2023-11-11')
const first = dayOf(start)
const days = 11
const all = { from: start, to: start + days * dayMs }
/** Sums of anything, so that few calls have them. */
const limits = { rows: 1, bytes: 1_000, calls: 1 }

let home: string
let folder: string
let database: Database
let ledger: Ledger
let worker: DayWorker

/** What a call is made of: the place in a list says which end user, conversation and so on. */
type Made = {
  readonly hour: number
  readonly user: number
  readonly conversation: number
  readonly tags: number
  readonly team: number
  readonly euros: boolean
  readonly amount: bigint
  readonly seconds: bigint | null
  readonly isPriced: boolean
}
const made: fc.Arbitrary<Made> = fc.record({
  hour: fc.integer({ min: 0, max: days * 24 - 1 }),
  user: fc.integer({ min: 0, max: 3 }),
  conversation: fc.integer({ min: 0, max: 2 }),
  tags: fc.integer({ min: 0, max: 4 }),
  team: fc.integer({ min: 0, max: 2 }),
  euros: fc.boolean(),
  amount: fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.constant(12_345_678_901_234_567_890_123n)),
  seconds: fc.option(fc.bigInt({ min: 1n, max: 100n })),
  isPriced: fc.boolean(),
})

const tags = [
  {},
  { feature: 'a' },
  { feature: 'b', plan: 'free' },
  { plan: 'free', feature: 'b' },
  { 'o"d/~d': "it's" },
]

const settlementOf = (callId: string, call: Made): Settlement => ({
  ...{ callId, at: start, model: `model_${call.team}`, tier: null, basis: 'measured' },
  currency: call.euros ? 'EUR' : 'USD',
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
  ...{ status: 200, note: null, bookVersion: 'book-1' },
  resent: { tokens: 3, amount: call.amount, exact: true },
})

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-sums-'))
  folder = join(home, 'sealed')
  database = await openSqlite({ file: join(home, 'ledger.sqlite'), stores: [ledgerStore] })
  ledger = openLedger(database)
  const calls = fc.sample(made, { numRuns: 400, seed: 8 })
  for (const [index, call] of calls.entries()) {
    const at = start + call.hour * 3_600_000 + index
    const named = exampleCall(`call_${index}`, {
      ...{ at, team: ['search', 'ads', null][call.team] ?? null, model: `model_${call.team}` },
      endUser: ['ann', 'b%_', "c'\\d", null][call.user] ?? null,
      conversation: ['x', 'y', null][call.conversation] ?? null,
      tags: { ...tags[call.tags], request: `${index}` },
    })
    const currency = call.euros ? 'EUR' : 'USD'
    await ledger.reserve({ ...exampleReservation(named.id, 5n, []), call: named, currency })
    await ledger.settle(settlementOf(named.id, call))
  }
  worker = await openDayWorker(database)
}, 60_000)

afterAll(async () => {
  await worker.close()
  await ledger.close()
  await rm(home, { recursive: true })
})

const sum = () => sumDays(database, { worker, folder, limits })

const plainly = async (asked: GroupsAsked): Promise<readonly Group[]> => {
  const groups = emptyGroups(asked)
  for await (const page of openDetail(database, folder).calls(asked)) {
    for (const row of page) addCall(groups, row)
  }
  return [...groups.sums.values()]
}

const sorted = (groups: readonly Group[]): readonly string[] =>
  groups
    .map(({ names, quantity, ...sums }) =>
      [JSON.stringify(names), format(quantity), ...Object.entries(sums).sort()].join(' '),
    )
    .sort()

const dimension = fc.constantFrom<Dimension>(
  ...([
    'endUser',
    'conversation',
    'tag:feature',
    'tag:plan',
    'tag:o"d/~d',
    'tag:request',
    'tag:none',
  ] as const),
  ...(['team', 'model', 'organization', 'currency', 'basis', 'day', 'hour', 'tier', 'meter'] as const),
)
const bound = fc.integer({ min: 0, max: days * 2 }).map((half) => start + half * (dayMs / 2))
const question = fc.record({
  by: fc.uniqueArray(dimension, { maxLength: 3 }),
  between: fc.tuple(bound, bound).filter(([from, to]) => from < to),
  only: fc.constantFrom<readonly Only[]>(
    [],
    [{ dimension: 'endUser', value: null }],
    [{ dimension: 'tag:feature', value: 'b' }],
    [{ dimension: 'endUser', anyOf: [['b%', ''], ['', "'\\d"], null] }],
    [
      { dimension: 'tag:plan', anyOf: [['f', 'e'], null] },
      { dimension: 'currency', value: 'EUR' },
    ],
    [{ dimension: 'team', value: 'search' }],
    [{ dimension: 'day', value: '2023-11-15' }],
  ),
})

/** Groups of any question are those of a plain fold, and so are the largest and the rest of them. */
const expectGroupsAgree = (numRuns = 15) =>
  fc.assert(
    fc.asyncProperty(question, fc.integer({ min: 1, max: 4 }), async ({ by, between, only }, top) => {
      const [from, to] = between
      const asked = { from, to, by, only }
      const plain = await plainly(asked)
      expect(sorted(await groupDetail({ database, folder }, asked))).toEqual(sorted(plain))
      if (by.includes('meter')) return
      const { facts, counts } = await groupFacts({ database, folder }, { ...asked, top })
      const amounts = Map.groupBy(plain, ({ names, currency }) => JSON.stringify([...names, currency]))
      const ranked = [...amounts.values()]
        .map((some) => ({ key: some[0], amount: some.reduce((total, { amount }) => total + amount, 0n) }))
        .sort((a, b) => (a.amount > b.amount ? -1 : a.amount < b.amount ? 1 : 0))
      for (const [currency, count] of counts) {
        const of = ranked.filter(({ key }) => key?.currency === currency)
        expect(count).toBe(of.length)
        const told = Map.groupBy(
          facts.filter((fact) => fact.currency === currency && fact.meter === null && !fact.isOther),
          ({ names }) => JSON.stringify(names),
        )
        const largest = [...told.values()].map((some) =>
          some.reduce((total, { amount }) => total + amount, 0n),
        )
        expect(largest.sort((a, b) => (a > b ? -1 : 1))).toEqual(of.slice(0, top).map(({ amount }) => amount))
      }
      const total = (some: readonly { readonly amount: bigint }[]) =>
        some.reduce((sum, { amount }) => sum + amount, 0n)
      expect(total(facts.filter(({ meter }) => meter === null))).toBe(total(plain))
      expect(total(facts.filter(({ meter }) => meter !== null))).toBe(total(plain))
    }),
    { numRuns },
  )

const filesOfSums = async () =>
  (await readdir(folder)).filter((name) => !/^[\d-]+(\.\d)?\.parquet$/.test(name))

// One ledger lives through all of it, in this order.
describe('sums of sealed days', () => {
  it('are not there before a day is sealed', async () => {
    await expectGroupsAgree(5)
  }, 60_000)

  it('are of each day, and of the thirds of a month that are over', async () => {
    for (let day = first; day < first + days; day += 1)
      await sealDay(database, { worker, folder, day, at: 1 })
    await expectGroupsAgree(5)
    await sum()
    const sums = await openSums(database).list()
    expect(sums).toHaveLength(3 * (days + 1))
    expect(sums.filter((each) => each.days === 10).map((each) => [each.name, each.day])).toEqual([
      ['conversations', first],
      ['end-users', first],
      ['tags', first],
    ])
    expect(sums.find(({ name }) => name === 'tags')?.without).toEqual([])
    await expectGroupsAgree(25)
    expect(await verifyDays(database, folder)).toEqual({ days, differences: [] })
  }, 120_000)

  it('leave out a tag that each call has another value of, where they would be as many as calls', async () => {
    await openSums(database).forget(await openSums(database).list())
    await sumDays(database, { worker, folder, limits: { ...limits, rows: 0.9 } })
    const sums = await openSums(database).list()
    expect(sums.filter(({ name }) => name === 'tags').map(({ without }) => without)).toContainEqual([
      'request',
    ])
    await expectGroupsAgree(25)
  }, 120_000)

  it('are not kept where they are no smaller than what they sum', async () => {
    await openSums(database).forget(await openSums(database).list())
    await sumDays(database, { worker, folder })
    const sums = await openSums(database).list()
    expect(sums.map(({ file }) => file)).toEqual(new Array(3 * (days + 1)).fill(null))
    expect(await filesOfSums()).toEqual([])
    await openSums(database).forget(sums)
    await sum()
  }, 120_000)

  it('answer alone where they know what is asked, and the day where they do not', async () => {
    for (let day = first; day < first + days; day += 1) await pruneDay(database, { worker, folder, day })
    await expectGroupsAgree()
    expect((await verify(database)).differences).toEqual([])
    const path = join(folder, '2023-11-14.parquet')
    const file = await readFile(path)
    const before = await groupDetail({ database, folder }, { ...all, by: ['endUser'] })
    await rm(path)
    expect(sorted(await groupDetail({ database, folder }, { ...all, by: ['endUser'] }))).toEqual(
      sorted(before),
    )
    await expect(groupDetail({ database, folder }, { ...all, by: ['hour'] })).rejects.toThrow('is not there')
    await writeFile(path, file)
  }, 120_000)

  it('are passed over where a call was corrected, and made anew with their day', async () => {
    const day = first + 3
    await thawCalls(database, { folder, day, callIds: null })
    const pages = openDetail(database, folder).calls({ from: day * dayMs, to: (day + 1) * dayMs })
    const rows: CallRow[] = []
    for await (const page of pages) rows.push(...page)
    const [row] = rows
    if (row === undefined) throw new Error('no call')
    const { kind: _, sequence: corrects, ...content } = row.settlement
    await ledger.adjust({ ...content, charges: [exampleCharge(3n)], unpriced: [], corrects })
    await expectGroupsAgree()
    const old = await filesOfSums()
    expect(await resealDay(database, { worker, folder, day, at: 2 })).toBe(true)
    await expectGroupsAgree()
    await sum()
    await expectGroupsAgree()
    expect((await filesOfSums()).filter((name) => !old.includes(name))).toHaveLength(6)
    expect(await filesOfSums()).toHaveLength(old.length)
    expect((await verifyDays(database, folder)).differences).toEqual([])
  }, 120_000)

  it('are found where they say something else, and speed nothing up where they are missing', async () => {
    const [sums] = (await openSums(database).list()).filter(
      ({ name, days }) => name === 'end-users' && days === 1,
    )
    const path = join(folder, sums?.file ?? '')
    const file = await readFile(path)
    await writeFile(path, Buffer.concat([file, Buffer.from('x')]))
    expect((await verifyDays(database, folder)).differences).toMatchObject([{ key: sums?.file }])
    await rm(path)
    expect((await verifyDays(database, folder)).differences).toMatchObject([
      { key: sums?.file, folded: null },
    ])
    expect((await verifyDays(database, folder, { isSpare: true })).differences).toEqual([])
    await expectGroupsAgree(5)
    await writeFile(path, file)
  }, 60_000)

  it('have thirds of months that are their days', () => {
    const ten = (text: string) => {
      const { day, days } = tenOf(dayOf(Date.parse(text)))
      return [new Date(day * dayMs).toISOString().slice(0, 10), days]
    }
    expect(ten('2023-11-01')).toEqual(['2023-11-01', 10])
    expect(ten('2023-11-20')).toEqual(['2023-11-11', 10])
    expect(ten('2023-12-31')).toEqual(['2023-12-21', 11])
    expect(ten('2024-02-29')).toEqual(['2024-02-21', 9])
  })
})
