import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI, { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { json, startVendor } from '../../test/support/vendor.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const month = { name: 'month', measure: 'cost', window: { calendar: 'month' }, action: 'clamp' }

/** A gateway before vendors that remember what they were asked and answer what those of their wire do, and a key. */
const atVendor = async (limits: readonly object[], more: { config?: object; at?: string } = {}) => {
  const vendor = await startVendor((reply, asked) => json(answers(asked.url))(reply, asked))
  const keyVariable = 'VENDOR_KEY'
  world = await startWorld({
    at: more.at ?? '2026-11-20T12:00:00Z',
    config: {
      providers: {
        openai: { baseUrl: `${vendor.url}/v1`, keyVariable },
        anthropic: { baseUrl: `${vendor.url}/v1`, keyVariable },
        google: { baseUrl: vendor.url, keyVariable },
        bedrock: { baseUrl: vendor.url, keyVariable },
        mistral: { baseUrl: `${vendor.url}/v1`, keyVariable },
      },
      limits,
      ...more.config,
    },
  })
  const named = { name: null, organization: null, project: null, environment: null, team: 'search' }
  const { secret } = await world.gateway.registry.createKey(named, world.clock.now())
  const send = async (path: string, body: string | object, headers: Record<string, string> = {}) => {
    const reply = await fetch(`${world.gateway.url}/${path}`, {
      method: 'POST',
      headers: { 'octroi-key': secret, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await reply.text()
    const sent = vendor.asked.at(-1)?.body ?? ''
    return { status: reply.status, clamped: reply.headers.get('octroi-clamped'), text, sent }
  }
  return { vendor, secret, send }
}

const answers = (url: string): object => {
  if (url.includes('generateContent')) {
    const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 5, totalTokenCount: 10 }
    return { candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }], usageMetadata }
  }
  if (url.includes('converse')) return { usage: { inputTokens: 5, outputTokens: 5, totalTokens: 10 } }
  if (url.includes('messages')) {
    return { ...{ id: 'm', type: 'message', model: 'claude-haiku-4-5', role: 'assistant' }, ...ofMessages }
  }
  if (url.includes('responses')) {
    const usage = { input_tokens: 5, output_tokens: 5, total_tokens: 10 }
    return { id: 'resp_1', object: 'response', status: 'completed', model: 'gpt-4o', output: [], usage }
  }
  const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 }
  return { id: 'c', model: 'gpt-4o', choices: [{ index: 0, message: { content: 'Hi' } }], usage }
}

const ofMessages = {
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 5 },
}

const outputs = (cap: string, more: object = {}) => [
  { name: 'outputs', measure: 'output_tokens', cap, window: { bucket: '1m' }, action: 'clamp', ...more },
]

const messages = [{ role: 'user' as const, content: 'Hello there' }]

describe('a limit that lowers outputs', () => {
  it('lowers the output of a call to what its headroom buys, and says so', async () => {
    world = await startWorld({
      sandbox: { outputTokens: 20 },
      config: { limits: [{ ...month, cap: '0.01' }] },
    })
    const client = await world.client('search')
    const asked = { model: 'gpt-4', messages, max_tokens: 500 }
    const { response, data } = await client.chat.completions.create(asked).withResponse()
    // 87 bytes of a request at 0.03 a thousand, and 123 tokens at 0.06: 0.00261 + 0.00738.
    expect(response.headers.get('octroi-clamped')).toBe('max_tokens=123')
    expect(response.headers.get('octroi-quote-usd')).toBe('0.00999')
    expect(data.usage?.completion_tokens).toBe(20)
    expect(world.till[0]?.call.tags).toEqual({ clamped: 'max_tokens=123' })
    expect(formatPicos(world.till[0]?.cost ?? 0n)).toBe('0.00147')
  })

  it('never lets calls pass it together, until not even the least fits', async () => {
    world = await startWorld({
      sandbox: { outputTokens: 500 },
      config: { limits: [{ ...month, cap: '0.1' }] },
    })
    const client = await world.client('search')
    const asked = { model: 'gpt-4', messages, max_tokens: 500 }
    const ends = await Promise.all(
      Array.from({ length: 8 }, () =>
        client.chat.completions.create(asked).then(
          ({ usage }) => usage?.completion_tokens ?? 0,
          (error: unknown) => (error instanceof APIError ? `${error.status}` : String(error)),
        ),
      ),
    )
    // Three fit as they are, at 0.03261 each; what these did not use buys 109 tokens, for one that came late enough.
    expect(ends.filter((end) => end === 500)).toHaveLength(3)
    expect(ends.every((end) => end === 500 || end === '402' || (typeof end === 'number' && end <= 109))).toBe(
      true,
    )
    const [state] = world.gateway.limits()
    expect([state?.over, state?.held]).toEqual([0n, 0n])
    expect(world.till.reduce((sum, { cost }) => sum + cost, 0n)).toBeLessThanOrEqual(100_000_000_000n)
  })

  it('lets a call that fits pass as it came', async () => {
    const { send } = await atVendor(outputs('600'))
    const body = '{"model":"gpt-4o", "messages":[{"role":"user","content":"Hi"}],"max_tokens":5e2}'
    expect(await send('v1/chat/completions', body)).toMatchObject({ status: 200, clamped: null, sent: body })
  })

  it('changes no byte but those of the field', async () => {
    const { send } = await atVendor(outputs('300'))
    const before =
      '{ "seed" : 1.0e2,\n "model":"gpt-4o", "messages":[{"role":"user","content":"\\u00e9"}] , "max_tokens" : '
    expect(await send('v1/chat/completions', `${before}4000 , "n":3 }`)).toMatchObject({
      clamped: 'max_tokens=100',
      sent: `${before}100 , "n":3 }`,
    })
  })

  it('refuses what does not fit at its least, and says so', async () => {
    const { vendor, send } = await atVendor(outputs('40'))
    const asked = { model: 'gpt-4o', messages, max_completion_tokens: 100, n: 3 }
    const { status, text } = await send('v1/chat/completions', asked)
    expect([status, vendor.asked.length]).toEqual([429, 0])
    expect(JSON.parse(text)).toMatchObject({
      error: { octroi: { limit: 'outputs', asked: '300', free: '40' } },
    })
    expect(text).toContain('Not even an output limit of 16 tokens would fit.')
    const short = await send('v1/chat/completions', { ...asked, max_completion_tokens: 15 })
    expect(short.text).toContain('Its output limit cannot be lowered below 16 tokens.')
  })

  it('asks all limits: the one with least room decides, and one that refuses or waits comes first', async () => {
    const limits = [
      ...outputs('300'),
      { name: 'total', measure: 'tokens', cap: '250', window: { bucket: '1m' }, action: 'clamp' },
    ]
    const { send } = await atVendor([
      ...limits,
      {
        name: 'hard',
        match: { model: 'gpt-4o-mini' },
        measure: 'tokens',
        cap: '500',
        window: { bucket: '1m' },
      },
    ])
    const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1_000 }
    // The input is at most the 80 bytes of the request.
    expect(JSON.stringify(body).length).toBe(80)
    expect((await send('v1/chat/completions', body)).clamped).toBe('max_tokens=170')
    const refused = await send('v1/chat/completions', { ...body, model: 'gpt-4o-mini' })
    expect(JSON.parse(refused.text)).toMatchObject({ error: { octroi: { limit: 'hard' } } })
  })

  it('lowers what has waited for another limit', async () => {
    world = await startWorld({
      sandbox: { outputTokens: 20 },
      config: {
        limits: [
          { name: 'one at once', measure: 'concurrent', cap: '1', action: 'wait' },
          { ...month, cap: '0.01' },
        ],
      },
    })
    const client = await world.client('search')
    const asked = { model: 'gpt-4', messages, max_tokens: 500 }
    const replies = await Promise.all([1, 2].map(() => client.chat.completions.create(asked).withResponse()))
    // 0.00147 are spent when the second is admitted: 0.00592 are left for its output.
    expect(replies.map(({ response }) => response.headers.get('octroi-clamped'))).toEqual([
      'max_tokens=123',
      'max_tokens=98',
    ])
  })

  it('puts the field in front where a request has none', async () => {
    const { send } = await atVendor(outputs('100'))
    const body = JSON.stringify({ model: 'gpt-4o', messages })
    expect(await send('v1/chat/completions', body)).toMatchObject({
      clamped: 'max_completion_tokens=100',
      sent: `{"max_completion_tokens":100,${body.slice(1)}`,
    })
    // 5 of 100 are used; this vendor has the older field alone.
    const other = body.replace('gpt-4o', 'mistral-small-latest')
    expect((await send('mistral/chat/completions', other)).clamped).toBe('max_tokens=95')
  })

  it('works with a cap on history', async () => {
    const { send } = await atVendor(outputs('100'), { config: { historyCaps: [{ truncation: 'auto' }] } })
    const body = JSON.stringify({ model: 'gpt-4o', input: 'Hello', max_output_tokens: 900 })
    const sent = `{"truncation":"auto",${body.slice(1).replace('900', '100')}`
    expect(await send('v1/responses', body)).toMatchObject({ clamped: 'max_output_tokens=100', sent })
  })

  it('lowers nothing of a wire that has no such field', async () => {
    const { send } = await atVendor([{ ...month, cap: '0' }])
    const asked = { model: 'text-embedding-3-small', input: 'Hello' }
    const { status, text } = await send('v1/embeddings', asked)
    expect(status).toBe(402)
    expect(text).toContain('The call has no output limit that could be lowered.')
  })
})

describe('the output limit of each wire', () => {
  it.each([
    {
      wire: 'chat-completions',
      path: 'v1/chat/completions',
      body: { model: 'gpt-4o', messages, max_completion_tokens: 900 },
      sent: { max_completion_tokens: 200 },
      clamped: 'max_completion_tokens=200',
    },
    {
      wire: 'responses',
      path: 'v1/responses',
      body: { model: 'gpt-4o', input: 'Hi', max_output_tokens: 900 },
      sent: { max_output_tokens: 200 },
      clamped: 'max_output_tokens=200',
    },
    {
      wire: 'completions, for each candidate',
      path: 'v1/completions',
      body: { model: 'gpt-3.5-turbo-instruct', prompt: ['a', 'b'], max_tokens: 900, best_of: 2 },
      sent: { max_tokens: 50 },
      clamped: 'max_tokens=50',
    },
    {
      wire: 'messages',
      path: 'anthropic/v1/messages',
      body: { model: 'claude-haiku-4-5', messages, max_tokens: 900 },
      sent: { max_tokens: 200 },
      clamped: 'max_tokens=200',
    },
    {
      wire: 'generate-content, for each candidate',
      path: 'google/v1beta/models/gemini-2.5-flash:generateContent',
      body: {
        contents: [{ parts: [{ text: 'Hi' }] }],
        generation_config: { max_output_tokens: 900, candidateCount: 2 },
      },
      sent: { generation_config: { max_output_tokens: 100, candidateCount: 2 } },
      clamped: 'generation_config.max_output_tokens=100',
    },
    {
      wire: 'generate-content without a configuration',
      path: 'google/v1beta/models/gemini-2.5-flash:generateContent',
      body: { contents: [{ parts: [{ text: 'Hi' }] }] },
      sent: { generationConfig: { maxOutputTokens: 200 } },
      clamped: 'generationConfig.maxOutputTokens=200',
    },
    {
      wire: 'converse',
      path: 'bedrock/model/anthropic.claude-haiku-4-5-20251001-v1:0/converse',
      body: {
        messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
        inferenceConfig: { temperature: 1, maxTokens: 900 },
      },
      sent: { inferenceConfig: { temperature: 1, maxTokens: 200 } },
      clamped: 'inferenceConfig.maxTokens=200',
    },
  ])('$wire', async ({ path, body, sent, clamped }) => {
    const { send } = await atVendor(outputs('200'))
    const got = await send(path, body, { 'anthropic-version': '2023-06-01' })
    expect(got.clamped).toBe(clamped)
    expect(JSON.parse(got.sent)).toEqual({ ...body, ...sent })
  })

  it.each([
    [
      'anthropic/v1/messages',
      { model: 'claude-haiku-4-5', messages, max_tokens: 4_000 },
      { thinking: { type: 'enabled', budget_tokens: 1_024 } },
    ],
    [
      'google/v1beta/models/gemini-2.5-flash:generateContent',
      { contents: [{ parts: [{ text: 'Hi' }] }] },
      { generationConfig: { maxOutputTokens: 4_000, thinkingConfig: { thinkingBudget: 1_024 } } },
    ],
    [
      'bedrock/model/anthropic.claude-haiku-4-5-20251001-v1:0/converse',
      { messages: [{ role: 'user', content: [{ text: 'Hi' }] }], inferenceConfig: { maxTokens: 4_000 } },
      { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1_024 } } },
    ],
  ])('%s is never below its thinking and the shortest answer', async (path, body, thinking) => {
    const { send } = await atVendor(outputs('1039'))
    expect((await send(path, { ...body, ...thinking })).text).toContain('an output limit of 1040 tokens')
    await world.close()
    const enough = await atVendor(outputs('1040'))
    expect((await enough.send(path, { ...body, ...thinking })).clamped).toMatch(/=1040$/)
  })

  it('is OpenAI’s older one before models that think came', async () => {
    const { send } = await atVendor(outputs('100'), { at: '2023-11-20' })
    expect((await send('v1/chat/completions', { model: 'gpt-4', messages })).clamped).toBe('max_tokens=100')
  })

  it('put in where there was none leaves room for the prompt in the window', async () => {
    // gpt-4 has a window of 8,192 tokens; the prompt has 2,508, and 128 more that nobody sees: 5,556 are left. Money
    // would buy 5,598.
    const { send } = await atVendor([{ ...month, cap: '0.415' }], { at: '2023-11-20' })
    const long = [{ role: 'user', content: 'a b '.repeat(1_250) }]
    const { clamped } = await send('v1/chat/completions', { model: 'gpt-4', messages: long })
    expect(clamped).toBe('max_tokens=5556')
  })
})

describe('an official client whose output is lowered', () => {
  it('gets its reply, and the header', async () => {
    const { secret } = await atVendor(outputs('100'))
    const { url } = world.gateway
    const openai = new OpenAI({ apiKey: secret, baseURL: `${url}/v1` })
    const chat = await openai.chat.completions
      .create({ model: 'gpt-4o', messages, max_completion_tokens: 900 })
      .withResponse()
    expect(chat.response.headers.get('octroi-clamped')).toBe('max_completion_tokens=100')
    world.clock.advance(60_000)
    const anthropic = new Anthropic({ apiKey: secret, authToken: null, baseURL: `${url}/anthropic` })
    const message = await anthropic.messages
      .create({ model: 'claude-haiku-4-5', messages, max_tokens: 900 })
      .withResponse()
    expect(message.response.headers.get('octroi-clamped')).toBe('max_tokens=100')
    world.clock.advance(60_000)
    const httpOptions = { baseUrl: `${url}/google` }
    const google = new GoogleGenAI({ apiKey: secret, vertexai: false, httpOptions })
    const config = { maxOutputTokens: 900 }
    const content = await google.models.generateContent({ model: 'gemini-2.5-flash', contents: 'Hi', config })
    expect(content.sdkHttpResponse?.headers?.['octroi-clamped']).toBe('generationConfig.maxOutputTokens=100')
  })
})
