import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type ServerProcess, startServer } from '../../bench/gateway/process.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { conserved, settledWhole } from './conservation.ts'
import { readEntries } from './entries.ts'
import { tell } from './told.ts'
import { longForm } from './work.ts'

/** Octroi behind and in front of another proxy: one that only passes on, and `@portkey-ai/gateway`, a gateway of another
 * maker, which retries by itself. */

let world: TestWorld | null = null
let proxy: ServerProcess | null = null
afterEach(async () => {
  await world?.close()
  await proxy?.end()
  world = null
  proxy = null
})

const scripts = {
  'a raw proxy': new URL('../../bench/gateway/raw-proxy.ts', import.meta.url),
  'another gateway': new URL('../../bench/gateway/peer.ts', import.meta.url),
} as const
type Peer = keyof typeof scripts
type Place = 'behind' | 'in front of'
const peers = Object.keys(scripts) as readonly Peer[]
const places: readonly Place[] = ['behind', 'in front of']

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** A cap of ten calls of 43 millionths of a dollar: 2 x 1.5 + 20 x 2. */
const cap = '0.00043'

/** Starts the sandbox, Octroi and a proxy, and gives what sends a call through both. */
const start = async (peer: Peer, place: Place, port: number): Promise<(tag: string) => Promise<Answer>> => {
  const vendor = `http://127.0.0.1:${port}`
  const begin = (baseUrl: string): Promise<TestWorld> =>
    startWorld({
      config: {
        limits: [{ name: 'ten', measure: 'cost', cap, window: { calendar: 'month' } }],
        providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } },
      },
      sandbox: { outputTokens: 20, latencyMs: 2, port },
    })
  if (place === 'in front of') {
    proxy = await startServer(scripts[peer], vendor)
    world = await begin(`${proxy.url}/v1`)
  } else {
    world = await begin(`${vendor}/v1`)
    proxy = await startServer(scripts[peer], world.gateway.url)
  }
  const none = { name: null, organization: null, project: null, environment: null }
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'search' }, world.clock.now())
  const entrance = place === 'behind' ? proxy.url : world.gateway.url
  const next = place === 'behind' ? world.gateway.url : vendor
  const asksPeer = peer === 'another gateway'
  return async (tag) => {
    const reply = await fetch(`${entrance}/v1/completions`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', authorization: `Bearer ${secret}` },
        ...(asksPeer && {
          'x-portkey-config': JSON.stringify({
            provider: 'openai',
            custom_host: `${next}/v1`,
            retry: { attempts: 2, on_status_codes: [500] },
            // The other gateway passes only those headers on that it is told to.
            forward_headers: ['octroi-tags', 'authorization'],
          }),
        }),
        'octroi-tags': `attempt=${tag}`,
      },
      body: JSON.stringify({ model: 'gpt-3.5-turbo-instruct', prompt: [9906, 1917], max_tokens: 20 }),
    })
    const said = (await reply.json()) as { readonly usage?: { readonly total_tokens: number } }
    return { status: reply.status, tokens: said.usage?.total_tokens ?? null }
  }
}

type Answer = { readonly status: number; readonly tokens: number | null }

const cases = peers.flatMap((peer) => places.map((place) => ({ peer, place })))

describe('a budget of ten calls', () => {
  it.for(cases)(
    'holds $place $peer, and costs are what the vendor bills',
    { timeout: 60_000 },
    async ({ peer, place }, context) => {
      const call = await start(peer, place, await freePort())
      const calls = longForm ? 200 : 30
      const answers = await Promise.all(Array.from({ length: calls }, (_, index) => call(`${index}`)))
      const served = answers.filter(({ status }) => status === 200)
      expect(served).toEqual(Array.from({ length: 10 }, () => ({ status: 200, tokens: 22 })))
      expect(answers.filter(({ status }) => status === 402)).toHaveLength(calls - 10)
      if (world === null) throw new Error('There is no world.')
      expect(world.sandbox.calls()).toHaveLength(10)
      expect(await settledWhole(world)).toBe(430_000_000n)
      const reserved = readEntries(world.folder).flatMap((entry) =>
        entry.kind === 'reserved' ? [entry.call] : [],
      )
      expect(new Set(reserved.map(({ tags }) => tags['attempt'])).size).toBe(10)
      tell(context, {
        asked: `${calls} calls ${place} ${peer}, cap = 10`,
        found: '10 served, costs equal, 0 over',
      })
    },
  )
})

it.for(places)(
  'what another gateway retries is a call of its own, %s it',
  { timeout: 60_000 },
  async (place, context) => {
    const call = await start('another gateway', place, await freePort())
    if (world === null) throw new Error('There is no world.')
    for (let fault = 0; fault < 2; fault += 1) world.sandbox.faults.add({ kind: 'status', status: 500 })
    expect(await call('retried')).toEqual({ status: 200, tokens: 22 })
    const entries = readEntries(world.folder)
    const reserved = entries.filter(({ kind }) => kind === 'reserved')
    // Behind it, Octroi sees each try. In front of it, it sees the one call that it sent, whose tries were not billed.
    expect(reserved).toHaveLength(place === 'behind' ? 3 : 1)
    expect(entries).toHaveLength(2 * reserved.length)
    expect(world.sandbox.calls()).toHaveLength(1)
    expect(await settledWhole(world)).toBe(43_000_000n)
    tell(context, {
      asked: `two tries fail, ${place} a gateway that retries`,
      found: `${reserved.length} calls, one billed`,
    })
  },
)

describe('the verbs of the ledger over HTTP, for a gateway beside', () => {
  it('hold the same budget, together with what passes through', async (context) => {
    world = await startWorld({
      config: { limits: [{ name: 'ten', measure: 'cost', cap, window: { calendar: 'month' } }] },
      sandbox: { outputTokens: 20 },
    })
    const { url } = world.gateway
    const request = { model: 'gpt-3.5-turbo-instruct', prompt: [9906, 1917], max_tokens: 20 }
    const send = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const reply = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      return { status: reply.status, body: (await reply.json()) as { id: string } }
    }
    const own = { endpoint: 'completions', request }
    const tasks = Array.from({ length: 30 }, (_, index) =>
      index % 2 === 0 ? send('/octroi/v1/reservations', own) : send('/v1/completions', request),
    )
    const answers = await Promise.all(tasks)
    const held = answers.filter(({ status }) => status === 201)
    const passed = answers.filter(({ status }) => status === 200)
    expect(held.length + passed.length).toBe(10)
    expect(Math.min(held.length, passed.length)).toBeGreaterThan(0)
    expect(await conserved(world)).toBe(43_000_000n * BigInt(passed.length))
    expect(world.gateway.limits()[0]?.free).toBe(0n)
    // What was sent elsewhere came to 5 tokens instead of 20: 13 millionths of a dollar.
    const reply = { model: request.model, usage: { prompt_tokens: 2, completion_tokens: 5 } }
    for (const { body } of held) {
      expect((await send(`/octroi/v1/reservations/${body.id}/settle`, { reply })).status).toBe(200)
    }
    const total = await conserved(world)
    expect(total).toBe(43_000_000n * BigInt(passed.length) + 13_000_000n * BigInt(held.length))
    expect(world.gateway.limits()[0]).toMatchObject({ settled: total, held: 0n, unresolved: 0n, over: 0n })
    tell(context, {
      asked: '15 reservations and 15 calls at once, cap = 10',
      found: `${held.length} held, ${passed.length} passed`,
    })
  })
})
