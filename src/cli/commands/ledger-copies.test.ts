import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld } from '../../../test/support/world.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as create } from './keys-create.ts'
import { command as list } from './keys-list.ts'
import { command as backup } from './ledger-backup.ts'
import { command as restore } from './ledger-restore.ts'
import { command as verify } from './ledger-verify.ts'

const run = commandRunner(backup, restore, verify, create, list)

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-copies-'))
})
afterEach(() => rm(home, { recursive: true }))

const here = () => ['--data', join(home, 'here')]
const there = () => ['--data', join(home, 'there')]
const file = () => join(home, 'copy.sqlite')

const fitsSchema = async (value: unknown): Promise<unknown> => {
  const text = await readFile(new URL('../../../schemas/ledger-copy-1.json', import.meta.url), 'utf8')
  const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(text))
  return validate(value) ? [] : validate.errors
}

describe('octroi ledger backup and restore', () => {
  it('copy what a running gateway holds, and bring it back elsewhere', async () => {
    const world = await startWorld({ folder: join(home, 'here') })
    const client = await world.client('search')
    const hello = {
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user' as const, content: 'Hello there' }],
    }
    await client.chat.completions.create(hello)
    const copied = await run(['ledger', 'backup', file(), ...here(), '--json'])
    await client.chat.completions.create(hello)
    await world.close()

    expect([copied.exit, copied.err]).toEqual([0, ''])
    const value = JSON.parse(copied.out)
    expect(value).toMatchObject({ agrees: true, entries: 2, calls: 1, pepper: `${file()}.pepper` })
    expect(await fitsSchema(value)).toEqual([])
    const restored = await run(['ledger', 'restore', file(), ...there()])
    expect([restored.exit, restored.out]).toEqual([
      0,
      `${join(home, 'there')}: 2 entries of 1 calls restored. They agree.\n`,
    ])
    expect((await run(['keys', 'list', ...there()])).out).toContain('search')
    const verified = await run(['ledger', 'verify', '--ledger', join(home, 'there', 'ledger.sqlite')])
    expect(verified.out).toBe('The ledger agrees: 2 entries of 1 calls.\n')
  })

  it('say what is in the way, and replace it only when told to', async () => {
    await run(['keys', 'create', ...here()])
    expect((await run(['ledger', 'backup', file(), ...here()])).exit).toBe(0)
    const again = await run(['ledger', 'backup', file(), ...here()])
    expect([again.exit, again.err]).toEqual([2, expect.stringContaining('--force')])
    expect((await run(['ledger', 'backup', file(), ...here(), '--force'])).exit).toBe(0)
    expect((await run(['ledger', 'restore', file(), ...here()])).err).toContain('--force')
    expect((await run(['ledger', 'restore', file(), ...here(), '--force'])).exit).toBe(0)
  })

  it('exit with 1 and restore nothing from a copy that does not agree with itself', async () => {
    await run(['keys', 'create', ...here()])
    await run(['ledger', 'backup', file(), ...here()])
    const changed = new DatabaseSync(file())
    changed.exec("INSERT INTO names (kind, name) VALUES ('limit', '[\"all\"]')")
    changed.exec('INSERT INTO balances SELECT id, 0, 0, 0, 0, 0, 0, 1 FROM names WHERE name = \'["all"]\'')
    changed.close()
    const { exit, out, err } = await run(['ledger', 'restore', file(), ...there()])
    expect([exit, out]).toEqual([1, ''])
    expect(err).toContain('differs from its entries in 1 places')
    expect((await run(['keys', 'list', ...there()])).out).not.toContain('key_')
  })

  it('take a pepper that was kept elsewhere, and refuse what is no ledger', async () => {
    await run(['keys', 'create', ...here()])
    await run(['ledger', 'backup', file(), ...here()])
    await writeFile(join(home, 'kept'), await readFile(`${file()}.pepper`))
    await rm(`${file()}.pepper`)
    expect((await run(['ledger', 'restore', file(), ...there()])).err).toContain('--pepper')
    const pepper = ['--pepper', join(home, 'kept')]
    expect((await run(['ledger', 'restore', file(), ...there(), ...pepper])).exit).toBe(0)
    await writeFile(join(home, 'no-ledger'), 'a text that is no ledger '.repeat(100))
    const { exit, err } = await run([
      'ledger',
      'restore',
      join(home, 'no-ledger'),
      ...here(),
      '--force',
      ...pepper,
    ])
    expect([exit, err]).toEqual([1, expect.stringContaining('SQLITE_NOTADB')])
    expect((await run(['keys', 'list', ...here()])).out).toContain('key_')
  })
})
