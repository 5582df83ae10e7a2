import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLedger, verify } from '../ledger/ledger.ts'
import { backupData, restoreData } from './data-backup.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { openRegistry } from './registry/registry.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-backup-'))
})
afterEach(() => rm(home, { recursive: true }))

const here = () => join(home, 'here')
const there = () => join(home, 'there')
const file = () => join(home, 'copy.sqlite')
const copy = () => ({ file: file(), pepper: `${file()}.pepper` })
const at = 1_700_000_000_000

/** One call of one dollar, reserved and settled. */
const book = async ({ database }: DataFolder, id: string): Promise<void> => {
  const ledger = openLedger(database)
  const call = {
    id,
    at,
    provider: 'openai',
    model: 'gpt-4',
    endpoint: 'chat-completions',
    ...{ key: null, organization: null, team: 'search', project: null, environment: null, endUser: null },
    tags: {},
    conversation: null,
  }
  const most = 2_000_000_000_000n
  await ledger.reserve({ call, currency: 'USD', most, holds: [], leaseUntil: at + 60_000 })
  await ledger.settle({
    callId: id,
    at,
    model: 'gpt-4',
    tier: null,
    basis: 'measured',
    currency: 'USD',
    charges: [],
    unpriced: [],
    bookVersion: 'b',
    status: 200,
    note: null,
    resent: null,
  })
}

const noOwner = { name: null, organization: null, team: 'search', project: null, environment: null }

describe('a backup', () => {
  it('taken under load agrees with itself, and opens for the same keys elsewhere', async () => {
    const data = await openDataFolder(here())
    const registry = await openRegistry(data.database, data.pepper)
    const { secret, key } = await registry.createKey(noOwner, at)
    for (let call = 0; call < 300; call += 1) await book(data, `before-${call}`)
    let going = true
    let during = 0
    const load = (async () => {
      while (going) await book(data, `during-${during++}`)
    })()
    await backupData(here(), file(), { replace: false })
    const atCopy = during
    going = false
    await load
    await data.database.close()

    const verified = await restoreData(copy(), there(), { replace: false })
    expect(verified.agrees).toBe(true)
    expect(verified.calls).toBeGreaterThanOrEqual(300)
    expect(verified.calls).toBeLessThanOrEqual(300 + atCopy + 1)
    const restored = await openDataFolder(there())
    expect((await verify(restored.database)).calls).toBe(verified.calls)
    expect((await openRegistry(restored.database, restored.pepper)).findKey(secret, at)).toEqual(key)
    await restored.database.close()
  })

  it('may be read by its owner only, as its pepper', async () => {
    const data = await openDataFolder(here())
    await backupData(here(), file(), { replace: false })
    await data.database.close()
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(copy().pepper).mode & 0o777).toBe(0o600)
  })

  it('replaces neither an older copy nor a ledger unless it is told to', async () => {
    const data = await openDataFolder(here())
    await book(data, 'one')
    await backupData(here(), file(), { replace: false })
    await expect(backupData(here(), file(), { replace: false })).rejects.toThrow('--force')
    await book(data, 'two')
    await data.database.close()

    await expect(restoreData(copy(), here(), { replace: false })).rejects.toThrow('--force')
    expect((await restoreData(copy(), here(), { replace: true })).calls).toBe(1)
    const replaced = new DatabaseSync(join(here(), 'ledger.sqlite.replaced'), { readOnly: true })
    expect(replaced.prepare("SELECT count(*) AS n FROM entries WHERE kind = 'reserved'").get()).toEqual({
      n: 2,
    })
    replaced.close()
  })

  it('is not restored under a gateway that runs, nor without its pepper', async () => {
    const data = await openDataFolder(here())
    await backupData(here(), file(), { replace: false })
    await expect(restoreData(copy(), here(), { replace: true })).rejects.toMatchObject({
      code: 'ledger_locked',
    })
    await data.database.close()
    await rm(copy().pepper)
    await expect(restoreData(copy(), there(), { replace: false })).rejects.toThrow('pepper')
    expect(existsSync(join(there(), 'ledger.sqlite'))).toBe(false)
  })

  it('that was changed by hand is refused, and nothing is replaced', async () => {
    const data = await openDataFolder(here())
    await book(data, 'one')
    await data.database.close()
    await backupData(here(), file(), { replace: false })
    const pepper = await readFile(join(here(), 'pepper'))
    await writeFile(copy().pepper, 'another pepper')
    const changed = new DatabaseSync(file())
    changed.exec('DELETE FROM call_hours')
    changed.close()
    const verified = await restoreData(copy(), here(), { replace: true })
    expect(verified).toMatchObject({ agrees: false })
    expect(await readFile(join(here(), 'pepper'))).toEqual(pepper)
    const kept = await openDataFolder(here())
    expect(await verify(kept.database)).toMatchObject({ agrees: true, calls: 1 })
    await kept.database.close()
  })

  it('of a folder without a ledger is refused', async () => {
    await expect(backupData(here(), file(), { replace: false })).rejects.toMatchObject({ code: 'bad_input' })
    expect(existsSync(file())).toBe(false)
  })
})
