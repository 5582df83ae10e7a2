import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleUse } from '../../../test/conformance/accruals.ts'
import { exampleLine } from '../../../test/conformance/imports.ts'
import {
  exampleCall,
  exampleCharge,
  exampleReservation,
  exampleSettlement,
} from '../../../test/conformance/ledger.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import type { Call } from '../../ledger/entry.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { createSpendFold, type SpendReport } from '../../reports/spend.ts'
import { isOfHours, type SpendDimension, spendDimensions } from '../../reports/spend-dimensions.ts'
import type { SpendGroup } from '../../reports/spend-group.ts'
import { receiptQuery } from '../../reports/spend-query.ts'
import { parseWhere } from '../../reports/spend-where.ts'
import { parseInstant } from '../../time.ts'
import { readAsked } from './asked.ts'
import { receiptRoute } from './receipt.ts'
import { spendRoute } from './spend.ts'
import { readEntries, readSpendReport, type SpendReading } from './spend-reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-spend-'))
let database: Database
const clock = { now: () => 0 }

const start = parseInstant('2023-10-28T20:00:00Z')
const hourMs = 3_600_000
const promoted = { unitPrice: '40', per: 1_000_000, price: 'price-0' }

/** Calls over two days in which clocks in Paris go back, some corrected, some at a promotion, one unpriced; sessions, and
 * lines that were imported, one of them twice. */
beforeAll(async () => {
  const file = join(folder, 'ledger.sqlite')
  const ledger = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
  for (let index = 0; index < 60; index += 1) {
    const id = `call-${index}`
    const more: Partial<Call> = {
      at: start + index * 47 * 60_000,
      team: ['search', 'ads', null][index % 3] ?? null,
      key: index % 4 === 0 ? null : 'key_1',
      endUser: ['eu_1', 'eu_2', null][index % 3] ?? null,
      conversation: index % 5 === 0 ? null : `conversation ${index % 2}`,
      tags: index % 2 === 0 ? {} : { feature: `rerank,${index % 3}*` },
    }
    await ledger.reserve({ ...exampleReservation(id, 60n, []), call: exampleCall(id, more) })
    const charge = exampleCharge(BigInt(index * 7 + 1))
    const charges = [
      index % 6 === 0 ? { ...charge, list: promoted } : charge,
      { ...charge, meter: 'output_text_tokens' as const, quantity: index, amount: BigInt(index) },
    ]
    const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
    const settlement = exampleSettlement(id, 0n, {
      charges,
      model: index % 7 === 0 ? 'gpt-4-0613' : 'gpt-3.5-turbo',
      tier: index % 8 === 0 ? null : 'default',
      basis: index % 9 === 0 ? 'estimated' : 'measured',
      unpriced: index === 30 ? [image] : [],
    })
    await ledger.settle(settlement)
  }
  const call = exampleCall('call-9', { at: start + 9 * 47 * 60_000, team: 'search' })
  await ledger.accruals.use(exampleUse('step-1', call.at))
  await ledger.imports.post([
    exampleLine('line-1', 25n, { from: start, to: start + hourMs }),
    exampleLine('line-2', 31n, { from: start + 30 * hourMs, to: start + 31 * hourMs, tier: null }),
  ])
  await ledger.imports.post([exampleLine('line-1', 26n, { from: start, to: start + hourMs })])
  await ledger.close()
  database = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

const everything: SpendReading = {
  by: [],
  where: [],
  from: null,
  to: null,
  timeZone: 'UTC',
  top: null,
  isCompared: false,
}

const fromEntries = async (asked: SpendReading): Promise<SpendReport> => {
  const fold = createSpendFold(asked)
  await readEntries({ database, sealed: null }, fold.now, {
    from: asked.from ?? Number.MIN_SAFE_INTEGER,
    to: asked.to ?? Number.MAX_SAFE_INTEGER,
  })
  return fold.result()
}

const ask = (texts: Readonly<Record<string, string>>): Promise<SpendReport> =>
  spendRoute.read({ database, sealed: null, clock }, readAsked(spendRoute.asked, texts))

describe('the hourly sums and the entries', () => {
  const wheres = [
    '',
    'team=search',
    'team=(none),basis=measured',
    'meter=input*',
    'provider=anthropic',
    'day=2023-10-29',
  ]

  it('come to the same groups, to the last unit', async () => {
    const dimensions = spendDimensions.filter(isOfHours)
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(dimensions, { maxLength: 4 }),
        fc.constantFrom(...wheres),
        fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York'),
        fc.constantFrom(null, start + 5 * hourMs),
        async (by, where, timeZone, from) => {
          const asked = { ...everything, by, where: parseWhere(where), timeZone, from }
          const [hours, entries] = [
            await readSpendReport({ database, sealed: null }, asked),
            await fromEntries(asked),
          ]
          expect(hours.groups).toEqual(entries.groups)
          expect(hours.totals).toEqual(entries.totals)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('know what promotions took off, what was estimated, and what was imported', async () => {
    const { totals } = await ask({ by: 'team' })
    // 60 calls: 7 x 1,770 + 60, and 1,770 of output; a session; 26 and 31 imported.
    const session = exampleUse('step-1', start).posting.charges.reduce((sum, { amount }) => sum + amount, 0n)
    expect(totals).toMatchObject([{ amount: 12_450n + 1_770n + session + 57n, calls: 66, unpriced: 1 }])
    expect(totals[0]?.basis).toMatchObject({ imported: 57n, reconciled: 0n })
    // 10 tokens at 40 a million are 400 millionths of a dollar; ten calls were listed at that.
    expect((totals[0]?.list ?? 0n) - (totals[0]?.amount ?? 0n)).toBe(
      10n * 400_000_000n -
        [0, 6, 12, 18, 24, 30, 36, 42, 48, 54].reduce((sum, at) => sum + BigInt(at * 7 + 1), 0n),
    )
  })
})

describe('spend from the calls', () => {
  it('is by tag, end user, conversation and tier, and keeps the total', async () => {
    const whole = (await ask({ by: 'team' })).totals[0]
    for (const by of ['tag:feature', 'endUser', 'conversation', 'tier', 'tag:feature,endUser,week']) {
      const { groups, totals } = await ask({ by })
      expect(groups.reduce((sum, { amount }) => sum + amount, 0n)).toBe(whole?.amount)
      expect(totals).toEqual([{ ...whole, names: totals[0]?.names }])
    }
    const { groups } = await ask({ by: 'tag:feature', where: 'basis=measured' })
    expect(groups.map(({ names }) => names[0]).sort()).toEqual([
      ...[null, 'rerank', 'rerank,0*', 'rerank,1*', 'rerank,2*'],
    ])
  })

  it('has days that begin at half past an hour of UTC', async () => {
    const { groups } = await ask({ by: 'day', zone: 'Asia/Kolkata' })
    const { groups: first } = await ask({
      from: '2023-10-29T18:30:00Z',
      to: '2023-10-30T18:30:00Z',
      by: 'team',
    })
    expect(groups.map(({ names }) => names[0])).toEqual(['2023-10-29', '2023-10-30'])
    expect(groups[1]?.amount).toBe(first.reduce((sum, { amount }) => sum + amount, 0n))
  })

  it('takes days of the zone as a period', async () => {
    const asked = await ask({ from: '2023-10-29', to: '2023-10-30', zone: 'Europe/Paris' })
    expect([asked.from, asked.to]).toEqual(
      ['2023-10-28T22:00:00Z', '2023-10-29T23:00:00Z'].map((at) => parseInstant(at)),
    )
    const { groups } = await ask({ by: 'day', zone: 'Europe/Paris', where: 'day=2023-10-29' })
    expect(groups.map(({ amount }) => amount)).toEqual([asked.totals[0]?.amount])
  })
})

describe('the largest', () => {
  it('stand alone and the others as one, and the total stays', async () => {
    const all = await ask({ by: 'hour' })
    const { groups, others, totals } = await ask({ by: 'hour', top: '5' })
    expect([groups.length, others.length, others[0]?.count]).toEqual([5, 1, all.groups.length - 5])
    expect(totals).toEqual(all.totals)
    const sum = (of: (group: SpendGroup) => bigint): bigint =>
      [...groups, ...others].reduce((total, group) => total + of(group), 0n)
    expect(sum(({ amount }) => amount)).toBe(totals[0]?.amount)
    expect(sum(({ basis }) => basis.estimated)).toBe(totals[0]?.basis.estimated)
  })
})

describe('against the period before', () => {
  it('says what each group came to, and why', async () => {
    const period = { from: '2023-10-29', to: '2023-10-30' }
    const { groups, totals, before } = await ask({ by: 'team', compare: 'previous', ...period })
    const earlier = await ask({ by: 'team', from: '2023-10-28', to: '2023-10-29' })
    expect(before).toEqual({ from: parseInstant('2023-10-28'), to: parseInstant('2023-10-29') })
    for (const { names, amount, change } of groups) {
      const past = earlier.groups.find((group) => group.names[0] === names[0])?.amount ?? 0n
      expect(change).toMatchObject({ before: past, delta: amount - past })
      expect((change?.price ?? 0n) + (change?.volume ?? 0n) + (change?.mix ?? 0n)).toBe(amount - past)
    }
    expect(totals[0]?.change?.before).toBe(earlier.totals[0]?.amount)
    expect(totals[0]?.change?.mix).toBe(groups.reduce((sum, { change }) => sum + (change?.mix ?? 0n), 0n))
  })
})

describe('a receipt', () => {
  const receiptOf = (texts: Readonly<Record<string, string>>) =>
    receiptRoute.read({ database, sealed: null, clock }, readAsked(receiptRoute.asked, texts))

  it('of any group sums to its amount', async () => {
    const dimensions: readonly SpendDimension[] = [...spendDimensions, 'tag:feature']
    await fc.assert(
      fc.asyncProperty(
        fc.subarray([...dimensions], { minLength: 1, maxLength: 3 }),
        fc.constantFrom('UTC', 'Europe/Paris', 'Asia/Kolkata'),
        fc.constantFrom('', 'team=search,team=ads', 'model=gpt-3*', 'day=2023-10-29'),
        fc.nat(),
        async (by, timeZone, where, chosen) => {
          const report = await readSpendReport(
            { database, sealed: null },
            {
              ...{ ...everything, by, where: parseWhere(where), timeZone },
            },
          )
          const group = report.groups[chosen % Math.max(1, report.groups.length)]
          if (group === undefined) return
          const { totals } = await receiptOf({ ...receiptQuery(report, group, by) })
          expect(totals.map(({ amount }) => amount)).toEqual(
            totals.length === 0 && group.amount === 0n ? [] : [group.amount],
          )
        },
      ),
      { numRuns: 40 },
    )
  })

  it('comes in pages that have every line once, each with the whole sum', async () => {
    const whole = await receiptOf({ limit: '1000' })
    const lines: unknown[] = []
    let after: string | null = null
    do {
      const page = await receiptOf({ limit: '50', ...(after !== null && { after }) })
      expect(page.totals).toEqual(whole.totals)
      lines.push(...page.lines)
      after = page.next
    } while (after !== null)
    expect(lines).toEqual(whole.lines)
    expect(lines).toHaveLength(whole.count)
    await expect(receiptOf({ after: 'call-0-0' })).rejects.toMatchObject({ code: 'bad_input' })
  })

  it('of a call has its charges with their prices, and what has none', async () => {
    const { lines, totals } = await receiptOf({ call: 'call-30' })
    expect(lines).toMatchObject([
      {
        ...{ kind: 'call', id: 'call-30', meter: 'input_text_tokens', quantity: 10, amount: 211n },
        price: { id: 'price-1', unitPrice: '30', per: 1_000_000, list: promoted },
        ...{ basis: 'measured', bookVersion: 'book-1', corrects: null },
      },
      { meter: 'output_text_tokens', quantity: 30, amount: 30n },
      { meter: 'image', quantity: 2, price: null, amount: 0n },
    ])
    expect(totals).toEqual([{ currency: 'USD', amount: 241n, unpriced: 1 }])
    await expect(receiptOf({ call: 'none' })).rejects.toMatchObject({ code: 'unknown_object' })
  })
})

describe('what is asked', () => {
  it.each([
    [{ by: 'colour' }, /^by cannot be "colour"/],
    [{ zone: 'Mars' }, /^zone cannot be "Mars"/],
    [{ zone: '+01:00' }, /^zone cannot be/],
    [{ where: 'team' }, /^where cannot be "team"/],
    [{ top: '0' }, /^top cannot be "0"/],
    [{ from: '2023-11-16', to: '2023-11-15' }, /^from 2023-11-16 is not before 2023-11-15/],
    [{ to: 'soon' }, /^to cannot be read: "soon" is not an instant/],
    [{ compare: 'previous' }, /^compare needs a period/],
    [{ compare: 'previous', from: '2023-11-15', to: '2023-11-16', by: 'day' }, /^compare cannot be by day/],
    [{ compare: 'last' }, /^compare: /],
    [{ colour: 'red' }, /^There is no colour here. There are: by, from, to, zone, where, top, compare/],
  ])('is refused by name: %j', (texts, message) => {
    expect(() => readAsked(spendRoute.asked, texts as Record<string, string>)).toThrow(message)
  })
})
