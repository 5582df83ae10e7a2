import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readSecret } from '../provider-keys.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as list } from './provider-keys-list.ts'
import { command as rekey } from './provider-keys-rekey.ts'
import { command as remove } from './provider-keys-remove.ts'
import { command as set } from './provider-keys-set.ts'

const run = commandRunner(set, list, remove, rekey)
const key = 'sk-ant-api03-aVendorsKeyForTests'
const environment = { OCTROI_MASTER_KEY: randomBytes(32).toString('base64') }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-provider-keys-'))
})
afterEach(() => rm(folder, { recursive: true }))

const keys = (words: readonly string[], input = '', given: Record<string, string> = environment) =>
  run(['provider-keys', ...words, '--data', folder], input, given)

it('stores, lists, seals anew and forgets a vendor’s key, and never shows it', async () => {
  const ran = [
    await keys(['set', 'anthropic'], `${key}\n`),
    await keys(['list']),
    await keys(['rekey'], '', { ...environment, OCTROI_NEW_MASTER_KEY: randomBytes(32).toString('base64') }),
  ]
  expect(ran.map(({ exit }) => exit)).toEqual([0, 0, 0])
  expect(ran[1]?.out).toMatch(/anthropic\s+ests\s+20/)
  expect(ran.map(({ out, err }) => out + err).join()).not.toContain(key)
  const old = await keys(['list'])
  expect([old.exit, old.err.includes('does not open')]).toEqual([2, true])
})

it('says what is missing', async () => {
  const none = await keys(['set', 'openai'], key, {})
  expect([none.exit, none.err.includes('OCTROI_MASTER_KEY')]).toEqual([2, true])
  expect((await keys(['remove', 'openai'])).exit).toBe(1)
  expect((await keys(['rekey'])).err).toContain('OCTROI_NEW_MASTER_KEY')
  expect((await keys(['list'])).out).toBe('No key is stored.\n')
  const terminal = Object.assign((await import('node:stream')).Readable.from([key]), { isTTY: true })
  await expect(readSecret({ stdin: terminal })).rejects.toThrow(/standard input/)
})
