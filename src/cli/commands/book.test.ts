import { describe, expect, it } from 'vitest'
import { commandRunner } from '../run-command.fixture.ts'
import { command as diff } from './book-diff.ts'
import { command as history } from './book-history.ts'
import { command as list } from './book-list.ts'
import { command as show } from './book-show.ts'
import { command as sunsets } from './book-sunsets.ts'

const run = commandRunner(list, show, history, diff, sunsets)

const book = (words: string) => run(['book', ...words.split(' ')])

const json = async (words: string) => {
  const ran = await book(`${words} --json`)
  return { ...ran, value: JSON.parse(ran.out) }
}

const squeezed = (text: string): readonly string[] =>
  text.split('\n').map((line) => line.replace(/ +/g, ' ').trim())

describe('octroi book list', () => {
  it('lists the prices in force on a day', async () => {
    const { out, exit, err } = await book('list --model gpt-4 --at 2023-11-15 --tier standard')
    expect(squeezed(out)).toEqual([
      'provider model meter for price / units since confidence',
      'openai gpt-4 input_text_tokens tier standard 0.03 / 1000 USD 2023-03-14 high',
      'openai gpt-4 output_text_tokens tier standard 0.06 / 1000 USD 2023-03-14 high',
      '',
    ])
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
  })

  it('filters by provider, meter, tier and the beginning of a name', async () => {
    const { value } = await json(
      'list --provider openai --model gpt-5.5* --meter output_text_tokens --tier flex --at 2026-11-23',
    )
    expect(value.prices.length).toBeGreaterThan(0)
    for (const price of value.prices) {
      expect(price).toMatchObject({
        provider: 'openai',
        meter: 'output_text_tokens',
        attributes: { tier: 'flex' },
      })
      expect(price.model).toMatch(/^gpt-5\.5/)
    }
  })

  it('prints each row with its facts, and the version of the book', async () => {
    const { value } = await json('list --model gpt-4 --at 2023-11-15 --meter input_text_tokens')
    expect(value).toMatchObject({
      schema: 'octroi-book-list/1',
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      at: '2023-11-15T00:00:00Z',
      prices: [
        {
          id: expect.stringMatching(/^[0-9a-f]{16}$/),
          unitPrice: '0.03',
          per: 1000,
          source: expect.stringContaining('OpenAI'),
        },
      ],
    })
  })

  it('says where nothing is in force', async () => {
    expect(await book('list --model gpt-4 --at 2019-01-01')).toMatchObject({
      out: 'No such price is in force on 2019-01-01.\n',
      exit: 0,
    })
  })

  it('refuses a meter that is none', async () => {
    expect(await book('list --meter input_tokens')).toMatchObject({ out: '', exit: 2 })
  })
})

describe('octroi book show', () => {
  it('shows the card of a day, each price with its source below', async () => {
    const { out, exit } = await book('show gpt-4o --at 2024-06-01 --tier standard')
    const [title, , ...lines] = squeezed(out)
    expect(title).toBe('gpt-4o (openai), on 2024-06-01')
    expect(lines[1]).toMatch(
      /^input_text_tokens tier standard 5 \/ 1000000 USD 2024-05-13 2024-10-02 \w+ \[1\]$/,
    )
    expect(out).toMatch(/^\[1\] OpenAI launch price/m)
    expect(exit).toBe(0)
  })

  it('says which model a name stood for', async () => {
    const { value } = await json('show gpt-3.5-turbo-0125 --at 2024-06-01 --tier standard')
    expect(value).toMatchObject({ name: 'gpt-3.5-turbo-0125', provider: 'openai' })
    const { out } = await book('show claude-sonnet-4-5 --at 2026-11-01 --tier standard')
    expect(out).toContain('claude-sonnet-4-5 (anthropic), which is claude-sonnet-4-5-20250929, on 2026-11-01')
  })

  it('says when the prices of a retired model ended, and exits with 4', async () => {
    expect(await book('show gpt-4 --at 2026-11-23')).toMatchObject({
      out: expect.stringContaining('No such price holds on that day: the last ended on 2026-10-23'),
      exit: 4,
    })
    expect((await book('show gpt-4 --at 2019-01-01')).out).toContain('the first begins on 20')
  })

  it('names near names where the book has no such model', async () => {
    const { out, err, exit } = await book('show gpt-4o-min')
    expect({ out, exit }).toEqual({ out: '', exit: 4 })
    expect(err).toMatch(/has no model "gpt-4o-min"\. Near are: .*gpt-4o-mini.* \[unknown_model\]/)
  })
})

describe('a meter that is billed whatever the model', () => {
  it('has a card with its promotion beside the list price', async () => {
    const { out, exit } = await book('show code_interpreter_session --at 2023-11-15')
    const lines = squeezed(out)
    expect(lines[0]).toBe('code_interpreter_session (openai), on 2023-11-15')
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^code_interpreter_session api assistants, promotion launch_free 0 \/ 1 USD 2023-11-06 2023-12-13/,
      ),
    )
    expect(lines).toContainEqual(
      expect.stringMatching(/^code_interpreter_session api assistants 0\.03 \/ 1 USD 2023-11-06 2026-08-26/),
    )
    expect(exit).toBe(0)
  })

  it('has a history, with the promotion as a series of its own', async () => {
    const { value, exit } = await json('history retrieval_gb_day')
    expect(exit).toBe(0)
    expect(
      value.series.map(
        ({ prices }: { prices: { from: string; to: string; price: { unitPrice: string } }[] }) =>
          prices.map(({ from, to, price }) => [from.slice(0, 10), to.slice(0, 10), price.unitPrice]),
      ),
    ).toEqual([[['2023-11-06', '2024-04-17', '0.2']], [['2023-11-06', '2024-03-01', '0']]])
  })

  it('is asked for by provider where several bill it', async () => {
    const { err, exit } = await book('history web_search_call')
    expect(err).toMatch(/is a meter of .*openai.*Say whose with --provider/)
    expect(exit).toBe(2)
    const { out } = await book('history web_search_call --provider anthropic --at 2026-11-23')
    expect(out).toMatch(/^~2025-05-07 .* 10 \/ 1000 +\(any\)/m)
  })

  it('is unknown where every model has a price of its own for it', async () => {
    expect((await book('show training_tokens')).err).toMatch(/has no model "training_tokens"/)
  })
})

describe('octroi book history', () => {
  it('draws the steps of a price, and lists them with their sources', async () => {
    const { out, exit } = await book('history o3 --meter input_text_tokens --at 2025-08-01')
    expect(out).toContain('input_text_tokens, tier standard: USD for 1,000,000 tokens')
    expect(out).toMatch(/^ {2}10 ┤─+╮$/m)
    expect(out).toMatch(/^ {3}2 ┤ +╰─+/m)
    expect(out).toMatch(/^2025-06-10 .* 2 \/ 1000000 +o3/m)
    expect(out).toMatch(/^\[1\] \S/m)
    expect(exit).toBe(0)
  })

  it('follows a name through the models it stood for', async () => {
    const { value } = await json('history gpt-4o --meter input_text_tokens')
    expect(value.series).toHaveLength(1)
    expect(
      value.series[0].prices.map(({ from, price }: { from: string; price: { unitPrice: string } }) => [
        from.slice(0, 10),
        price.unitPrice,
      ]),
    ).toEqual([
      ['2024-05-13', '5'],
      ['2024-10-02', '2.5'],
    ])
  })

  it('dots what is scheduled', async () => {
    const { out } = await book('history gemini-3.8-flash --meter input_text_tokens --at 2026-11-23')
    expect(out).toMatch(/╌╌/)
  })
})

describe('octroi book diff', () => {
  it('shows what went down, by how much', async () => {
    const { out, exit } = await book('diff 2026-07-29 2026-07-30 --model gpt-5.6-luna --tier standard')
    expect(squeezed(out)).toContain(
      'down openai gpt-5.6-luna output_text_tokens tier standard, context short 6 1.2 USD / 1000000 -80 %',
    )
    expect(out).toMatch(/from 2026-07-29 to 2026-07-30: 0 up, \d+ down, 0 added, 0 removed\n$/)
    expect(exit).toBe(0)
  })

  it('shows what came and what went', async () => {
    const { value } = await json('diff 2026-10-22 2026-10-23 --model gpt-4')
    expect(new Set(value.changes.map(({ kind }: { kind: string }) => kind))).toEqual(new Set(['removed']))
    const back = await json('diff 2023-03-13 2023-03-14 --model gpt-4')
    expect(back.value.changes[0]).toMatchObject({ kind: 'added', before: null, by: null })
  })

  it('compares prices written for different units', async () => {
    const { value } = await json('diff 2023-11-15 2026-09-30 --model whisper-1')
    expect(value.changes).toEqual([])
  })

  it('says that nothing moved, and wants the earlier day first', async () => {
    expect((await book('diff 2026-07-29 2026-07-30 --model gpt-4')).out).toBe(
      'Nothing moved from 2026-07-29 to 2026-07-30.\n',
    )
    expect(await book('diff 2026-07-30 2026-07-29')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('Name the earlier day first'),
    })
    expect(await book('diff yesterday 2026-07-29')).toMatchObject({ exit: 2, out: '' })
  })
})

describe('octroi book sunsets', () => {
  it('lists ends, the next first, with what replaces them', async () => {
    const { out, exit } = await book('sunsets --at 2026-11-23 --model gpt-4o')
    expect(squeezed(out)[1]).toMatch(/^2027-01-14 52 openai gpt-4o ends gpt-\S+ high \[1\]$/)
    expect(exit).toBe(0)
    const { value } = await json('sunsets --at 2026-11-23')
    const days = value.sunsets.map(({ on }: { on: string }) => on)
    expect(days).toEqual(days.toSorted())
    expect(value.schema).toBe('octroi-book-sunsets/1')
  })

  it('tells what has ended where asked', async () => {
    const { value } = await json('sunsets --at 2026-11-23 --since 2026-10-01 --model gpt-4')
    expect(value.sunsets).toMatchObject([{ model: 'gpt-4', status: 'ended', on: '2026-10-23T00:00:00Z' }])
    expect((await book('sunsets --at 2026-11-23 --model gpt-4')).out).toBe(
      'No end of such a model is known after 2026-11-23.\n',
    )
  })
})
