import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Webhook as Standard } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'

const launcher = fileURLToPath(new URL('../../bin/octroi.mjs', import.meta.url))
const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`

let folder: string
let sandbox: Sandbox
let receiver: Server
let gateway: ChildProcess
let log: Record<string, unknown>[]
/** Ids of alerts by their share, as they came. */
let got: { readonly share: string; readonly id: string }[]
/** What the receiver does with an alert before it takes it: nothing, or ends the gateway. */
let meet: () => 'take' | 'leave'

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-alerts-'))
  sandbox = await createSandbox({
    profile: '2023-11',
    clock: manualClock(parseInstant('2023-11-15T12:00:00Z')),
    prices: await bundledPrices(),
    seed: 7,
    outputTokens: 20,
  })
  ;[log, got, meet] = [[], [], () => 'take']
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      const id = String(request.headers['webhook-id'])
      const at = new Date(Number(request.headers['webhook-timestamp']) * 1_000)
      expect(request.headers['webhook-signature']).toBe(new Standard(secret).sign(id, at, body))
      got.push({ share: JSON.parse(body).data.share, id })
      if (meet() === 'take') response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  gateway.kill('SIGKILL')
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
  await sandbox.close()
  await rm(folder, { recursive: true })
})

const start = async (at = '2023-11-15T12:00:00Z'): Promise<string> => {
  const window = { calendar: 'day' }
  const day = { name: 'day', measure: 'cost', cap: '0.0001', window, action: 'warn', warnAt: [0.1, 0.5] }
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const config = {
    anonymous: true,
    providers: { openai: { baseUrl: sandbox.baseUrl } },
    limits: [day],
    alerts: { webhooks: [{ url, secretVariable: 'HOOK_SECRET', allowPrivate: true }] },
  }
  await writeFile(join(folder, 'octroi.json'), JSON.stringify(config))
  const where = ['--config', join(folder, 'octroi.json'), '--data', join(folder, 'data')]
  const ports = ['--port', '0', '--control-port', '0']
  const words = ['serve', ...where, ...ports, '--clock', at, '--log', 'json', '--quiet']
  gateway = spawn(process.execPath, [launcher, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOOK_SECRET: secret },
  })
  log = []
  let rest = ''
  gateway.stderr?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    log.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>))
  })
  const listening = () => log.find(({ event }) => event === 'listening')
  await expect.poll(listening, { timeout: 20_000 }).toBeDefined()
  return String(listening()?.['url'])
}

const kill = async (): Promise<void> => {
  const ended = once(gateway, 'exit')
  gateway.kill('SIGKILL')
  await ended
}

/** A call that costs more than the whole day. */
const spend = async (url: string): Promise<void> => {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-own' },
    body: JSON.stringify({
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user', content: 'Hello there' }],
    }),
  })
  expect(reply.status).toBe(200)
  await reply.text()
}

const shares = (): readonly string[] => [...new Set(got.map(({ share }) => share))].toSorted()

/** Each share has one id, however often it was sent, and another process that goes on spending adds none. */
const toldOnce = async (): Promise<void> => {
  const url = await start('2023-11-15T12:01:00Z')
  await expect.poll(shares, { timeout: 20_000 }).toEqual(['0.1', '0.5'])
  const before = got.length
  await spend(url)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(got.length - before).toBeLessThanOrEqual(1)
  expect(new Set(got.map(({ id }) => id)).size).toBe(2)
  expect(JSON.stringify(log)).not.toContain(secret)
}

describe('alerts of a gateway that is killed', () => {
  it('before it could keep them are raised by the next one, once', async () => {
    await spend(await start())
    await kill()
    await toldOnce()
  }, 60_000)

  it('while it sends come again under the same id', async () => {
    meet = () => {
      gateway.kill('SIGKILL')
      return 'leave'
    }
    await spend(await start())
    await expect.poll(() => got.length, { timeout: 20_000 }).toBeGreaterThan(0)
    meet = () => 'take'
    await toldOnce()
    expect(got.length).toBeGreaterThan(2)
  }, 60_000)

  it('when all were taken are not sent again', async () => {
    await spend(await start())
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(2)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await kill()
    await toldOnce()
    expect(got).toHaveLength(2)
  }, 60_000)
})
