import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { exampleAccrued, exampleKept, exampleUse, postedUntil } from '../../test/conformance/accruals.ts'
import { exampleReservation, exampleSettlement } from '../../test/conformance/ledger.ts'
import { parseInstant } from '../time.ts'
import { openSqlite } from './databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from './ledger.ts'
import { readAccrued, readCalls } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-accruals-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.sqlite`)

const noon = parseInstant('2023-11-15T12:00:00Z')
const hour = 3_600_000
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** A ledger with a session and a stay that is posted for an hour. */
const filled = async (): Promise<string> => {
  const file = newFile()
  const { accruals, close } = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
  await accruals.use(exampleUse('a', noon))
  await accruals.keep(exampleKept('file_1'))
  const entries = [exampleAccrued('stay_1', 5n)]
  await accruals.post([{ id: 'stay_1', from: noon, entries, now: postedUntil(noon + hour, 5n) }])
  await close()
  return file
}

const change = (file: string, sql: string): void => {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

describe('verify', () => {
  const again = (what: string) => `
    INSERT INTO entries (kind, call_id, at, owner, service, basis, book, from_at, to_at, holder, object, list)
    SELECT kind, call_id, at, owner, service, basis, book, from_at, to_at, holder, object, 0
    FROM entries WHERE ${what}`

  it.each([
    ['accruals', 'UPDATE stays SET posted = 6', 'stay_1', '5 10', '6 10'],
    ['accruals', 'UPDATE stays SET closed_until = closed_until - 1', 'stay_1', null, /posted beyond/],
    ['accruals', `UPDATE stays SET id = 2`, 'stay_1', null, null],
    ['entries', again(`call_id = 'session_1'`), 'session_1', '1', '2 x accrued'],
    ['entries', again(`call_id = 'stay_1'`), 'stay_1', null, /is posted already/],
    ['charges by hour', 'UPDATE charge_hours SET picos = picos + 1', '', '1 30', '1 31'],
    ['balances', 'UPDATE balances SET settled_picos = 0', '', '35 0 0', '0 0 0'],
  ])('finds what is wrong in %s: %s', async (where, sql, key, folded, kept) => {
    const file = await filled()
    change(file, sql)
    const database = await openSqlite({ file, stores: [ledgerStore] })
    const { agrees, differences } = await verify(database)
    expect(agrees).toBe(false)
    const text = kept instanceof RegExp ? expect.stringMatching(kept) : kept
    const found = { where, key: expect.stringContaining(key) }
    if (text === null) expect(differences).toContainEqual(expect.objectContaining(found))
    else expect(differences).toContainEqual({ ...found, folded, kept: text })
    await database.close()
  })

  it('agrees with accruals, and counts no call for them', async () => {
    const database = await openSqlite({ file: await filled(), stores: [ledgerStore] })
    expect(await verify(database)).toMatchObject({ agrees: true, entries: 2, calls: 0 })
    await database.close()
  })
})

it('reads accruals a page at a time, by when their stretch of time begins', async () => {
  const database = await openSqlite({ file: newFile(), stores: [ledgerStore] })
  const { accruals, close } = openLedger(database)
  await Promise.all(
    Array.from({ length: 1_500 }, (_, use) => accruals.use(exampleUse(`${use}`, noon + use * hour))),
  )
  const pages: number[] = []
  const period = { from: noon + hour, to: noon + 1_400 * hour }
  for await (const page of readAccrued(database, period)) pages.push(page.length)
  expect(pages).toEqual([1_000, 399])
  await close()
})

it('takes over a ledger that was written before there were accruals', async () => {
  const migrations = join(folder, 'before')
  mkdirSync(migrations)
  copyFileSync(new URL('001-ledger.sql', ledgerStore.migrations), join(migrations, '001-ledger.sql'))
  const file = newFile()
  const before = { ...ledgerStore, migrations: pathToFileURL(`${migrations}/`) }
  await (await openSqlite({ file, stores: [before] })).close()
  change(
    file,
    `INSERT INTO names (id, kind, name) VALUES (1, 'owner', '[null,"search",null,null,"key_1"]'),
       (2, 'service', '["openai","gpt-4","chat-completions","USD"]'), (3, 'book', '["book-1"]'),
       (4, 'price', '["row","input_text_tokens","30",1000000,"page"]'), (5, 'limit', '["budget"]');
     INSERT INTO entries (kind, call_id, at, owner, service, most, lease_until)
       VALUES ('reserved', 'a', 0, 1, 2, 60, 1), ('reserved', 'b', 0, 1, 2, 60, 1);
     INSERT INTO entries (kind, call_id, at, service, basis, book) VALUES ('settled', 'a', 1, 2, 'measured', 3);
     INSERT INTO charges VALUES (3, 0, 4, '10', 25, NULL);
     INSERT INTO holds VALUES (1, 0, 5, 0, 60), (2, 0, 5, 0, 60);
     INSERT INTO open_reservations VALUES ('b', 2, 1);
     INSERT INTO balances VALUES (5, 0, 0, 25, 0, 60, 0, 0);
     INSERT INTO charge_hours VALUES (0, 1, 2, 'input_text_tokens', 'measured', 1, 10, 0, 25);
     INSERT INTO call_hours VALUES (0, 1, 2, 'measured', 1, 0, 0, 0, 0);`,
  )
  const database = await openSqlite({ file, stores: [ledgerStore] })
  const ledger = openLedger(database)
  expect(await verify(database)).toMatchObject({ differences: [], entries: 3, calls: 2 })
  expect(await ledger.settle(exampleSettlement('b', 5n))).toBe('done')
  expect(await ledger.reserve(exampleReservation('c'))).toBe('done')
  for await (const calls of readCalls(database, always)) {
    expect(calls.map(({ call, settlement }) => [call.id, settlement.charges[0]?.amount])).toEqual([
      ['a', 25n],
      ['b', 5n],
    ])
  }
  expect((await verify(database)).differences).toEqual([])
  expect(() => change(file, 'DELETE FROM charges')).toThrow(/append-only/)
  await ledger.close()
})
