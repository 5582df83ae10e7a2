import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { exampleLine, withdrawnLine } from '../../test/conformance/imports.ts'
import { exampleCharge, exampleReservation, exampleSettlement } from '../../test/conformance/ledger.ts'
import type { Unpriced } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import type { Database } from './database.ts'
import { openSqlite } from './databases/sqlite.ts'
import type { Imported } from './imported.ts'
import { ledgerStore, openLedger, verify } from './ledger.ts'
import { type ImportedAsked, type ImportedRow, readCalls, readImported, readSpend } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-imports-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.sqlite`)

const november15 = parseInstant('2023-11-15')
const hour = 3_600_000
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

const open = async (file = newFile()) => {
  const database = await openSqlite({ file, stores: [ledgerStore] })
  return { file, database, ...openLedger(database) }
}

const standing = async (
  database: Database,
  asked: ImportedAsked = always,
): Promise<readonly ImportedRow[]> => {
  const lines: ImportedRow[] = []
  for await (const page of readImported(database, asked)) lines.push(...page)
  return lines
}

describe('imported lines', () => {
  it('come a page at a time, by their time, for whom, from where and in which role', async () => {
    const { database, imports, close } = await open()
    const lines = Array.from({ length: 2_345 }, (_, index) =>
      exampleLine(`line_${index}`, 1n, {
        from: november15 - (index % 100) * hour,
        to: november15 + hour,
        importer: index % 2 === 0 ? 'openai-usage' : 'csv',
        provider: index % 3 === 0 ? 'anthropic' : 'openai',
        account: index % 5 === 0 ? 'other' : 'main',
      }),
    )
    expect(await imports.post(lines)).toEqual({ written: 2_345, repeated: 0, replaced: 0 })
    const all = await standing(database)
    expect(all).toHaveLength(2_345)
    const times = all.map(({ from }) => from)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    const last = await standing(database, { from: november15 - hour, to: november15 + hour })
    expect(last).toHaveLength(48)
    const asked = { importer: 'csv', provider: 'anthropic', account: 'other', role: 'usage' } as const
    expect(await standing(database, { ...always, ...asked })).toHaveLength(
      lines.filter((_, index) => index % 2 === 1 && index % 15 === 0).length,
    )
    expect(await standing(database, { ...always, role: 'bill' })).toEqual([])
    await close()
  })

  it('give the hours that a fold of those that stand gives, in whatever order they come', async () => {
    const charges = [[], [exampleCharge(0n)], [exampleCharge(25n)], [exampleCharge(-25n), exampleCharge(9n)]]
    const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
    const seconds = { meter: 'audio_seconds', quantity: { numerator: 61n, denominator: 3n } } as const
    const line = fc
      .record({
        lineId: fc.constantFrom('a', 'b', 'c', 'd'),
        charges: fc.constantFrom(...charges),
        unpriced: fc.constantFrom<readonly Unpriced[]>([], [image], [{ ...image, ...seconds }]),
        calls: fc.constantFrom(0, 3),
        model: fc.constantFrom('gpt-4-0613', null),
        hours: fc.nat(1),
        withdrawn: fc.boolean(),
      })
      .map(({ withdrawn, hours, ...more }): Imported => {
        const from = november15 + hours * hour
        return withdrawn
          ? { ...withdrawnLine(more.lineId), from }
          : exampleLine(more.lineId, 1n, { ...more, from })
      })
    const { database, imports, close } = await open()
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 6 }), { maxLength: 5 }), async (steps) => {
        const shift = 24 * hour * runs++
        const mine = steps.map((lines) =>
          lines.map((each) => ({
            ...each,
            lineId: `${each.lineId}_${runs}`,
            ...{ from: each.from + shift, to: each.to + shift },
          })),
        )
        for (const lines of mine) {
          const { written, repeated, replaced } = await imports.post(lines)
          expect(written + repeated + replaced).toBe(lines.length)
        }
        const { agrees, differences } = await verify(database)
        expect({ agrees, differences }).toEqual({ agrees: true, differences: [] })
        const day = { from: november15 + shift, to: november15 + shift + 24 * hour }
        const last = new Map(mine.flat().map((each) => [each.lineId, each]))
        const stands = await standing(database, day)
        expect(stands).toHaveLength(last.size)
        for (const { kind, corrects, sequence, ...content } of stands) {
          expect(content).toEqual(last.get(content.lineId))
        }
        const hours = await readSpend(database, day)
        const lines = [...last.values()]
        const charges = lines.flatMap((each) => each.charges)
        expect(hours.reduce((sum, row) => sum + (row.meter === null ? 0n : row.amount), 0n)).toBe(
          charges.reduce((sum, { amount }) => sum + amount, 0n),
        )
        expect(hours.reduce((sum, row) => sum + (row.meter === null ? row.calls : 0), 0)).toBe(
          lines.reduce((sum, { calls }) => sum + calls, 0),
        )
      }),
      { numRuns: 60 },
    )
    await close()
  })
})

describe('verify', () => {
  const again = (more: string) => `
    INSERT INTO entries (kind, call_id, at, owner, service, book, from_at, to_at, source, evidence, calls, corrects)
    SELECT kind, call_id, at, owner, service, book, from_at, to_at, source, evidence, calls, ${more}
    FROM entries WHERE call_id = 'a'`

  it.each([
    ['entries', again('NULL'), 'a', '1', '2 x imported'],
    ['entries', again('2'), 'a', null, /corrects what does not stand/],
    [
      'entries',
      `INSERT INTO entries (kind, call_id, at, from_at, to_at, evidence) SELECT kind, call_id, at, from_at,
      to_at, evidence FROM entries WHERE kind = 'closed'`,
      'openai',
      null,
      /closes what is closed/,
    ],
    ['charges by hour', 'UPDATE charge_hours SET picos = picos + 1', '', '10 25', '10 26'],
    ['calls by hour', 'UPDATE call_hours SET calls = 4', '', '3 0 0 0', '4 0 0 0'],
  ])('finds what is wrong in %s: %s', async (where, sql, key, folded, kept) => {
    const { file, imports, closePeriod, close } = await open()
    await imports.post([exampleLine('a'), exampleLine('b', 5n, { model: 'gpt-4o' })])
    const totals = [{ currency: 'USD', amount: 30n }]
    const period = { from: november15, to: november15 + 24 * hour, at: november15, note: null }
    await closePeriod({ ...period, provider: 'openai', totals })
    await close()
    const changed = new DatabaseSync(file)
    changed.exec(sql)
    changed.close()
    const reopened = await open(file)
    const { agrees, differences } = await verify(reopened.database)
    expect(agrees).toBe(false)
    expect(differences).toContainEqual({
      where,
      key: expect.stringContaining(key),
      folded,
      kept: typeof kept === 'string' ? kept : expect.stringMatching(kept),
    })
    await reopened.close()
  })
})

it('takes over a ledger that was written before there were imports', async () => {
  const file = newFile()
  const old = join(folder, 'before')
  mkdirSync(old)
  for (const name of readdirSync(ledgerStore.migrations).filter((name) => name < '004')) {
    copyFileSync(new URL(name, ledgerStore.migrations), join(old, name))
  }
  const used = { requests: 1n }
  const before = new DatabaseSync(file)
  before.close()
  const written = await openSqlite({
    file,
    stores: [{ ...ledgerStore, migrations: pathToFileURL(`${old}/`) }],
  })
  await written.close()
  const filled = new DatabaseSync(file)
  filled.exec(`
    INSERT INTO names VALUES (1, 'owner', '["acme",null,null,null,null]'),
      (2, 'service', '["openai","gpt-4","chat-completions","USD"]'), (3, 'book', '["book-1"]');
    INSERT INTO entries (kind, call_id, at, owner, service, most, lease_until)
      VALUES ('reserved', 'a', ${november15}, 1, 2, 60, ${november15 + hour});
    INSERT INTO entries (kind, call_id, at, service, basis, status, book, used)
      VALUES ('settled', 'a', ${november15}, 2, 'measured', 200, 3, '{"requests":"1"}');
    INSERT INTO call_hours VALUES (${november15}, 1, 2, 'measured', 1, 0, 0, 0, 0);`)
  filled.close()

  const { database, imports, reserve, settle, close } = await open(file)
  const [call] = (await readCalls(database, always).next()).value ?? []
  expect(call?.settlement).toMatchObject({ callId: 'a', used, status: 200 })
  expect(call?.settlement.attempt).toBeUndefined()
  await imports.post([exampleLine('line')])
  await reserve(exampleReservation('b'))
  const attempt = { durationMs: 1_200, firstByteMs: 300, retry: 2 }
  await settle(exampleSettlement('b', 25n, { attempt }))
  const [, second] = (await readCalls(database, always).next()).value ?? []
  expect(second?.settlement.attempt).toEqual(attempt)
  const { agrees, differences } = await verify(database)
  expect({ agrees, differences }).toEqual({ agrees: true, differences: [] })
  await close()
})
