import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { loadEncoding } from '../tokens/text.ts'
import { openSandbox } from './sandbox.fixture.ts'

const ask = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Say something.' }] }

const refusalOf = async (call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof OpenAI.APIError) return error
  throw new Error(`No refusal but ${String(error)}`)
}

const streamed = async (client: OpenAI, extra: Partial<OpenAI.ChatCompletionCreateParamsStreaming> = {}) => {
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of await client.chat.completions.create({ ...ask, ...extra, stream: true })) {
    chunks.push(chunk)
  }
  return chunks
}

describe('a whole chat completion', () => {
  it('reports what it counted, and the books have the same to the token', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 200 })
    const reply = await client.chat.completions.create(ask)
    // Priming 3, and for the message 3, its role 1 and its text 3.
    expect(reply.usage).toEqual({ prompt_tokens: 10, completion_tokens: 200, total_tokens: 210 })
    const { count } = await loadEncoding('cl100k_base')
    expect(count(reply.choices[0]?.message.content ?? '')).toBe(200)
    expect(reply).toMatchObject({ object: 'chat.completion', created: 1_700_049_600, model: ask.model })
    expect(reply.id).toMatch(/^chatcmpl-[0-9A-Za-z]{29}$/)
    expect(sandbox.calls()).toEqual([
      {
        number: 1,
        at: 1_700_049_600_000,
        wire: 'chat-completions',
        id: reply.id,
        requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
        model: ask.model,
        user: null,
        usage: { input_text_tokens: 10, output_text_tokens: 200 },
      },
    ])
    expect(sandbox.total()).toMatchObject({ calls: 1, amount: '0.0061' })
  })

  it('names the snapshot that served it', async () => {
    const { client } = await openSandbox()
    const names = ['gpt-4', 'gpt-4-32k', 'gpt-3.5-turbo', 'gpt-3.5-turbo-16k', 'gpt-3.5-turbo-1106']
    const served = await Promise.all(
      names.map((model) => client.chat.completions.create({ ...ask, model }).then((reply) => reply.model)),
    )
    expect(served).toEqual([
      'gpt-4-0613',
      'gpt-4-32k-0613',
      'gpt-3.5-turbo-0613',
      'gpt-3.5-turbo-16k-0613',
      'gpt-3.5-turbo-1106',
    ])
  })

  it('stops at max_tokens, and bills every choice', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 50 })
    const reply = await client.chat.completions.create({ ...ask, max_tokens: 7, n: 3 })
    expect(reply.choices.map((choice) => choice.finish_reason)).toEqual(['length', 'length', 'length'])
    expect(reply.usage).toEqual({ prompt_tokens: 10, completion_tokens: 21, total_tokens: 31 })
    expect(sandbox.books().map(({ quantity }) => quantity)).toEqual([10, 21])
  })

  it('ends before a stop sequence', async () => {
    const { client } = await openSandbox({ outputTokens: 50 })
    const reply = await client.chat.completions.create({ ...ask, stop: ['.', 'never said'] })
    const text = reply.choices[0]?.message.content ?? ''
    const { count } = await loadEncoding('cl100k_base')
    expect(text).not.toContain('.')
    expect(text.length).toBeGreaterThan(0)
    expect(reply.choices[0]?.finish_reason).toBe('stop')
    expect(reply.usage?.completion_tokens).toBe(count(text))
  })

  it('says the same to the same question, and keeps within the lengths asked for', async () => {
    const { client } = await openSandbox({ outputTokens: { least: 5, most: 9 } })
    const replies = await Promise.all([1, 2].map(() => client.chat.completions.create(ask)))
    expect(replies[0]?.choices).toEqual(replies[1]?.choices)
    expect(replies[0]?.id).not.toBe(replies[1]?.id)
    for (let turn = 0; turn < 20; turn++) {
      const messages = [{ role: 'user' as const, content: `Turn ${turn}` }]
      const { usage } = await client.chat.completions.create({ ...ask, messages })
      expect(usage?.completion_tokens).toBeGreaterThanOrEqual(5)
      expect(usage?.completion_tokens).toBeLessThanOrEqual(9)
    }
  })

  it('bills and reports hidden tokens when it hides some', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 50, hiddenTokens: true })
    const { usage } = await client.chat.completions.create(ask)
    expect(usage?.prompt_tokens).toBeGreaterThanOrEqual(18)
    expect(usage?.prompt_tokens).toBeLessThanOrEqual(74)
    expect(usage?.completion_tokens).toBeGreaterThanOrEqual(50)
    expect(sandbox.books().map(({ quantity }) => quantity)).toEqual([
      usage?.prompt_tokens,
      usage?.completion_tokens,
    ])
  })

  it('carries the headers of the vendor', async () => {
    const { sandbox, client } = await openSandbox()
    const { response } = await client.chat.completions.create(ask).withResponse()
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'openai-organization': 'org-sandbox',
      'openai-version': '2020-10-01',
      'openai-processing-ms': expect.stringMatching(/^\d+$/),
      'x-request-id': sandbox.calls()[0]?.requestId,
    })
  })
})

describe('a streamed chat completion', () => {
  it('says who speaks, then a token each, then why it ended, and nothing of usage', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 30 })
    const chunks = await streamed(client)
    expect(chunks).toHaveLength(32)
    expect(chunks[0]?.choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null },
    ])
    expect(chunks.at(-1)?.choices).toEqual([{ index: 0, delta: {}, finish_reason: 'stop' }])
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(sandbox.books().map(({ quantity }) => quantity)).toEqual([10, 30])
  })

  it('says what the whole reply says', async () => {
    const { client } = await openSandbox()
    const whole = await client.chat.completions.create(ask)
    const parts = (await streamed(client)).map((chunk) => chunk.choices[0]?.delta.content ?? '')
    expect(parts.join('')).toBe(whole.choices[0]?.message.content)
  })

  it('lets choices take turns', async () => {
    const { client } = await openSandbox({ outputTokens: 4 })
    const chunks = await streamed(client, { n: 2 })
    expect(chunks.map((chunk) => chunk.choices[0]?.index)).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
  })

  it('did not know stream_options in 2023', async () => {
    const { sandbox, client } = await openSandbox()
    const refusal = await refusalOf(streamed(client, { stream_options: { include_usage: true } }))
    expect(refusal.status).toBe(400)
    expect(refusal.message).toBe('400 Unrecognized request argument supplied: stream_options')
    expect(sandbox.calls()).toEqual([])
  })

  it('reports usage in one more chunk, null before, where the feature is on and asked for', async () => {
    const { client } = await openSandbox({ outputTokens: 30, features: { streamUsage: true } })
    const chunks = await streamed(client, { stream_options: { include_usage: true } })
    expect(chunks).toHaveLength(33)
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 30, total_tokens: 40 },
    })
    expect((await streamed(client)).some((chunk) => 'usage' in chunk)).toBe(false)
  })
})

describe('a chat completion that is refused', () => {
  const cases: readonly [string, object, number, string, string | null][] = [
    ['an unknown model', { model: 'gpt-9' }, 404, 'The model `gpt-9` does not exist', 'model_not_found'],
    ['no model', { model: undefined }, 400, 'you must provide a model parameter', null],
    ['no messages', { messages: [] }, 400, "[] is too short - 'messages'", null],
    [
      'a message with more in it',
      { messages: [{ role: 'user', content: 'x', id: 1 }] },
      400,
      "Additional properties are not allowed ('id' was unexpected) - 'messages.0'",
      null,
    ],
    [
      'a role of later years',
      { messages: [{ role: 'developer', content: 'x' }] },
      400,
      "'developer' is not one of ['system', 'assistant', 'user', 'function', 'tool'] - 'messages.0.role'",
      null,
    ],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      400,
      'Invalid content type. image_url is only supported by certain models.',
      null,
    ],
    [
      'more output than the model gives',
      { max_tokens: 8192 },
      400,
      'max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.',
      null,
    ],
    [
      'more than the window holds',
      { model: 'gpt-4', max_tokens: 8192 },
      400,
      "This model's maximum context length is 8192 tokens. However, you requested 8202 tokens (10 in the " +
        'messages, 8192 in the completion). Please reduce the length of the messages or completion.',
      'context_length_exceeded',
    ],
    ['a negative length', { max_tokens: -1 }, 400, "-1 is less than the minimum of 1 - 'max_tokens'", null],
    ['too many choices', { n: 129 }, 400, "129 is greater than the maximum of 128 - 'n'", null],
    [
      'tools, which the sandbox does not play yet',
      { tools: [{ type: 'function', function: { name: 'f' } }] },
      400,
      "The sandbox does not play 'tools' yet: leave it out.",
      null,
    ],
  ]
  it.each(cases)('hears why: %s', async (_, change, status, message, code) => {
    const { sandbox, client } = await openSandbox()
    const refusal = await refusalOf(client.chat.completions.create({ ...ask, ...change }))
    expect([refusal.status, refusal.message, refusal.code]).toEqual([status, `${status} ${message}`, code])
    expect(sandbox.calls()).toEqual([])
  })

  it('hears how long its messages are when they alone are too long', async () => {
    const { client } = await openSandbox()
    const messages = [{ role: 'user' as const, content: 'word '.repeat(9000) }]
    const refusal = await refusalOf(client.chat.completions.create({ model: 'gpt-4', messages }))
    expect(refusal.message).toMatch(
      /^400 This model's maximum context length is 8192 tokens\. However, your messages resulted in 90\d\d tokens\./,
    )
  })

  it('hears which model it may not have, and may list those there are', async () => {
    const { client } = await openSandbox()
    const refusal = await refusalOf(client.chat.completions.create({ ...ask, model: 'gpt-4-turbo' }))
    expect(refusal.message).toContain('does not exist or you do not have access to it. Learn more:')
    const models = (await client.models.list()).data
    expect(models.map(({ id }) => id)).toContain('gpt-4-1106-preview')
    expect(await client.models.retrieve('gpt-4')).toMatchObject({ object: 'model', owned_by: 'openai' })
  })
})
