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
  ])('refuses %j with exit 2, naming the field', async (args, message) => {
    const { exit, out, err } = await run([...article, ...args])
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(message)
  })

  it('refuses an unknown field and broken JSON by name', async () => {
    expect((await run([], '{"model":"gpt-4","colour":1}')).err).toContain('A plan has no field "colour"')
    expect(await run([], '{"model":')).toMatchObject({ exit: 2, out: '' })
    expect((await run(['/nowhere/plan.json'])).err).toContain('Cannot read /nowhere/plan.json')
  })
})
