import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { main } from '../main.ts'
import { command } from './price.ts'

const entries = [{ name: command.name, summary: command.summary, load: async () => command }]

/** Runs `octroi price` with a standard input, and returns what it printed and its exit code. */
const run = async (input: string, ...args: readonly string[]) => {
  let [out, err] = ['', '']
  const io = {
    stdin: Readable.from([input]),
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    color: false,
    environment: {},
    signal: new AbortController().signal,
  }
  const exit = await main(['price', ...args], io, entries)
  return { out, err, exit }
}

const json = async (input: unknown, ...args: readonly string[]) => {
  const result = await run(JSON.stringify(input), '--json', ...args)
  return { ...result, value: JSON.parse(result.out) }
}

const item = {
  provider: 'openai',
  model: 'gpt-4-1106-preview',
  at: '2023-11-15T12:00:00Z',
  usage: { input_text_tokens: 1000, output_text_tokens: '200' },
}

describe('octroi price, by raw bodies', () => {
  const call = { provider: 'openai', at: '2023-11-15', endpoint: 'chat-completions' }
  const reported = { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 }
  const response = { id: 'chatcmpl-1', model: 'gpt-4-1106-preview', choices: [], usage: reported }

  it('prices what a reply reports, by the model it names', async () => {
    const { value, exit } = await json({ ...call, response })
    expect([value.total, value.estimated, exit]).toEqual(['0.016', false, 0])
  })

  it('prices the text of a stream like the whole reply', async () => {
    const stream = `data: ${JSON.stringify(response)}\n\ndata: [DONE]\n\n`
    const { value, exit } = await json({ ...call, response: stream })
    expect([value.total, value.estimated, exit]).toEqual(['0.016', false, 0])
  })

  it('says that a stream without an end is an estimate', async () => {
    const { value } = await json({ ...call, response: `data: ${JSON.stringify(response)}\n\n` })
    expect([value.total, value.estimated]).toEqual(['0.016', true])
  })

  it('names a reply without usage as unpriced, never as zero', async () => {
    const { value, exit } = await json({ ...call, response: { ...response, usage: undefined } })
    expect([value.total, exit]).toEqual([null, 4])
    expect(value.unpriced[0].message).toContain('No usage is reported for chatcmpl-1')
  })

  it.each([
    [{ ...call, response, provider: 'nobody' }, 'unknown_provider'],
    [{ ...call, response, endpoint: 'telepathy' }, 'bad_input'],
    [{ ...call, response: 7 }, 'bad_input'],
    [{ ...call, response, usage: {} }, 'bad_input'],
  ])('refuses %j', async (bad, code) => {
    const { err, exit } = await run(JSON.stringify(bad))
    expect([err.includes(`[${code}]`), exit]).toEqual([true, 2])
  })
})

describe('octroi price', () => {
  it('prices an item at the prices of its date, each charge with its row and source', async () => {
    const { value, exit, err } = await json(item)
    expect(value).toEqual({
      total: '0.016',
      pricedTotal: '0.016',
      currency: 'USD',
      charges: [
        {
          meter: 'input_text_tokens',
          quantity: 1000,
          unitPrice: '0.01',
          per: 1000,
          amount: '0.01',
          price: expect.stringMatching(/^[0-9a-f]{16}$/),
          source: expect.stringContaining('OpenAI pricing page'),
        },
        expect.objectContaining({ meter: 'output_text_tokens', quantity: 200, amount: '0.006' }),
      ],
      unpriced: [],
      estimated: false,
    })
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
  })

  it('answers an array with an array', async () => {
    const { value, exit } = await json([item, { ...item, model: 'gpt-4-32k' }])
    expect(value.map(({ total }: { total: string }) => total)).toEqual(['0.016', '0.084'])
    expect(exit).toBe(0)
  })

  it('answers JSON Lines with JSON Lines; a bad line is named and the others are priced', async () => {
    const lines = [
      JSON.stringify(item),
      '{"provider":',
      JSON.stringify({ ...item, usage: { input_text_tokens: -1 } }),
      JSON.stringify(item),
    ]
    const { out, err, exit } = await run(`${lines.join('\n')}\n`, '--json')
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(answers.map((answer) => answer.total ?? answer.error.code)).toEqual([
      '0.016',
      'bad_json',
      'bad_number',
      '0.016',
    ])
    expect(err).toContain('line 2, column 13: not JSON')
    expect(err).toContain('line 3: input_text_tokens: a quantity must be')
    expect(exit).toBe(1)
  })

  it('names what has no price, gives no total, and exits with 4', async () => {
    const { value, exit } = await json({ ...item, model: 'gpt-4', usage: { training_tokens: 1000 } })
    expect(value).toMatchObject({
      total: null,
      pricedTotal: '0',
      unpriced: [{ meter: 'training_tokens', quantity: 1000, code: 'no_price' }],
    })
    expect(exit).toBe(4)
  })

  it('names a model that the book does not have', async () => {
    const { value, exit } = await json({ ...item, model: 'gpt-99' })
    expect(value.unpriced[0].code).toBe('unknown_model')
    expect(exit).toBe(4)
  })

  it('exits with 1, not 4, where a line is bad and another has no price', async () => {
    const { exit } = await run(`${JSON.stringify({ ...item, model: 'gpt-99' })}\n{]\n`)
    expect(exit).toBe(1)
  })

  it('says the exact amount where rounding changed it', async () => {
    const usage = { audio_seconds: 1 }
    const { value } = await json({ ...item, model: 'whisper-1', usage })
    expect(value).not.toHaveProperty('exact')
    const tiny = { ...item, at: '2024-03-15', model: null, usage: { retrieval_gb_day: '0.0000000000001' } }
    expect((await json(tiny)).value).toMatchObject({ total: '0', exact: '0.00000000000002' })
  })

  it('takes decimals as numbers or in quotes, and bills the nearest second of speech', async () => {
    for (const seconds of [61.4, '61.4']) {
      const { value } = await json({ ...item, model: 'whisper-1', usage: { audio_seconds: seconds } })
      expect(value).toMatchObject({ total: '0.0061', charges: [{ quantity: 61 }] })
    }
  })

  it('prices with what was known on a day', async () => {
    const sessions = {
      provider: 'openai',
      at: '2023-11-20',
      usage: { code_interpreter_session: 10 },
      attributes: { promotion: 'launch_free' },
    }
    expect((await json(sessions)).value.total).toBe('0')
    expect((await json(sessions, '--as-of', '2023-11-10')).value.total).toBe('0.3')
  })

  it('selects by the attributes of an item', async () => {
    const at = '2026-11-23'
    const usage = { input_text_tokens: 10_000, output_text_tokens: 1000 }
    const fast = { provider: 'openai', model: 'gpt-5.5', at, usage, attributes: { tier: 'fast' } }
    expect((await json(fast)).value.total).toBe('0.2')
  })

  it('prints a table for people, one line for each model, meter and rate', async () => {
    const items = [item, item, { ...item, usage: { training_tokens: 5 } }]
    const { out, exit } = await run(JSON.stringify(items))
    expect(out).toContain('gpt-4-1106-preview  input_text_tokens       2000    0.01 / 1000    0.02  USD')
    expect(out).toMatch(/training_tokens +5 +no price +\? +USD/)
    expect(out).toMatch(/priced part +0\.032 +USD/)
    expect(out).toContain('has no price for training_tokens on 2023-11-15T12:00:00Z')
    expect(exit).toBe(4)
  })

  it('reads a file, and "-" is standard input', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'octroi-price-')), 'item.json')
    writeFileSync(file, JSON.stringify(item))
    expect((await run('', '--json', file)).out).toContain('"total": "0.016"')
    expect((await run(JSON.stringify(item), '--json', '-')).out).toContain('"total": "0.016"')
  })

  it.each<[string, string, unknown, number]>([
    ['the item must be an object', 'bad_input', 5, 2],
    ['provider must be a text and is missing', 'bad_input', { ...item, provider: undefined }, 2],
    ['at must be a text and is missing', 'bad_input', { ...item, at: undefined }, 2],
    ['"2023-13-01" is not an instant', 'bad_instant', { ...item, at: '2023-13-01' }, 2],
    ['usage must be an object and is missing', 'bad_input', { ...item, usage: undefined }, 2],
    ['no meter "input_tokens"', 'unknown_meter', { ...item, usage: { input_tokens: 1 } }, 2],
    ['usage.image: write a number', 'bad_number', { ...item, usage: { image: true } }, 2],
    ['usage.image: "1e3" is not a decimal', 'bad_number', { ...item, usage: { image: '1e3' } }, 2],
    ['whole number from 0 to 2^53 - 1', 'bad_number', { ...item, usage: { image: 1.5 } }, 2],
    ['whole number from 0 to 2^53 - 1', 'bad_number', { ...item, usage: { image: '9007199254740992' } }, 2],
    [
      'more digits than a JSON number keeps',
      'bad_number',
      { ...item, usage: { audio_seconds: 0.1 + 0.2 } },
      2,
    ],
    ['attributes.teir does not select', 'bad_input', { ...item, attributes: { teir: 'batch' } }, 2],
    ['attributes.tier must be a text', 'bad_input', { ...item, attributes: { tier: 1 } }, 2],
  ])('refuses a bad item: %s', async (message, code, bad, exit) => {
    const result = await run(JSON.stringify([item, bad]), '--json')
    expect(result.err).toContain(`octroi: item 2: `)
    expect(result.err).toContain(message)
    expect(result.err).toContain(`[${code}]`)
    expect(result).toMatchObject({ exit, out: '' })
  })

  it.each([
    ['The input is empty', ['-'], ''],
    ['line 1, column 7: not JSON', ['-'], '{"a": }'],
    ['Cannot read no-such-file', ['no-such-file'], ''],
    ['it is a folder', ['.'], ''],
    ['"soon" is not an instant', ['--as-of', 'soon'], '{}'],
    ['unknown option', ['--jsn'], '{}'],
  ])('refuses what it cannot use: %s', async (message, args, input) => {
    const { err, out, exit } = await run(input, ...args)
    expect(err).toContain(message)
    expect({ out, exit }).toEqual({ out: '', exit: 2 })
  })
})
