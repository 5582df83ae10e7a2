import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld } from '../../../test/support/world.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as backup } from './ledger-backup.ts'
import { command as prune } from './ledger-prune.ts'
import { command as restore } from './ledger-restore.ts'
import { command as seal } from './ledger-seal.ts'
import { command as thaw } from './ledger-thaw.ts'
import { command as verify } from './ledger-verify.ts'

const run = commandRunner(seal, prune, thaw, verify, backup, restore)

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-seal-'))
})
afterEach(() => rm(home, { recursive: true }))

const data = () => ['--data', join(home, 'here')]
const ledger = (name: string) => ['--ledger', join(home, name, 'ledger.sqlite')]

const fitsSchema = async (value: { schema: string }): Promise<unknown> => {
  const name = value.schema.replace('octroi-', '').replace('/', '-')
  const text = await readFile(new URL(`../../../schemas/${name}.json`, import.meta.url), 'utf8')
  const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(text))
  return validate(value) ? [] : validate.errors
}

/** Two calls on one day of 2023. */
const made = async (): Promise<void> => {
  const world = await startWorld({ folder: join(home, 'here') })
  const client = await world.client('search')
  const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello there' }] }
  await client.chat.completions.create(hello)
  await client.chat.completions.create(hello)
  await world.close()
}

describe('octroi ledger seal and prune', () => {
  it('seal a day 48 hours after its end, and leave its calls to the file', async () => {
    await made()
    const early = await run(['ledger', 'seal', ...data(), '--clock', '2023-11-01T00:00:00Z', '--json'])
    expect([early.exit, JSON.parse(early.out).sealed]).toEqual([0, []])
    const late = ['--clock', '2026-01-01T00:00:00Z', '--json']
    const sealed = JSON.parse((await run(['ledger', 'seal', ...data(), ...late])).out)
    expect(sealed.sealed).toMatchObject([{ calls: 2, entries: 4 }])
    expect(await fitsSchema(sealed)).toEqual([])
    const again = await run(['ledger', 'seal', ...data(), '--clock', '2026-01-01T00:00:00Z'])
    expect(again.out).toBe('Nothing to seal.\n')
    const pruned = JSON.parse((await run(['ledger', 'prune', '--keep-days', '30', ...data(), ...late])).out)
    // The call with the last entry of the ledger stays.
    expect(pruned).toMatchObject({ pruned: [{ calls: 1 }], dropped: [] })
    expect(await fitsSchema(pruned)).toEqual([])
    const verified = await run(['ledger', 'verify', ...ledger('here')])
    expect(verified.out).toBe('The ledger agrees: 4 entries of 2 calls, 1 sealed days.\n')
    const json = JSON.parse((await run(['ledger', 'verify', ...ledger('here'), '--json'])).out)
    expect([await fitsSchema(json), json.sealedDays]).toEqual([[], 1])
    const { day } = sealed.sealed[0]
    const thawed = await run(['ledger', 'thaw', '--from', day, ...data()])
    expect(thawed.out).toBe('1 calls of 1 sealed days are back in the ledger.\n')
    expect((await run(['ledger', 'verify', ...ledger('here')])).exit).toBe(0)
  })

  it('carry sealed days in a backup, and name a sealed file that was changed', async () => {
    await made()
    const late = ['--clock', '2026-01-01T00:00:00Z']
    const [day] = JSON.parse((await run(['ledger', 'seal', ...data(), ...late, '--json'])).out).sealed
    await run(['ledger', 'prune', '--keep-days', '30', ...data(), ...late])
    const copy = join(home, 'copy.sqlite')
    expect((await run(['ledger', 'backup', copy, ...data()])).exit).toBe(0)
    expect((await run(['ledger', 'restore', copy, '--data', join(home, 'there')])).err).toBe('')
    expect((await run(['ledger', 'verify', ...ledger('there')])).exit).toBe(0)
    await appendFile(join(home, 'there', 'sealed', day.file), 'x')
    const { exit, out } = await run(['ledger', 'verify', ...ledger('there')])
    expect([exit, out]).toEqual([1, expect.stringContaining(day.file)])
    await rm(`${copy}.sealed`, { recursive: true })
    const lost = await run(['ledger', 'restore', copy, '--data', join(home, 'elsewhere')])
    expect([lost.exit, lost.err]).toEqual([1, expect.stringContaining('differs')])
  })

  it('say what cannot be: a day that is none, days that are no number', async () => {
    await made()
    expect((await run(['ledger', 'seal', ...data(), '--until', '15.11.2023'])).err).toContain('2023-11-15')
    expect((await run(['ledger', 'prune', ...data(), '--keep-days', 'all'])).err).toContain('whole number')
    expect((await run(['ledger', 'seal', '--data', join(home, 'nowhere')])).err).toContain('no ledger')
  })
})
