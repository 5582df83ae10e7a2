import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { textOfTokens } from '../replies.ts'
import { openNow } from './vendors.fixture.ts'

const user = (content: string) => [{ role: 'user' as const, content }]
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius'] } },
    },
  },
}

describe('chat completions of today', () => {
  it('bills what it reports: thoughts are within the completion', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 100 })
    const { usage, service_tier } = await openai.chat.completions.create({
      model: 'gpt-6-sol',
      messages: user('Hello'),
    })
    const thought = usage?.completion_tokens_details?.reasoning_tokens ?? 0
    expect(service_tier).toBe('default')
    expect(thought).toBeGreaterThan(0)
    expect(usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 100 + thought })
    const quantities = sandbox.books().map(({ meter, quantity }) => [meter, quantity])
    expect(quantities).toEqual([
      ['input_text_tokens', 8],
      ['output_reasoning_tokens', thought],
      ['output_text_tokens', 100],
    ])
    // 2 and 10 dollars a million.
    expect(Number(sandbox.total().amount)).toBeCloseTo(8 * 2e-6 + (100 + thought) * 10e-6, 12)
  })

  it('streams the same reply, and its usage when asked', async () => {
    const { sandbox, openai } = await openNow()
    const request = { model: 'gpt-5.5', messages: user('Hello') }
    const whole = await openai.chat.completions.create(request)
    const events = await openai.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: unknown = null
    for await (const event of events) {
      text += event.choices[0]?.delta.content ?? ''
      usage = event.usage ?? usage
    }
    expect(text).toBe(whole.choices[0]?.message.content)
    expect(usage).toEqual(whole.usage)
    expect(sandbox.total().calls).toBe(2)
  })

  it('calls the tool that the newest message of a user names, whole and streamed, and answers its result', async () => {
    const { openai } = await openNow()
    const messages = user('What is it like? [call weather {"city": "Paris"}]')
    const request = { model: 'gpt-4o', messages, tools: [weather] }
    const reply = await openai.chat.completions.create(request)
    const calls = reply.choices[0]?.message.tool_calls ?? []
    expect(reply.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(calls).toMatchObject([{ function: { name: 'weather', arguments: '{"city":"Paris"}' } }])
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion()
    expect(streamed.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: 'weather', arguments: '{"city":"Paris"}' } },
    ])
    const after = await openai.chat.completions.create({
      ...request,
      messages: [
        ...messages,
        { role: 'assistant', tool_calls: calls },
        { role: 'tool', tool_call_id: calls[0]?.id ?? '', content: '20' },
      ],
    })
    expect(after.choices[0]?.finish_reason).toBe('stop')
  })

  it('writes a small object that fits the schema', async () => {
    const { openai } = await openNow()
    const { choices } = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: user('Hello'),
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'answer',
          schema: {
            type: 'object',
            properties: {
              unit: { enum: ['celsius'] },
              list: { type: 'array', items: { $ref: '#/$defs/n' }, minItems: 2 },
            },
            $defs: { n: { type: 'integer', minimum: 5, maximum: 5 } },
          },
        },
      },
    })
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ unit: 'celsius', list: [5, 5] })
  })

  it('reads a prefix that it has seen from the cache, in steps of 128 tokens, until it has aged', async () => {
    const { sandbox, openai, clock } = await openNow({ outputTokens: 10 })
    const ask = async (question: string, extra: object = {}) => {
      const { usage } = await openai.chat.completions.create({
        model: 'gpt-4.1-mini',
        messages: [{ role: 'system', content: textOfTokens(2000, 'long') }, ...user(question)],
        ...extra,
      })
      return [usage?.prompt_tokens, usage?.prompt_tokens_details?.cached_tokens]
    }
    // 3 + (3 + 1 + 2000) + (3 + 1 + 1): of 2,004 in the first message, 15 x 128 = 1,920 are told.
    expect(await ask('Hello', { prompt_cache_retention: 'in_memory' })).toEqual([2012, 0])
    clock.advance(5 * 60_000)
    expect(await ask('Bye', { prompt_cache_retention: 'in_memory' })).toEqual([2012, 1920])
    clock.advance(11 * 60_000)
    expect(await ask('Hello')).toEqual([2012, 0])
    clock.advance(23 * 3_600_000)
    expect(await ask('Bye')).toEqual([2012, 1920])
    const cached = sandbox.books().find(({ meter }) => meter === 'cached_input_tokens')
    // 3,840 tokens at 0.1 dollars a million.
    expect(cached).toMatchObject({ quantity: 3840, amount: '0.000384' })
  })

  it('bills the writing of a cache where the model has a price for it, and 12 hours where it has one for them', async () => {
    const { sandbox, openai, clock } = await openNow({ outputTokens: 10 })
    const ask = async (extra: object = {}) => {
      const { usage } = await openai.chat.completions.create({
        model: 'gpt-6.2-sol',
        messages: user(textOfTokens(1500, 'long')),
        reasoning_effort: 'none',
        ...extra,
      })
      const { cached_tokens: cached, cache_write_tokens: written } = usage?.prompt_tokens_details ?? {}
      return { cached, written }
    }
    expect(await ask()).toEqual({ cached: 0, written: 1504 })
    clock.advance(29 * 60_000)
    expect(await ask()).toEqual({ cached: 1504, written: 0 })
    clock.advance(31 * 60_000)
    expect(await ask({ prompt_cache_options: { ttl: '12h' } })).toEqual({ cached: 0, written: 1504 })
    clock.advance(11 * 3_600_000)
    expect(await ask()).toEqual({ cached: 1504, written: 0 })
    const writes = sandbox.books().filter(({ meter }) => meter === 'cache_write_tokens')
    // 1,504 tokens at 2.5 and at 5 dollars a million.
    expect(writes.map(({ attributes, amount }) => [attributes?.['cache_ttl'], amount])).toEqual([
      ['12h', '0.00752'],
      ['30m', '0.00376'],
    ])
  })

  it('serves a tier where the model has a price in it, and says so', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 10 })
    const tierOf = async (model: string, service_tier: 'flex' | 'priority' | 'auto') =>
      (await openai.chat.completions.create({ model, messages: user('Hello'), service_tier })).service_tier
    expect(await tierOf('gpt-6-sol', 'flex')).toBe('flex')
    expect(await tierOf('gpt-4o', 'priority')).toBe('priority')
    expect(await tierOf('gpt-5-nano', 'priority')).toBe('default')
    await expect(tierOf('gpt-4o', 'flex')).rejects.toThrow('Invalid service_tier argument')
    expect(sandbox.total().unpriced).toEqual([])
    const tiers = sandbox.books().map(({ model, attributes }) => `${model} ${attributes?.['tier']}`)
    expect(new Set(tiers)).toEqual(
      new Set(['gpt-4o priority', 'gpt-5-nano-2025-08-07 standard', 'gpt-6-sol flex']),
    )
  })

  it('moves a prompt above 272,000 tokens to the long card, whole', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 10 })
    await openai.chat.completions.create({
      model: 'gpt-5.5',
      messages: user(textOfTokens(272_000, 'long')),
      reasoning_effort: 'none',
    })
    // 272,007 in at 10 dollars a million, 10 out at 45.
    expect(sandbox.total()).toMatchObject({ amount: '2.72052', unpriced: [] })
  })

  it('bills every choice, and the tokens nobody sees', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 10, hiddenTokens: true })
    const { usage } = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: user('Hello'),
      n: 3,
    })
    expect(usage?.prompt_tokens).toBeGreaterThanOrEqual(16)
    expect(usage?.completion_tokens).toBeGreaterThanOrEqual(30)
    const [input, output] = sandbox.books()
    expect([input?.quantity, output?.quantity]).toEqual([usage?.prompt_tokens, usage?.completion_tokens])
  })

  it('stops where the request has no more room, thoughts included', async () => {
    const { openai } = await openNow({ outputTokens: 100 })
    const reply = await openai.chat.completions.create({
      model: 'gpt-6-sol',
      messages: user('Hello'),
      max_completion_tokens: 20,
    })
    expect(reply.choices[0]?.finish_reason).toBe('length')
    expect(reply.usage?.completion_tokens).toBe(20)
  })

  it.each([
    ['gpt-4', 404, 'The model `gpt-4` has been deprecated, learn more here'],
    ['gpt-9', 404, 'The model `gpt-9` does not exist or you do not have access to it.'],
    ['gpt-5-pro', 404, 'This model is only supported in v1/responses and not in v1/chat/completions.'],
    ['tts-1', 404, 'This is not a chat model'],
  ])('refuses %s', async (model, status, message) => {
    const { sandbox, openai } = await openNow()
    const error = await openai.chat.completions.create({ model, messages: user('Hello') }).catch((e) => e)
    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect(error).toMatchObject({ status, message: expect.stringContaining(message) })
    expect(sandbox.total().calls).toBe(0)
  })

  it.each([
    [{ messages: [] }, "Invalid 'messages': empty array"],
    [
      { max_tokens: 5 },
      "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ],
    [{ max_completion_tokens: 999_999 }, 'This model supports at most 128000 completion tokens'],
    [{ modalities: ['audio'] }, "The sandbox does not play 'modalities' yet"],
  ])('refuses %j', async (extra, message) => {
    const { openai } = await openNow()
    const request = { model: 'gpt-6-sol', messages: user('Hello'), ...extra }
    await expect(openai.chat.completions.create(request as never)).rejects.toThrow(message)
  })

  it('counts an image by the tiles or patches of its model', async () => {
    const { openai } = await openNow()
    const png = await openai.images.generate({ model: 'gpt-image-2', prompt: 'a gate', quality: 'low' })
    const url = `data:image/png;base64,${png.data?.[0]?.b64_json}`
    const tokens = async (detail: 'low' | 'high') => {
      const { usage } = await openai.chat.completions.create({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url, detail } }] }],
      })
      return usage?.prompt_tokens
    }
    // 3 + 3 + 1 around it; 85, and in high detail 170 for each of the four tiles of 768 x 768.
    expect(await tokens('low')).toBe(92)
    expect(await tokens('high')).toBe(772)
  })
})
