import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { accrualConformance } from '../../test/conformance/accruals.ts'
import { adjustmentConformance } from '../../test/conformance/adjustments.ts'
import { importConformance } from '../../test/conformance/imports.ts'
import {
  exampleCall,
  exampleReservation,
  exampleSettlement,
  ledgerConformance,
  type Opened,
} from '../../test/conformance/ledger.ts'
import type { Hold } from '../limits/hold.ts'
import { parseInstant } from '../time.ts'
import type { Database } from './database.ts'
import { openSqlite } from './databases/sqlite.ts'
import { type Ledger, ledgerStore, openLedger, verify } from './ledger.ts'
import { readAccrued, readCalls, readClosed, readImported, readSpend } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-ledger-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.sqlite`)
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

const open = async (file = newFile()): Promise<Opened & { readonly database: Database; file: string }> => {
  const database = await openSqlite({ file, stores: [ledgerStore] })
  return {
    file,
    database,
    ledger: openLedger(database),
    // Puts each page's sums aside, as of a ledger that memory does not hold.
    verify: () => verify(database, { linesMost: 0 }),
    spend: () => readSpend(database, always),
    calls: () => all(readCalls(database, always)),
    accrued: () => all(readAccrued(database, always)),
    imported: () => all(readImported(database, always)),
    closed: () => readClosed(database),
  }
}

const all = async <Value>(pages: AsyncIterable<readonly Value[]>): Promise<readonly Value[]> => {
  const values: Value[] = []
  for await (const page of pages) values.push(...page)
  return values
}

ledgerConformance('SQLite', open)
adjustmentConformance('SQLite', open)
accrualConformance('SQLite', open)
importConformance('SQLite', open)

/** Changes a closed ledger behind its back. */
const tamper = (file: string, sql: string): void => {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

const filled = async (): Promise<string> => {
  const { ledger, file } = await open()
  for (const id of ['a', 'b', 'c']) await ledger.reserve(exampleReservation(id))
  await ledger.settle(exampleSettlement('a'))
  await ledger.expire(parseInstant('2023-11-15T12:01:00Z'))
  await ledger.settle(exampleSettlement('b'))
  await ledger.close()
  return file
}

describe('entries, charges and holds', () => {
  it.each([
    'UPDATE entries SET at = 0',
    'DELETE FROM entries',
    'UPDATE charges SET amount = 0',
    'DELETE FROM charges',
    'UPDATE holds SET amount = 0',
    'DELETE FROM holds',
  ])('are append-only: %s is refused', async (sql) => {
    const file = await filled()
    expect(() => tamper(file, sql)).toThrow(/append-only/)
  })
})

describe('a ledger that was opened again', () => {
  it('is as it was', async () => {
    const file = await filled()
    const { ledger, calls } = await open(file)
    expect(await ledger.settle(exampleSettlement('a'))).toBe('repeated')
    expect(await ledger.balances()).toMatchObject([{ settled: 50n, held: 0n, unresolved: 60n }])
    expect((await calls()).map(({ call }) => call.id)).toEqual(['a', 'b'])
    await ledger.close()
  })
})

describe('verify', () => {
  it.each([
    ['balances', 'UPDATE balances SET settled_picos = settled_picos + 1', '50 0 60', '51 0 60'],
    ['balances', 'DELETE FROM balances', '50 0 60', null],
    ['charges by hour', 'UPDATE charge_hours SET quantity = 21', '20 50', '21 50'],
    ['calls by hour', 'UPDATE call_hours SET calls = 1', '2 0 8 20', '1 0 8 20'],
    ['open reservations', `INSERT INTO open_reservations VALUES ('d', 1, 0)`, null, 'open'],
  ])('finds what is wrong in %s: %s', async (where, sql, folded, kept) => {
    const file = await filled()
    tamper(file, sql)
    const { database } = await open(file)
    const { agrees, differences } = await verify(database)
    expect(agrees).toBe(false)
    expect(differences).toEqual([{ where, key: expect.any(String), folded, kept }])
    await database.close()
  })

  it('finds a row that refers to what is not there', async () => {
    const file = await filled()
    tamper(file, `PRAGMA foreign_keys = OFF; DELETE FROM names WHERE kind = 'book'`)
    const { database } = await open(file)
    const { agrees, differences } = await verify(database)
    expect(agrees).toBe(false)
    expect(differences[0]).toMatchObject({ where: 'file', key: 'entries', folded: 'ok' })
    await database.close()
  })

  it('finds a call that ended twice', async () => {
    const file = await filled()
    tamper(file, `INSERT INTO entries (kind, call_id, at, note) VALUES ('released', 'a', 0, 'again')`)
    const { database } = await open(file)
    const { differences } = await verify(database)
    expect(differences.map(({ where, key }) => [where, key])).toEqual([
      ['entries', 'a'],
      ['entries', 'a'],
    ])
    await database.close()
  })

  it('counts entries and calls', async () => {
    const { database } = await open(await filled())
    expect(await verify(database)).toMatchObject({ agrees: true, entries: 7, calls: 3 })
    await database.close()
  })
})

describe('many reservations', () => {
  it('expire together', async () => {
    const { ledger } = await open()
    await Promise.all(
      Array.from({ length: 2_500 }, (_, call) => ledger.reserve(exampleReservation(String(call), 1n))),
    )
    expect(await ledger.expire(parseInstant('2023-11-16'))).toHaveLength(2_500)
    expect(await ledger.balances()).toMatchObject([{ held: 0n, unresolved: 2_500n }])
    await ledger.close()
  })

  it('are read a page at a time', async () => {
    const { ledger, calls } = await open()
    for (let call = 0; call < 2_001; call++) void ledger.reserve(exampleReservation(String(call), 1n))
    for (let call = 0; call < 2_000; call++) void ledger.settle(exampleSettlement(String(call), 1n))
    await ledger.settle(exampleSettlement('2000', 1n))
    expect((await calls()).map(({ call }) => call.id)).toEqual(
      Array.from({ length: 2_001 }, (_, id) => `${id}`),
    )
    await ledger.close()
  })
})

describe('calls that share a commit', () => {
  const euros = { currency: 'EUR' } as const

  it('are written as if each had its own, also where one of them is refused', async () => {
    const { ledger, database } = await open()
    const noOf = { callId: 'd', at: 0, reason: 'not sent' }
    const together = await Promise.allSettled([
      ...['a', 'b', 'c', 'd', 'e'].map((id) => ledger.reserve(exampleReservation(id))),
      ledger.settle(exampleSettlement('a')),
      ledger.settle(exampleSettlement('b', 25n, euros)),
      ledger.balances(),
      ledger.release(noOf),
      ledger.settle(exampleSettlement('e', 30n)),
    ])
    const told = together.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.code))
    expect(told.filter((each) => each === 'done')).toHaveLength(8)
    expect(told[6]).toBe('currency_mismatch')
    expect(told[7]).toMatchObject([{ settled: 25n, held: 240n }])
    expect(await ledger.balances()).toMatchObject([{ settled: 55n, held: 120n, unresolved: 0n }])
    expect(await ledger.settle(exampleSettlement('b'))).toBe('done')
    expect(await verify(database)).toMatchObject({ agrees: true, calls: 5, entries: 9 })
    await ledger.close()
  })

  it('may begin and end in it: such a reservation never stands in the table of open ones', async () => {
    const { ledger, database, file } = await open()
    await Promise.all([ledger.reserve(exampleReservation('a')), ledger.settle(exampleSettlement('a'))])
    expect(await verify(database)).toMatchObject({ agrees: true, entries: 2 })
    await ledger.close()
    const read = new DatabaseSync(file, { readOnly: true })
    expect(read.prepare('SELECT count(*) AS open FROM open_reservations').get()).toEqual({ open: 0 })
    read.close()
  })
})

describe('whatever is asked, in whatever order', () => {
  type Model = { held: bigint; settled: bigint; unresolved: bigint; ends: Map<string, string> }

  const step = fc.record({
    verb: fc.constantFrom(
      ...['reserve', 'reserve', 'settle', 'settle', 'adjust', 'adjust', 'release', 'expire', 'renew'],
    ),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    most: fc.constantFrom(0n, 60n, 9_000_000_000_000_000_000n),
    actual: fc.constantFrom(0n, 25n, 9_000_000_000_000_000_001n),
    minutes: fc.integer({ min: 0, max: 3 }),
    team: fc.constantFrom('search', null),
  })

  it('balances and hours are the fold of the entries, and every call ends once', async () => {
    const noon = parseInstant('2023-11-15T12:00:00Z')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { ledger, database, calls } = await open()
        const model: Model = { held: 0n, settled: 0n, unresolved: 0n, ends: new Map() }
        const mosts = new Map<string, bigint>()
        for (const { verb, id, most, actual, minutes, team } of steps) {
          const holds: Hold[] = [{ limit: 'budget', windowStart: 0, amount: most }]
          const until = noon + minutes * 60_000
          if (verb === 'renew') await ledger.renew({ callIds: [id], until })
          else if (verb === 'adjust') {
            const stands = (await calls()).find(({ call }) => call.id === id)?.settlement
            const better = exampleSettlement(id, actual, { at: until })
            const { outcome } = await ledger.adjust({ corrects: stands?.sequence ?? 1, ...better })
            expect(outcome === 'unknown').toBe(stands === undefined)
            if (outcome === 'done') model.settled += actual - (stands?.charges[0]?.amount ?? 0n)
          } else if (verb === 'expire') {
            for (const { call } of await ledger.expire(until)) {
              const amount = mosts.get(call.id) ?? 0n
              model.held -= amount
              model.unresolved += amount
              model.ends.set(call.id, 'expired')
            }
          } else if (verb === 'reserve') {
            const call = exampleCall(id, { team, at: noon + minutes * 3_600_000 })
            if ((await ledger.reserve({ ...exampleReservation(id, most, holds), call })) === 'done') {
              mosts.set(id, most)
              model.held += most
            }
          } else {
            const outcome = await end(ledger, verb, id, actual)
            const before = model.ends.get(id)
            const known = mosts.has(id)
            if (outcome === 'done') expect([known, before]).toEqual([true, undefined])
            if (outcome === 'late') expect(before).toBe('expired')
            if (outcome === 'unknown') expect(known).toBe(false)
            if (outcome === 'done' || outcome === 'late') {
              model[outcome === 'done' ? 'held' : 'unresolved'] -= mosts.get(id) ?? 0n
              if (verb === 'settle') model.settled += actual
              model.ends.set(id, verb)
            }
          }
        }
        const { held, settled, unresolved } = model
        const expected =
          mosts.size === 0 ? [] : [{ limit: 'budget', windowStart: 0, settled, held, unresolved }]
        expect(await ledger.balances()).toEqual(expected)
        const rows = await readSpend(database, always)
        expect(rows.reduce((sum, row) => sum + (row.meter === null ? 0n : row.amount), 0n)).toBe(settled)
        expect((await verify(database)).differences).toEqual([])
        await ledger.close()
      }),
      { numRuns: 20 },
    )
  })

  const end = (ledger: Ledger, verb: string, id: string, actual: bigint) =>
    verb === 'settle'
      ? ledger.settle(exampleSettlement(id, actual))
      : ledger.release({ callId: id, at: 0, reason: 'not sent' })
})
