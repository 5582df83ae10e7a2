import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook as Standard } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { readConfig } from '../config.ts'
import { isPublicAddress } from './addresses.ts'
import { alertPayloadSchema } from './alert.ts'
import type { NotifyEvent } from './notify.ts'

const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello' }] }
const day = { calendar: 'day' }
const budget = { name: 'day', measure: 'cost', cap: '0.001', window: day, action: 'warn', warnAt: [0.1, 0.5] }

type Got = { readonly headers: IncomingHttpHeaders; readonly body: string }

let world: TestWorld
let receiver: Server
let got: Got[]
let answer: () => number | null
let told: NotifyEvent[]

const url = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`

beforeEach(async () => {
  got = []
  told = []
  answer = () => 204
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      got.push({ headers: request.headers, body })
      const status = answer()
      if (status === null) return
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await world.close()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

const config = (more: object = {}, limits: readonly object[] = [budget]) => ({
  anonymous: true,
  limits,
  alerts: { webhooks: [{ url: url(), secretVariable: 'HOOK_SECRET', allowPrivate: true }], ...more },
})

const start = async (given = config(), folder?: string): Promise<void> => {
  world = await startWorld({
    ...(folder !== undefined && { folder }),
    gateway: {
      config: readConfig(
        { providers: { openai: { baseUrl: 'http://127.0.0.1:9/v1' } }, ...given },
        { HOOK_SECRET: secret },
      ),
      onAlert: (event) => told.push(event),
    },
  })
}

/** A gateway before the sandbox, with alerts. */
const startBeforeSandbox = async (given = config(), folder?: string): Promise<void> => {
  world = await startWorld({
    ...(folder !== undefined && { folder }),
    environment: { HOOK_SECRET: secret },
    config: given,
    gateway: { onAlert: (event) => told.push(event), controlPort: 0 },
  })
}

const tellControl = async (method: string, path: string, body: object = {}): Promise<Response> => {
  const headers = { 'content-type': 'application/json' }
  const url = `${world.gateway.controlUrl}/octroi/v1/${path}`
  const reply = await fetch(url, { method, headers, body: JSON.stringify(body) })
  expect(reply.status).toBe(200)
  return reply
}

const spend = async (): Promise<void> => {
  const client = await world.client('search')
  await client.chat.completions.create({ ...hello, max_tokens: 10 })
}

const until = async (done: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 200 && !done(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(done()).toBe(true)
}

const shares = () => got.map(({ body }) => JSON.parse(body).data.share)

describe('an alert', () => {
  it('reaches its webhook once for each share, signed as Standard Webhooks says', async () => {
    await startBeforeSandbox()
    while (got.length < 2) {
      await spend()
      await world.gateway.sweep()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await world.gateway.sweep()
    expect(shares().toSorted()).toEqual(['0.1', '0.5'])
    for (const { headers, body } of got) {
      expect(alertPayloadSchema.parse(JSON.parse(body))).toMatchObject({
        type: 'limit.threshold',
        data: { limit: 'day', unit: 'USD', cap: '0.001' },
      })
      const at = new Date(Number(headers['webhook-timestamp']) * 1_000)
      expect(at.toISOString().slice(0, 10)).toBe('2023-11-15')
      // The library wants an instant of today: it signs, and the signatures are compared.
      const signed = new Standard(secret).sign(String(headers['webhook-id']), at, body)
      expect(headers['webhook-signature']).toBe(signed)
    }
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
  })

  it('is tried again with the same id until it is taken, and given up after a day', async () => {
    answer = () => 500
    await startBeforeSandbox(config({}, [{ ...budget, cap: '0.0001', warnAt: [0.1] }]))
    await spend()
    await until(() => got.length === 1)
    for (let hours = 0; hours < 26; hours += 1) {
      world.clock.advance(3_600_000)
      await world.gateway.sweep()
      await new Promise((resolve) => setTimeout(resolve, 15))
    }
    const before = got.length
    expect(before).toBeGreaterThan(20)
    expect(new Set(got.map(({ headers, body }) => `${headers['webhook-id']} ${body}`)).size).toBe(1)
    expect(told.filter(({ kind }) => kind === 'given up')).toHaveLength(1)
    world.clock.advance(86_400_000)
    await world.gateway.sweep()
    expect(got).toHaveLength(before)
  })

  it('is not raised again by a restart, nor by rules that come back', async () => {
    await startBeforeSandbox(config({}, [{ ...budget, cap: '0.0001', warnAt: [0.1] }]))
    await spend()
    await until(() => got.length === 1)
    const { folder, gateway, sandbox } = world
    const put = (limits: readonly object[]) => tellControl('PUT', 'policy', { limits })
    await put([])
    await put([{ ...budget, cap: '0.0001', warnAt: [0.1] }])
    await gateway.sweep()
    await gateway.close()
    await sandbox.close()
    await startBeforeSandbox(config({}, [{ ...budget, cap: '0.0001', warnAt: [0.1] }]), folder)
    await spend()
    await world.gateway.sweep()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(got).toHaveLength(1)
  })

  it('is raised at the start where the process ended between the crossing and its being kept', async () => {
    await startBeforeSandbox(config({}, [{ ...budget, warnAt: [] }]))
    await spend()
    const { folder, gateway, sandbox } = world
    await gateway.close()
    await sandbox.close()
    expect(got).toEqual([])
    await startBeforeSandbox(config({}, [{ ...budget, cap: '0.0001', warnAt: [0.1] }]), folder)
    await until(() => got.length === 1)
  })

  it('keeps no call waiting for a receiver that hangs', async () => {
    answer = () => null
    await startBeforeSandbox(config({}, [{ ...budget, cap: '0.0001', warnAt: [0.1, 0.5] }]))
    const begun = performance.now()
    for (let calls = 0; calls < 5; calls += 1) await spend()
    expect(performance.now() - begun).toBeLessThan(5_000)
    await until(() => got.length === 1)
  })

  it('does not follow a receiver elsewhere', async () => {
    answer = () => 302
    await startBeforeSandbox()
    const reply = await tellControl('POST', 'alerts/test')
    expect(await reply.json()).toMatchObject({
      alerts: [
        {
          type: 'alert.test',
          deliveries: [{ state: 'pending', attempts: 1, said: 'it redirects (302), which is not followed' }],
        },
      ],
    })
    expect(got).toHaveLength(1)
  })
})

describe('a budget that is spent too fast', () => {
  it('is told of once an hour', async () => {
    const month = {
      name: 'month',
      measure: 'cost',
      cap: '0.01',
      window: { calendar: 'month' },
      action: 'warn',
      burnRate: {},
    }
    await startBeforeSandbox(config({}, [month]))
    await world.gateway.sweep()
    for (let minutes = 0; minutes < 65; minutes += 5) {
      world.clock.advance(300_000)
      await spend()
      await world.gateway.sweep()
    }
    await until(() => got.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const alerts = got.map(({ body }) => JSON.parse(body))
    expect(alerts.map(({ type, data }) => [type, data.limit, data.factor, data.longSeconds])).toEqual([
      ['limit.burn_rate', 'month', '14.4', 3_600],
    ])
  })
})

describe('a webhook', () => {
  const read =
    (
      webhook: Readonly<Record<string, unknown>>,
      environment: Record<string, string> = { HOOK_SECRET: secret },
    ) =>
    () =>
      readConfig({ alerts: { webhooks: [{ secretVariable: 'HOOK_SECRET', ...webhook }] } }, environment)

  beforeEach(() => start())

  it.each([
    'https://127.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'http://example.com/',
  ])('may not be %s', (wrong) => {
    expect(read({ url: wrong })).toThrow(/alerts|webhook/)
  })

  it('needs a secret that is one', () => {
    expect(read({ url: 'https://example.com/' })).not.toThrow()
    expect(read({ url: 'https://example.com/' }, {})).toThrow(/HOOK_SECRET is not set/)
    expect(read({ url: 'https://example.com/' }, { HOOK_SECRET: 'hunter2' })).toThrow(/no secret/)
  })

  it('is judged by the address that its name has', () => {
    expect(['8.8.8.8', '2606:4700::1111'].map(isPublicAddress)).toEqual([true, true])
    const wrong = [
      '10.1.2.3',
      '100.64.0.1',
      '172.31.0.1',
      '::ffff:127.0.0.1',
      'fe80::1',
      '64:ff9b::a00:1',
      'x',
    ]
    expect(wrong.map(isPublicAddress)).toEqual(wrong.map(() => false))
  })

  it('whose name leads to this machine gets nothing', async () => {
    await world.close()
    const port = (receiver.address() as AddressInfo).port
    await startBeforeSandbox({
      ...config(),
      alerts: {
        webhooks: [{ url: `https://localhost:${port}/`, secretVariable: 'HOOK_SECRET', allowPrivate: false }],
      },
    })
    const reply = await tellControl('POST', 'alerts/test')
    const { alerts } = (await reply.json()) as { alerts: { deliveries: { said: string }[] }[] }
    expect(alerts[0]?.deliveries[0]?.said).toContain('no public address')
    expect(got).toEqual([])
  })
})
