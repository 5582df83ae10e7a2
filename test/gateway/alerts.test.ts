import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook as Standard } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataFolder, openDataFolder } from '../../src/gateway/data-folder.ts'
import { alertsSchema, readAlerts } from '../../src/gateway/notify/alerts-config.ts'
import { createBurnWatch } from '../../src/gateway/notify/burn-watch.ts'
import { createNotify, type Notify, type NotifyEvent } from '../../src/gateway/notify/notify.ts'
import { createSendWebhook } from '../../src/gateway/notify/webhook.ts'
import { type AlertStore, openAlerts } from '../../src/gateway/registry/alerts.ts'
import type { Crossing } from '../../src/limits/crossing.ts'
import { manualClock } from '../../src/time.ts'

const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
const dayMs = 86_400_000
const start = Date.parse('2023-11-15T12:00:00Z')

type Receiver = {
  readonly url: string
  readonly ids: string[]
  readonly bodies: string[]
  readonly server: Server
}

let folder: string
let data: DataFolder
let store: AlertStore
let clock: ReturnType<typeof manualClock>
let told: NotifyEvent[]
let faults: unknown[]
let receivers: Receiver[]
let running: Notify[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-alerts-'))
  data = await openDataFolder(folder)
  store = openAlerts(data.database)
  clock = manualClock(start)
  ;[told, faults, receivers, running] = [[], [], [], []]
})
afterEach(async () => {
  await Promise.all(running.map((notify) => notify.stop()))
  expect(faults).toEqual([])
  await data.database.close()
  for (const { server } of receivers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await rm(folder, { recursive: true })
})

/** A receiver that answers as it is told to; it verifies what it gets as its library does, but for the age. */
const listen = async (answer: (response: ServerResponse) => void): Promise<Receiver> => {
  const [ids, bodies]: [string[], string[]] = [[], []]
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      const id = String(request.headers['webhook-id'])
      const at = new Date(Number(request.headers['webhook-timestamp']) * 1_000)
      expect(request.headers['webhook-signature']).toBe(new Standard(secret).sign(id, at, body))
      ids.push(id)
      bodies.push(body)
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ids, bodies, server }
  receivers.push(receiver)
  return receiver
}

const takes = (response: ServerResponse): void => {
  response.writeHead(204).end()
}

const begin = (webhooks: readonly object[]): Notify => {
  const written = webhooks.map((webhook) => ({ secretVariable: 'HOOK', allowPrivate: true, ...webhook }))
  const notify = createNotify({
    store,
    webhooks: readAlerts(alertsSchema.parse({ webhooks: written }), { HOOK: secret }).webhooks,
    transport: createSendWebhook(),
    limits: () => [],
    state: () => [],
    burn: createBurnWatch(),
    clock,
    random: () => 1,
    told: (event) => told.push(event),
    report: (error) => faults.push(error),
  })
  running.push(notify)
  return notify
}

const crossing = (share: string, more: Partial<Crossing> = {}): Crossing => ({
  ...{ id: share, limit: 'search', counter: {}, measure: 'cost', currency: 'USD', share },
  ...{ windowStart: start, resetsAt: start + dayMs, cap: 100_000_000_000_000n, used: 81_000_000_000_000n },
  ...{ settled: 80_000_000_000_000n, unresolved: 1_000_000_000_000n, held: 0n },
  ...more,
})

const givenUp = () => told.filter(({ kind }) => kind === 'given up')

describe('receivers of alerts', () => {
  it('that hang keep the others waiting for nothing', async () => {
    const hangs = await listen(() => {})
    const well = await listen(takes)
    const notify = begin([{ url: hangs.url }, { url: well.url }])
    notify.crossed(crossing('0.5'))
    await expect.poll(() => [hangs.ids.length, well.ids.length]).toEqual([1, 1])
    for (const share of ['0.8', '1']) {
      notify.crossed(crossing(share))
      await expect.poll(() => well.ids.length, { timeout: 2_000 }).toBe(share === '0.8' ? 2 : 3)
    }
    // One attempt at a time: it still has the first.
    expect(hangs.ids).toHaveLength(1)
    expect(JSON.parse(well.bodies[0] ?? '')).toMatchObject({
      type: 'limit.threshold',
      data: { limit: 'search', unit: 'USD', cap: '100', settled: '80', unresolved: '1', share: '0.5' },
    })
  })

  it('that break off before they answer get the same again, and all that waited', async () => {
    let breaks = true
    const receiver = await listen((response) => (breaks ? response.destroy() : takes(response)))
    const notify = begin([{ url: receiver.url }])
    for (const share of ['0.5', '0.8', '1']) notify.crossed(crossing(share))
    await expect.poll(() => receiver.ids.length).toBe(1)
    await notify.send()
    breaks = false
    clock.advance(60_000)
    await notify.send()
    expect(receiver.ids.length).toBeGreaterThan(3)
    expect(new Set(receiver.ids).size).toBe(3)
    expect((await store.list(10)).flatMap(({ deliveries }) => deliveries.map(({ state }) => state))).toEqual([
      ...['sent', 'sent', 'sent'],
    ])
    const before = receiver.ids.length
    clock.advance(dayMs)
    await notify.send()
    expect(receiver.ids).toHaveLength(before)
  })

  it.each([
    [
      'break off after they said 200',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
      },
    ],
    [
      'answer 200 without end',
      (response: ServerResponse) => {
        response.writeHead(200)
        const more = setInterval(() => response.write('x'.repeat(10_000)), 5)
        response.on('close', () => clearInterval(more))
      },
    ],
  ])('that %s have taken it', async (_, answer) => {
    const receiver = await listen(answer)
    const notify = begin([{ url: receiver.url }])
    const begun = performance.now()
    const { id } = await notify.test()
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(receiver.ids).toEqual([id])
    expect(notify.counts()).toEqual({ sent: 1 })
  })

  it('hear of the limits and the types that they asked for', async () => {
    const [all, search, burns] = [await listen(takes), await listen(takes), await listen(takes)]
    const notify = begin([
      { url: all.url },
      { url: search.url, limits: ['sea*'] },
      { url: burns.url, types: ['limit.burn_rate'] },
    ])
    notify.crossed(crossing('0.5'))
    notify.crossed(crossing('0.5', { limit: 'ads' }))
    await expect.poll(() => all.ids.length).toBe(2)
    await notify.send()
    expect([search.ids.length, burns.ids.length]).toEqual([1, 0])
    expect(JSON.parse(search.bodies[0] ?? '').data.limit).toBe('search')
  })

  it('for whom 1,000 wait get no more, which is said', async () => {
    const fails = await listen((response) => response.writeHead(500).end())
    const notify = begin([{ url: fails.url }])
    for (let user = 0; user < 1_002; user += 1) {
      notify.crossed(crossing('0.5', { counter: { endUser: `u_${user}` } }))
    }
    await notify.look()
    await notify.send()
    expect(notify.counts()).toEqual({ pending: 1_000, 'given up': 2 })
    expect(givenUp()).toMatchObject([
      { receiver: fails.url, said: 'too many alerts wait for it' },
      { receiver: fails.url, said: 'too many alerts wait for it' },
    ])
    expect(fails.ids.length).toBeLessThan(5)
  })
})

describe('an alert', () => {
  it('is tried after 5, 10, 20 seconds, at last every hour, with one id, and given up after a day', async () => {
    const fails = await listen((response) => response.writeHead(500).end())
    const notify = begin([{ url: fails.url }])
    notify.crossed(crossing('0.5'))
    await expect.poll(() => fails.ids.length).toBe(1)
    await notify.send()
    const tries: number[] = []
    for (let seconds = 5; seconds <= 2 * 86_400; seconds += 5) {
      clock.advance(5_000)
      const before = fails.ids.length
      // Asked of the disk only when something can be due, to be quick.
      if (seconds > 5 * 2 ** 12 && seconds % 600 !== 0) continue
      await notify.send()
      if (fails.ids.length > before) tries.push(seconds)
    }
    expect(tries.slice(0, 5)).toEqual([5, 15, 35, 75, 155])
    expect(new Set(fails.ids).size).toBe(1)
    expect(tries.at(-1)).toBeGreaterThanOrEqual(86_400)
    expect(tries.at(-1)).toBeLessThan(86_400 + 2 * 3_600)
    expect(givenUp()).toMatchObject([{ said: 'it answered 500, for a day' }])
    expect(notify.counts()).toEqual({ 'given up': 1 })
  }, 30_000)

  it('is raised once, though its crossing is told again by another process, under other rules, at another amount', async () => {
    const receiver = await listen(takes)
    const first = begin([{ url: receiver.url }])
    first.crossed(crossing('0.5'))
    first.crossed(crossing('0.5', { used: 90_000_000_000_000n, cap: 120_000_000_000_000n }))
    await expect.poll(() => receiver.ids.length).toBe(1)
    await first.stop()
    const second = begin([{ url: receiver.url }])
    second.crossed(crossing('0.5'))
    await second.look()
    await second.send()
    expect(receiver.ids).toHaveLength(1)
    second.crossed(crossing('0.5', { windowStart: start + dayMs, resetsAt: start + 2 * dayMs }))
    await expect.poll(() => receiver.ids.length).toBe(2)
  })

  it('that was kept and not sent is sent by the next process', async () => {
    const receiver = await listen(takes)
    const first = begin([{ url: receiver.url }])
    first.crossed(crossing('0.5'))
    // It stops before it has looked: what it was told of is kept.
    await first.stop()
    expect(receiver.ids).toEqual([])
    await begin([{ url: receiver.url }]).send()
    expect(receiver.ids).toHaveLength(1)
  })

  it('is forgotten 90 days after its window has ended, and never of a limit without end', async () => {
    const notify = begin([])
    notify.crossed(crossing('0.5'))
    notify.crossed(crossing('0.5', { limit: 'ever', windowStart: 0, resetsAt: null }))
    await notify.look()
    await notify.test()
    expect(await store.list(10)).toHaveLength(3)
    clock.advance(90 * dayMs)
    await notify.look()
    expect(await store.list(10)).toHaveLength(3)
    clock.advance(2 * dayMs)
    await notify.look()
    expect((await store.list(10)).map(({ body }) => JSON.parse(body).data.limit)).toEqual(['ever'])
  })
})
