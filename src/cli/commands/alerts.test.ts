import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as list } from './alerts-list.ts'
import { command as test } from './alerts-test.ts'
import { command as serve } from './serve.ts'

const run = commandRunner(list, test, serve)
const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-alerts-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('octroi alerts', () => {
  let receiver: Server
  let world: TestWorld
  let status: number
  beforeEach(async () => {
    status = 204
    receiver = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end())
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    world = await startWorld({
      folder,
      environment: { HOOK: secret },
      config: { alerts: { webhooks: [{ url, secretVariable: 'HOOK', allowPrivate: true }] } },
      gateway: { controlPort: 0 },
    })
    const { controlUrl, controlToken } = world.gateway
    await writeFile(join(folder, 'control.json'), JSON.stringify({ url: controlUrl, token: controlToken }))
  })
  afterEach(async () => {
    await world.close()
    receiver.closeAllConnections()
    await new Promise((resolve) => receiver.close(resolve))
  })

  it('test sends one that is about nothing, and list shows whom it reached', async () => {
    expect((await run(['alerts', 'list', '--data', folder])).out).toBe('Nothing was told yet.\n')
    const sent = await run(['alerts', 'test', '--data', folder])
    expect([sent.exit, sent.err]).toEqual([0, ''])
    expect(sent.out).toMatch(/2023-11-15T12:00:00Z\s+alert\.test\s+127\.0\.0\.1:\d+\s+sent\s+1/)
    const listed = await run(['alerts', 'list', '--data', folder, '--json'])
    expect(JSON.parse(listed.out)).toMatchObject({
      schema: 'octroi-alerts/1',
      alerts: [{ type: 'alert.test', deliveries: [{ state: 'sent', attempts: 1, said: null }] }],
    })
  })

  it('test exits with 1 where a webhook does not take it, and says why', async () => {
    status = 500
    const { exit, out } = await run(['alerts', 'test', '--data', folder])
    expect(exit).toBe(1)
    expect(out).toMatch(/pending\s+1\s+it answered 500/)
    // It still waits for its next attempt, and keeps no other from being sent.
    status = 204
    expect((await run(['alerts', 'test', '--data', folder])).exit).toBe(0)
  })
})

describe('octroi serve --check', () => {
  const check = async (webhook: object, environment: Readonly<Record<string, string>> = { HOOK: secret }) => {
    const file = join(folder, 'config.json')
    await writeFile(file, JSON.stringify({ alerts: { webhooks: [{ secretVariable: 'HOOK', ...webhook }] } }))
    const ports = ['--port', '0', '--control-port', '0']
    const words = ['serve', '--check', '--config', file, '--data', join(folder, 'data'), ...ports]
    return run(words, '', environment)
  }

  it('says where alerts go, and what is wrong with it, and never a secret', async () => {
    const well = await check({ url: 'https://hooks.example.com/octroi' })
    expect([well.exit, well.out.includes('ok    alerts go to hooks.example.com, over https\n')]).toEqual([
      0,
      true,
    ])
    const wrong = [
      await check({ url: 'https://hooks.example.com/' }, {}),
      await check({ url: 'https://hooks.example.com/' }, { HOOK: 'hunter2' }),
      await check({ url: 'https://169.254.169.254/' }),
      await check({ url: 'http://hooks.example.com/' }),
    ]
    expect(wrong.map(({ exit }) => exit)).toEqual([2, 2, 2, 2])
    const said = wrong.map(({ err }) => err)
    for (const [index, what] of [
      'HOOK is not set',
      'HOOK is no secret',
      '169.254.169.254',
      'not https',
    ].entries()) {
      expect(said[index]).toContain(what)
    }
    expect([well.out, ...said].join()).not.toMatch(/hunter2|whsec_MDEy/)
  })
})
