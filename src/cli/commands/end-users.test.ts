import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as find } from './end-users-find.ts'
import { command as forget } from './end-users-forget.ts'

const run = commandRunner(find, forget)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-users-'))
})
afterEach(() => rm(folder, { recursive: true }))

const json = async (schema: string, ...words: string[]) => {
  const { exit, out } = await run(['end-users', ...words, '--data', folder, '--json'])
  const text = await readFile(new URL(`../../../schemas/${schema}-1.json`, import.meta.url), 'utf8')
  const value = JSON.parse(out)
  expect(new Ajv2020().validate(JSON.parse(text), value)).toBe(true)
  return { exit, value }
}
const found = () => json('end-user-found', 'find', 'ada@example.com')
const forgotten = () => json('end-user-forgotten', 'forget', 'ada@example.com')

const callAs = async (world: TestWorld, user: string): Promise<string | null> => {
  const client = await world.client('search')
  await client.chat.completions.create({
    ...{ model: 'gpt-4-1106-preview', messages: [{ role: 'user', content: 'Hello there' }] },
    user,
  })
  return world.till.at(-1)?.call.endUser ?? null
}

const files = async (): Promise<string> => {
  const texts = ['ledger.sqlite', 'ledger.sqlite-wal'].map((name) =>
    readFile(join(folder, name), 'latin1').catch(() => ''),
  )
  return (await Promise.all(texts)).join('')
}

describe('end users', () => {
  it('have one pseudonym over restarts, until they are forgotten; then another, and nothing leads to the first', async () => {
    let world = await startWorld({ folder })
    const first = await callAs(world, 'ada@example.com')
    expect(first).toMatch(/^[0-9a-f]{24}$/)
    expect(await callAs(world, 'ada@example.com')).toBe(first)
    expect(await callAs(world, 'bob@example.com')).not.toBe(first)
    await world.close()
    world = await startWorld({ folder })
    expect(await callAs(world, 'ada@example.com')).toBe(first)
    await world.close()

    expect(await found()).toEqual({ exit: 0, value: { pseudonym: first } })
    expect(await forgotten()).toEqual({ exit: 0, value: { forgotten: true } })
    expect(await found()).toEqual({ exit: 1, value: { pseudonym: null } })
    expect(await forgotten()).toEqual({ exit: 0, value: { forgotten: false } })

    world = await startWorld({ folder })
    const second = await callAs(world, 'ada@example.com')
    expect(second).not.toBe(first)
    expect(await files()).not.toContain('ada@example.com')
    await world.close()
  })

  it('are forgotten through the gateway that holds the folder, at once', async () => {
    const world = await startWorld({ folder, gateway: { controlPort: 0 } })
    await writeFile(join(folder, 'control.json'), JSON.stringify({ url: world.gateway.controlUrl }))
    const first = await callAs(world, 'ada@example.com')
    expect((await found()).value).toEqual({ pseudonym: first })
    expect((await forgotten()).value).toEqual({ forgotten: true })
    expect(await callAs(world, 'ada@example.com')).not.toBe(first)
    await world.close()
  })
})
