import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { day, midnight, openServed, report } from './bill.fixture.ts'

const usage = (kind: string, query = '') => `/v1/organization/usage/${kind}?start_time=${midnight}${query}`
const costs = (query = '') => `/v1/organization/costs?start_time=${midnight}${query}`

/** The results of the only bucket. */
const results = async (sandbox: Parameters<typeof report>[0], path: string) => {
  const { page } = await report(sandbox, path)
  return page.data[0].results
}

describe("OpenAI's usage of completions", () => {
  it('tells what was cached apart from what was not, by model, tier, project and key', async () => {
    const { sandbox } = await openServed()
    const groups = ['model', 'service_tier', 'batch', 'project_id', 'api_key_id', 'user_id']
    const { page } = await report(
      sandbox,
      usage('completions', groups.map((group) => `&group_by=${group}`).join('')),
    )
    expect(page).toMatchObject({ object: 'page', has_more: false, next_page: null })
    expect(page.data).toEqual([
      {
        object: 'bucket',
        start_time: midnight,
        end_time: midnight + 86_400,
        results: [
          {
            object: 'organization.usage.completions.result',
            // Twice 1,513, of which the second call read 1,408.
            input_tokens: 3026,
            input_cached_tokens: 1408,
            input_cache_write_tokens: 0,
            input_uncached_tokens: 1618,
            output_tokens: 200,
            input_text_tokens: 1618,
            input_cached_text_tokens: 1408,
            input_audio_tokens: 0,
            input_cached_audio_tokens: 0,
            input_image_tokens: 0,
            input_cached_image_tokens: 0,
            output_text_tokens: 200,
            output_audio_tokens: 0,
            output_image_tokens: 0,
            num_model_requests: 2,
            project_id: 'proj_a',
            user_id: null,
            api_key_id: sandbox.calls()[0]?.apiKey,
            model: 'gpt-4o',
            batch: false,
            service_tier: 'default',
          },
        ],
      },
    ])
  })

  it('counts a call in the hour in which it was billed, and every hour of the day sums to the day', async () => {
    const { sandbox, clock, ask } = await openServed()
    clock.advance(3_600_000)
    await ask()
    const { page } = await report(sandbox, usage('completions', '&bucket_width=1h'))
    const requests = page.data.map((bucket: { results: readonly { num_model_requests: number }[] }) =>
      bucket.results.map((each) => each.num_model_requests),
    )
    expect(requests).toEqual([...Array.from({ length: 12 }, () => []), [2], [1]])
    expect(await results(sandbox, usage('completions'))).toMatchObject([{ num_model_requests: 3 }])
  })

  it('is filtered by model, project, key and batch', async () => {
    const { sandbox } = await openServed()
    const found = async (query: string) => (await results(sandbox, usage('completions', query))).length
    expect(await found('&models=gpt-4o&project_ids=proj_a&batch=false')).toBe(1)
    expect(await found(`&api_key_ids=${sandbox.calls()[0]?.apiKey}`)).toBe(1)
    for (const query of ['&models=gpt-4', '&project_ids=proj_b', '&api_key_ids=key_x', '&batch=true']) {
      expect(await found(query)).toBe(0)
    }
  })

  it('tells the tier, and the project that a request named', async () => {
    const { sandbox, openai } = await openServed()
    await openai.chat.completions.create(
      { model: 'gpt-5', service_tier: 'flex', messages: [{ role: 'user', content: 'Hello' }] },
      { headers: { 'openai-project': 'proj_b' } },
    )
    const rows = await results(
      sandbox,
      usage('completions', '&group_by=service_tier&group_by=project_id&models=gpt-5-2025-08-07'),
    )
    expect(rows).toMatchObject([{ service_tier: 'flex', project_id: 'proj_b', num_model_requests: 1 }])
    const lines = sandbox.bill.lines().filter(({ project }) => project === 'proj_b')
    expect(lines.map(({ lineItem }) => lineItem)).toEqual([
      'gpt-5-2025-08-07, flex input',
      'gpt-5-2025-08-07, flex output',
    ])
  })
})

it('has ten routes of usage, each read by the official client, and empty where nothing was used', async () => {
  const { sandbox, openai } = await openServed()
  await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'Hello' })
  await openai.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello' })
  await openai.responses.create({ model: 'gpt-5', input: '[search]', tools: [{ type: 'web_search' }] })
  sandbox.bill.faults.add(
    ...(['file_search_call', 'code_interpreter_session', 'image', 'file_search_gb_day'] as const).map(
      (meter) =>
        ({ kind: 'outside', day, provider: 'openai', model: 'dall-e-3', usage: { [meter]: 2 } }) as const,
    ),
  )
  const client = new OpenAI({ adminAPIKey: 'sk-admin-test', baseURL: sandbox.baseUrl, maxRetries: 0 })
  const told = client.admin.organization.usage
  const query = { start_time: midnight }
  const first = async (page: Promise<{ data: { results: unknown[] }[] }>) => (await page).data[0]?.results
  expect(await first(told.completions(query))).toMatchObject([{ num_model_requests: 3 }])
  expect(await first(told.embeddings(query))).toMatchObject([{ input_tokens: 1, num_model_requests: 1 }])
  expect(await first(told.moderations(query))).toEqual([])
  expect(await first(told.images(query))).toMatchObject([{ images: 2, num_model_requests: 1 }])
  expect(await first(told.audioSpeeches(query))).toMatchObject([{ characters: 5, num_model_requests: 1 }])
  expect(await first(told.audioTranscriptions(query))).toEqual([])
  expect(await first(told.vectorStores(query))).toMatchObject([{ usage_bytes: 2 ** 31 }])
  expect(await first(told.codeInterpreterSessions(query))).toMatchObject([{ num_sessions: 2 }])
  expect(await results(sandbox, usage('file_search_calls'))).toMatchObject([
    { object: 'organization.usage.file_searches.result', num_requests: 2, vector_store_id: null },
  ])
  expect(await results(sandbox, usage('web_search_calls', '&group_by=model'))).toMatchObject([
    {
      object: 'organization.usage.web_searches.result',
      num_model_requests: 1,
      num_requests: 1,
      model: 'gpt-5-2025-08-07',
    },
  ])
  const page = await told.costs({ ...query, group_by: ['line_item'] })
  expect(page.data[0]?.results).toContainEqual(
    expect.objectContaining({ line_item: 'tts-1, speech', quantity: 5, quantity_unit: 'characters' }),
  )
})

describe("OpenAI's costs", () => {
  it('are those of the books, whole and by line item, with quantities', async () => {
    const { sandbox } = await openServed()
    // 0.004045 + 0.00176 + 0.002: 1,618 at 2.50, 1,408 at 1.25 and 200 at 10 dollars a million.
    expect(await results(sandbox, costs())).toEqual([
      {
        object: 'organization.costs.result',
        amount: { value: 0.007_805, currency: 'usd' },
        line_item: null,
        project_id: null,
        api_key_id: null,
        quantity: null,
        quantity_unit: null,
      },
    ])
    const rows = await results(sandbox, costs('&group_by=line_item&group_by=project_id'))
    expect(
      rows.map((row: Record<string, unknown>) => [
        ...[row['line_item'], row['quantity'], row['quantity_unit'], row['project_id']],
        ...[row['amount'], row['api_key_id']],
      ]),
    ).toEqual([
      ['gpt-4o, cached input', 1408, 'tokens', 'proj_a', { value: 0.001_76, currency: 'usd' }, null],
      ['gpt-4o, input', 1618, 'tokens', 'proj_a', { value: 0.004_045, currency: 'usd' }, null],
      ['gpt-4o, output', 200, 'tokens', 'proj_a', { value: 0.002, currency: 'usd' }, null],
    ])
    expect(await results(sandbox, costs('&project_ids=proj_b'))).toEqual([])
  })

  it('are written with all their digits, more than a number of JavaScript has', async () => {
    const { sandbox } = await openServed({
      bill: [
        {
          kind: 'outside',
          ...{ day, provider: 'openai', model: 'gpt-4o', project: 'proj_c' },
          usage: { input_text_tokens: 123_456_789_012_345 },
        },
        { kind: 'wrong-price', project: 'proj_c', factor: '1.000000001' },
      ],
    })
    const { text } = await report(sandbox, costs('&project_ids=proj_c'))
    // 308641972.5308625 and a billionth of it, to 12 places.
    expect(text).toContain('"value": 308641972.839504472531,')
  })

  it('come in pages of days', async () => {
    const { sandbox, clock, ask } = await openServed()
    clock.advance(86_400_000)
    await ask()
    const first = await report(sandbox, costs('&limit=1'))
    expect(first.page).toMatchObject({ has_more: true, data: [{ start_time: midnight }] })
    const second = await report(sandbox, costs(`&limit=1&page=${first.page.next_page}`))
    expect(second.page).toMatchObject({
      has_more: false,
      data: [{ start_time: midnight + 86_400, results: [{ amount: { currency: 'usd' } }] }],
    })
  })
})

describe('what OpenAI refuses', () => {
  it.each([
    ['/v1/organization/usage/completions', "'start_time' is required"],
    [usage('completions', '&limit=32'), "'limit' must be a whole number from 1 to 31"],
    [usage('completions', '&bucket_width=1h&limit=169'), "'limit' must be a whole number from 1 to 168"],
    [costs('&bucket_width=1h'), "'bucket_width' must be one of 1d"],
    [costs('&group_by=model'), "'group_by' must be among project_id, line_item, api_key_id"],
  ])('%s', async (path, said) => {
    const { sandbox } = await openServed()
    const { status, page } = await report(sandbox, path)
    expect([status, page.error.type]).toEqual([400, 'invalid_request_error'])
    expect(page.error.message).toContain(said)
  })

  it('a key that is no admin key', async () => {
    const { sandbox } = await openServed({ adminKeys: ['sk-admin-right'] })
    expect((await report(sandbox, costs(), { key: 'sk-test' })).status).toBe(403)
    expect((await report(sandbox, costs(), { key: 'sk-admin-right' })).status).toBe(200)
  })
})
