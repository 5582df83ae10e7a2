import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { manualClock, parseInstant } from '../time.ts'
import { conversation, post, upload } from './assistants.fixture.ts'
import { noon, openSandbox } from './sandbox.fixture.ts'

const hour = 3_600_000
const start_time = noon / 1000
const midnight = start_time - 12 * 3600
const messages = [{ role: 'user' as const, content: 'Hello' }]

/** Two calls at noon, one an hour later, one image and an embedding the day after. Each reply has 20 tokens. */
const busy = async () => {
  const clock = manualClock(noon)
  const { sandbox, client } = await openSandbox({ clock, outputTokens: 20 })
  await client.chat.completions.create({ model: 'gpt-4', messages })
  await client.chat.completions.create({ model: 'gpt-3.5-turbo', messages })
  clock.advance(hour)
  await client.chat.completions.create({ model: 'gpt-4', messages })
  clock.advance(24 * hour)
  await client.images.generate({ model: 'dall-e-3', prompt: 'A gate', n: 1 })
  await client.embeddings.create({ model: 'text-embedding-ada-002', input: 'Hello' })
  return { clock, sandbox, ask: asking(sandbox.baseUrl) }
}

type Page = {
  readonly object: string
  readonly data: readonly {
    readonly start_time: number
    readonly end_time: number
    readonly results: readonly Record<string, unknown>[]
  }[]
  readonly has_more: boolean
  readonly next_page: string | null
}

const asking = (baseURL: string, apiKey = 'sk-admin-test') => {
  const client = new OpenAI({ apiKey, baseURL, maxRetries: 0 })
  return (what: string, query: object = {}): Promise<Page> =>
    client.get(`/organization/${what}`, { query: { start_time, ...query } })
}

describe('the usage of completions', () => {
  it('is what was billed, by the day, with the fields of the vendor', async () => {
    const { ask } = await busy()
    const page = await ask('usage/completions')
    expect(page).toMatchObject({ object: 'page', has_more: false, next_page: null })
    expect(page.data).toHaveLength(2)
    expect(page.data[0]).toEqual({
      object: 'bucket',
      start_time: midnight,
      end_time: midnight + 86_400,
      results: [
        {
          object: 'organization.usage.completions.result',
          input_tokens: 24,
          input_cached_tokens: 0,
          input_cache_write_tokens: 0,
          input_uncached_tokens: 24,
          output_tokens: 60,
          input_text_tokens: 24,
          output_text_tokens: 60,
          input_audio_tokens: 0,
          output_audio_tokens: 0,
          num_model_requests: 3,
          project_id: null,
          user_id: null,
          api_key_id: null,
          model: null,
          batch: null,
          service_tier: null,
        },
      ],
    })
    expect(page.data[1]?.results).toEqual([])
  })

  it('is told by model and hour, or of some models only', async () => {
    const { ask } = await busy()
    const by = { bucket_width: '1h', group_by: ['model', 'project_id'] }
    const told = async (query: object) =>
      (await ask('usage/completions', { ...by, end_time: start_time + 7200, ...query })).data.map(
        ({ results }) =>
          results.map((row) => [row['model'], row['project_id'], row['input_tokens'], row['batch']]),
      )
    expect(await told({})).toEqual([
      [
        ['gpt-4-0613', 'proj_sandbox', 8, null],
        ['gpt-3.5-turbo-0613', 'proj_sandbox', 8, null],
      ],
      [['gpt-4-0613', 'proj_sandbox', 8, null]],
    ])
    expect(await told({ models: ['gpt-4-0613', 'x'] })).toEqual([
      [['gpt-4-0613', 'proj_sandbox', 8, null]],
      [['gpt-4-0613', 'proj_sandbox', 8, null]],
    ])
    expect(await told({ project_ids: ['proj_other'] })).toEqual([[], []])
    expect(await told({ batch: true })).toEqual([[], []])
  })

  it('comes in pages that lose nothing and repeat nothing', async () => {
    const { ask } = await busy()
    const starts: number[] = []
    let [tokens, page]: [number, string | null] = [0, null]
    do {
      const query = { bucket_width: '1h', limit: 4, ...(page !== null && { page }) }
      const { data, has_more, next_page } = await ask('usage/completions', query)
      for (const { start_time: from, results } of data) {
        starts.push(from)
        for (const row of results) tokens += Number(row['input_tokens'])
      }
      expect(has_more).toBe(next_page !== null)
      page = next_page
    } while (page !== null)
    expect(tokens).toBe(24)
    expect(starts).toEqual(Array.from({ length: 26 }, (_, index) => start_time + index * 3600))
  })

  it('begins and ends where it is told to: the start counts, the end does not', async () => {
    const { ask } = await busy()
    const count = async (query: object) =>
      (await ask('usage/completions', { bucket_width: '1m', ...query })).data.flatMap(
        ({ results }) => results,
      ).length
    expect(await count({ end_time: start_time + 3600 })).toBe(1)
    expect(await count({ start_time: start_time + 3600, end_time: start_time + 3601 })).toBe(1)
    expect(await count({ start_time: start_time + 3660, end_time: start_time + 7200 })).toBe(0)
  })
})

it('is read by the official client', async () => {
  const { sandbox } = await busy()
  const client = new OpenAI({
    apiKey: 'none',
    adminAPIKey: 'sk-admin-test',
    baseURL: sandbox.baseUrl,
    maxRetries: 0,
  })
  const usage = await client.admin.organization.usage.completions({ start_time, group_by: ['model'] })
  expect(usage.data[0]?.results).toMatchObject([
    { model: 'gpt-4-0613', num_model_requests: 2 },
    { model: 'gpt-3.5-turbo-0613', num_model_requests: 1 },
  ])
  const costs = await client.admin.organization.usage.costs({ start_time, group_by: ['line_item'] })
  expect(costs.data[1]?.results).toHaveLength(2)
})

describe('the other routes', () => {
  it('tell images by size and source, and embeddings apart from completions', async () => {
    const { ask } = await busy()
    const images = await ask('usage/images', { group_by: ['size', 'source', 'model'] })
    expect(images.data[1]?.results).toMatchObject([
      { images: 1, num_model_requests: 1, size: '1024x1024', source: 'image.generation', model: 'dall-e-3' },
    ])
    const embeddings = await ask('usage/embeddings', { group_by: ['model'] })
    expect(embeddings.data[1]?.results).toMatchObject([
      { object: 'organization.usage.embeddings.result', input_tokens: 1, num_model_requests: 1 },
    ])
  })

  it.each(['moderations', 'audio_speeches', 'audio_transcriptions', 'code_interpreter_sessions'])(
    'are empty where nothing was used: %s',
    async (what) => {
      const { ask } = await busy()
      expect((await ask(`usage/${what}`)).data.flatMap(({ results }) => results)).toEqual([])
    },
  )

  it('tell spoken characters and heard seconds', async () => {
    const { sandbox, client } = await openSandbox({ clock: manualClock(noon) })
    await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello' })
    const ask = asking(sandbox.baseUrl)
    expect((await ask('usage/audio_speeches')).data[0]?.results).toMatchObject([
      { characters: 5, num_model_requests: 1, model: null },
    ])
  })
})

describe('the costs', () => {
  it('of a day are those of the books, whole and by line item', async () => {
    const { ask, sandbox } = await busy()
    const whole = await ask('costs')
    // gpt-4: 16 in at 0.03, 40 out at 0.06 a thousand; gpt-3.5-turbo: 8 at 0.0015, 20 at 0.002.
    expect(whole.data[0]?.results).toEqual([
      {
        object: 'organization.costs.result',
        amount: { value: 0.002_932, currency: 'usd' },
        line_item: null,
        project_id: null,
        api_key_id: null,
        quantity: null,
        quantity_unit: null,
      },
    ])
    const days = await ask('costs', { group_by: ['line_item', 'project_id'] })
    expect(
      days.data.map(({ results }) =>
        results.map((row) => [row['line_item'], row['quantity'], row['quantity_unit'], row['amount']]),
      ),
    ).toEqual([
      [
        ['gpt-3.5-turbo-0613, input', 8, 'tokens', { value: 0.000_012, currency: 'usd' }],
        ['gpt-3.5-turbo-0613, output', 20, 'tokens', { value: 0.000_04, currency: 'usd' }],
        ['gpt-4-0613, input', 16, 'tokens', { value: 0.000_48, currency: 'usd' }],
        ['gpt-4-0613, output', 40, 'tokens', { value: 0.0024, currency: 'usd' }],
      ],
      [
        ['dall-e-3, images', 1, 'images', { value: 0.04, currency: 'usd' }],
        ['text-embedding-ada-002, input', 1, 'tokens', { value: 0.000_000_1, currency: 'usd' }],
      ],
    ])
    const sum = whole.data.flatMap(({ results }) =>
      results.map((row) => (row['amount'] as { value: number }).value),
    )
    expect(sum.reduce((a, b) => a + b, 0)).toBeCloseTo(Number(sandbox.total().amount), 12)
  })

  it('have the storage of each day, which sums to that of the books', async () => {
    const clock = manualClock(parseInstant('2024-03-05T12:00:00Z'))
    const { sandbox, client } = await openSandbox({ clock })
    const at = await conversation(client, { tools: [{ type: 'retrieval' }] })
    const file = await upload(client, 'x'.repeat(2 ** 20))
    await post(client, `/assistants/${at.assistant}/files`, { file_id: file })
    clock.advance(60 * hour)
    const page = await asking(sandbox.baseUrl)('costs', {
      start_time: parseInstant('2024-03-05') / 1000,
      group_by: ['line_item'],
    })
    const rows = page.data.flatMap(({ results }) => results)
    expect(rows.map((row) => [row['line_item'], row['quantity'], row['quantity_unit']])).toEqual([
      ['retrieval storage', 12 / 1024, 'gibibyte_hours'],
      ['retrieval storage', 24 / 1024, 'gibibyte_hours'],
      ['retrieval storage', 24 / 1024, 'gibibyte_hours'],
    ])
    // A mebibyte for two and a half days at 0.20 a gigabyte and day.
    const sum = rows.reduce((total, row) => total + (row['amount'] as { value: number }).value, 0)
    expect(sum).toBeCloseTo((2.5 * 0.2) / 1024, 11)
    expect(sum).toBeCloseTo(Number(sandbox.total().amount), 11)
  })

  it('has nothing of another project', async () => {
    const { ask } = await busy()
    const page = await ask('costs', { project_ids: ['proj_other'] })
    expect(page.data.flatMap(({ results }) => results)).toEqual([])
  })
})

describe('what is refused', () => {
  it.each([
    ['usage/completions', { start_time: undefined }, "'start_time' is required"],
    ['usage/completions', { start_time: 'soon' }, "'start_time' must be a whole number"],
    ['usage/completions', { start_time: '-1' }, "'start_time' must be a whole number"],
    ['usage/completions', { end_time: start_time }, "'end_time' must come after start_time"],
    ['usage/completions', { bucket_width: '1w' }, "'bucket_width' must be one of 1m, 1h, 1d, not '1w'"],
    ['costs', { bucket_width: '1h' }, "'bucket_width' must be one of 1d"],
    ['usage/completions', { limit: 32 }, "'limit' must be a whole number from 1 to 31"],
    ['usage/completions', { limit: 0 }, "'limit' must be"],
    ['costs', { limit: 181 }, "'limit' must be a whole number from 1 to 180"],
    ['usage/embeddings', { group_by: ['size'] }, "'group_by' must be among"],
    ['costs', { group_by: ['model'] }, "'group_by' must be among project_id, line_item, api_key_id"],
    ['usage/completions', { page: 'page_none' }, "'page' is not one that was given out"],
    ['usage/completions', { page: '2' }, "'page' is not one that was given out"],
  ])('%s with %j', async (what, query, said) => {
    const { sandbox } = await openSandbox({ clock: manualClock(noon) })
    await expect(asking(sandbox.baseUrl)(what, query)).rejects.toThrow(said)
  })

  it('a key that is no admin key, and an admin key that is not known', async () => {
    const { sandbox } = await openSandbox({ apiKeys: ['sk-test'], adminKeys: ['sk-admin-right'] })
    for (const key of ['sk-test', 'sk-admin-wrong']) {
      await expect(asking(sandbox.baseUrl, key)('costs')).rejects.toMatchObject({ status: 403 })
    }
    expect(await asking(sandbox.baseUrl, 'sk-admin-right')('costs')).toMatchObject({ object: 'page' })
    const { sandbox: open } = await openSandbox()
    await expect(asking(open.baseUrl, 'sk-test')('costs')).rejects.toThrow('Missing scopes: api.usage.read')
  })
})
