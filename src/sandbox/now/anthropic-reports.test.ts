import { describe, expect, it } from 'vitest'
import { openServed, report } from './bill.fixture.ts'

const key = 'sk-ant-admin-test'
const from = 'starting_at=2026-11-25T00:00:00Z'
const usage = (query = '') => `/anthropic/v1/organizations/usage_report/messages?${from}${query}`
const costs = (query = '') => `/anthropic/v1/organizations/cost_report?${from}${query}`
const ask = (sandbox: Parameters<typeof report>[0], path: string) => report(sandbox, path, { key })

/** A message with a long system prompt, which is kept for an hour. */
const cached = {
  model: 'claude-haiku-4-5',
  max_tokens: 200,
  system: [
    {
      type: 'text' as const,
      text: 'word '.repeat(5000),
      cache_control: { type: 'ephemeral' as const, ttl: '1h' as const },
    },
  ],
  messages: [{ role: 'user' as const, content: 'Hello' }],
}

describe("Anthropic's usage report", () => {
  it('tells disjoint classes of tokens as the replies did', async () => {
    const { sandbox, anthropic } = await openServed({ projects: { 'sk-ant-test': 'wrkspc_a' } })
    const first = await anthropic.messages.create(cached)
    const second = await anthropic.messages.create(cached)
    const written = first.usage.cache_creation?.ephemeral_1h_input_tokens ?? 0
    expect(written).toBeGreaterThan(4096)
    expect(second.usage.cache_read_input_tokens).toBe(written)
    const groups = ['model', 'service_tier', 'workspace_id', 'api_key_id', 'context_window', 'inference_geo']
    const { page } = await ask(sandbox, usage(groups.map((group) => `&group_by[]=${group}`).join('')))
    expect(page).toEqual({
      data: [
        {
          starting_at: '2026-11-25T00:00:00Z',
          ending_at: '2026-11-26T00:00:00Z',
          results: [
            {
              uncached_input_tokens: 11 + first.usage.input_tokens + second.usage.input_tokens,
              cache_creation: { ephemeral_1h_input_tokens: written, ephemeral_5m_input_tokens: 0 },
              cache_read_input_tokens: written,
              output_tokens: 300,
              server_tool_use: { web_search_requests: 0 },
              account_id: null,
              api_key_id: sandbox.calls().at(-1)?.apiKey,
              context_window: '0-200k',
              inference_geo: 'not_available',
              model: 'claude-haiku-4-5-20251001',
              service_account_id: null,
              service_tier: 'standard',
              speed: null,
              workspace_id: 'wrkspc_a',
            },
          ],
        },
      ],
      has_more: false,
      next_page: null,
    })
  })

  it('has empty buckets, oldest first, in pages', async () => {
    const { sandbox } = await openServed()
    const first = await ask(sandbox, usage('&bucket_width=1h&limit=12'))
    expect(first.page.data).toHaveLength(12)
    expect(first.page.data.every(({ results }: { results: [] }) => results.length === 0)).toBe(true)
    const second = await ask(sandbox, usage(`&bucket_width=1h&page=${first.page.next_page}`))
    expect(second.page).toMatchObject({
      data: [{ starting_at: '2026-11-25T12:00:00Z', results: [{ uncached_input_tokens: 11 }] }],
      has_more: false,
    })
  })

  it('is filtered by model and workspace', async () => {
    const { sandbox } = await openServed()
    const found = async (query: string) => (await ask(sandbox, usage(query))).page.data[0].results.length
    expect(await found('&models[]=claude-haiku-4-5-20251001')).toBe(1)
    expect(await found('&models[]=claude-opus-5-5')).toBe(0)
    expect(await found('&workspace_ids[]=wrkspc_b')).toBe(0)
  })
})

describe("Anthropic's cost report", () => {
  it('tells cents as decimal texts, by description with what it is made of', async () => {
    const { sandbox } = await openServed()
    const whole = await ask(sandbox, costs())
    // 11 tokens at 1 dollar and 100 at 5 dollars a million: 0.000511 dollars.
    expect(whole.page.data[0].results).toMatchObject([{ amount: '0.0511', currency: 'USD', model: null }])
    const { page } = await ask(sandbox, costs('&group_by[]=description&group_by[]=workspace_id'))
    expect(page.data[0].results).toEqual([
      {
        currency: 'USD',
        amount: '0.0011',
        workspace_id: null,
        description: 'claude-haiku-4-5-20251001 Usage - Input Tokens',
        cost_type: 'tokens',
        model: 'claude-haiku-4-5-20251001',
        service_tier: 'standard',
        token_type: 'uncached_input_tokens',
        context_window: '0-200k',
        inference_geo: 'not_available',
      },
      expect.objectContaining({ amount: '0.05', token_type: 'output_tokens' }),
    ])
  })
})

describe('what Anthropic refuses', () => {
  it.each([
    ['/anthropic/v1/organizations/cost_report', 'starting_at: Field required'],
    [costs('&bucket_width=1h'), "bucket_width: Input should be '1d'"],
    [costs('&limit=32'), 'limit: Input should be a whole number from 1 to 31'],
    [costs('&group_by[]=model'), "group_by: Input should be 'workspace_id', 'description'"],
    [costs('&page=none'), 'page: Invalid page token'],
    [costs('&ending_at=2026-11-25T00:00:00Z'), 'ending_at: must be after starting_at'],
    [costs('&ending_at=soon'), 'ending_at: Input should be a valid datetime'],
  ])('%s', async (path, message) => {
    const { sandbox } = await openServed()
    const { status, page } = await ask(sandbox, path)
    expect(status).toBe(400)
    expect(page).toMatchObject({ type: 'error', error: { type: 'invalid_request_error', message } })
  })

  it('a key that is no admin key', async () => {
    const { sandbox } = await openServed({ adminKeys: ['sk-ant-admin-right'] })
    for (const wrong of ['sk-ant-test', 'sk-ant-admin-wrong']) {
      const { status, page } = await report(sandbox, costs(), { key: wrong })
      expect([status, page.error.type]).toEqual([401, 'authentication_error'])
    }
    expect((await report(sandbox, costs(), { key: 'sk-ant-admin-right' })).status).toBe(200)
  })
})
