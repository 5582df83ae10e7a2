import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'
import { openNow } from '../sandbox/now/vendors.fixture.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

/** The vendors of today as the sandbox plays them, and their official clients before a gateway. */
const openVendors = async (options: Parameters<typeof openNow>[0] = {}) => {
  const { sandbox } = await openNow({ outputTokens: 100, ...options })
  const keyVariable = 'VENDOR_KEY'
  const providers = {
    anthropic: { baseUrl: `${sandbox.url}/anthropic/v1`, keyVariable },
    google: { baseUrl: `${sandbox.url}/google`, keyVariable },
  }
  world = await startWorld({ at: '2026-11-25T12:00:00Z', config: { anonymous: true, providers } })
  const named = { name: null, organization: null, project: null, environment: null, team: 'search' }
  const { secret } = await world.gateway.registry.createKey(named, world.clock.now())
  const baseUrl = `${world.gateway.url}/google`
  return {
    sandbox,
    anthropic: new Anthropic({ apiKey: secret, baseURL: `${world.gateway.url}/anthropic`, maxRetries: 0 }),
    google: new GoogleGenAI({ apiKey: secret, vertexai: false, httpOptions: { baseUrl } }),
  }
}

/** Quantities by meter, of both books. */
const sums = (rows: readonly { readonly meter: string; readonly quantity: unknown }[]) => {
  const found: Record<string, number> = {}
  for (const { meter, quantity } of rows) found[meter] = (found[meter] ?? 0) + Number(quantity)
  return found
}

const booked = () => sums(world.till.flatMap(({ settlement }) => settlement.charges))
const spent = () => formatPicos(world.till.reduce((sum, { cost }) => sum + cost, 0n))

const long = 'The moons of Mars are Phobos and Deimos. '.repeat(300)

describe('Anthropic of today', () => {
  it('and the gateway book the same, to the last unit', async () => {
    const { sandbox, anthropic } = await openVendors()
    const model = 'claude-sonnet-5'
    const messages = [{ role: 'user' as const, content: 'How many moons has Mars?' }]
    await anthropic.messages.create({ model, max_tokens: 300, messages })
    const stream = await anthropic.messages.create({ model, max_tokens: 300, messages, stream: true })
    for await (const _ of stream);
    const tools = [{ name: 'moons', input_schema: { type: 'object' as const } }]
    await anthropic.messages.create({ model, max_tokens: 300, messages, tools, tool_choice: { type: 'any' } })
    for (const ttl of ['5m', '1h'] as const) {
      const text = `${ttl} ${long}`
      const system = [{ type: 'text' as const, text, cache_control: { type: 'ephemeral' as const, ttl } }]
      const written = anthropic.messages.create({ model, max_tokens: 300, messages, system })
      const { headers } = (await written.withResponse()).response
      expect(Number(headers.get('octroi-cost-usd'))).toBeGreaterThan(0.01)
      expect(Number(headers.get('octroi-cost-usd'))).toBeLessThanOrEqual(
        Number(headers.get('octroi-quote-usd')),
      )
      const again = anthropic.messages.stream({ model, max_tokens: 300, messages, system })
      await again.finalMessage()
    }
    expect(world.till.map(({ settlement }) => settlement.basis)).toEqual(Array(7).fill('measured'))
    expect(Object.keys(booked()).sort()).toEqual(
      expect.arrayContaining(['cache_write_1h_tokens', 'cache_write_5m_tokens', 'cached_input_tokens']),
    )
    expect(booked()).toEqual(sums(sandbox.books()))
    expect(spent()).toBe(sandbox.total().amount)
  })

  it('tells its errors as it does without a gateway', async () => {
    const { anthropic } = await openVendors()
    const asking = anthropic.messages.create({ model: 'claude-none', max_tokens: 1, messages: [] })
    await expect(asking).rejects.toMatchObject({ status: expect.any(Number), error: { type: 'error' } })
    expect(spent()).toBe('0')
  })
})

describe('Google of today', () => {
  it('and the gateway book the same, to the last unit', async () => {
    const { sandbox, google } = await openVendors()
    for (const model of ['gemini-2.5-pro', 'gemini-3.8-flash']) {
      await google.models.generateContent({ model, contents: 'How many moons has Mars?' })
      const asking = { model, contents: long, config: { candidateCount: 2 } }
      await google.models.generateContent(asking).catch(() => null)
      for await (const _ of await google.models.generateContentStream({ model, contents: long }));
      for await (const _ of await google.models.generateContentStream({ model, contents: long }));
    }
    expect(world.till.length).toBeGreaterThanOrEqual(6)
    expect(new Set(world.till.map(({ settlement }) => settlement.basis))).toEqual(new Set(['measured']))
    expect(Object.keys(booked())).toContain('output_reasoning_tokens')
    expect(booked()).toEqual(sums(sandbox.books()))
    expect(spent()).toBe(sandbox.total().amount)
  })
})
