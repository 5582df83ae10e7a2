import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledBook } from '../../src/cli/bundled.ts'
import { command as reportBill } from '../../src/cli/commands/report-bill.ts'
import { command as reportSpend } from '../../src/cli/commands/report-spend.ts'
import { readBooks } from '../../src/cli/rerate-books.ts'
import { planRerate } from '../../src/cli/rerate-run.ts'
import { commandRunner } from '../../src/cli/run-command.fixture.ts'
import { readAllocation } from '../../src/gateway/reporting/allocation.ts'
import { readAsked } from '../../src/gateway/reporting/asked.ts'
import { billRoute } from '../../src/gateway/reporting/bill.ts'
import { openFocusSource } from '../../src/gateway/reporting/focus-source.ts'
import { receiptRoute } from '../../src/gateway/reporting/receipt.ts'
import { readReconciliation, readTotals } from '../../src/gateway/reporting/reconciliation.ts'
import { serviceLevelsRoute } from '../../src/gateway/reporting/service-levels.ts'
import { spendRoute } from '../../src/gateway/reporting/spend.ts'
import { readInto, readSpendReport } from '../../src/gateway/reporting/spend-reading.ts'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from '../../src/ledger/ledger.ts'
import { pruneDays, sealDays } from '../../src/ledger/sealed/sealing.ts'
import { parsePicos } from '../../src/money/money.ts'
import { convertSpend, createConverter } from '../../src/reports/currency.ts'
import { createSpendFold, type SpendAdder, type SpendReport } from '../../src/reports/spend.ts'
import { isSpendDimension } from '../../src/reports/spend-dimensions.ts'
import { formatInstant } from '../../src/time.ts'
import { focusSums } from '../support/focus-sums.ts'
import { generatedBook } from '../support/generated-calls.ts'
import { countAttempts, foldEntries, type PlainSums } from '../support/plain-fold.ts'
import { byCurrency, byName, lines, namingsOf, ofCalls, ofHours } from '../support/plain-names.ts'
import { byTag, byTeam, nobodysPrices, rates } from '../support/reporting-rules.ts'
import { loadVariedLedger } from '../support/varied-ledger.ts'
import { startWorld } from '../support/world.ts'
import { longForm } from './work.ts'

/** Every report of a ledger comes to what its entries come to, folded one by one, and so to what every other report says:
 * to the unit, before its days are sealed, after, and when only their files have the calls. 1,000,000 calls in the long
 * form. */

const calls = longForm ? 1_000_000 : 1_500
const days = 90
const minutes = longForm ? 240 : 5
const timeout = minutes * 60_000
const dayMs = 86_400_000
const from = Date.parse('2026-08-01')
const whole = { from, to: from + days * dayMs }
/** Thirty days of it, half of them before the calls of the first forty-five days are left to their files. */
const some = { from: from + 30 * dayMs, to: from + 60 * dayMs }

const stretches = [
  { period: whole, named: '' },
  { period: some, named: 'some ' },
]
/** Reports that read every call are of one of them: of the second where that has to be quick. */
const looked = longForm ? stretches.slice(0, 1) : stretches.slice(1)

let folder: string
let database: Database
let plain: Readonly<Record<string, PlainSums>>
let attempts: number

const source = () => ({
  database,
  sealed: join(folder, 'sealed'),
  clock: { now: () => whole.to + 10 * dayMs },
})
const file = () => join(folder, 'ledger.sqlite')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-agree-'))
  database = await openSqlite({ file: file(), stores: [ledgerStore] })
  await loadVariedLedger(openLedger(database), { calls, from, days, book: await generatedBook() })
  plain = foldEntries(file(), namingsOf(some))
  attempts = countAttempts(file())
}, timeout)

afterAll(async () => {
  await database.close()
  await rm(folder, { recursive: true })
})

/** What is asked for by itself, and not beside others. */
const alone = ['team', 'tag:feature', ...(longForm ? ['endUser', 'conversation'] : [])]

const plainOf = (name: string): PlainSums => plain[name] ?? new Map()

const amountsBy = (naming: string): ReadonlyMap<string, { readonly amount: bigint }> =>
  new Map([...plainOf(naming)].map(([key, { amount }]) => [key, { amount }]))

/** What there is by currency, of all names or of one. */
const amountsOf = (naming: string, name?: string): Readonly<Record<string, bigint>> =>
  byCurrency(
    [...plainOf(naming)].flatMap(([key, { amount }]) => {
      const [currency, named] = JSON.parse(key)
      return name === undefined || named === name ? [{ currency, amount }] : []
    }),
  )

const settled = (): number =>
  [...plainOf('of calls').values()].reduce((sum, { calls: count }) => sum + count, 0)

const spendLines = (groups: SpendReport['groups']): readonly string[] =>
  lines(
    groups.map(({ names, currency, amount, list, calls: count }) => [
      JSON.stringify([currency, names[0] === undefined ? '' : names[0]]),
      { amount, list, calls: count ?? 0 },
    ]),
  )

const texts = (period: typeof whole) => ({
  from: formatInstant(period.from),
  to: formatInstant(period.to),
})

/** Reports by each of some dimensions, all from one reading as a bill's are. */
const spendAgrees = async (
  period: typeof whole,
  named: string,
  names: readonly string[],
  timeZone = 'UTC',
): Promise<void> => {
  const by = names.filter((name) => name !== 'total').filter(isSpendDimension)
  const folds = new Map(
    names.map((name) => [name, createSpendFold({ by: by.filter((each) => each === name), timeZone })]),
  )
  const all = [...folds.values()].map(({ now }) => now)
  const into: SpendAdder = {
    hours: (rows) => {
      for (const adder of all) adder.hours(rows)
    },
    promotions: (rows) => {
      for (const adder of all) adder.promotions(rows)
    },
    calls: (rows) => {
      for (const adder of all) adder.calls(rows)
    },
    accrued: (rows) => {
      for (const adder of all) adder.accrued(rows)
    },
    imported: (rows) => {
      for (const adder of all) adder.imported(rows)
    },
  }
  await readInto(source(), into, period, { ...everything, ...period, by, timeZone })
  for (const [name, fold] of folds) {
    const { groups, totals } = fold.result()
    expect(spendLines(name === 'total' ? totals : groups)).toEqual(lines(plainOf(`${named}${name}`)))
    expect(byCurrency(totals)).toEqual(amountsOf(`${named}${name}`))
  }
}

const everything = {
  ...{ by: [], where: [], ...whole },
  ...{ timeZone: 'UTC', top: null, isCompared: false },
}

/** Reports that read calls convert each charge; those of hourly sums, what the charges of an hour came to together. Each
 * is rounded once, so the two are at most as many units of 10^-12 apart as there are charges. */
const convertedByCall = async (euros: bigint): Promise<void> => {
  const [one, other] = [createConverter(rates, { to: 'EUR' }), createConverter(rates, { to: 'EUR' })]
  const tags = { ...everything, by: ['tag:feature' as const], convert: convertSpend(one) }
  const report = await readSpendReport(source(), tags)
  const { sealed } = source()
  const allocation = await readAllocation(database, byTag, { ...whole, sealed, converter: other })
  expect(byCurrency(allocation.totals)).toEqual(byCurrency(report.totals))
  const apart = (byCurrency(report.totals)['EUR'] ?? 0n) - euros
  const charges = [...plainOf('total').values()].reduce((sum, each) => sum + each.charges, 0)
  expect(Math.abs(Number(apart))).toBeLessThanOrEqual(charges)
}

const everyReportAgrees = (): void => {
  it('spend by what the hourly sums know is that of the entries', { timeout }, async () => {
    for (const { period, named } of stretches) await spendAgrees(period, named, Object.keys(ofHours))
  })

  it('spend by what only calls know is that of the entries', { timeout }, async () => {
    await spendAgrees(whole, '', Object.keys(ofCalls))
    await spendAgrees(whole, 'Indian ', ['day'], 'Asia/Kolkata')
  })

  it.each(alone)('spend by %s alone is the same', { timeout }, async (by) => {
    const report = await spendRoute.read(source(), readAsked(spendRoute.asked, { by, ...texts(whole) }))
    expect(spendLines(report.groups)).toEqual(lines(plainOf(by)))
    expect(byCurrency(report.totals)).toEqual(amountsOf('total'))
  })

  it('a receipt has every charge', { timeout }, async () => {
    const ask = (where: Readonly<Record<string, string>>) =>
      receiptRoute.read(source(), readAsked(receiptRoute.asked, { ...texts(whole), ...where, limit: '1' }))
    const receipt = await ask({})
    expect(byCurrency(receipt.totals)).toEqual(amountsOf('total'))
    const unpriced = receipt.totals.reduce((sum, total) => sum + total.unpriced, 0)
    const charges = [...plainOf('total').values()].reduce((sum, each) => sum + each.charges, 0)
    expect(receipt.count - unpriced).toBe(charges)
    const figure = await ask({ where: 'tag:feature=feature_1,team=team_1' })
    expect(byCurrency(figure.totals)).toEqual(amountsOf('feature_1 of team_1'))
  })

  it('each list of a bill comes to its total', { timeout }, async () => {
    for (const { period, named } of looked) {
      const { bill } = await billRoute.read(source(), readAsked(billRoute.asked, texts(period)))
      const total = amountsOf(`${named}total`)
      expect(byCurrency(bill.total.totals)).toEqual(total)
      for (const list of [bill.groups, bill.models, bill.meters, bill.keys, bill.projects]) {
        expect(byCurrency([...list.groups, ...list.others])).toEqual(total)
      }
      expect(lines(byName(bill.stretches))).toEqual(lines(amountsBy(`${named}day`)))
      const parts = bill.stretches.map(({ parts, rest, currency }) => ({
        currency,
        amount: parts.reduce((sum, part) => sum + part.amount, rest),
      }))
      expect(byCurrency(parts)).toEqual(total)
    }
  })

  it('an allocation comes to the total, and each team to its own', { timeout }, async () => {
    const { sealed } = source()
    const teams = await readAllocation(database, byTeam, { ...whole, sealed })
    expect(byCurrency(teams.totals)).toEqual(amountsOf('total'))
    expect(byCurrency([...teams.centres, ...teams.unallocated])).toEqual(amountsOf('total'))
    const direct = byName(teams.centres.map((centre) => ({ ...centre, amount: centre.direct })))
    const own = [...amountsBy('team')].filter(([key]) => key.includes('team_'))
    expect(lines(direct)).toEqual(lines(own))
    const tags = await readAllocation(database, byTag, { ...whole, sealed })
    expect(byCurrency(tags.totals)).toEqual(amountsOf('total'))
    expect(byCurrency([...tags.centres, ...tags.unallocated])).toEqual(amountsOf('total'))
  })

  it('the rows of a FOCUS export come to the total', { timeout }, async () => {
    for (const { period, named } of looked) {
      const sums = await focusSums(openFocusSource(database, source().sealed), period)
      expect(sums.violations).toEqual([])
      for (const [by, own] of Object.entries(sums.by)) {
        const folded = [...plainOf(named + by)].map(
          ([key, { amount, list }]) => [key, { amount, list }] as const,
        )
        expect(lines(own)).toEqual(lines(folded))
      }
      const posted = [...plainOf(`${named}basis`)]
      const sure = posted.filter(([key]) => !key.includes('estimated'))
      expect(sums.billed).toBe(sure.reduce((sum, [, { amount }]) => sum + amount, 0n))
      expect(sums.charges).toBe(posted.reduce((sum, [, { charges }]) => sum + charges, 0))
    }
  })

  it("a reconciliation's ledger is the ledger", { timeout }, async () => {
    for (const { period, named } of looked) {
      const asked = { provider: 'openai', account: null, ...period }
      const by = { book: await bundledBook(), sealed: source().sealed }
      const { totals } = await readReconciliation(database, asked, by)
      const own = totals.map(({ currency, ledger }) => ({ currency, amount: ledger }))
      expect(byCurrency(own)).toEqual(amountsOf(`${named}beside imports`, 'openai'))
      for (const { gap, vendor, ledger, parts } of totals) {
        expect(vendor - ledger).toBe(gap)
        expect(parts.reduce((sum, { amount }) => sum + amount, 0n)).toBe(gap)
      }
      const closing = Object.fromEntries(await readTotals(database, asked))
      expect(closing).toEqual(amountsOf(`${named}provider`, 'openai'))
    }
  })

  it('service levels cost what their calls did', { timeout }, async () => {
    const route = serviceLevelsRoute([])
    const { levels } = await route.read(source(), readAsked(route.asked, {}))
    const costs = levels.flatMap(({ provider: name, costs }) => costs.map((cost) => ({ ...cost, name })))
    expect(lines(byName(costs))).toEqual(lines(amountsBy('of calls')))
    expect(levels.reduce((sum, level) => sum + level.calls, 0)).toBe(attempts)
  })

  it('a re-rating that corrects nothing comes to the total twice', { timeout }, async () => {
    const correction = join(folder, 'nobody.json')
    await writeFile(correction, JSON.stringify(nobodysPrices))
    const opened = await readBooks({ correction, prices: undefined, folder })
    const { totals } = await planRerate(
      { folder, period: whole, provider: null, model: null, at: whole.to, correction: opened },
      (page) => expect(page).toEqual([]),
    )
    expect(byCurrency(totals.map((total) => ({ ...total, amount: total.before })))).toEqual(
      amountsOf('total'),
    )
    expect(byCurrency(totals.map((total) => ({ ...total, amount: total.after })))).toEqual(amountsOf('total'))
    expect(totals.reduce((sum, total) => sum + total.calls, 0)).toBe(settled())
  })

  it('another currency is named for all of it', { timeout }, async () => {
    const converter = createConverter(rates, { to: 'EUR' })
    const report = await readSpendReport(source(), { ...everything, convert: convertSpend(converter) })
    const { days: converted, noRate } = converter.result()
    expect(noRate).toEqual([])
    expect(byCurrency(converted)).toEqual({ USD: amountsOf('total')['USD'] })
    const plainDays = new Map([...plainOf('day')].map(([key, { amount }]) => [key, amount]))
    for (const { day, currency, amount } of converted) {
      expect(amount).toBe(plainDays.get(JSON.stringify([currency, day])))
    }
    const euros = converted.reduce((sum, day) => sum + day.converted, amountsOf('total')['EUR'] ?? 0n)
    expect(byCurrency(report.totals)).toEqual({ EUR: euros })
    const again = createConverter(rates, { to: 'EUR' })
    const sealed = source().sealed
    const allocation = await readAllocation(database, byTeam, { ...whole, sealed, converter: again })
    expect(byCurrency(allocation.totals)).toEqual({ EUR: euros })
    await convertedByCall(euros)
  })

  it('the ledger agrees with itself', { timeout }, async () => {
    expect((await verify(database)).differences).toEqual([])
  })
}

type Totals = { readonly totals: readonly { readonly currency: string; readonly amount: string }[] }
type Answer = Totals | { readonly total: Totals }

describe('the reports of a ledger as it was written', everyReportAgrees)

describe('the reports of a ledger whose days are sealed', () => {
  beforeAll(async () => {
    const { seals, waiting } = await sealDays(database, {
      ...{ folder: join(folder, 'sealed'), at: whole.to + 3 * dayMs, afterHours: 48 },
    })
    expect([seals.length, waiting]).toEqual([days, []])
  }, timeout)
  everyReportAgrees()
})

describe('the reports of a ledger whose calls are in the files of its days', () => {
  beforeAll(async () => {
    const asked = { folder: join(folder, 'sealed'), at: whole.to, keepDays: 45 }
    const pruned = await pruneDays(database, asked)
    expect(pruned.days).toHaveLength(45)
  }, timeout)
  everyReportAgrees()

  it('are the same on the command line and over HTTP', { timeout }, async () => {
    await database.close()
    const world = await startWorld({ folder, at: '2026-11-10T00:00:00Z', gateway: { controlPort: 0 } })
    try {
      const { controlUrl, controlToken } = world.gateway
      const dates = { from: '2026-08-31', to: '2026-09-30' }
      const asked = [
        ['spend', { by: 'tag:feature', ...dates }],
        ['bill', { by: 'project', ...dates }],
      ] as const
      for (const [name, query] of asked) {
        const words = Object.entries(query).flatMap(([option, value]) => [`--${option}`, value])
        const { out } = await run(['report', name, '--ledger', file(), ...words, '--json'])
        const reply = await fetch(`${controlUrl}/octroi/v1/reports/${name}?${new URLSearchParams(query)}`, {
          headers: { authorization: `Bearer ${controlToken}` },
        })
        const typed: Answer = JSON.parse(out)
        const told = (await reply.json()) as Answer
        expect({ ...typed, madeAt: null }).toEqual({ ...told, madeAt: null })
        const { totals } = 'total' in told ? told.total : told
        const amounts = totals.map(({ currency, amount }) => ({ currency, amount: parsePicos(amount) }))
        expect(byCurrency(amounts)).toEqual(amountsOf('some total'))
      }
    } finally {
      await world.close()
      database = await openSqlite({ file: file(), stores: [ledgerStore] })
    }
  })
})

const run = commandRunner(reportSpend, reportBill)
