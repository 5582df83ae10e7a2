import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, json, startVendor } from '../../../test/support/vendor.ts'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { openDataFolder } from '../data-folder.ts'
import { openCredentials } from './credentials.ts'
import { readMasterKey, seal, unseal } from './sealed-key.ts'

const master = randomBytes(32)
const vendorKey = 'sk-proj-Z9aQ7vendorsOwnSecret0123456789'
const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello' }] }

let folder: string
let world: TestWorld | null
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-credentials-'))
  world = null
})
afterEach(async () => {
  await world?.close()
  await rm(folder, { recursive: true })
})

const start = (masterKey: Uint8Array | null) =>
  startWorld({
    folder,
    // The variable is not set: only a stored key opens the vendor.
    config: (sandbox) => ({
      providers: { openai: { baseUrl: sandbox.baseUrl, keyVariable: 'NOT_SET' } },
    }),
    gateway: { masterKey, controlPort: 0 },
  })

const control = async (path: string, body?: object) => {
  const reply = await fetch(`${world?.gateway.controlUrl}/octroi/v1/provider-keys${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  return { status: reply.status, json: await reply.json() }
}

const ask = async (): Promise<number> => {
  const client = await world?.client('search')
  return (
    client?.chat.completions.create({ ...hello, max_tokens: 5 }).then(
      () => 200,
      (error: { status?: number }) => error.status ?? 0,
    ) ?? 0
  )
}

describe('a stored key of a vendor', () => {
  it('gives way to one of the environment', async () => {
    const { url, asked } = await startVendor(json({ error: { message: 'no' } }, 400))
    for (const keyVariable of ['VENDOR_KEY', 'NOT_SET']) {
      await world?.close()
      world = await startWorld({
        folder,
        config: { providers: { openai: { baseUrl: url, keyVariable } } },
        gateway: { masterKey: master, controlPort: 0 },
      })
      await control('/openai', { key: vendorKey })
      await ask()
    }
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer sk-vendor',
      `Bearer ${vendorKey}`,
    ])
  })

  it.each<[string, Answer]>([
    ['refuses', json({ error: { message: 'no such key' } }, 401)],
    ['fails', (reply) => reply.writeHead(500, { 'content-type': 'text/html' }).end('<h1>no</h1>')],
    ['redirects', (reply) => reply.writeHead(302, { location: 'https://a.test' }).end()],
    ['breaks off', (reply) => reply.destroy()],
    ['breaks off in a reply', (reply) => reply.write('{"id', () => reply.destroy())],
  ])('is in nothing that is said where the vendor %s', async (_, answer) => {
    const { url, asked } = await startVendor(answer)
    const opened = await startWorld({
      folder,
      config: { providers: { openai: { baseUrl: url, keyVariable: 'NOT_SET' } } },
      gateway: { masterKey: master, controlPort: 0 },
    })
    world = opened
    await control('/openai', { key: vendorKey })
    const { apiKey } = await opened.client('search')
    const said = await fetch(`${opened.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify(hello),
    }).then(
      async (reply) => JSON.stringify([...reply.headers]) + (await reply.text()),
      (error: unknown) => String(error),
    )
    const metrics = await (await fetch(`${opened.gateway.controlUrl}/metrics`)).text()
    expect(asked[0]?.headers.authorization).toBe(`Bearer ${vendorKey}`)
    expect(metrics).toContain('octroi_')
    const booked = JSON.stringify(opened.till, (_name, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    expect(said + metrics + booked).not.toContain(vendorKey.slice(8, 24))
  })

  it('is used from the next call on, and after a restart', async () => {
    world = await start(master)
    expect(await ask()).toBe(401)
    expect(await control('/openai', { key: `${vendorKey}\n` })).toEqual({ status: 200, json: {} })
    expect(await ask()).toBe(200)
    expect((await control('')).json).toEqual({
      keys: [{ upstream: 'openai', ends: '6789', setAt: '2023-11-15T12:00:00Z' }],
    })
    await world.close()
    world = await start(master)
    expect(await ask()).toBe(200)
    expect((await control('/openai/remove', {})).status).toBe(200)
    expect(await ask()).toBe(401)
    expect((await control('/openai/remove', {})).status).toBe(404)
  })

  it('lies nowhere in the clear', async () => {
    world = await start(master)
    await control('/openai', { key: vendorKey })
    await ask()
    await world.close()
    for (const file of await readdir(folder)) {
      const bytes = await readFile(join(folder, file))
      expect([file, bytes.includes(vendorKey), bytes.includes(vendorKey.slice(8, 24))]).toEqual([
        file,
        false,
        false,
      ])
    }
  })

  it('does not open with another master key, without one, or when it was changed', async () => {
    world = await start(master)
    await control('/openai', { key: vendorKey })
    await world.close()
    world = null
    const data = await openDataFolder(folder)
    await expect(openCredentials(data.database, randomBytes(32))).rejects.toThrow(/"openai" does not open/)
    await expect(openCredentials(data.database, null)).rejects.toThrow(/OCTROI_MASTER_KEY, which is not set/)
    await data.database.close()
    const sealed = seal(master, { upstream: 'openai', key: vendorKey, setAt: 1 })
    expect(unseal(master, sealed)).toBe(vendorKey)
    const changed = Uint8Array.from(sealed.sealed, (byte, at) => (at === 3 ? byte ^ 1 : byte))
    expect(() => unseal(master, { ...sealed, sealed: changed })).toThrow(/does not open/)
    expect(() => unseal(master, { ...sealed, upstream: 'anthropic' })).toThrow(/does not open/)
    expect(() => unseal(master, { ...sealed, sealed: sealed.sealed.slice(0, 10) })).toThrow(/does not open/)
  })

  it('is sealed anew under another master key', async () => {
    const next = randomBytes(32)
    const data = await openDataFolder(folder)
    const credentials = await openCredentials(data.database, master)
    await credentials.set('openai', vendorKey, 1)
    await credentials.set('mistral', `${vendorKey}-2`, 1)
    expect(await credentials.rekey(next)).toBe(2)
    await expect(openCredentials(data.database, master)).rejects.toThrow(/does not open/)
    const again = await openCredentials(data.database, next)
    expect([again.of('openai'), again.of('mistral'), again.of('x')]).toEqual([
      vendorKey,
      `${vendorKey}-2`,
      null,
    ])
    await data.database.close()
  })

  it('is refused where it is none, without being repeated', async () => {
    world = await start(master)
    for (const key of [
      'short',
      `two ${vendorKey}`,
      'x'.repeat(5_000),
      'sk-\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9',
    ]) {
      const { status, json } = await control('/openai', { key })
      expect([status, JSON.stringify(json).includes(key)]).toEqual([400, false])
    }
    expect((await control('/Not%20a%20name', { key: vendorKey })).status).toBe(400)
    await world.close()
    world = await start(null)
    const { status, json } = await control('/openai', { key: vendorKey })
    expect([status, JSON.stringify(json)]).toEqual([400, expect.not.stringContaining(vendorKey)])
  })
})

it('a master key is 32 bytes in base64', () => {
  expect(readMasterKey(master.toString('base64'))).toEqual(master)
  expect([readMasterKey(undefined), readMasterKey('')]).toEqual([null, null])
  for (const wrong of ['hunter2', randomBytes(16).toString('base64'), '-'.repeat(44)]) {
    expect(() => readMasterKey(wrong)).toThrow(/openssl rand -base64 32/)
  }
})
