import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { APIError, type OpenAI } from 'openai'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'
import type { GatewayOptions } from './app.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

type Answer = (
  reply: ServerResponse,
  asked: { readonly request: IncomingMessage; readonly body: object },
) => void

/** A gateway before a vendor that gives these answers, one after the other, and the last one from then on. */
const atVendor = async (
  answers: readonly Answer[],
  config: object = {},
  gateway: Partial<GatewayOptions> = {},
): Promise<OpenAI> => {
  let asked = 0
  const vendor = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const answer = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    const text = Buffer.concat(chunks).toString()
    answer?.(reply, { request, body: text === '' ? {} : JSON.parse(text) })
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    vendor.closeAllConnections()
    vendor.close()
  })
  const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`
  world = await startWorld({
    at: '2026-11-25T12:00:00Z',
    config: { providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } }, ...config },
    gateway,
  })
  return world.client('search')
}

const used = (input: number, output: number, reasoning = 0) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
})

const response = (id: string, more: object = {}) => ({
  id,
  object: 'response',
  status: 'completed',
  model: 'gpt-4o',
  service_tier: 'default',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Two.', annotations: [] }],
    },
  ],
  tools: [],
  usage: used(35, 68),
  ...more,
})

const json =
  (value: object): Answer =>
  (reply) => {
    reply.setHeader('content-type', 'application/json')
    reply.end(JSON.stringify(value))
  }

const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

const begun = (id: string) => ({ ...response(id), status: 'in_progress', output: [], usage: null })
const delta = event('response.output_text.delta', { output_index: 0, delta: 'Two moons.' })

const startStream = (reply: ServerResponse, id: string): void => {
  reply.setHeader('content-type', 'text/event-stream')
  reply.write(event('response.created', { response: begun(id) }))
}

const costs = () => world.till.map(({ cost, settlement }) => [formatPicos(cost), settlement.basis])

const caught = async (asked: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await asked()
  } catch (error) {
    return error
  }
}

const until = async (isSo: () => boolean): Promise<void> => {
  for (let waits = 0; !isSo() && waits < 200; waits += 1) await new Promise((wait) => setTimeout(wait, 10))
  expect(isSo()).toBe(true)
}

describe('a response that follows another', () => {
  const next = { model: 'gpt-4o', input: 'Why?', previous_response_id: 'resp_1', max_output_tokens: 100 }

  it('is held at what the one before read and wrote, and its own bytes', async () => {
    const client = await atVendor([json(response('resp_1')), json(response('resp_2'))])
    await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    const asked = await client.responses.create(next).withResponse()
    // 35 + 68 tokens and 89 bytes at $2.50, 100 tokens at $10 a million.
    expect(asked.response.headers.get('octroi-quote-usd')).toBe('0.00148')
  })

  it('was sent before but for its newest item: 103 of 124 tokens, as it was seen', async () => {
    const client = await atVendor([
      json(response('resp_1')),
      json(response('resp_2', { usage: used(124, 10) })),
    ])
    await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    await client.responses.create(next)
    // 103 tokens at $2.50 a million.
    expect(world.till[1]?.settlement.resent).toEqual({ tokens: 103, amount: 257_500_000n, exact: true })
  })

  it('is held at the window where the one before was not seen', async () => {
    await atVendor([json(response('resp_2'))])
    const own = await world.client(null)
    const asked = await own.responses.create(next).withResponse()
    // 128,000 tokens at $2.50, 100 at $10 a million.
    expect(asked.response.headers.get('octroi-quote-usd')).toBe('0.321')
  })

  it('is counted with what came before, where the vendor says nothing of its usage', async () => {
    const client = await atVendor([
      json(response('resp_1')),
      json({ ...response('resp_2'), usage: undefined }),
    ])
    await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    await client.responses.create(next)
    const { settlement } = world.till[1] ?? {}
    // 103 of the history, 3 to prime and 3 + "user" + "Why?" (2) around the new one; "Two." is 2.
    expect(settlement?.charges.map(({ meter, quantity }) => [meter, quantity])).toEqual([
      ['input_text_tokens', 112],
      ['output_text_tokens', 2],
    ])
    expect(settlement?.basis).toBe('estimated')
  })
})

describe('a conversation', () => {
  const created = json({ id: 'conv_1', object: 'conversation' })
  const asked = { model: 'gpt-4o', input: 'Why?', conversation: 'conv_1', max_output_tokens: 100 }

  /** What the second response in a conversation is held at, by how the first one went. */
  const second = async (first: Answer): Promise<string | null> => {
    const client = await atVendor([created, first, json(response('resp_2'))])
    await client.conversations.create({})
    await caught(() => client.responses.create(asked))
    const { response: held } = await client.responses.create(asked).withResponse()
    return held.headers.get('octroi-quote-usd')
  }

  it('is as long as the response before has read and written', async () => {
    // 103 tokens and 81 bytes at $2.50, 100 tokens at $10 a million.
    expect(await second(json(response('resp_1', { conversation: { id: 'conv_1' } })))).toBe('0.00146')
  })

  it('is as long as the response before can have made it, where that did not say', async () => {
    // The 2 bytes of no items, 81 bytes and 100 tokens of the first response, 81 bytes of the second.
    expect(await second(json({ ...response('resp_1'), usage: undefined }))).toBe('0.00166')
  })

  it('is as long as it was after a response that the vendor refused', async () => {
    const refused: Answer = (reply) => {
      reply.statusCode = 400
      reply.end('{"error":{"message":"no"}}')
    }
    expect(await second(refused)).toBe('0.0012075')
  })
})

it('bills the compaction of a history as a response, whose longest answer is held', async () => {
  const compacted = { id: 'resp_9', object: 'response.compaction', output: [], usage: used(3_000, 80) }
  const client = await atVendor([json(compacted)])
  const { response: held } = await client.responses
    .compact({ model: 'gpt-4o', input: 'Moons of Mars?' })
    .withResponse()
  // 43 bytes at $2.50 and 16,384 tokens at $10 a million; then 3,000 and 80 tokens.
  expect(held.headers.get('octroi-quote-usd')).toBe('0.1639475')
  expect(costs()).toEqual([['0.0083', 'measured']])
})

describe('an item of a response', () => {
  const ways = {
    reference: (id: string) => ({ type: 'item_reference' as const, id }),
    'bare id': (id: string) => ({ id }),
    reasoning: (id: string) => ({ type: 'reasoning' as const, id, summary: [] }),
  }
  const asked = (input: OpenAI.Responses.ResponseInput) => ({ model: 'gpt-4o', input })

  /** A response made by one key; then what its items are to another, whole or streamed. */
  const made = async (stream: boolean) => {
    const whole = json(response('resp_1'))
    const streamed: Answer = (reply) => {
      startStream(reply, 'resp_1')
      reply.end(event('response.completed', { response: response('resp_1') }))
    }
    const mine = await atVendor([stream ? streamed : whole, json(response('resp_2', { output: [] }))])
    const first = { model: 'gpt-4o', input: 'Moons?' }
    if (stream) for await (const _ of await mine.responses.create({ ...first, stream }));
    else await mine.responses.create(first)
    return { mine, other: await world.client('ads') }
  }

  it.each([false, true])('is there for the key that made it alone (streamed: %s)', async (stream) => {
    const { mine, other } = await made(stream)
    for (const item of Object.values(ways)) {
      const refused = await caught(() => other.responses.create(asked([item('msg_1')])))
      expect(refused).toMatchObject({ status: 404, message: expect.stringContaining("id 'msg_1'") })
      expect(await mine.responses.create(asked([item('msg_1')]))).toMatchObject({ id: 'resp_2' })
    }
    const counting = { model: 'gpt-4o', input: [ways.reference('msg_1')] }
    expect(await caught(() => other.responses.inputTokens.count(counting))).toMatchObject({ status: 404 })
    const giving = { items: [ways.reference('msg_1')] }
    expect(await caught(() => other.conversations.create(giving))).toMatchObject({ status: 404 })
  })

  it('may be named where it was not seen, or where it is sent itself', async () => {
    const { other } = await made(false)
    const sent = {
      ...{ id: 'msg_1', type: 'message' as const, role: 'assistant' as const, status: 'completed' as const },
      content: [{ type: 'output_text' as const, text: 'Two.', annotations: [] }],
    }
    for (const item of [ways.reference('msg_of_before'), sent]) {
      expect(await other.responses.create(asked([item]))).toMatchObject({ id: 'resp_2' })
    }
  })

  it('of a response that is not stored is remembered for nobody', async () => {
    const mine = await atVendor([json(response('resp_1')), json(response('resp_2'))])
    await mine.responses.create({ model: 'gpt-4o', input: 'Moons?', store: false })
    const other = await world.client('ads')
    expect(await other.responses.create(asked([ways.reference('msg_1')]))).toMatchObject({ id: 'resp_2' })
  })

  it('that a conversation was given is there for the key that gave it alone', async () => {
    const items = { object: 'list', data: [{ id: 'msg_7', type: 'message', role: 'user' }] }
    const created = json({ id: 'conv_1', object: 'conversation' })
    const mine = await atVendor([created, json(items), json(response('resp_1'))])
    await mine.conversations.create({})
    await mine.conversations.items.create('conv_1', { items: [{ role: 'user', content: 'Moons?' }] })
    const other = await world.client('ads')
    const refused = await caught(() => other.responses.create(asked([ways.reference('msg_7')])))
    expect(refused).toMatchObject({ status: 404 })
    expect(await mine.responses.create(asked([ways.reference('msg_7')]))).toMatchObject({ id: 'resp_1' })
  })
})

describe('a stream of a response', () => {
  it('is known by its id as soon as it begins', async () => {
    let finish = (): void => {}
    const client = await atVendor([
      (reply) => {
        startStream(reply, 'resp_1')
        finish = () => reply.end(event('response.completed', { response: response('resp_1') }))
      },
      json(begun('resp_1')),
    ])
    const stream = await client.responses.create({ model: 'gpt-4o', input: 'Moons?', stream: true })
    for await (const { type } of stream) {
      if (type !== 'response.created') continue
      expect((await client.responses.retrieve('resp_1')).status).toBe('in_progress')
      finish()
    }
    // 35 tokens at $2.50 and 68 at $10 a million.
    expect(costs()).toEqual([['0.0007675', 'measured']])
  })

  it('that breaks off ends with an error, and is estimated', async () => {
    const client = await atVendor([
      (reply) => {
        startStream(reply, 'resp_1')
        reply.write(delta, () => reply.destroy())
      },
    ])
    const error = await caught(async () => {
      const stream = await client.responses.create({ model: 'gpt-4o', input: 'Moons?', stream: true })
      for await (const _ of stream);
    })
    expect(error).toBeInstanceOf(APIError)
    expect(costs()).toMatchObject([[expect.any(String), 'estimated']])
    expect(world.till[0]?.settlement.charges.map(({ meter }) => meter)).toEqual([
      'input_text_tokens',
      'output_text_tokens',
    ])
  })

  it('is read to its end when its client leaves', async () => {
    let finish = (): void => {}
    const client = await atVendor([
      (reply) => {
        startStream(reply, 'resp_1')
        finish = () => reply.end(event('response.completed', { response: response('resp_1') }))
      },
    ])
    const stream = await client.responses.create({ model: 'gpt-4o', input: 'Moons?', stream: true })
    for await (const _ of stream) break
    finish()
    await until(() => world.till.length === 1)
    expect(costs()).toEqual([['0.0007675', 'measured']])
  })
})

describe('a response in the background', () => {
  const asked = { model: 'gpt-4o', input: 'Moons?', background: true, max_output_tokens: 100 }
  const queued = { ...begun('resp_1'), status: 'queued', background: true }

  it('is settled when its client sees that it has ended, at the tier it was served', async () => {
    const done = response('resp_1', { background: true, service_tier: 'priority' })
    const client = await atVendor([json(queued), json({ ...queued, status: 'in_progress' }), json(done)])
    const { id } = await client.responses.create(asked)
    await client.responses.retrieve(id)
    expect(world.till).toHaveLength(0)
    await client.responses.retrieve(id)
    // Priority: 35 tokens at $4.25 and 68 at $17 a million.
    expect(costs()).toEqual([['0.00130475', 'measured']])
    await client.responses.retrieve(id)
    expect(world.till).toHaveLength(1)
  })

  it('is settled by the gateway where its client never asks', async () => {
    const rhythms = { job: { firstMs: 5, longestMs: 5, times: 100 } }
    const client = await atVendor([json(queued), json(queued), json(response('resp_1'))], {}, { rhythms })
    await client.responses.create(asked)
    await until(() => world.till.length === 1)
    expect(costs()).toEqual([['0.0007675', 'measured']])
  })

  it('bounds the one that follows it once it has ended', async () => {
    const client = await atVendor([json(queued), json(response('resp_1')), json(response('resp_2'))])
    await client.responses.create(asked)
    await client.responses.retrieve('resp_1')
    const next = await client.responses
      .create({ model: 'gpt-4o', input: 'Why?', previous_response_id: 'resp_1', max_output_tokens: 100 })
      .withResponse()
    expect(next.response.headers.get('octroi-quote-usd')).toBe('0.00148')
  })

  it('goes on when its stream breaks off, and is settled when it is seen to have ended', async () => {
    const client = await atVendor([
      (reply) => {
        startStream(reply, 'resp_1')
        reply.write(delta, () => reply.destroy())
      },
      json(response('resp_1')),
    ])
    await caught(async () => {
      const stream = await client.responses.create({ ...asked, stream: true })
      for await (const _ of stream);
    })
    expect(world.till).toHaveLength(0)
    await client.responses.retrieve('resp_1')
    expect(costs()).toEqual([['0.0007675', 'measured']])
  })
})

describe('tools that the vendor runs', () => {
  const ran = {
    type: 'code_interpreter_call',
    id: 'ci_1',
    container_id: 'cntr_1',
    code: '1',
    status: 'completed',
  }
  const tools = [{ type: 'code_interpreter', container: { type: 'auto', memory_limit: '4g' } }] as const

  it('open a session of their container, once for all the responses that use it meanwhile', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '100', window: { calendar: 'month' } }]
    const answer = (id: string) => json(response(id, { output: [ran], tools }))
    const client = await atVendor([answer('resp_1'), answer('resp_2'), answer('resp_3')], { limits })
    const asked = { model: 'gpt-4o', input: 'Count.', tools: [...tools], max_tool_calls: 1 }
    const { response: held } = await client.responses.create(asked).withResponse()
    world.clock.advance(19 * 60_000)
    await client.responses.create(asked)
    // The window of 128,000 tokens twice at $2.50, the longest answer of 16,384 twice at $10 a million, a session.
    expect(held.headers.get('octroi-quote-usd')).toBe('1.08768')
    expect(await world.gateway.accruals.open(world.clock.now())).toEqual({ sessions: 1, stays: 0 })
    // Twice 0.0007675, and $0.12 for one session of 4 GB.
    expect(world.gateway.limits().map(({ settled }) => formatPicos(settled))).toEqual(['0.121535'])
    world.clock.advance(2 * 60_000)
    await client.responses.create(asked)
    expect(world.gateway.limits().map(({ settled }) => formatPicos(settled))).toEqual(['0.2423025'])
  })
})
