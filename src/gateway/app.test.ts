import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type OpenAI from 'openai'
import { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'
import { textOfTokens } from '../sandbox/replies.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const hello = (more: object = {}) => ({
  model: 'gpt-4-1106-preview',
  messages: [{ role: 'user' as const, content: 'Hello there' }],
  ...more,
})

const costs = () =>
  world.till.map(({ call, cost, settlement }) => [call.team, formatPicos(cost), settlement.basis])

const refusal = async (asked: Promise<unknown>): Promise<APIError> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof APIError) return error
  throw new Error(`expected an API error, got ${String(error)}`)
}

const octroiOf = (error: APIError): Record<string, unknown> =>
  (error.error as { octroi: Record<string, unknown> }).octroi

describe('chat completions', () => {
  it('passes a chat on, tells what it cost, and books what the vendor books', async () => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    const client = await world.client('search')
    const { data, response } = await client.chat.completions.create(hello()).withResponse()
    expect(data.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 20 })
    expect(response.headers.get('octroi-cost-usd')).toBe('0.00069')
    expect(response.headers.get('octroi-quote-usd')).toBe('0.12371')
    expect(response.headers.get('octroi-call-id')).toMatch(/^call_/)
    expect(response.headers.get('x-request-id')).not.toBeNull()
    expect(costs()).toEqual([['search', '0.00069', 'measured']])
    expect(world.sandbox.total().amount).toBe('0.00069')
  })

  it('counts a stream of 2023, which never told its usage', async () => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    const client = await world.client('search')
    let text = ''
    for await (const chunk of await client.chat.completions.create({ ...hello(), stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    expect(text.length).toBeGreaterThan(20)
    expect(costs()).toEqual([['search', '0.00069', 'estimated']])
    expect(world.till[0]?.settlement.note).toContain('no usage in the reply; counted: ')
    expect(world.sandbox.total().amount).toBe('0.00069')
  })

  it('asks a stream of today for its usage, and takes the answer out again', async () => {
    world = await startWorld({
      at: '2024-06-01',
      sandbox: { outputTokens: 20, features: { streamUsage: true } },
    })
    const client = await world.client('search')
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of await client.chat.completions.create({ ...hello(), stream: true }))
      chunks.push(chunk)
    expect(chunks.every((chunk) => chunk.choices.length === 1 && !('usage' in chunk))).toBe(true)
    expect(costs()).toEqual([['search', '0.00069', 'measured']])
  })

  it('leaves the usage to a client that asked for it', async () => {
    world = await startWorld({
      at: '2024-06-01',
      sandbox: { outputTokens: 20, features: { streamUsage: true } },
    })
    const client = await world.client('search')
    const chunks: OpenAI.ChatCompletionChunk[] = []
    const asked = { ...hello(), stream: true as const, stream_options: { include_usage: true } }
    for await (const chunk of await client.chat.completions.create(asked)) chunks.push(chunk)
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 20 })
    expect(costs()).toEqual([['search', '0.00069', 'measured']])
  })

  it('gives the bytes that a direct call gives', async () => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    const body = JSON.stringify(hello({ stream: true, seed: 3 }))
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-own' }
    const texts = await Promise.all(
      [world.sandbox.url, world.gateway.url].map(async (url) => {
        const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
        return (await reply.text()).replace(/chatcmpl-[A-Za-z0-9]+/g, 'chatcmpl').split('\n').length
      }),
    )
    expect(texts[0]).toBe(texts[1])
  })

  it('names a model that has no price, and never bills it as zero', async () => {
    const vendor = createServer((_, reply) => {
      reply.setHeader('content-type', 'application/json')
      reply.end('{"model":"gpt-unheard-of","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}')
    })
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
    const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`
    world = await startWorld({ config: { providers: { openai: { baseUrl } } } })
    const client = await world.client(null)
    const { response } = await client.chat.completions
      .create(hello({ model: 'gpt-unheard-of' }))
      .withResponse()
    expect(response.headers.get('octroi-cost-usd')).toBeNull()
    expect(world.till[0]?.settlement.unpriced.map(({ meter, quantity }) => [meter, quantity])).toEqual([
      ['input_text_tokens', 5],
      ['output_text_tokens', 6],
    ])
    vendor.close()
  })
})

describe('an assistant', () => {
  it('costs what the article says: 20 turns of a thread that is billed again at each run', async () => {
    world = await startWorld({ sandbox: { outputTokens: 200 } })
    const client = await world.client('support')
    const beta = { headers: { 'OpenAI-Beta': 'assistants=v1' } }
    const assistant = await client.beta.assistants.create(
      { model: 'gpt-4-1106-preview', instructions: textOfTokens(1000, 'instructions') },
      beta,
    )
    const thread = await client.beta.threads.create({}, beta)
    for (let turn = 1; turn <= 20; turn += 1) {
      const content = textOfTokens(50, `question ${turn}`)
      await client.beta.threads.messages.create(thread.id, { role: 'user', content }, beta)
      const run = await client.beta.threads.runs.create(thread.id, { assistant_id: assistant.id }, beta)
      let status = run.status
      while (status !== 'completed') {
        await new Promise((resolve) => setTimeout(resolve, 5))
        status = (await client.beta.threads.runs.retrieve(run.id, { thread_id: thread.id }, beta)).status
      }
    }
    const inputs = world.till.map(({ settlement }) => settlement.charges.map(({ quantity }) => quantity))
    expect(inputs.slice(0, 3)).toEqual([
      [1050, 200],
      [1300, 200],
      [1550, 200],
    ])
    expect(inputs.at(-1)).toEqual([5800, 200])
    expect(formatPicos(world.till.at(-1)?.runningTotal ?? 0n)).toBe('0.805')
    const resent = world.till.reduce((sum, { settlement }) => sum + (settlement.resent?.amount ?? 0n), 0n)
    expect(formatPicos(resent)).toBe('0.475')
    expect(world.sandbox.total().amount).toBe('0.805')
    expect(world.faults).toEqual([])
  })

  it('belongs to the key that created it: for another it does not exist', async () => {
    world = await startWorld()
    const [mine, theirs] = [await world.client('support'), await world.client('search')]
    const beta = { headers: { 'OpenAI-Beta': 'assistants=v1' } }
    const assistant = await mine.beta.assistants.create({ model: 'gpt-4-1106-preview' }, beta)
    const thread = await mine.beta.threads.create({}, beta)
    const errors = await Promise.all(
      [
        theirs.beta.threads.messages.list(thread.id, {}, beta),
        theirs.beta.threads.messages.create(thread.id, { role: 'user', content: 'hi' }, beta),
        theirs.beta.threads.runs.create(thread.id, { assistant_id: assistant.id }, beta),
        theirs.beta.threads.delete(thread.id, beta),
        theirs.beta.assistants.retrieve(assistant.id, beta),
        theirs.beta.assistants.list({}, beta),
      ].map(refusal),
    )
    expect(errors.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 403])
    expect(world.till).toEqual([])
  })
})

describe('a budget', () => {
  const limits = [
    {
      name: 'search November',
      match: { team: 'search' },
      measure: 'cost',
      cap: '0.20',
      window: { calendar: 'month', timeZone: 'UTC' },
    },
  ]

  it('refuses what does not fit, in one attempt, and says why', async () => {
    world = await startWorld({ config: { limits }, sandbox: { outputTokens: 20 } })
    const client = await world.client('search', { maxRetries: 2 })
    const before = world.sandbox.calls().length
    const error = await refusal(client.chat.completions.create(hello({ n: 2 })))
    expect(error.status).toBe(402)
    expect(error.code).toBe('insufficient_quota')
    expect(error.message).toContain('quota exceeded')
    expect(error.message).toContain('search November')
    expect(octroiOf(error)).toMatchObject({
      code: 'budget_exceeded',
      limit: 'search November',
      cap: '0.2',
      settled: '0',
      held: '0',
      resetsAt: '2023-12-01T00:00:00Z',
    })
    expect(world.sandbox.calls().length).toBe(before)
    const other = await world.client('support')
    await other.chat.completions.create(hello({ n: 2 }))
  })

  it('opens again with the next month', async () => {
    world = await startWorld({ config: { limits }, sandbox: { outputTokens: 4096 } })
    const client = await world.client('search')
    await client.chat.completions.create(hello())
    expect((await refusal(client.chat.completions.create(hello()))).status).toBe(402)
    world.clock.advance(16 * 86_400_000)
    await client.chat.completions.create(hello())
    expect(costs().map(([, cost]) => cost)).toEqual(['0.12297', '0.12297'])
  })

  it('refuses a call without a price or without a bound, since it cannot hold it', async () => {
    world = await startWorld({ config: { limits } })
    const client = await world.client('search')
    const unpriced = await refusal(client.chat.completions.create(hello({ model: 'gpt-unheard-of' })))
    expect([unpriced.status, unpriced.code]).toEqual([400, 'unpriced'])
    expect(world.till).toEqual([])
  })
})

describe('bad input', () => {
  it.each([
    ['a wrong key', 'oct_wrong', 401, 'wrong_key'],
    ['no key', '', 401, 'missing_key'],
  ])('answers %s in the shape of the wire', async (_, key, status, code) => {
    world = await startWorld({ config: { anonymous: false } })
    const reply = await fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(hello()),
    })
    expect(reply.status).toBe(status)
    expect(await reply.json()).toMatchObject({ error: { type: 'invalid_request_error', octroi: { code } } })
  })

  it('knows a revoked key', async () => {
    world = await startWorld()
    const client = await world.client('search')
    const key = world.gateway.registry.listKeys()[0]
    await world.gateway.registry.revokeKey(key?.id ?? '', world.clock.now())
    const error = await refusal(client.chat.completions.create(hello()))
    expect([error.status, octroiOf(error).code]).toEqual([401, 'revoked_key'])
  })

  it.each([
    ['{"model": ', 400, 'bad_json'],
    ['[]', 400, 'bad_json'],
    ['{"messages":[]}', 400, 'bad_input'],
    ['{"model":"gpt-4","messages":"x"}', 400, undefined],
  ])('answers the body %s with %i', async (body, status, code) => {
    world = await startWorld()
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-own' }
    const reply = await fetch(`${world.gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
    expect(reply.status).toBe(status)
    const answer = (await reply.json()) as { error: { octroi?: { code: string } } }
    expect(answer.error.octroi?.code).toBe(code)
  })

  it('answers an unknown path with a JSON 404, and a body over the cap with 413', async () => {
    world = await startWorld({ gateway: { bounds: { requestBytesMax: 100 } } })
    const unknown = await fetch(`${world.gateway.url}/v1/nothing`, { method: 'POST', body: '{}' })
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/json'])
    const large = await fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: 'x'.repeat(200),
    })
    expect(large.status).toBe(413)
  })

  it('keeps the secret of a key out of every file', async () => {
    world = await startWorld()
    const client = await world.client('search')
    await client.chat.completions.create(
      hello({ messages: [{ role: 'user', content: 'a very private sentence' }] }),
    )
    const files = ['ledger.sqlite', 'ledger.sqlite-wal'].map((name) =>
      readFile(join(world.folder, name), 'latin1'),
    )
    for (const text of await Promise.all(files)) {
      expect(text.includes(String(client.apiKey))).toBe(false)
      expect(text.includes('sk-vendor')).toBe(false)
      expect(text.includes('private sentence')).toBe(false)
    }
  })
})

describe('an upstream', () => {
  it('that is down costs nothing: the reservation is released', async () => {
    world = await startWorld({ config: { providers: { openai: { baseUrl: 'http://127.0.0.1:9/v1' } } } })
    const error = await refusal((await world.client('search')).chat.completions.create(hello()))
    expect([error.status, octroiOf(error).code]).toEqual([502, 'upstream_unreachable'])
    expect(world.till).toEqual([])
  })

  it('that refuses costs nothing, and its refusal is passed on', async () => {
    world = await startWorld()
    world.sandbox.faults.add({ kind: 'status', status: 429 })
    const error = await refusal((await world.client('search')).chat.completions.create(hello()))
    expect(error.status).toBe(429)
    expect(costs()).toEqual([['search', '0', 'measured']])
  })

  it.each([{ inside: false }, { inside: true }])(
    'that cuts a stream (%o) ends it with an error',
    async ({ inside }) => {
      world = await startWorld({ sandbox: { outputTokens: 20 } })
      world.sandbox.faults.add({ kind: 'cut', chunks: 5, inside })
      const client = await world.client('search')
      const read = async () => {
        for await (const _ of await client.chat.completions.create({ ...hello(), stream: true }));
      }
      await expect(read()).rejects.toThrow(/broke off/)
      expect(world.till[0]?.settlement.basis).toBe('estimated')
      expect(world.till[0]?.settlement.note).toContain('broke off')
    },
  )

  it.each([{ kind: 'reset-before-reply' as const }, { kind: 'cut' as const }])(
    'that breaks off a whole reply (%o) leaves the call held until it expires at its most',
    async (fault) => {
      const limits = [
        { name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month', timeZone: 'UTC' } },
      ]
      world = await startWorld({ config: { limits } })
      world.sandbox.faults.add(fault)
      const error = await refusal((await world.client('search')).chat.completions.create(hello()))
      expect(error.status).toBe(502)
      expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, unresolved: 0n, held: 123_710_000_000n })
      world.clock.advance(61_000)
      await world.gateway.sweep()
      expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, unresolved: 123_710_000_000n, held: 0n })
    },
  )

  it('that never answers runs into the timeout', async () => {
    world = await startWorld({ gateway: { timeouts: { headersMs: 300 } } })
    world.sandbox.faults.add({ kind: 'hang' })
    const error = await refusal((await world.client('search')).chat.completions.create(hello()))
    expect([error.status, octroiOf(error).code]).toEqual([504, 'upstream_timeout'])
  })

  it('that is slow keeps its call, and holds up no other', async () => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    world.sandbox.faults.add({ kind: 'slow', delayMs: 400 })
    const client = await world.client('search')
    const order: string[] = []
    const slow = client.chat.completions.create(hello()).then(() => order.push('slow'))
    await client.chat.completions.create(hello()).then(() => order.push('quick'))
    await slow
    expect(order).toEqual(['quick', 'slow'])
    expect(costs().map(([, cost]) => cost)).toEqual(['0.00069', '0.00069'])
  })

  it('that answers HTML is passed on, and others are served on', async () => {
    world = await startWorld()
    world.sandbox.faults.add({ kind: 'html' })
    const client = await world.client('search')
    expect((await refusal(client.chat.completions.create(hello()))).status).toBe(502)
    await client.chat.completions.create(hello())
  })
})

it('reads a stream to its end for a client that has gone, so that the cost is exact', async () => {
  world = await startWorld({ sandbox: { outputTokens: 60 } })
  const client = await world.client('search')
  const stream = await client.chat.completions.create({ ...hello(), stream: true })
  for await (const _ of stream) break
  stream.controller.abort()
  await expect.poll(() => world.till.length, { timeout: 10_000 }).toBe(1)
  expect(costs()).toEqual([['search', '0.00189', 'estimated']])
  expect(world.sandbox.total().amount).toBe('0.00189')
})
