import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from '../data-folder.ts'
import { isAllowed, type Keys } from './keys.ts'
import { openRegistry } from './registry.ts'

let folder: string
let keys: Keys
let close: () => Promise<void>
const at = 1_700_000_000_000
const hour = 3_600_000
const owner = { name: 'app', organization: null, team: 'search', project: null, environment: null }

const open = async (): Promise<void> => {
  const data = await openDataFolder(folder)
  keys = await openRegistry(data.database, data.pepper)
  close = () => data.database.close()
}
const openAgain = async (): Promise<void> => {
  await close()
  await open()
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-keys-'))
  await open()
})
afterEach(async () => {
  await close()
  await rm(folder, { recursive: true })
})

describe('a key', () => {
  it('may do everything unless it is told what, and keeps that over a start', async () => {
    const free = await keys.createKey(owner, at)
    const rights = { models: ['gpt-4*'], endpoints: ['embeddings'], expiresAt: at + hour, tags: { a: 'b' } }
    const bound = await keys.createKey({ ...owner, ...rights }, at + 1)
    expect(free.key).toMatchObject({ models: null, endpoints: null, expiresAt: null, tags: {} })
    await openAgain()
    expect(keys.listKeys()).toEqual([free.key, bound.key])
    expect(bound.key).toMatchObject(rights)
  })

  it('changes what is named and keeps the rest', async () => {
    const { secret, key } = await keys.createKey({ ...owner, models: ['gpt-4*'] }, at)
    await keys.updateKey(key.id, { team: 'ads', expiresAt: at + hour })
    await openAgain()
    expect(keys.findKey(secret, at)).toEqual({ ...key, team: 'ads', expiresAt: at + hour })
  })

  it('has two secrets while it is rotated, and one when the grace is over', async () => {
    const { secret, key } = await keys.createKey(owner, at)
    const { secret: next } = await keys.rotateKey(key.id, { at, graceMs: hour })
    for (const again of [false, true]) {
      if (again) await openAgain()
      expect(keys.findKey(secret, at + hour - 1)).toEqual(key)
      expect(keys.findKey(secret, at + hour)).toBeNull()
      expect(keys.findKey(next, at + hour)).toEqual(key)
    }
  })

  it('rotated without grace ends all secrets before, those in their grace too', async () => {
    const { secret: first, key } = await keys.createKey(owner, at)
    const { secret: second } = await keys.rotateKey(key.id, { at, graceMs: 24 * hour })
    const { secret: third } = await keys.rotateKey(key.id, { at: at + hour, graceMs: 0 })
    for (const again of [false, true]) {
      if (again) await openAgain()
      expect([first, second, third].map((secret) => keys.findKey(secret, at + hour)?.id ?? null)).toEqual([
        null,
        null,
        key.id,
      ])
    }
  })

  it('is not made longer by a later rotation with a longer grace', async () => {
    const { secret, key } = await keys.createKey(owner, at)
    await keys.rotateKey(key.id, { at, graceMs: hour })
    await keys.rotateKey(key.id, { at, graceMs: 24 * hour })
    expect(keys.findKey(secret, at + hour)).toBeNull()
  })

  it('that is not there is told of', async () => {
    await expect(keys.rotateKey('key_none', { at, graceMs: 0 })).rejects.toMatchObject({
      code: 'unknown_object',
    })
    await expect(keys.updateKey('key_none', {})).rejects.toMatchObject({ code: 'unknown_object' })
  })
})

describe('patterns', () => {
  it('are names, or beginnings that end in a star; none allow everything', () => {
    expect(isAllowed(null, 'gpt-4o')).toBe(true)
    expect(isAllowed(['gpt-4o', 'o3-*'], 'gpt-4o')).toBe(true)
    expect(isAllowed(['gpt-4o', 'o3-*'], 'gpt-4o-mini')).toBe(false)
    expect(isAllowed(['gpt-4o', 'o3-*'], 'o3-pro')).toBe(true)
    expect(isAllowed(['*'], 'anything')).toBe(true)
  })
})
