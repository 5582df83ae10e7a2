import { describe, expect, it } from 'vitest'
import { textOfTokens } from '../replies.ts'
import { openNow } from './vendors.fixture.ts'

const user = (content: string) => [{ role: 'user' as const, content }]
const hour = 3_600_000

describe('messages', () => {
  it('bill what they report', async () => {
    const { sandbox, anthropic } = await openNow({ outputTokens: 100 })
    const reply = await anthropic.messages.create({
      model: 'claude-haiku-4-5',
      max_tokens: 500,
      messages: user('Hello'),
    })
    // 3 + 4 + (three tokens with its role, times 1.1, rounded up).
    expect(reply).toMatchObject({ model: 'claude-haiku-4-5-20251001', stop_reason: 'end_turn' })
    const { input_tokens: input, output_tokens: output } = reply.usage
    expect(reply.usage).toMatchObject({ input_tokens: 11, service_tier: 'standard', speed: 'standard' })
    const rows = sandbox.books().map(({ provider, meter, quantity }) => [provider, meter, quantity])
    expect(rows).toEqual([
      ['anthropic', 'input_text_tokens', input],
      ['anthropic', 'output_text_tokens', output],
    ])
    // 11 at 1 dollar a million, 100 at 5.
    expect(sandbox.total()).toMatchObject({ amount: '0.000511', unpriced: [] })
  })

  it('stream the same message, with the totals in its delta', async () => {
    const { anthropic } = await openNow()
    const request = { model: 'claude-opus-5-5', max_tokens: 500, messages: user('Hello') }
    const whole = await anthropic.messages.create(request)
    const types: string[] = []
    const stream = anthropic.messages.stream(request)
    stream.on('streamEvent', ({ type }) => types.push(type))
    const streamed = await stream.finalMessage()
    expect(streamed.content).toMatchObject(whole.content)
    expect(streamed.usage).toMatchObject(whole.usage)
    expect([...new Set(types)]).toEqual([
      ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop'],
      ...['message_delta', 'message_stop'],
    ])
  })

  it('use the tool that the message names, whole and streamed', async () => {
    const { anthropic } = await openNow()
    const request = {
      model: 'claude-sonnet-5-5',
      max_tokens: 500,
      messages: user('[call weather {"city": "Paris"}]'),
      tools: [{ name: 'weather', input_schema: { type: 'object' as const } }],
    }
    const reply = await anthropic.messages.create(request)
    expect(reply.stop_reason).toBe('tool_use')
    expect(reply.content).toMatchObject([{ type: 'tool_use', name: 'weather', input: { city: 'Paris' } }])
    expect(reply.usage.input_tokens).toBeGreaterThan(346)
    const streamed = await anthropic.messages.stream(request).finalMessage()
    expect(streamed.content).toMatchObject([{ type: 'tool_use', input: { city: 'Paris' } }])
  })

  it('write what a breakpoint ends for its lifetime, and read it until that has passed', async () => {
    const { sandbox, anthropic, clock } = await openNow({ outputTokens: 10 })
    const ask = async (question: string) => {
      const { usage } = await anthropic.messages.create({
        model: 'claude-opus-5-5',
        max_tokens: 500,
        system: [
          {
            type: 'text',
            text: textOfTokens(1000, 'for an hour'),
            cache_control: { type: 'ephemeral', ttl: '1h' },
          },
          {
            type: 'text',
            text: textOfTokens(100, 'for five minutes'),
            cache_control: { type: 'ephemeral' },
          },
        ],
        messages: user(question),
      })
      const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } = usage.cache_creation ?? {}
      return { read: usage.cache_read_input_tokens, short, long, input: usage.input_tokens }
    }
    // Tokens are 1.46 of cl100k_base's: 3 + 1,460, then 146; the question is 4 + ceil(3 x 1.46).
    expect(await ask('Hello')).toEqual({ read: 0, short: 146, long: 1463, input: 9 })
    clock.advance(4 * 60_000)
    expect(await ask('Hello')).toEqual({ read: 1609, short: 0, long: 0, input: 9 })
    clock.advance(6 * 60_000)
    expect(await ask('Hello')).toEqual({ read: 1463, short: 146, long: 0, input: 9 })
    clock.advance(2 * hour)
    expect(await ask('Hello')).toEqual({ read: 0, short: 146, long: 1463, input: 9 })
    const amounts = sandbox
      .books()
      .filter(({ meter }) => meter.includes('cache'))
      .map(({ meter, quantity, amount }) => [meter, quantity, amount])
    // 8, 5 and 0.2 dollars a million.
    expect(amounts).toEqual([
      ['cache_write_1h_tokens', 2926, '0.023408'],
      ['cache_write_5m_tokens', 438, '0.00219'],
      ['cached_input_tokens', 3072, '0.0006144'],
    ])
  })

  it('cache nothing that is shorter than the model asks for', async () => {
    const { anthropic } = await openNow()
    const written = async (model: string) => {
      const { usage } = await anthropic.messages.create({
        model,
        max_tokens: 10,
        cache_control: { type: 'ephemeral' },
        messages: user(textOfTokens(600, 'long')),
      })
      return usage.cache_creation_input_tokens
    }
    expect(await written('claude-opus-5-5')).toBeGreaterThan(512)
    expect(await written('claude-sonnet-5')).toBe(0)
  })

  it('bill thinking as output', async () => {
    const { sandbox, anthropic } = await openNow({ outputTokens: 10 })
    const { usage, content } = await anthropic.messages.create({
      model: 'claude-sonnet-5',
      max_tokens: 2000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: user('Hello'),
    })
    const thought = usage.output_tokens_details?.thinking_tokens ?? 0
    expect(content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    expect(thought).toBeGreaterThan(0)
    const row = sandbox.books().find(({ meter }) => meter === 'output_reasoning_tokens')
    expect(row).toMatchObject({ quantity: thought, calls: 1 })
    expect(row?.amount).not.toBeNull()
  })

  it('count tokens as they bill them, without cost', async () => {
    const { sandbox, anthropic } = await openNow()
    const request = { model: 'claude-opus-4-8', messages: user('How much is it?') }
    const { input_tokens } = await anthropic.messages.countTokens(request)
    const { usage } = await anthropic.messages.create({ ...request, max_tokens: 10 })
    expect(usage.input_tokens).toBe(input_tokens)
    expect(sandbox.total().calls).toBe(1)
  })

  it('have the price of fast mode where it is asked for', async () => {
    const { sandbox, anthropic } = await openNow({ outputTokens: 10 })
    const request = { model: 'claude-opus-5-5', max_tokens: 100, messages: user('Hello') }
    const { usage } = await anthropic.messages.create({ ...request, speed: 'fast' } as never)
    expect(usage.speed).toBe('fast')
    // 9 + 3 at 8 dollars a million.
    expect(sandbox.books()[0]).toMatchObject({ attributes: { tier: 'fast' }, amount: '0.000096' })
    const refused = anthropic.messages.create({
      ...request,
      model: 'claude-sonnet-5',
      speed: 'fast',
    } as never)
    await expect(refused).rejects.toThrow('is not supported by claude-sonnet-5')
  })

  it.each([
    [{ model: 'claude-2.1' }, 404, 'model: claude-2.1', 'not_found_error'],
    [{ model: 'gpt-4o' }, 404, 'model: gpt-4o', 'not_found_error'],
    [{ max_tokens: undefined }, 400, 'max_tokens: Field required', 'invalid_request_error'],
    [{ max_tokens: 999_999 }, 400, '999999 > 128000, which is the maximum', 'invalid_request_error'],
    [{ messages: [] }, 400, 'at least one message is required', 'invalid_request_error'],
  ])('refuse %j in the vendor’s shape', async (extra, status, message, type) => {
    const { sandbox, anthropic } = await openNow()
    const request = { model: 'claude-opus-5-5', max_tokens: 10, messages: user('Hello'), ...extra }
    // With a time of its own the client does not ask for a stream.
    const error = await anthropic.messages.create(request as never, { timeout: 5000 }).catch((each) => each)
    expect(error).toMatchObject({ status, message: expect.stringContaining(message) })
    expect(error.error).toMatchObject({ type: 'error', error: { type }, request_id: error.requestID })
    expect(sandbox.total().calls).toBe(0)
  })

  it('want a key and a version, and tell limits and an id in headers', async () => {
    const { sandbox, anthropic } = await openNow({ apiKeys: ['sk-ant-test'] })
    const post = (headers: Record<string, string>) =>
      fetch(`${sandbox.url}/anthropic/v1/messages`, { method: 'POST', headers, body: '{}' })
    expect((await post({})).status).toBe(401)
    expect((await post({ 'x-api-key': 'other', 'anthropic-version': '2023-06-01' })).status).toBe(401)
    const unversioned = await post({ 'x-api-key': 'sk-ant-test' })
    expect(await unversioned.json()).toMatchObject({
      error: { message: 'anthropic-version: header is required' },
    })
    const { response } = await anthropic.messages
      .create({ model: 'claude-opus-5-5', max_tokens: 10, messages: user('Hello') })
      .withResponse()
    expect(response.headers.get('request-id')).toMatch(/^req_/)
    expect(response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('4000')
  })

  it('list the models of the day', async () => {
    const { anthropic } = await openNow()
    const { data } = await anthropic.models.list()
    expect(data.map(({ id }) => id)).toContain('claude-opus-5-5')
    expect(data.map(({ id }) => id)).not.toContain('claude-2.1')
  })
})
