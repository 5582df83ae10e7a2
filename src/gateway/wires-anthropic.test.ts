import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Answer, json, startVendor, stream } from '../../test/support/vendor.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'

/** A busy machine takes long to count what a stream without usage came to. */
const patient = { timeout: 10_000 }

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const none = { name: null, organization: null, project: null, environment: null }

/** A gateway before an Anthropic that answers in one way, and the official SDK with a key of a team. */
const atAnthropic = async (answer: Answer, more: { limits?: readonly object[] } = {}) => {
  const vendor = await startVendor(answer)
  world = await startWorld({
    at: '2026-09-01',
    config: {
      anonymous: true,
      providers: { anthropic: { baseUrl: `${vendor.url}/v1`, keyVariable: 'VENDOR_KEY' } },
      limits: more.limits ?? [],
    },
  })
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'search' }, world.clock.now())
  const at = { baseURL: `${world.gateway.url}/anthropic`, maxRetries: 2 }
  return {
    client: new Anthropic({ apiKey: secret, authToken: null, ...at }),
    at,
    secret,
    asked: vendor.asked,
  }
}

const usage = {
  input_tokens: 50,
  cache_creation_input_tokens: 3000,
  cache_read_input_tokens: 100_000,
  cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 1000 },
  output_tokens: 503,
  service_tier: 'standard',
}

const message = (more: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [{ type: 'text', text: 'Two.' }],
  stop_reason: 'end_turn',
  usage,
  ...more,
})

const asking = {
  model: 'claude-sonnet-5',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'How many moons has Mars?' }],
}

const event = (data: { type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

const started = event({
  type: 'message_start',
  ...{ message: message({ content: [], usage: { ...usage, output_tokens: 1 } }) },
})
const said = (text: string): string =>
  event({ type: 'content_block_delta', ...{ index: 0, delta: { type: 'text_delta', text } } })
const block = event({
  type: 'content_block_start',
  ...{ index: 0, content_block: { type: 'text', text: '' } },
})
const totals = (output: number): string =>
  event({
    type: 'message_delta',
    ...{ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: output } },
  })
const stopped = event({ type: 'message_stop' })

const costs = () => world.till.map(({ cost, settlement }) => [formatPicos(cost), settlement.basis])
const charges = () =>
  world.till.map(({ settlement }) => settlement.charges.map(({ meter, quantity }) => [meter, quantity]))

const refusal = async (asked: Promise<unknown>): Promise<APIError> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof APIError) return error
  throw new Error(`expected an API error, got ${String(error)}`)
}

const textOf = async (events: AsyncIterable<Anthropic.MessageStreamEvent>): Promise<string> => {
  let text = ''
  for await (const each of events) {
    if (each.type === 'content_block_delta' && each.delta.type === 'text_delta') text += each.delta.text
  }
  return text
}

describe('messages through the gateway', () => {
  it('cost what their usage says, each lifetime of the cache at its own price', async () => {
    const { client, asked } = await atAnthropic(json(message()))
    const { data, response } = await client.messages.create(asking).withResponse()
    expect(data.content[0]).toMatchObject({ text: 'Two.' })
    expect(response.headers.get('octroi-cost-usd')).toBe('0.03413')
    expect(costs()).toEqual([['0.03413', 'measured']])
    expect(asked.map(({ url, headers }) => [url, headers['x-api-key'], headers['authorization']])).toEqual([
      ['/v1/messages', 'sk-vendor', undefined],
    ])
  })

  it('cost the same in a stream, whose last totals count', async () => {
    const { client } = await atAnthropic(
      stream([started, block, said('Two'), said('.'), totals(200), totals(503), stopped]),
    )
    expect(await textOf(await client.messages.create({ ...asking, stream: true }))).toBe('Two.')
    expect(costs()).toEqual([['0.03413', 'measured']])
  })

  it('pass tools, and what comes back of them, unchanged', async () => {
    const called = { type: 'tool_use', id: 'toolu_1', name: 'moons', input: { planet: 'Mars' } }
    const { client, asked } = await atAnthropic(json(message({ content: [called], stop_reason: 'tool_use' })))
    const tools = [{ name: 'moons', input_schema: { type: 'object' as const } }]
    const reply = await client.messages.create({ ...asking, tools })
    expect(reply.content[0]).toMatchObject(called)
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ ...asking, tools })
  })

  it('pass errors of the vendor, which cost nothing', async () => {
    const error = {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'no' },
      request_id: 'req_1',
    }
    const { client } = await atAnthropic(json(error, 400))
    expect((await refusal(client.messages.create(asking))).error).toEqual(error)
    expect(costs()).toEqual([['0', 'measured']])
  })

  it('are quoted with max_tokens, and what is marked for the cache at the price of writing it', async () => {
    const { client } = await atAnthropic(json(message()))
    const quoteOf = async (more: object): Promise<string | null> => {
      const { response } = await client.messages.create({ ...asking, ...more }).withResponse()
      return response.headers.get('octroi-quote-usd')
    }
    const bytes = JSON.stringify(asking).length
    // $2 a million in and $10 out; 1.25 times as much for what is written for five minutes, twice for an hour.
    expect(Number(await quoteOf({}))).toBeCloseTo((bytes * 2 + 1000 * 10) / 1e6, 12)
    const mark = { cache_control: { type: 'ephemeral' } }
    const marked = JSON.stringify({ ...asking, ...mark }).length
    expect(Number(await quoteOf(mark))).toBeCloseTo((marked * 2.5 + 1000 * 10) / 1e6, 12)
    const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } }
    const kept = JSON.stringify({ ...asking, ...hour }).length
    expect(Number(await quoteOf(hour))).toBeCloseTo((kept * 4 + 1000 * 10) / 1e6, 12)
  })

  it('are counted where the reply says no usage', async () => {
    const { client } = await atAnthropic(json(message({ usage: null })))
    await client.messages.create(asking)
    expect(world.till[0]?.settlement.basis).toBe('estimated')
    const [input, output] = charges()[0] ?? []
    expect(input?.[0]).toBe('input_text_tokens')
    expect(Number(input?.[1])).toBeGreaterThan(6)
    expect(Number(input?.[1])).toBeLessThan(20)
    expect(output?.[0]).toBe('output_text_tokens')
    expect(Number(output?.[1])).toBeGreaterThan(1)
    expect(Number(output?.[1])).toBeLessThan(6)
  })

  it('count tokens for nothing, and list models for nothing', async () => {
    const { client, asked } = await atAnthropic(json({ input_tokens: 14 }))
    const { model, messages } = asking
    expect(await client.messages.countTokens({ model, messages })).toEqual({ input_tokens: 14 })
    await fetch(`${world.gateway.url}/anthropic/v1/models?limit=5`)
    expect(asked.map(({ url }) => url)).toEqual(['/v1/messages/count_tokens', '/v1/models?limit=5'])
    expect(world.till).toEqual([])
  })
})

describe('a stream of messages that does not come to its end', () => {
  it('never ends cleanly when it breaks inside an event, and is booked as an estimate', async () => {
    const { client } = await atAnthropic(
      stream([started, block, said('Two moons'), 'event: message_delta\ndata: {"type":"mess'], { cut: true }),
    )
    const read = textOf(await client.messages.create({ ...asking, stream: true }))
    expect((await refusal(read)).message).toContain('upstream_broken')
    // What was read is known; of the output came two words, at 1.56 tokens of this model each.
    expect(charges()[0]).toContainEqual(['output_text_tokens', 3])
    expect(charges()[0]).toContainEqual(['cached_input_tokens', 100_000])
    expect(world.till[0]?.settlement.basis).toBe('estimated')
    expect(world.till[0]?.settlement.note).toContain(
      'its input is measured, its output counted from the text that came',
    )
  })

  it('never ends cleanly when the vendor ends it early', async () => {
    const { client } = await atAnthropic(stream([started, block, said('Two'), totals(3)]))
    const read = textOf(await client.messages.create({ ...asking, stream: true }))
    expect((await refusal(read)).error).toMatchObject({
      type: 'error',
      error: { octroi: { code: 'upstream_broken' } },
    })
    expect(world.till[0]?.settlement.basis).toBe('estimated')
  })

  it('tells the error that the vendor tells', async () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    const { client } = await atAnthropic(stream([started, event(overloaded)]))
    const read = textOf(await client.messages.create({ ...asking, stream: true }))
    expect((await refusal(read)).message).toContain('Overloaded')
    await vi.waitFor(() => expect(world.till[0]?.settlement.basis).toBe('estimated'), patient)
  })

  it('passes over an event that is no JSON', async () => {
    const broken = 'event: message_delta\ndata: {"type":\n\n'
    const { secret } = await atAnthropic(stream([started, block, said('Two'), broken, totals(503), stopped]))
    const reply = await fetch(`${world.gateway.url}/anthropic/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': secret, 'content-type': 'application/json' },
      body: JSON.stringify({ ...asking, stream: true }),
    })
    expect(await reply.text()).toContain(broken)
    expect(costs()).toEqual([['0.03413', 'measured']])
  })
})

describe('a client that leaves', () => {
  it('is billed what the vendor bills: the rest of its stream is read', async () => {
    const { client } = await atAnthropic((reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.write(started + block + said('Two'))
      setTimeout(() => reply.end(said('.') + totals(503) + stopped), 200)
    })
    const events = await client.messages.create({ ...asking, stream: true })
    for await (const each of events) if (each.type === 'content_block_delta') break
    await vi.waitFor(() => expect(costs()).toEqual([['0.03413', 'measured']]), 5_000)
  })
})

describe('a usage that cannot be right', () => {
  it.each([
    ['words for numbers', { ...usage, input_tokens: 'many' }],
    ['less than nothing', { ...usage, output_tokens: -1 }],
  ])('%s is booked as an estimate, and said', async (_, wrong) => {
    const { client } = await atAnthropic(json(message({ usage: wrong })))
    await client.messages.create(asking)
    expect(world.till[0]?.settlement.basis).toBe('estimated')
    expect(world.till[0]?.settlement.note).toMatch(/input_tokens|output_tokens/)
  })
})

describe('what the gateway refuses of messages', () => {
  const limits = [{ name: 'month', measure: 'cost', cap: '0.005', window: { calendar: 'month' } }]

  it('by a budget is one attempt, in the shape of the vendor', async () => {
    const { client, asked } = await atAnthropic(json(message()), { limits })
    const { status, error, message: said } = await refusal(client.messages.create(asking))
    expect(status).toBe(402)
    expect(error).toMatchObject({
      type: 'error',
      error: { type: 'billing_error', octroi: { code: 'budget_exceeded', limit: 'month' } },
    })
    expect(said).toContain('quota exceeded')
    expect(asked).toEqual([])
  })

  it('is a tool without a limit to its uses; with one, each use is a pass', async () => {
    const { client } = await atAnthropic(json(message()), {
      limits: [{ name: 'month', measure: 'cost', cap: '100', window: { calendar: 'month' } }],
    })
    const search = { type: 'web_search_20250305' as const, name: 'web_search' as const }
    const { status, message: said } = await refusal(client.messages.create({ ...asking, tools: [search] }))
    expect(status).toBe(400)
    expect(said).toContain('the tool web_search_20250305 has no limit to its uses')
    const limited = client.messages.create({ ...asking, tools: [{ ...search, max_uses: 2 }] })
    const { response } = await limited.withResponse()
    // Three passes over a window of 1,000,000 tokens that may be written to the cache, 3,000 tokens of output, two
    // searches at a cent.
    expect(response.headers.get('octroi-quote-usd')).toBe('7.55')
  })

  it('is an unknown path', async () => {
    await atAnthropic(json({}))
    const reply = await fetch(`${world.gateway.url}/anthropic/v1/nothing`)
    expect(reply.status).toBe(404)
    expect(await reply.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
  })
})

describe('the key of a client of its own', () => {
  it('passes untouched beside an Octroi key, as coding agents send it', async () => {
    const { at, secret, asked } = await atAnthropic(json(message()))
    const beta = { 'anthropic-beta': 'oauth-2025-04-20' }
    const headers = { 'octroi-key': secret, ...beta }
    const client = new Anthropic({
      ...at,
      apiKey: null,
      authToken: 'sk-ant-oat01-own',
      defaultHeaders: headers,
    })
    await client.messages.create(asking)
    expect(asked[0]?.headers).toMatchObject({ ...beta, authorization: 'Bearer sk-ant-oat01-own' })
    expect(asked[0]?.headers).not.toHaveProperty('octroi-key')
    expect(asked[0]?.headers).not.toHaveProperty('x-api-key')
    expect(world.till[0]?.call.team).toBe('search')
  })

  it('passes in x-api-key as well', async () => {
    const { at, secret, asked } = await atAnthropic(json(message()))
    const headers = { 'x-api-key': 'sk-ant-own', 'octroi-key': secret, 'content-type': 'application/json' }
    const body = JSON.stringify(asking)
    const reply = await fetch(`${at.baseURL}/v1/messages?beta=true`, { method: 'POST', headers, body })
    expect(reply.status).toBe(200)
    expect(asked[0]?.url).toBe('/v1/messages?beta=true')
    expect(asked[0]?.headers['x-api-key']).toBe('sk-ant-own')
    expect(asked[0]?.headers).not.toHaveProperty('authorization')
  })
})
