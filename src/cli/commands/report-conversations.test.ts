import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleAccrued, exampleKept, exampleUse, postedUntil } from '../../../test/conformance/accruals.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import type { CallRow } from '../../ledger/reading.ts'
import { parsePicos } from '../../money/money.ts'
import { articleTurns, chargeOf, turnOf } from '../../reports/conversation.fixture.ts'
import { parseInstant } from '../../time.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command } from './report-conversations.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-conversations-'))
const file = join(folder, 'ledger.sqlite')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const noon = parseInstant('2023-11-15T12:00:00Z')
const hour = 3_600_000

/** A support thread of two turns by assistant and end user, the second estimated, apportioned and short of a price. */
const support = (): readonly CallRow[] => {
  const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
  const cached = [
    chargeOf('input_text_tokens', 300, 10),
    chargeOf('cached_input_tokens', 200, 5),
    chargeOf('output_text_tokens', 100, 30),
  ]
  const resent = { tokens: 200, amount: parsePicos('0.0016'), exact: false }
  const rows = [
    turnOf(41, { input: 300, history: 0, output: 100 }),
    turnOf(
      42,
      { input: 500, history: 200, output: 100 },
      { unpriced: [image], resent, charges: cached, basis: 'estimated', note: 'upstream cut' },
    ),
  ]
  return rows.map(({ call, settlement }) => ({
    call: {
      ...call,
      ...{ team: 'support', conversation: 'thread_1', endUser: 'user_1', tags: { assistant: 'asst_1' } },
    },
    settlement,
  }))
}

const fill = async (to: string, rows: readonly CallRow[], accrues: boolean): Promise<void> => {
  const ledger = openLedger(await openSqlite({ file: to, stores: [ledgerStore] }))
  for (const { call, settlement } of rows) {
    await ledger.reserve({ call, currency: 'USD', most: null, holds: [], leaseUntil: call.at + hour })
    const { kind: _, sequence: __, ...rest } = settlement
    await ledger.settle(rest)
  }
  if (accrues) {
    const use = exampleUse('step_1', noon + 41 * 60_000 + 1)
    const owner = { ...use.posting.owner, team: 'support' }
    const charges = [{ ...chargeOf(use.meter, 1, 30_000), unitPrice: '0.03', per: 1 }]
    const list = parsePicos('0.03')
    await ledger.accruals.use({ ...use, posting: { ...use.posting, owner, charges, list, counts: [] } })
    await ledger.accruals.keep(exampleKept('file_1', { owner }))
    const [stay] = await ledger.accruals.due({ before: noon + hour, limit: 1 })
    if (stay === undefined) throw new Error('nothing is kept')
    const entry = { ...exampleAccrued(stay.id, parsePicos('0.2')), owner, counts: [] }
    await ledger.accruals.post([
      { id: stay.id, from: noon, entries: [entry], now: postedUntil(noon + hour, parsePicos('0.2')) },
    ])
  }
  await ledger.close()
}

beforeAll(() => fill(file, [...articleTurns(), ...support()], true))

const octroi = commandRunner(command)

const run = async (...args: readonly string[]) => {
  const ended = await octroi(['report', 'conversations', ...args])
  return { ...ended, lines: ended.out.split('\n').map((line) => line.trim().replace(/ +/g, ' ')) }
}

describe('octroi report conversations', () => {
  it('has a column for end users, assistants and each meter that is no token', async () => {
    const { lines, exit, err } = await run('--ledger', file)
    expect(exit).toBe(4)
    expect(err).toMatch(/1 of the calls used something that has no price/)
    expect(lines.slice(0, 4)).toEqual([
      'team conversation model end user assistant calls input of which re-sent output image cost code_interpreter_session cost retrieval_gb_day cost cost list re-sent cost of cost',
      'search the article gpt-4-1106-preview 20 68,500 69.3% 4,000 0.805 USD 0.805 0.475 59.0%',
      'support (none) asst_1 0 0 - 0 0.041667 0.2 0.2 USD 0.4 0 0.0%',
      'support thread_1 gpt-4-1106-preview user_1 asst_1 2 800 ~25.0% 200 2 ? 1 0.03 ~0.043 USD 0.043 ~0.0016 3.7%',
    ])
  })

  it('says what caps would have saved of those that are listed', async () => {
    const { lines } = await run('--ledger', file, '--team', 'search')
    expect(lines.slice(3)).toEqual([
      'the same with turns shortened input left out saved USD of cost',
      'the last 10 turns kept 9 11,250 0.1125 14.0%',
      'the last 5 turns kept 14 26,250 0.2625 32.6%',
      'the last 2 turns kept 17 38,250 0.3825 47.5%',
      'the last turn kept 18 42,750 0.4275 53.1%',
      '',
      'It takes the answers for what they were. What is left out is priced at what the input of its call came to a token.',
      '',
    ])
  })

  it('draws a column for each conversation', async () => {
    const { out } = await run('--ledger', file, '--plot', '--top', '2')
    expect(out).toMatch(/^0\.805 USD ┤░+$/m)
    expect(out).toMatch(/conversation 1 +conversation 2$/m)
  })

  it.each([
    [
      ['--team', 'support'],
      [null, 'thread_1'],
    ],
    [
      ['--assistant', 'asst_1'],
      [null, 'thread_1'],
    ],
    [['--conversation', 'the article'], ['the article']],
    [['thread_1', '--team', 'search'], []],
    [['--from', '2023-11-15T13:00:00Z'], []],
  ])('lists what is asked for by %j', async (args, expected) => {
    const { out } = await run('--ledger', file, '--json', ...args)
    const read: { conversations: { conversation: string | null }[] } = JSON.parse(out)
    expect(read.conversations.map(({ conversation }) => conversation)).toEqual(expected)
  })
})

describe('octroi report conversations of one', () => {
  it('prints a line a turn, what each came to and all so far', async () => {
    const { lines, exit } = await run('the article', '--ledger', file)
    expect(exit).toBe(0)
    expect(lines.slice(0, 5)).toEqual([
      'the article: 20 turns, with gpt-4-1106-preview, of team search',
      '',
      'turn at model input of which history output cost USD so far',
      '1 2023-11-15 12:01 gpt-4-1106-preview 1,050 0 200 0.0165 0.0165',
      '2 2023-11-15 12:02 gpt-4-1106-preview 1,300 250 200 0.019 0.0355',
    ])
    expect(lines).toContain('20 2023-11-15 12:20 gpt-4-1106-preview 5,800 4,750 200 0.064 0.805')
    expect(lines).toContain('total 68,500 47,500 4,000 0.805')
    expect(lines).toContain(
      'History sent again is 69.3% of the input and 59.0% of the cost: 0.475 USD. If history were free: 0.33 USD.',
    )
    expect(lines).toContain('the last 5 turns kept 14 26,250 0.2625 32.6%')
  })

  it('draws what its turns cost', async () => {
    const { out } = await run('the article', '--ledger', file, '--plot')
    expect(out).toMatch(/^0\.064 USD ┤ +░+$/m)
    expect(out).toMatch(/turn 1 +turn 20$/m)
  })

  it('shows its sessions between the turns, and what is estimated, apportioned, cached or unpriced', async () => {
    const { lines, exit } = await run('thread_1', '--ledger', file, '--cap-tokens', '400')
    expect(exit).toBe(4)
    expect(lines).toEqual([
      'thread_1: 2 turns, with gpt-4-1106-preview, of team support, for user_1, assistant asst_1',
      '',
      'turn at model input of which history output other cost USD so far without a price',
      '1 2023-11-15 12:41 gpt-4-1106-preview 300 0 100 0.006 0.006',
      '2023-11-15 12:41 code_interpreter_session 1 0.03 0.036',
      '2 2023-11-15 12:42 gpt-4-1106-preview 500 ~200 100 image 2 ~0.007 0.043 image',
      expect.stringMatching(/^-+$/),
      'total 800 ~200 200 image 2, code_interpreter_session 1 ~0.043',
      '',
      'History sent again is ~25.0% of the input and 3.7% of the cost: ~0.0016 USD. If history were free: ~0.0414 USD.',
      '',
      'the same with turns shortened input left out saved USD of cost',
      'prompts of at most 400 tokens 1 100 0.0008 1.9%',
      '',
      'It takes the answers for what they were. What is left out is priced at what the input of its call came to a token.',
      'Some input was read from a cache, or written to one. A cap changes what a cache can find again: it then saves less, or nothing.',
      'Some history (~) was not counted but apportioned by size, and so is what is left out of it.',
      '',
      '1 of the turns is estimated (~). --json has a note of each.',
      '',
    ])
  })

  it('prints the same as JSON', async () => {
    const { out } = await run('thread_1', '--ledger', file, '--json')
    expect(JSON.parse(out)).toMatchObject({
      count: 1,
      conversations: [
        {
          ...{ conversation: 'thread_1', endUsers: ['user_1'], holders: ['asst_1'], amount: '0.043' },
          meters: [
            { meter: 'image', quantity: '2', amount: '0', priced: false },
            { meter: 'code_interpreter_session', quantity: '1', amount: '0.03', priced: true },
          ],
          caps: [{ keepTurns: 20 }, { keepTurns: 10 }, { keepTurns: 5 }, { keepTurns: 2 }, { keepTurns: 1 }],
          turns: [
            { turn: 1, id: 'call_41', inputTokens: '300', resent: null, cumulative: '0.006' },
            { turn: null, id: 'session_1', amount: '0.03', cumulative: '0.036' },
            {
              ...{ turn: 2, at: '2023-11-15T12:42:00Z', basis: 'estimated', note: 'upstream cut' },
              ...{ resent: { tokens: 200, amount: '0.0016', exact: false }, unpricedMeters: ['image'] },
            },
          ],
        },
      ],
    })
  })

  it('of more than 30 turns prints the first and the last ones', async () => {
    const long = join(folder, 'long.sqlite')
    const tokens = { input: 10, history: 0, output: 10 }
    await fill(
      long,
      Array.from({ length: 40 }, (_, index) => turnOf(index + 1, tokens)),
      false,
    )
    const { lines } = await run('the article', '--ledger', long)
    const numbers = lines.slice(3, 34).map((line) => line.split(' ')[0])
    expect(numbers.slice(18, 23)).toEqual(['19', '20', '...', '31', '32'])
    expect(numbers.at(-1)).toBe('40')
  })

  it('says what a cap of the gateway left out of its history', async () => {
    const capped = join(folder, 'capped.sqlite')
    const note = 'history cap last_messages=4; uncapped 2000 input tokens'
    await fill(capped, [turnOf(1, { input: 500, history: 200, output: 10 }, { note })], false)
    const { lines } = await run('the article', '--ledger', capped)
    expect(lines).toContain('History caps left 1,500 input tokens out of 1 turn: 0.015 USD saved.')
    const list = await run('--ledger', capped)
    expect(list.lines.slice(0, 2)).toEqual([
      'team conversation model calls input of which re-sent output cost re-sent cost of cost capped left out saved',
      'search the article gpt-4-1106-preview 1 500 40.0% 10 0.0053 USD 0.002 37.7% 1 1,500 0.015',
    ])
    const json = await run('the article', '--ledger', capped, '--json')
    expect(JSON.parse(json.out).conversations).toMatchObject([
      {
        leftOut: { calls: 1, tokens: '1500', amount: '0.015' },
        turns: [{ leftOut: { cap: 'last_messages=4', tokens: 1_500, amount: '0.015' } }],
      },
    ])
  })

  it('says that there is none of this name', async () => {
    expect(await run('no\u0007body', '--ledger', file)).toMatchObject({
      exit: 0,
      out: 'No call of a conversation "no\\u0007body" ended in this period.\n',
    })
  })

  it('refuses a cap of no tokens', async () => {
    const { exit, err } = await run('--ledger', file, '--cap-tokens', '0')
    expect(exit).toBe(2)
    expect(err).toMatch(/--cap-tokens cannot be "0"/)
  })
})
