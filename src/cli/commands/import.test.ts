import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openDataFolder } from '../../gateway/data-folder.ts'
import { openLedger } from '../../ledger/ledger.ts'
import { formatPicos } from '../../money/money.ts'
import { parseInstant } from '../../time.ts'
import {
  bucket,
  completions,
  day,
  openImports,
  page,
  runImportCommand,
  type Said,
} from '../import.fixture.ts'

let imports: Awaited<ReturnType<typeof openImports>>
const importing = (...asked: Parameters<typeof imports.importing>) => imports.importing(...asked)
const linesOf = () => imports.linesOf()
beforeEach(async () => {
  imports = await openImports()
})

describe("OpenAI's usage", () => {
  it('is told apart into meters that count nothing twice', async () => {
    const counts = {
      input_tokens: 1000,
      input_cached_tokens: 400,
      input_cache_write_tokens: 100,
      input_uncached_tokens: 500,
      output_tokens: 70,
      output_audio_tokens: 20,
    }
    await importing('openai-usage', page([bucket([completions(counts)])]))
    const [line] = await linesOf()
    expect(line?.reported.usage).toEqual([
      { meter: 'input_text_tokens', quantity: 500 },
      { meter: 'cached_input_tokens', quantity: 400 },
      { meter: 'cache_write_tokens', quantity: 100 },
      { meter: 'output_text_tokens', quantity: 50 },
      { meter: 'output_audio_tokens', quantity: 20 },
    ])
    expect(line).toMatchObject({ calls: 5, model: 'gpt-4o-2024-08-06', reported: { project: 'proj_1' } })
  })

  it('names what has no price, and exits with 4', async () => {
    const result = { ...completions({ input_tokens: 10, output_tokens: 5 }), model: 'gpt-unheard-of' }
    const { exit, err, said } = await importing('openai-usage', page([bucket([result])]))
    expect({ exit, said }).toMatchObject({
      exit: 4,
      said: { written: 1, unpriced: [{ quantity: '10' }, { quantity: '5' }] },
    })
    expect(err).toContain('no price: openai gpt-unheard-of: 10 input_text_tokens')
  })

  it('belongs to whom its projects and keys are mapped', async () => {
    const map = join(imports.folder, 'map.json')
    await writeFile(map, JSON.stringify({ proj_1: { team: 'search', environment: 'production' } }))
    await importing(
      'openai-usage',
      page([bucket([completions({ input_tokens: 1, output_tokens: 1 })])]),
      '--map',
      map,
    )
    expect(await linesOf()).toMatchObject([
      { owner: { team: 'search', environment: 'production', project: null } },
    ])
  })

  it('takes the place of what was reported before, and withdraws what is reported no more', async () => {
    const [a, b] = [
      completions({ input_tokens: 10, output_tokens: 1 }),
      completions({ input_tokens: 7, output_tokens: 1 }),
    ]
    const other = { ...b, project_id: 'proj_2' }
    expect((await importing('openai-usage', page([bucket([a, other])]))).said).toMatchObject({ written: 2 })
    const restated = { ...a, input_tokens: 12 }
    const again = await importing('openai-usage', page([bucket([restated])]))
    expect(again.said).toMatchObject({ written: 0, repeated: 0, replaced: 1, withdrawn: 1 })
    expect((await linesOf()).map(({ reported, calls }) => [reported.usage[0]?.quantity, calls])).toEqual([
      [12, 5],
      [undefined, 0],
    ])
    const third = await importing('openai-usage', page([bucket([restated])]))
    expect(third.said).toMatchObject({ written: 0, repeated: 1, replaced: 0, withdrawn: 0 })
  })

  it('changes nothing in a period that is closed', async () => {
    const line = completions({ input_tokens: 10, output_tokens: 1 })
    await importing('openai-usage', page([bucket([line])]))
    const data = await openDataFolder(imports.data)
    const ledger = openLedger(data.database)
    const period = { from: parseInstant('2026-03-01'), to: parseInstant('2026-04-01') }
    await ledger.closePeriod({ at: period.to, provider: 'openai', ...period, totals: [], note: null })
    await ledger.close()
    expect((await importing('openai-usage', page([bucket([line])]))).said).toMatchObject({ repeated: 1 })
    const { exit, err } = await importing('openai-usage', page([bucket([{ ...line, input_tokens: 11 }])]))
    expect(exit).toBe(1)
    expect(err).toContain('period_closed')
    expect((await linesOf())[0]?.reported.usage[0]?.quantity).toBe(10)
  })

  it.each([
    ['{', 'report: this is not JSON'],
    ['', 'report: the file is empty'],
    ['{"object":"list"}', 'data: a list of buckets was expected'],
    [page([{ ...bucket([]), end_time: day }]), 'data[0].end_time: the bucket ends before it begins'],
    [page([bucket([{ object: 'x' }])]), 'data[0].results[0].object: "x" is no result'],
    [
      page([bucket([completions({ input_tokens: 3, input_cached_tokens: 4, output_tokens: 1 })])]),
      'do not add up',
    ],
    [
      page([bucket([{ ...completions({ input_tokens: 3, output_tokens: 1 }), model: null }])]),
      'group_by=model',
    ],
    [page([bucket([])], 'page_2'), 'The report is not whole'],
    [
      `[${page([bucket([completions({ input_tokens: 1, output_tokens: 1 })], day + 86_400)])},${page([bucket([completions({ input_tokens: 1, output_tokens: 1 })])])}]`,
      'buckets are out of order, or told twice',
    ],
  ])('is refused where it cannot be read: %s', async (text, said) => {
    const { exit, err } = await importing('openai-usage', text)
    expect(err).toContain(said)
    expect(exit).toBe(2)
  })
})

describe('bills', () => {
  it('of OpenAI are read digit by digit, also where a number is too small for decimals', async () => {
    const cost = (value: string) =>
      `{"object":"organization.costs.result","amount":{"value":${value},"currency":"usd"},"line_item":"gpt-4o, input","project_id":null}`
    const text = page([bucket([])]).replace(
      '"results":[]',
      `"results":[${cost('1.05e-5')},${cost('0.1')},${cost('0.2')}]`,
    )
    const { said } = await importing('openai-costs', text)
    expect(said).toMatchObject({
      read: 3,
      written: 1,
      posted: [],
      reported: [{ currency: 'USD', amount: '0.3000105' }],
    })
  })

  it('of Anthropic are cents in text', async () => {
    const result = {
      amount: '123.78912',
      currency: 'USD',
      model: 'claude-opus-4',
      token_type: 'output_tokens',
    }
    const data = [
      { starting_at: '2026-03-01T00:00:00Z', ending_at: '2026-03-02T00:00:00Z', results: [result] },
    ]
    await importing('anthropic-costs', JSON.stringify({ data, has_more: false, next_page: null }))
    const [line] = await linesOf()
    expect(formatPicos(line?.reported.amount ?? 0n)).toBe('1.2378912')
    expect(line).toMatchObject({
      role: 'bill',
      charges: [],
      reported: { lineItem: 'claude-opus-4, output_tokens' },
    })
  })
})

it("reads Anthropic's usage, whose classes are apart", async () => {
  const result = {
    uncached_input_tokens: 1000,
    cache_read_input_tokens: 200,
    cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 4 },
    output_tokens: 50,
    server_tool_use: { web_search_requests: 2 },
    ...{
      model: 'claude-sonnet-4-5',
      service_tier: 'standard',
      workspace_id: 'wrkspc_1',
      context_window: '0-200k',
    },
  }
  const data = [{ starting_at: '2026-03-01T00:00:00Z', ending_at: '2026-03-02T00:00:00Z', results: [result] }]
  const { exit } = await importing(
    'anthropic-usage',
    JSON.stringify({ data, has_more: false, next_page: null }),
  )
  expect(exit).toBe(0)
  const [line] = await linesOf()
  expect(line?.reported.usage.map(({ quantity }) => quantity)).toEqual([1000, 200, 30, 4, 50, 2])
  // By the book of claude-sonnet-4-5: 3, 0.30, 3.75, 6 and 15 a million, and 10 a thousand searches.
  expect(line?.charges.map(({ amount }) => formatPicos(amount))).toEqual([
    '0.003',
    '0.00006',
    '0.0001125',
    '0.000024',
    '0.00075',
    '0.02',
  ])
})

it("takes OpenRouter's own sum for a model and day", async () => {
  const item = {
    ...{ date: '2026-03-01', model: 'openai/gpt-4.1', model_permaslug: 'openai/gpt-4.1-2025-04-14' },
    ...{ usage: 0.015, requests: 5, prompt_tokens: 50, completion_tokens: 125, reasoning_tokens: 25 },
    provider_name: 'OpenAI',
  }
  const { said } = await importing('openrouter-activity', JSON.stringify({ data: [item] }))
  expect(said).toMatchObject({ posted: [{ amount: '0.015' }], requests: { posted: 5 } })
  expect((await linesOf())[0]?.charges.at(-1)).toMatchObject({ meter: 'request', source: 'vendor-reported' })
})

describe('a vendor that is asked', () => {
  type Answer = {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  }
  const asking = async (answers: (asked: URLSearchParams, count: number) => Answer) => {
    const asked: URLSearchParams[] = []
    const server = createServer((request, response) => {
      const query = new URL(request.url ?? '', 'http://vendor').searchParams
      asked.push(query)
      const { status = 200, headers = {}, body = '' } = answers(query, asked.length)
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
    const words = ['import', 'openai-costs', '--base-url', url, '--data', imports.data, '--json']
    const { exit, out, err } = await runImportCommand(
      [...words, '--from', '2026-03-01', '--to', '2026-04-01'],
      '',
      {
        OPENAI_ADMIN_KEY: 'sk-admin-secret',
      },
    )
    expect(err).not.toContain('secret')
    return { exit, err, asked, said: JSON.parse(out || '{}') as Said }
  }
  const cost = (amount: string, start: number) =>
    bucket([{ amount: { value: amount, currency: 'usd' }, line_item: 'gpt-4o, input' }], start)

  it('is asked page by page, and waits as long as the vendor says', async () => {
    const { exit, said, asked } = await asking((query, count) => {
      if (count === 2) return { status: 429, headers: { 'retry-after': '0' } }
      if (count === 3) return { status: 500, headers: { 'retry-after': '0' } }
      return {
        body: query.get('page') === null ? page([cost('0.1', day)], 'p2') : page([cost('0.2', day + 86_400)]),
      }
    })
    expect({ exit, said }).toMatchObject({ exit: 0, said: { reported: [{ amount: '0.3' }], written: 2 } })
    expect(asked.map((query) => query.get('page'))).toEqual([null, 'p2', 'p2', 'p2'])
    expect(asked[0]?.getAll('group_by[]')).toEqual(['line_item', 'project_id'])
  })

  it.each([
    ['a cursor that comes again', () => ({ body: page([], 'p1') }), 1, 'The report does not end'],
    [
      'more without a cursor',
      () => ({ body: page([]).replace('"has_more":false', '"has_more":true') }),
      2,
      'next_page',
    ],
    ['a wrong key', () => ({ status: 403 }), 2, 'answered 403'],
    ['no such report', () => ({ status: 404 }), 2, 'has no such report'],
    [
      'busy all the time',
      () => ({ status: 429, headers: { 'retry-after': '0' } }),
      1,
      'answered 429 5 times',
    ],
    [
      'buckets out of order',
      (query: URLSearchParams) => ({
        body: query.get('page') === null ? page([cost('1', day + 86_400)], 'p2') : page([cost('1', day)]),
      }),
      2,
      'out of order, or told twice',
    ],
  ] as const)('with %s is refused, and nothing is written', async (_, answers, exit, said) => {
    const ended = await asking(answers as (query: URLSearchParams) => Answer)
    expect(ended.err).toContain(said)
    expect(ended.exit).toBe(exit)
  })

  it('needs an admin key, which no message shows', async () => {
    const { exit, err } = await runImportCommand([
      'import',
      'openai-costs',
      '--from',
      '2026-03-01',
      '--to',
      '2026-04-01',
    ])
    expect(err).toContain('OPENAI_ADMIN_KEY is not set')
    expect(exit).toBe(1)
  })
})
