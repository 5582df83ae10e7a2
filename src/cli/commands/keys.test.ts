import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld } from '../../../test/support/world.ts'
import { openDataFolder } from '../../gateway/data-folder.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as create } from './keys-create.ts'
import { command as list } from './keys-list.ts'
import { command as revoke } from './keys-revoke.ts'
import { command as rotate } from './keys-rotate.ts'
import { command as update } from './keys-update.ts'

const run = commandRunner(create, list, revoke, rotate, update)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-keys-'))
})
afterEach(() => rm(folder, { recursive: true }))

const json = async (schema: string, ...words: string[]) => {
  const { exit, out, err } = await run(['keys', ...words, '--data', folder, '--json'])
  expect([exit, err]).toEqual([0, ''])
  const text = await readFile(new URL(`../../../schemas/${schema}-1.json`, import.meta.url), 'utf8')
  const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(text))
  const value = JSON.parse(out)
  expect(validate(value) ? [] : validate.errors).toEqual([])
  return value
}

const rights = ['--models', 'gpt-4o, o3-*', '--endpoints', 'embeddings', '--tags', 'product=shop']

/** The life of a key, told by its commands. */
const live = async (): Promise<void> => {
  const { secret, key } = await json('key-secret', 'create', '--team', 'search', ...rights)
  expect(secret).toMatch(/^oct_[A-Za-z0-9_-]{43}$/)
  expect(key).toMatchObject({
    ...{ team: 'search', name: null, expiresAt: null, revokedAt: null },
    ...{ models: ['gpt-4o', 'o3-*'], endpoints: ['embeddings'], tags: { product: 'shop' } },
  })
  const rotated = await json('key-secret', 'rotate', key.id, '--grace', '90s')
  expect(rotated.key).toEqual(key)
  expect(rotated.secret).not.toBe(secret)
  const until = '2030-01-01T00:00:00Z'
  const updated = await json('key-changed', 'update', key.id, '--models', 'any', '--expires', until)
  expect(updated.key).toEqual({ ...key, models: null, expiresAt: until })
  const back = await json('key-changed', 'update', key.id, '--expires', 'never', '--tags', 'none')
  expect(back.key).toEqual({ ...key, models: null, tags: {} })
  expect(key.onLedgerFailure).toBe('refuse')
  const spooling = await json('key-changed', 'update', key.id, '--on-ledger-failure', 'spool=5.00')
  expect(spooling.key.onLedgerFailure).toEqual({ spool: '5' })
  expect(await json('keys-list', 'list')).toMatchObject([{ onLedgerFailure: { spool: '5' } }])
  await json('key-changed', 'update', key.id, '--on-ledger-failure', 'refuse')
  expect((await json('key-changed', 'revoke', key.id)).key.revokedAt).not.toBeNull()
  expect(await json('keys-list', 'list')).toHaveLength(1)
}

describe('the commands of keys', () => {
  it('work on a data folder that nobody holds', live)

  it('work through the control plane of the gateway that holds it', async () => {
    const world = await startWorld({ folder, gateway: { controlPort: 0 } })
    try {
      await expect(openDataFolder(folder)).rejects.toMatchObject({ code: 'ledger_locked' })
      await writeFile(join(folder, 'control.json'), JSON.stringify({ url: world.gateway.controlUrl }))
      await live()
      expect(world.gateway.registry.listKeys()).toHaveLength(1)
    } finally {
      await world.close()
    }
  })

  it.each([
    [['create', '--models', 'a*b'], 'a * may stand only at the end'],
    [['create', '--expires', 'soon'], 'soon'],
    [['create', '--tags', 'a b=c'], 'tags'],
    [['create', '--on-ledger-failure', 'pass'], 'neither refuse nor an amount'],
    [['create', '--on-ledger-failure', 'spool=-1'], 'onLedgerFailure'],
    [['create', '--on-ledger-failure', 'spool=a lot'], 'onLedgerFailure'],
    [['rotate', 'key_1', '--grace', 'long'], 'no length of time'],
    [['rotate', 'key_1', '--grace', '91d'], 'graceSeconds'],
  ])('refuse %j', async (words, said) => {
    const { exit, err } = await run(['keys', ...words, '--data', folder])
    expect(exit).toBe(2)
    expect(err).toContain(said)
  })
})
