import { describe, expect, it } from 'vitest'
import { transparentPng } from '../../test/support/pictures.ts'
import { providers } from '../providers/index.gen.ts'
import { parseInstant } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import type { ReplyWire, Surroundings } from './endpoint.ts'
import type { Json } from './json.ts'

const wireOf = (): ReplyWire => {
  const routes = providers['anthropic']?.endpoints.flatMap((endpoint) => endpoint.routes) ?? []
  for (const route of routes) if (route.billing === 'reply') return route.wire
  throw new Error('no route of Anthropic tells its cost')
}

const wire = wireOf()

const around: Surroundings = {
  provider: 'anthropic',
  model: 'claude-sonnet-5',
  at: parseInstant('2026-09-01'),
  bodyBytes: 1000,
  contextWindow: 200_000,
  outputTokensMax: 64_000,
  objects: {},
}

const asking = (more: object, content: Json = 'How many moons has Mars?'): Json => ({
  model: 'claude-sonnet-5',
  max_tokens: 500,
  messages: [{ role: 'user', content }],
  ...more,
})

const bounds = (request: Json, more: Partial<Surroundings> = {}) =>
  wire.bound(request, { ...around, ...more })
const mosts = (request: Json, more: Partial<Surroundings> = {}) =>
  bounds(request, more).map(({ most }) => most)

const image = (data: string) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } })

describe('the bound of messages', () => {
  it('is a token a byte in, and max_tokens out, thinking included', () => {
    expect(mosts(asking({}))).toEqual([1000, 500])
    expect(mosts(asking({ thinking: { type: 'enabled', budget_tokens: 400 } }))).toEqual([1000, 500])
    expect(mosts(asking({ max_tokens: undefined }))).toEqual([1000, 64_000])
    expect(mosts(asking({}), { bodyBytes: 900_000 })).toEqual([200_000, 500])
  })

  it('has room for the prompt that tells the model of its tools', () => {
    const tools = [{ name: 'moons', input_schema: {} }]
    expect(mosts(asking({ tools }))).toEqual([2024, 500])
  })

  it('takes an image by its size: 280 x 280 pixels are 10 x 10 patches', () => {
    const data = transparentPng(280).toString('base64')
    const characters = data.length + 'data:image/png;base64,'.length
    const bodyBytes = 1000 + characters
    expect(mosts(asking({}, [image(data)]), { bodyBytes })).toEqual([1100, 500])
    const inResult = [{ type: 'tool_result', tool_use_id: 't', content: [image(data)] }]
    expect(mosts(asking({}, inResult), { bodyBytes })).toEqual([1100, 500])
  })

  it('is the window for a document, whose text has no bound, and for what only the vendor can read', () => {
    for (const block of [
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0' } },
      { type: 'document', source: { type: 'file', file_id: 'file_1' } },
      { type: 'web_search_tool_result', content: [{ type: 'web_search_result', encrypted_content: 'a' }] },
    ]) {
      expect(mosts(asking({}, [block]))).toEqual([200_000, 500])
    }
    const plain = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Phobos' } }
    expect(mosts(asking({}, [plain]))).toEqual([1000, 500])
  })

  it('is nothing where nobody knows the window either', () => {
    const [input] = bounds(asking({ tools: [{ type: 'bash_20250124', name: 'bash' }] }), {
      contextWindow: null,
    })
    expect(input).toMatchObject({ most: null, reason: expect.stringContaining('not published') })
  })

  it('says under which lifetimes something may be written to the cache', () => {
    const metersOf = (request: Json) => bounds(request)[0]?.meters
    const plain = ['input_text_tokens', 'cached_input_tokens']
    const mark = { cache_control: { type: 'ephemeral' } }
    const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } }
    expect(metersOf(asking({}))).toEqual(plain)
    expect(metersOf(asking(mark))).toEqual([...plain, 'cache_write_5m_tokens'])
    expect(metersOf(asking({ system: [{ type: 'text', text: 'a', ...mark }] }))).toEqual([
      ...plain,
      'cache_write_5m_tokens',
    ])
    const tools = [{ name: 'moons', input_schema: {}, ...hour }]
    expect(metersOf(asking({ tools }))).toEqual([...plain, 'cache_write_5m_tokens', 'cache_write_1h_tokens'])
    const result = [
      { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'a', ...hour }] },
    ]
    expect(metersOf(asking({}, result))).toContain('cache_write_1h_tokens')
  })

  it('is of fast mode and of a geography where the request says so', () => {
    const request = asking({ speed: 'fast', inference_geo: 'us' })
    expect(wire.read(request, {}).tier).toBe('fast')
    expect(bounds(request).map(({ attributes }) => attributes)).toEqual([
      { inference_geo: 'us' },
      { inference_geo: 'us' },
    ])
  })

  it('takes as many passes over the window as tools of the vendor may be used, and one more', () => {
    const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 3 }
    const fetch = { type: 'web_fetch_20250910', name: 'web_fetch', max_uses: 1 }
    expect(bounds(asking({ tools: [search, fetch] })).map(({ meters, most }) => [meters[0], most])).toEqual([
      ['input_text_tokens', 1_000_000],
      ['output_text_tokens', 2500],
      ['web_search_call', 3],
      ['web_fetch_call', 1],
    ])
  })

  it.each([
    ['a search without a limit', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    [
      'a search that runs code',
      { tools: [{ type: 'web_search_20260209', name: 'web_search', max_uses: 1 }] },
    ],
    ['the execution of code', { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }],
    ['an MCP server', { mcp_servers: [{ type: 'url', url: 'https://a.test', name: 'a' }] }],
    ['another model that may answer', { fallbacks: 'default' }],
    ['a compaction', { context_management: { edits: [{ type: 'compact_20260112' }] } }],
  ])('does not exist for %s', (_, more) => {
    const [input, output] = bounds(asking(more))
    expect([input?.most, output?.most]).toEqual([null, null])
    expect(input?.reason).not.toBe('')
  })
})

describe('a request of messages', () => {
  it('names its end user, who is no tag', () => {
    expect(wire.read(asking({ metadata: { user_id: 'u-1' }, stream: true }), {})).toEqual({
      ...{ model: 'claude-sonnet-5', stream: true, tier: null, endUser: 'u-1', tags: {} },
    })
  })

  it('sends again what stands before the messages after the last reply', () => {
    const messages = [
      { role: 'user', content: 'abcd' },
      { role: 'assistant', content: [{ type: 'text', text: 'ef' }] },
      { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', text: 'ghi' }] }] },
    ]
    expect(wire.history(asking({ system: 'xy', messages }))).toEqual({ resent: 6, total: 11 })
  })

  it('is counted with its images, and its reply by the same ratio', async () => {
    const counting = { ...around, counter: await loadEncoding('o200k_base') }
    const data = transparentPng(280).toString('base64')
    const text = wire.count(asking({}), ['Two.'], counting)
    const seen = wire.count(
      asking({}, [{ type: 'text', text: 'How many moons has Mars?' }, image(data)]),
      [],
      counting,
    )
    expect(text.usage).toEqual({ input_text_tokens: 12, output_text_tokens: 3 })
    expect(seen.usage.input_text_tokens).toBe(112)
  })
})
