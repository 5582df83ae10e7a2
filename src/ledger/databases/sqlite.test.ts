import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { Database, Store } from '../database.ts'
import { openSqlite } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.sqlite`)

/** A store of its own for these tests: a table of words. */
const store = (migrations: Record<string, string>): Store => {
  const home = join(folder, `store-${files++}`)
  mkdirSync(join(home, 'migrations'), { recursive: true })
  for (const [name, sql] of Object.entries(migrations)) writeFileSync(join(home, 'migrations', name), sql)
  writeFileSync(
    join(home, 'verbs.mjs'),
    `export const verbs = {
      add: (connection, word) => {
        connection.run('INSERT INTO words (word) VALUES (?)', word)
        if (word === 'bad') throw new Error('a bad word')
      },
      words: (connection) => connection.all('SELECT word FROM words ORDER BY id').map(({ word }) => word),
      number: (connection, number) => connection.get('SELECT ? AS number', number).number,
      capPages: (connection, pages) => connection.get('PRAGMA max_page_count = ' + pages),
    }`,
  )
  const url = (path: string) => pathToFileURL(join(home, path))
  return { name: 'words', migrations: new URL(`${url('migrations')}/`), module: url('verbs.mjs') }
}

const first = { '001-words.sql': 'CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL) STRICT;' }
const words = store(first)

const open = (file = newFile(), more: object = {}): Promise<Database> =>
  openSqlite({ file, stores: [words], ...more })
const add = (database: Database, word: string) => database.call('words', 'add', word)
const all = (database: Database) => database.call<readonly string[]>('words', 'words', null)

describe('a database', () => {
  it('makes its folder, and keeps what was written', async () => {
    const file = join(folder, 'new', 'deep', 'a.sqlite')
    const database = await open(file)
    await add(database, 'one')
    await database.close()
    const again = await open(file)
    expect(await all(again)).toEqual(['one'])
    await again.close()
  })

  it('runs calls in the order in which they were made', async () => {
    const database = await open()
    const many = Array.from({ length: 2_000 }, (_, word) => `${word}`)
    await Promise.all(many.map((word) => add(database, word)))
    expect(await all(database)).toEqual(many)
    await database.close()
  })

  it('undoes a call that fails, and no other of its commit', async () => {
    const database = await open()
    const results = await Promise.allSettled(['one', 'bad', 'two'].map((word) => add(database, word)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'internal', message: 'a bad word' } })
    expect(await all(database)).toEqual(['one', 'two'])
    await database.close()
  })

  it('takes and gives whole numbers exactly', async () => {
    const database = await open()
    expect(await database.call('words', 'number', 9_007_199_254_740_993n)).toBe(9_007_199_254_740_993n)
    expect(await database.call('words', 'number', 5)).toBe(5n)
    expect(await database.call('words', 'number', 0.5)).toBe(0.5)
    await database.close()
  })

  it('names a verb it does not have, and a value that cannot travel', async () => {
    const database = await open()
    await expect(database.call('words', 'sing', null)).rejects.toThrow(/no verb "sing"/)
    const kept = add(database, 'kept')
    await expect(add(database, (() => 'a function') as never)).rejects.toMatchObject({ code: 'internal' })
    await kept
    expect(await all(database)).toEqual(['kept'])
    await database.close()
  })

  it('refuses more calls than may wait', async () => {
    const database = await open(newFile(), { callsMax: 2 })
    const results = await Promise.allSettled(['one', 'two', 'three'].map((word) => add(database, word)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(results[2]).toMatchObject({ reason: { code: 'overloaded' } })
    await add(database, 'four')
    await database.close()
  })

  it('finishes what was asked before it closes, and takes nothing after', async () => {
    const file = newFile()
    const database = await open(file)
    const asked = ['one', 'two'].map((word) => add(database, word))
    await Promise.all([database.close(), database.close()])
    await Promise.all(asked)
    await expect(add(database, 'three')).rejects.toMatchObject({ code: 'ledger_unavailable' })
    const again = await open(file)
    expect(await all(again)).toEqual(['one', 'two'])
    await again.close()
  })
})

describe('a second process', () => {
  it('may not write what another writes, until that one has closed', async () => {
    const file = newFile()
    const database = await open(file)
    await expect(open(file)).rejects.toMatchObject({ code: 'ledger_locked' })
    await database.close()
    await (await open(file)).close()
  })

  it('may read while another writes, and sees what is committed', async () => {
    const file = newFile()
    const writer = await open(file)
    const reader = await open(file, { readOnly: true })
    await add(writer, 'one')
    expect(await all(reader)).toEqual(['one'])
    await expect(add(reader, 'two')).rejects.toMatchObject({ details: { cause: 'SQLITE_READONLY' } })
    await reader.close()
    await writer.close()
  })

  it('may read what nobody writes', async () => {
    const file = newFile()
    const writer = await open(file)
    await add(writer, 'one')
    await writer.close()
    const reader = await open(file, { readOnly: true })
    expect(await all(reader)).toEqual(['one'])
    await reader.close()
  })
})

describe('a migration', () => {
  const second = { ...first, '002-more.sql': `INSERT INTO words (word) VALUES ('of the second');` }

  it('is applied once, in order', async () => {
    const file = newFile()
    await (await open(file)).close()
    for (const _ of [1, 2]) {
      const database = await open(file, { stores: [store(second)] })
      expect(await all(database)).toEqual(['of the second'])
      await database.close()
    }
  })

  it('that fails leaves nothing behind', async () => {
    const file = newFile()
    const broken = store({ '001-words.sql': 'CREATE TABLE words (id INTEGER); SELECT nonsense;' })
    await expect(open(file, { stores: [broken] })).rejects.toThrow(/nonsense/)
    await (await open(file)).close()
  })

  it('that was changed after it was applied is refused', async () => {
    const file = newFile()
    await (await open(file)).close()
    const changed = store({ '001-words.sql': `${first['001-words.sql']} -- changed` })
    await expect(open(file, { stores: [changed] })).rejects.toThrow(
      /another text of the migration "words\/001/,
    )
  })

  it('of a newer version is refused', async () => {
    const file = newFile()
    await (await open(file, { stores: [store(second)] })).close()
    await expect(open(file)).rejects.toThrow(/"words\/002-more.sql" of a newer version. Update Octroi./)
  })

  it('is not applied by a reader', async () => {
    const file = newFile()
    await (await open(file)).close()
    const reader = open(file, { readOnly: true, stores: [store(second)] })
    await expect(reader).rejects.toThrow(/lacks the migration "words\/002-more.sql"/)
  })
})

describe('a disk that refuses', () => {
  it('is named: a file that is no database', async () => {
    const file = newFile()
    writeFileSync(file, 'This is a letter, and no database, whatever its name says.'.repeat(100))
    await expect(open(file)).rejects.toMatchObject({
      code: 'ledger_unavailable',
      details: { cause: 'SQLITE_NOTADB' },
    })
    expect(statSync(file).size).toBe(5_800)
  })

  it('is named: a folder that is none', async () => {
    const file = newFile()
    writeFileSync(file, '')
    const inside = open(join(file, 'deep', 'a.sqlite'))
    await expect(inside).rejects.toMatchObject({ code: 'ledger_unavailable', details: { cause: 'ENOTDIR' } })
  })

  it('is named: a folder in place of the file', async () => {
    const file = newFile()
    mkdirSync(file)
    const directory = open(file)
    await expect(directory).rejects.toMatchObject({ details: { cause: 'SQLITE_CANTOPEN' } })
  })

  it('is named: a reader’s file that is not there', async () => {
    const missing = open(join(folder, 'missing.sqlite'), { readOnly: true })
    await expect(missing).rejects.toMatchObject({ code: 'bad_input', message: /no ledger at .*missing/ })
  })

  it('when full, refuses what does not fit and goes on once there is room', async () => {
    const database = await open()
    await database.call('words', 'capPages', 20)
    await add(database, 'before')
    const full = { code: 'ledger_unavailable', details: { cause: 'SQLITE_FULL' } }
    await expect(add(database, 'x'.repeat(200_000))).rejects.toMatchObject(full)
    expect(await all(database)).toEqual(['before'])
    await database.call('words', 'capPages', 1_000)
    await add(database, 'after')
    expect(await all(database)).toEqual(['before', 'after'])
    await database.close()
  })
})
