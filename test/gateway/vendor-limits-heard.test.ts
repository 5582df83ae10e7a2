import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import {
  chatReply,
  closeAll,
  listen,
  request,
  settled,
  start,
  startRefusing,
  statusOf,
} from './vendor-limits.fixture.ts'

afterEach(closeAll)

describe('a vendor that refuses a call and says for how long', () => {
  it('is left alone until then, and asked by one call before the others', async () => {
    const { world, watched, client, held, answer } = await startRefusing()
    expect(await statusOf(client)).toBe(429)
    const calls = Array.from({ length: 5 }, () => statusOf(client))
    world.clock.advance(6_999)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(watched.seen).toHaveLength(1)
    world.clock.advance(1)
    await expect.poll(() => held.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(held).toHaveLength(1)
    answer()
    await expect.poll(() => held.length).toBe(4)
    answer()
    expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200])
  })

  it('keeps no call of another model waiting, nor one with a credential of its own', async () => {
    const { world, client, held, answer } = await startRefusing()
    expect(await statusOf(client)).toBe(429)
    const waits = statusOf(client)
    const passes = [statusOf(client, 'gpt-4'), statusOf(await world.client(null))]
    await expect.poll(() => held.length).toBe(2)
    answer()
    expect(await Promise.all(passes)).toEqual([200, 200])
    world.clock.advance(7_000)
    await expect.poll(() => held.length).toBe(1)
    answer()
    expect(await waits).toBe(200)
  })

  it('is not asked by a call that cannot wait so long: it is told when to come again', async () => {
    const { watched, client } = await startRefusing({ waitMsMax: 2_000 })
    expect(await statusOf(client)).toBe(429)
    const error = await client.chat.completions.create(request()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(String(error)).toContain('it asked for a pause. This one was not sent. Try again in 7s.')
    expect(error instanceof OpenAI.APIError && error.headers?.get('retry-after')).toBe('7')
    expect(watched.seen).toHaveLength(1)
  })
})

describe('Anthropic, whose replies name an instant', () => {
  it('has a pool of requests that is learned from them', async () => {
    let calls = 0
    const vendor = await listen((incoming, outgoing) => {
      incoming.resume()
      calls += 1
      outgoing.writeHead(200, {
        'content-type': 'application/json',
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': String(Math.max(0, 4 - calls)),
        'anthropic-ratelimit-requests-reset': '2023-11-15T12:00:56Z',
        'anthropic-ratelimit-output-tokens-limit': 'NaN',
      })
      outgoing.end(
        JSON.stringify({
          ...{ id: 'm', type: 'message', role: 'assistant', model: 'claude-haiku-4-5' },
          ...{ content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', stop_sequence: null },
          usage: { input_tokens: 8, output_tokens: 1 },
        }),
      )
    })
    const { world } = await start(
      {},
      {
        providers: {
          anthropic: { baseUrl: `${vendor}/v1`, keyVariable: 'VENDOR_KEY', rateLimits: 'learn' },
        },
      },
    )
    const none = { name: null, organization: null, project: null, environment: null }
    const { secret } = await world.gateway.registry.createKey({ ...none, team: 'a' }, world.clock.now())
    const client = new Anthropic({
      apiKey: secret,
      baseURL: `${world.gateway.url}/anthropic`,
      maxRetries: 0,
    })
    const ask = () =>
      client.messages.create({
        model: 'claude-haiku-4-5',
        max_tokens: 1_000,
        messages: [{ role: 'user', content: 'Hello' }],
      })
    await ask()
    // Three are left there, so two here: a hundredth, but at least one, stays unused.
    const asked = Promise.all([ask(), ask(), ask()])
    await expect.poll(() => calls).toBe(3)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(calls).toBe(3)
    world.clock.advance(3_000)
    await asked
    expect(calls).toBe(4)
  })
})

describe('a limit of the operator beside those of the vendor', () => {
  const five = { name: 'five', measure: 'requests', cap: '5', window: { bucket: '1d' } }

  it('that refuses a call leaves no trace in the pool', async () => {
    const { world, client } = await start({ tier: '1' }, { limits: [five], gateway: { controlPort: 0 } })
    const statuses = await Promise.all(Array.from({ length: 8 }, () => statusOf(client)))
    expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
    const reply = await fetch(`${world.gateway.controlUrl}/octroi/v1/limits`, {
      headers: { authorization: `Bearer ${world.gateway.controlToken ?? ''}` },
    })
    expect(await reply.json()).toMatchObject({
      limits: [
        { setBy: 'operator', settled: '5', held: '0' },
        { setBy: 'vendor', settled: '5', held: '0', free: '94' },
      ],
    })
  })

  it('holds nothing of a call that waits for the vendor', async () => {
    const { world, client, held, answer } = await startRefusing({}, [five])
    expect(await statusOf(client)).toBe(429)
    const calls = Array.from({ length: 3 }, () => statusOf(client))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(world.gateway.limits().map((limit) => limit.held)).toEqual([0n])
    world.clock.advance(7_000)
    await expect.poll(() => held.length).toBe(1)
    answer()
    await expect.poll(() => held.length).toBe(2)
    expect(world.gateway.limits().map((limit) => limit.held)).toEqual([2n])
    answer()
    expect(await Promise.all(calls)).toEqual([200, 200, 200])
  })
})

describe('two providers of one vendor', () => {
  it('are two accounts, each with pools of its own', async () => {
    const vendor = await listen((incoming, outgoing) => {
      incoming.resume()
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(chatReply)
    })
    const { world, watched, client } = await start(
      { tier: '1' },
      { providers: { second: { kind: 'openai', baseUrl: `${vendor}/v1`, tier: '1', pricesFrom: 'openai' } } },
    )
    const second = client.withOptions({ baseURL: `${world.gateway.url}/second/v1` })
    const first = Array.from({ length: 120 }, () => statusOf(client))
    await settled(watched, 99)
    const others = await Promise.all(Array.from({ length: 60 }, () => statusOf(second)))
    expect(others.filter((status) => status !== 200)).toEqual([])
    world.clock.advance(60_000)
    expect((await Promise.all(first)).filter((status) => status !== 200)).toEqual([])
  })
})

describe('without a word in the configuration', () => {
  it('nothing waits, and the client hears what the vendor says', async () => {
    const { watched, client } = await start({})
    const statuses = await Promise.all(Array.from({ length: 130 }, () => statusOf(client)))
    expect(watched.seen).toHaveLength(130)
    expect(statuses.filter((status) => status === 429).length).toBe(30)
  })
})
