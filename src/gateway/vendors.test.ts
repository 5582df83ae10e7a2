import OpenAI, { AzureOpenAI } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, json, startVendor, stream } from '../../test/support/vendor.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'
import { providers } from '../providers/index.gen.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const none = { name: null, organization: null, project: null, environment: null }

/** A gateway before one vendor, and a new key of a team. */
const atVendor = async (
  name: string,
  answer: Answer,
  more: { path?: string; settings?: object; at?: string; limits?: readonly object[] } = {},
) => {
  const vendor = await startVendor(answer)
  const { path = '', settings = {}, at = '2026-09-01', limits = [] } = more
  world = await startWorld({
    at,
    config: {
      anonymous: true,
      providers: { [name]: { baseUrl: vendor.url + path, keyVariable: 'VENDOR_KEY', ...settings } },
      limits,
    },
  })
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'search' }, world.clock.now())
  return { url: `${world.gateway.url}/${name}`, secret, asked: vendor.asked }
}

const costs = () =>
  world.till.map(({ call, cost, settlement }) => [call.model, formatPicos(cost), settlement.basis])

const chat = (model: string, usage: object, more: object = {}) => ({
  id: 'c-1',
  object: 'chat.completion',
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Two.' }, finish_reason: 'stop' }],
  usage,
  ...more,
})

const chunk = (model: string, more: object): string =>
  `data: ${JSON.stringify({ id: 'c-1', object: 'chat.completion.chunk', model, choices: [], ...more })}\n\n`

const said = (model: string): string =>
  chunk(model, { choices: [{ index: 0, delta: { content: 'Two.' }, finish_reason: 'stop' }] })

const messages = [{ role: 'user' as const, content: 'How many moons has Mars?' }]

describe('every provider', () => {
  it('passes calls on and answers in a manner of its own', async () => {
    world = await startWorld()
    const silent = Object.values(providers).filter(({ endpoints }) => endpoints.length === 0)
    expect(silent.map(({ id }) => id)).toEqual([])
  })
})

describe('vendors that speak the wire of OpenAI', () => {
  it.each([
    ['deepseek', '', '/chat/completions'],
    ['mistral', '/v1', '/v1/chat/completions'],
    ['xai', '/v1', '/v1/chat/completions'],
    ['groq', '/openai/v1', '/openai/v1/chat/completions'],
    ['openrouter', '/api/v1', '/api/v1/chat/completions'],
    ['ollama', '/v1', '/v1/chat/completions'],
    ['vllm', '/v1', '/v1/chat/completions'],
  ])('%s is reached under its base URL, with its key as a bearer', async (name, path, reached) => {
    const { url, secret, asked } = await atVendor(name, json(chat('m', {})), { path })
    const client = new OpenAI({ apiKey: secret, baseURL: `${url}/v1` })
    await client.chat.completions.create({ model: 'm', messages })
    expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      [reached, 'Bearer sk-vendor'],
    ])
  })

  it('DeepSeek counts hits and misses of the cache apart', async () => {
    const usage = { prompt_cache_miss_tokens: 1000, prompt_cache_hit_tokens: 2000, completion_tokens: 500 }
    const { url, secret } = await atVendor('deepseek', json(chat('deepseek-chat', usage)), {
      at: '2026-02-01',
    })
    const client = new OpenAI({ apiKey: secret, baseURL: url })
    await client.chat.completions.create({ model: 'deepseek-chat', messages })
    expect(world.till[0]?.settlement.charges.map(({ meter, quantity }) => [meter, quantity])).toEqual([
      ['input_text_tokens', 1000],
      ['cached_input_tokens', 2000],
      ['output_text_tokens', 500],
    ])
  })

  it.each(['mistral', 'groq', 'openrouter'])(
    '%s reports usage in streams unasked, and its body is not touched',
    async (name) => {
      const usage = { prompt_tokens: 20, completion_tokens: 3 }
      const reports = name === 'groq' ? { x_groq: { usage } } : { usage }
      const { url, secret, asked } = await atVendor(
        name,
        stream([said('m'), chunk('m', reports), 'data: [DONE]\n\n']),
      )
      const client = new OpenAI({ apiKey: secret, baseURL: url })
      const events = await client.chat.completions.create({ model: 'm', messages, stream: true })
      for await (const _ of events);
      expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ model: 'm', messages, stream: true })
      expect(world.till[0]?.settlement.basis).toBe('measured')
    },
  )

  it('Mistral bills sounds by the second, of which nothing bounds the number', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '1', window: { calendar: 'month' } }]
    const { url, secret, asked } = await atVendor('mistral', json(chat('voxtral-small-2507', {})), { limits })
    const client = new OpenAI({ apiKey: secret, baseURL: url })
    const sound = { type: 'input_audio' as const, input_audio: { data: 'UklGRg', format: 'wav' as const } }
    const heard = [{ role: 'user' as const, content: [sound] }]
    const asking = client.chat.completions.create({ model: 'voxtral-small-2507', messages: heard })
    await expect(asking).rejects.toMatchObject({ status: 400 })
    expect(asked).toEqual([])
  })

  it('OpenRouter says itself what a call costs', async () => {
    const usage = { prompt_tokens: 20, completion_tokens: 3, cost: 0.00125 }
    const { url, secret } = await atVendor('openrouter', json(chat('anthropic/claude', usage)))
    const client = new OpenAI({ apiKey: secret, baseURL: url })
    await client.chat.completions.create({ model: 'anthropic/claude', messages })
    expect(costs()).toEqual([['anthropic/claude', '0.00125', 'measured']])
  })
})

describe('OpenAI in Azure', () => {
  const usage = { prompt_tokens: 1000, completion_tokens: 100 }
  const settings = { pricesFrom: 'openai', models: { moons: 'gpt-4o-2024-08-06' } }
  // $2.50 a million in and $10 out.
  const price = '0.0035'

  it('has the model that the operator says behind each deployment, quoted before and priced after', async () => {
    const answer = json(chat('gpt-4o-2024-08-06', usage))
    const { url, secret, asked } = await atVendor('azure-openai', answer, { settings })
    const client = new AzureOpenAI({
      ...{ apiKey: secret, endpoint: url, apiVersion: '2024-10-21', deployment: 'moons' },
    })
    const body = { model: 'moons', messages, max_tokens: 100 }
    const { response } = await client.chat.completions.create(body).withResponse()
    expect(response.headers.get('octroi-cost-usd')).toBe(price)
    expect(response.headers.get('octroi-quote-usd')).not.toBeNull()
    expect(costs()).toEqual([['gpt-4o-2024-08-06', price, 'measured']])
    expect(asked.map(({ url, headers }) => [url, headers['api-key'], headers.authorization])).toEqual([
      ['/openai/deployments/moons/chat/completions?api-version=2024-10-21', 'sk-vendor', undefined],
    ])
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual(body)
  })

  it('takes a deployment in the body as well, and passes its name on', async () => {
    const answer = stream([
      said('gpt-4o-2024-08-06'),
      chunk('gpt-4o-2024-08-06', { usage }),
      'data: [DONE]\n\n',
    ])
    const { url, secret, asked } = await atVendor('azure-openai', answer, { settings })
    const client = new OpenAI({ apiKey: secret, baseURL: `${url}/openai/v1` })
    const options = { stream_options: { include_obfuscation: false } }
    const events = await client.chat.completions.create({
      model: 'moons',
      messages,
      stream: true,
      ...options,
    })
    for await (const _ of events);
    expect(costs()).toEqual([['gpt-4o-2024-08-06', price, 'measured']])
    expect(asked[0]?.url).toBe('/openai/v1/chat/completions')
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      model: 'moons',
      stream_options: { include_usage: true, include_obfuscation: false },
    })
  })

  it('counts a reply without usage as the model behind the deployment', async () => {
    const answer = json(chat('gpt-4o-2024-08-06', {}, { usage: undefined }))
    const { url, secret } = await atVendor('azure-openai', answer, { settings })
    const client = new OpenAI({ apiKey: secret, baseURL: `${url}/openai/v1` })
    await client.chat.completions.create({ model: 'moons', messages })
    // 7 tokens of text and 7 around them; 2 of "Two.".
    expect(world.till[0]?.settlement.charges.map(({ quantity }) => quantity)).toEqual([13, 2])
    expect(world.till[0]?.settlement.note).not.toContain('fallback')
  })

  it('is unpriced without the map, so that a budget refuses it', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '1', window: { calendar: 'month' } }]
    const more = { settings: { pricesFrom: 'openai' }, limits }
    const { url, secret, asked } = await atVendor('azure-openai', json(chat('gpt-4o', usage)), more)
    const client = new OpenAI({ apiKey: secret, baseURL: `${url}/openai/v1` })
    const asking = client.chat.completions.create({ model: 'moons', messages })
    await expect(asking).rejects.toMatchObject({ status: 400 })
    expect(asked).toEqual([])
  })
})

describe('Bedrock', () => {
  const reply = {
    output: { message: { role: 'assistant', content: [{ text: 'Two.' }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 1000, cacheReadInputTokens: 2000, outputTokens: 100, totalTokens: 3100 },
  }
  const model = 'us.anthropic.claude-sonnet-5-v1:0'
  const settings = { pricesFrom: 'anthropic', models: { [model]: 'claude-sonnet-5' } }
  const body = JSON.stringify({
    messages: [{ role: 'user', content: [{ text: 'How many moons has Mars?' }] }],
    inferenceConfig: { maxTokens: 1000 },
  })

  it('is asked by Converse, with the model in the path, escaped or not', async () => {
    const { url, secret, asked } = await atVendor('bedrock', json(reply), { settings })
    for (const name of [model, encodeURIComponent(model)]) {
      const headers = { authorization: `Bearer ${secret}` }
      const answer = await fetch(`${url}/model/${name}/converse`, { method: 'POST', headers, body })
      expect(Number(answer.headers.get('octroi-quote-usd'))).toBeCloseTo((body.length * 2 + 10_000) / 1e6, 12)
    }
    expect(asked.map(({ url }) => url)).toEqual([
      `/model/${model}/converse`,
      `/model/${encodeURIComponent(model)}/converse`,
    ])
    // 1,000 at $2, 2,000 cached at $0.20, 100 out at $10, each a million.
    const booked = ['claude-sonnet-5', '0.0034', 'measured']
    expect(costs()).toEqual([booked, booked])
  })

  it('counts a reply without usage', async () => {
    const { url, secret } = await atVendor('bedrock', json({ ...reply, usage: undefined }), { settings })
    const headers = { authorization: `Bearer ${secret}` }
    await fetch(`${url}/model/${model}/converse`, { method: 'POST', headers, body })
    const [input, output] = world.till[0]?.settlement.charges.map(({ quantity }) => Number(quantity)) ?? []
    expect(input).toBeGreaterThan(8)
    expect(input).toBeLessThan(20)
    expect(output).toBe(3)
  })
})
