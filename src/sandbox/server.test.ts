import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../time.ts'
import { noon, openaiPrices, openSandbox } from './sandbox.fixture.ts'
import { createSandbox } from './sandbox.ts'

const headers = { authorization: 'Bearer sk-test' }

const told = async (reply: Response): Promise<unknown> => [reply.status, await reply.json()]

describe('the server', () => {
  it('asks for a key', async () => {
    const { sandbox } = await openSandbox()
    const reply = await fetch(`${sandbox.baseUrl}/models`)
    expect(await told(reply)).toMatchObject([
      401,
      {
        error: {
          message: expect.stringContaining("You didn't provide an API key."),
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      },
    ])
  })

  it('refuses a key that is not among those it was given, and shows no more than its ends', async () => {
    const { sandbox } = await openSandbox({ apiKeys: ['sk-right'] })
    const right = await fetch(`${sandbox.baseUrl}/models`, { headers: { authorization: 'Bearer sk-right' } })
    expect(right.status).toBe(200)
    const key = `sk-wrong${'x'.repeat(20)}wjh3`
    const wrong = await fetch(`${sandbox.baseUrl}/models`, { headers: { authorization: `Bearer ${key}` } })
    expect(await told(wrong)).toMatchObject([
      401,
      {
        error: {
          message: expect.stringMatching(/^Incorrect API key provided: sk-wrong\*{20}wjh3\. You can find/),
          code: 'invalid_api_key',
        },
      },
    ])
  })

  it.each([
    ['POST', '/v1/nothing'],
    ['GET', '/v1/chat/completions'],
    ['POST', '/chat/completions'],
    ['GET', '/'],
  ])('has no %s %s, and says so as JSON', async (method, path) => {
    const { sandbox } = await openSandbox()
    const reply = await fetch(sandbox.url + path, { method, headers })
    expect(await told(reply)).toEqual([
      404,
      {
        error: {
          message: `Invalid URL (${method} ${path})`,
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      },
    ])
  })

  it.each(['{"model": ', '[]', '"text"', 'null', '\u0000'])('cannot read the body %j', async (body) => {
    const { sandbox } = await openSandbox()
    const reply = await fetch(`${sandbox.baseUrl}/chat/completions`, { method: 'POST', headers, body })
    expect(await told(reply)).toMatchObject([
      400,
      { error: { message: expect.stringContaining('We could not parse the JSON body of your request.') } },
    ])
  })

  it('refuses a body above its cap and goes on', async () => {
    const { sandbox } = await openSandbox()
    const post = (body: string) =>
      fetch(`${sandbox.baseUrl}/chat/completions`, { method: 'POST', headers, body })
    expect(await told(await post('x'.repeat(33 * 2 ** 20)))).toMatchObject([
      413,
      { error: { message: 'The sandbox reads bodies of up to 33554432 bytes.' } },
    ])
    expect((await post('{}')).status).toBe(400)
  })

  it('answers nested and hostile bodies with an error, quickly', async () => {
    const { sandbox } = await openSandbox()
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const messages = `[{"role": "user", "content": ${nested}}]`
    const body = `{"model": "gpt-4", "messages": ${messages}}`
    const reply = await fetch(`${sandbox.baseUrl}/chat/completions`, { method: 'POST', headers, body })
    expect(reply.status).toBe(400)
    const before = process.cpuUsage()
    const hostile = JSON.stringify({
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'a'.repeat(2_000_000) }],
    })
    const long = await fetch(`${sandbox.baseUrl}/chat/completions`, {
      method: 'POST',
      headers,
      body: hostile,
    })
    expect(long.status).toBe(400)
    // Of the processor, since others use it too.
    const { user, system } = process.cpuUsage(before)
    expect(user + system).toBeLessThan(2_000_000)
  })

  it('serves others while one client is slow to speak, and closes all the same', async () => {
    const { sandbox, client } = await openSandbox()
    const slow = connect(sandbox.port, '127.0.0.1')
    slow.on('error', () => undefined)
    slow.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: 99\r\n\r\n{',
    )
    expect((await client.models.list()).data).not.toHaveLength(0)
    await sandbox.close()
    await sandbox.close()
    expect(slow.closed || (await new Promise((done) => slow.once('close', () => done(true))))).toBe(true)
  })

  it('does not wait for a client that stops reading its stream', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 4000 })
    const reply = await fetch(`${sandbox.baseUrl}/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        model: 'gpt-4',
        n: 8,
        stream: true,
        messages: [{ role: 'user', content: 'x' }],
      }),
    })
    await reply.body?.cancel()
    await client.models.list()
    expect(sandbox.books().map(({ quantity }) => quantity)).toEqual([8, 32_000])
  })

  it('tells its books and calls under a path that no vendor has', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    await client.chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'Hello' }],
      user: 'u1',
    })
    expect(await told(await fetch(`${sandbox.url}/sandbox/books`))).toEqual([
      200,
      { rows: sandbox.books(), total: { calls: 1, amount: '0.00084', currency: 'USD', unpriced: [] } },
    ])
    expect(await told(await fetch(`${sandbox.url}/sandbox/calls`))).toMatchObject([
      200,
      { calls: [{ user: 'u1' }] },
    ])
    expect((await fetch(`${sandbox.url}/sandbox/other`)).status).toBe(404)
  })
})

describe('the options of a sandbox', () => {
  const base = { profile: '2023-11', clock: manualClock(noon), prices: openaiPrices } as const

  it.each([
    [{ outputTokens: 0 }, 'Replies of 0 to 0 tokens cannot be made'],
    [{ outputTokens: { least: 9, most: 5 } }, 'Replies of 9 to 5 tokens cannot be made'],
    [{ runMs: -1 }, 'runMs must be a whole number of milliseconds'],
    [{ latencyMs: 0.5 }, 'latencyMs must be a whole number of milliseconds'],
    [{ stateFile: '/nowhere/at/all.db' }, 'The state file /nowhere/at/all.db cannot be opened'],
  ])('are checked: %j', async (options, message) => {
    await expect(createSandbox({ ...base, ...options })).rejects.toThrow(message)
  })

  it('name a port that is taken', async () => {
    const { sandbox } = await openSandbox()
    await expect(createSandbox({ ...base, port: sandbox.port })).rejects.toThrow(
      `The sandbox cannot listen on 127.0.0.1:${sandbox.port}`,
    )
  })
})
