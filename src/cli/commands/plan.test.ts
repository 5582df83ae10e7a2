import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Io } from '../command.ts'
import { main } from '../main.ts'
import { command } from './plan.ts'

const article =
  '--model gpt-4-1106-preview --at 2023-11-15 --system 1000 --user 50 --assistant 200 --turns 20'.split(' ')

type Ended = { readonly exit: number; readonly out: string; readonly err: string }

const run = async (args: readonly string[], stdin = ''): Promise<Ended> => {
  let [out, err] = ['', '']
  const io: Io = {
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    color: false,
    environment: {},
    signal: new AbortController().signal,
  }
  const entry = { name: command.name, summary: command.summary, load: () => Promise.resolve(command) }
  const exit = await main(['plan', ...args], io, [entry])
  return { exit, out, err }
}

const lineWith = (out: string, start: string): string =>
  out.split('\n').find((line) => line.trimStart().startsWith(start)) ?? ''

describe('octroi plan', () => {
  it('prints the article’s conversation: 0.805 USD, and 0.33 if history were free', async () => {
    const { exit, out, err } = await run(article)
    expect([exit, err]).toEqual([0, ''])
    expect(out.split('\n')[0]).toBe('20 turns with gpt-4-1106-preview (openai), priced on 2023-11-15')
    expect(lineWith(out, '2 ').trim().split(/ +/)).toEqual(['2', '1300', '250', '200', '0.019'])
    expect(lineWith(out, 'total').split(/ +/)).toEqual(['total', '68500', '47500', '4000', '0.805'])
    expect(lineWith(out, 'History')).toBe(
      'History sent again is 69.3 % of the input and 59 % of the cost: 0.475 USD. If history were free: 0.33 USD.',
    )
    expect(lineWith(out, 'the last 2 turns kept').split(/ {2,}/)).toEqual([
      'the last 2 turns kept',
      '30250',
      '0.4225',
      '0.3825',
      '47.5 %',
    ])
  })

  it('gives machines the same figures, money as decimal strings', async () => {
    const { exit, out } = await run([...article, '--json'])
    const plan = JSON.parse(out)
    expect(exit).toBe(0)
    expect(plan).toMatchObject({
      schema: 'octroi-plan/1',
      total: '0.805',
      totalIfHistoryFree: '0.33',
      historyCost: '0.475',
      historyShareOfInput: '0.693431',
      historyShareOfCost: '0.590062',
      input: 68_500,
      history: 47_500,
      output: 4000,
      unpriced: [],
      notes: [],
    })
    expect(plan.turns).toHaveLength(20)
    expect(plan.choices[0]).toMatchObject({ keepTurns: null, capTokens: null, total: '0.805', saved: '0' })
  })

  it('reads a plan from standard input, which options complete', async () => {
    const plan = {
      model: 'gpt-4-1106-preview',
      at: '2023-11-15',
      system: 1000,
      user: 50,
      assistant: 200,
      turns: 20,
    }
    const { exit, out } = await run(['-', '--keep-turns', '2'], JSON.stringify(plan))
    expect(exit).toBe(0)
    expect(lineWith(out, 'total').split(/ +/)).toEqual(['total', '30250', '9250', '4000', '0.4225'])
    expect(out).toContain('the last 2 turns kept (this plan)')
    expect(await run([], JSON.stringify(plan))).toMatchObject({ exit: 0 })
  })

  it('answers an array with an array, and lines with lines', async () => {
    const plan = '{"model":"gpt-4o","user":5,"assistant":5,"turns":2,"at":"2026-10-15"}'
    const list = await run(['--json'], `[${plan},${plan}]`)
    expect(JSON.parse(list.out)).toHaveLength(2)
    const lines = await run(['--json'], `${plan}\n{"model":"gpt-4o"}\n${plan}\n`)
    expect(lines.exit).toBe(1)
    expect(
      lines.out
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line))[0]),
    ).toEqual(['schema', 'error', 'schema'])
    expect(lines.err).toContain('line 2: A plan needs user')
  })

  it('shows the first and the last turns of a long conversation', async () => {
    const { out } = await run([...article, '--turns', '100'])
    expect(lineWith(out, '...')).not.toBe('')
    expect(lineWith(out, '20 ')).not.toBe('')
    expect(lineWith(out, '50 ')).toBe('')
    expect(lineWith(out, '91 ')).not.toBe('')
  })

  it('says when a conversation outgrows the window of its model', async () => {
    const { out } = await run(
      '--model gpt-4 --at 2023-11-15 --user 500 --assistant 500 --turns 10'.split(' '),
    )
    expect(out).toContain(
      'From turn 9 on, 8500 tokens and the answer do not fit into the window of gpt-4 (8192',
    )
  })

  it('names a model without prices and ends with 4', async () => {
    const { exit, out } = await run('--model gpt-99 --user 1 --assistant 2 --turns 3'.split(' '))
    expect(exit).toBe(4)
    expect(lineWith(out, 'total').split(/ +/)).toEqual(['total', '12', '9', '6', '?'])
    expect(out.match(/no model "gpt-99"/g)).toHaveLength(1)
  })

  it.each([
    [['--turns', '-3'], 'turns is -3'],
    [['--turns', '1.5'], 'turns is 1.5'],
    [['--turns', '1000000'], 'turns is 1000000. It must be a whole number from 0 to 10000'],
    [['--turns', 'many'], 'turns is "many"'],
    [['--cap-tokens', '100'], 'capTokens is 100, but a turn without any history has 1050 tokens'],
    [['--at', 'yesterday'], '"yesterday" is not an instant'],
    [['--cache', 'much'], 'cache is "much". It is one of none, auto, 5m, 1h.'],
    [['--tool-rounds', '2,40'], 'toolRounds.result is missing'],
    [['--tool-rounds', '101,1,1'], 'toolRounds has 101 rounds. A turn has at most 100.'],
    [['--tool-rounds', '100,1,1', '--turns', '1000'], 'are 101000 calls. A plan has at most 20000'],
    [['--images-tokens', 'x'], 'imagesPerTurn.tokens is "x"'],
    [['--retrieval-gigabytes', '-1'], 'retrievalGigabytes is "-1"'],
    [['--days', '1.5'], 'days is 1.5'],
  ])('refuses %j with exit 2, naming the field', async (args, message) => {
    const { exit, out, err } = await run([...article, ...args])
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(message)
  })

  it('plans tools, images, a cache and a month from options', async () => {
    const options =
      '--model gpt-4-1106-preview --at 2024-03-15 --system 800 --user 10 --images-tokens 50 --assistant 150 --turns 1'
    const tools = '--tool-rounds 2,40,300 --code-interpreter --retrieval-gigabytes 0.25 --assistants 3'
    const { exit, out } = await run(`${options} ${tools} --conversations-per-month 10 --json`.split(' '))
    const plan = JSON.parse(out)
    expect(exit).toBe(0)
    // 860 + 1,200 + 1,540 tokens in at 10 and 230 out at 30 USD a million, and a session of 0.03.
    expect(plan).toMatchObject({ input: 3600, output: 230, tokensCost: '0.0429', total: '0.0729' })
    expect(plan.codeInterpreter).toEqual({ sessions: 1, total: '0.03' })
    expect(plan.storage).toEqual({ gigabytes: '0.25', gigabyteDays: '22.5', total: '4.5' })
    expect(plan.month).toMatchObject({ conversationsTotal: '0.729', total: '5.229' })
  })

  it('says how much is read from a cache, and by which rule', async () => {
    const plan = '--model gpt-5.6-sol --at 2026-10-15 --system 2000 --user 100 --assistant 300 --turns 10'
    const { out } = await run(`${plan} --cache auto`.split(' '))
    expect(lineWith(out, 'total').split(/ +/)).toEqual(['total', '39000', '18000', '3000', '0.10182'])
    expect(out).toContain('Of the input 33300 tokens are read from the cache and 5700 written to it.')
    expect(out).toContain('Cached by openai-cache/paid-writes, as if every turn found')
    const early = await run([...article, '--cache', 'auto'])
    expect(early.out).toContain('No cache of gpt-4-1106-preview (openai) is known on that day, with its rule')
    expect([early.exit, lineWith(early.out, 'total').split(/ +/).at(-1)]).toEqual([0, '0.805'])
    const unknown = await run(
      '--provider acme --model m --user 1 --assistant 1 --turns 1 --cache auto'.split(' '),
    )
    expect(unknown.out).toContain('No cache of m (acme) is known on that day')
  })

  it('ranks what would save most, and draws the turns where that is asked for', async () => {
    const { out } = await run([...article, '--plot'])
    expect(lineWith(out, 'ask gpt-3.5-turbo-1106').split(/ {2,}/)).toEqual([
      'ask gpt-3.5-turbo-1106',
      '0.0765',
      '0.7285',
      '90.5 %',
    ])
    expect(lineWith(out, '0.064 USD ┤')).toContain('░')
    expect((await run(article)).out).not.toContain('┤')
  })

  it('refuses an unknown field and broken JSON by name', async () => {
    expect((await run([], '{"model":"gpt-4","colour":1}')).err).toContain('A plan has no field "colour"')
    expect(await run([], '{"model":')).toMatchObject({ exit: 2, out: '' })
    expect((await run(['/nowhere/plan.json'])).err).toContain('Cannot read /nowhere/plan.json')
  })
})
