import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleUse } from '../../../test/conformance/accruals.ts'
import { exampleCall, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { parsePicos } from '../../money/money.ts'
import type { CliCommand } from '../command.ts'
import { main } from '../main.ts'
import { command as verify } from './ledger-verify.ts'
import { command as conversations } from './report-conversations.ts'
import { command as receipt } from './report-receipt.ts'
import { command as spend } from './report-spend.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-report-'))
const file = join(folder, 'ledger.sqlite')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const dollars = parsePicos('0.30')
const resent = { tokens: 4, amount: parsePicos('0.12'), exact: true }

const fill = async (to: string, unpriced: boolean): Promise<void> => {
  const ledger = openLedger(await openSqlite({ file: to, stores: [ledgerStore] }))
  for (const [id, team] of [
    ['a', 'search'],
    ['b', null],
    ['c', 'search'],
  ] as const) {
    await ledger.reserve({ ...exampleReservation(id), call: exampleCall(id, { team }) })
    await ledger.settle(exampleSettlement(id, dollars, { resent }))
  }
  if (unpriced) {
    await ledger.reserve(exampleReservation('d'))
    const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
    await ledger.settle(exampleSettlement('d', 0n, { charges: [], unpriced: [image], resent: null }))
  }
  await ledger.close()
}

beforeAll(() => fill(file, false))

const run = async (command: CliCommand, ...args: readonly string[]) => {
  const written = { out: '', err: '' }
  const { name, summary } = command
  const exit = await main(
    [...name.split(' '), ...args],
    {
      stdin: Readable.from([]),
      out: (text) => {
        written.out += text
      },
      err: (text) => {
        written.err += text
      },
      color: false,
      environment: {},
      signal: new AbortController().signal,
    },
    [{ name, summary, load: () => Promise.resolve(command) }],
  )
  return { ...written, exit }
}

describe('octroi report spend', () => {
  it('prints a line for each team and model, and the total', async () => {
    const { out, exit } = await run(spend, '--ledger', file)
    expect(exit).toBe(0)
    expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      'team model calls input re-sent output cost share estimated re-sent cost of cost',
      'search gpt-4-0613 2 20 40.0% 0 0.6 USD 66.7% 0.0% 0.24 40.0%',
      '(none) gpt-4-0613 1 10 40.0% 0 0.3 USD 33.3% 0.0% 0.12 40.0%',
      expect.stringMatching(/^-+$/),
      'total 3 30 40.0% 0 0.9 USD 100.0% 0.0% 0.36 40.0%',
      '',
    ])
  })

  it('prints quantities by meter', async () => {
    const { out } = await run(spend, '--ledger', file, '--by', 'meter')
    expect(out).toMatch(/^input_text_tokens +30 +token +0\.9 +USD +100\.0%/m)
  })

  it('prints the same as JSON, amounts as strings', async () => {
    const { out, exit } = await run(spend, '--ledger', file, '--by', 'team', '--from', '2023-11-15', '--json')
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      schema: 'octroi-report-spend/1',
      by: ['team'],
      from: '2023-11-15T00:00:00Z',
      to: null,
      groups: [
        {
          team: 'search',
          currency: 'USD',
          calls: 2,
          quantity: { amount: '20', unit: 'token' },
          inputTokens: '20',
          amount: '0.6',
          share: '0.666667',
          basis: { measured: '0.6', estimated: '0' },
          resent: { tokens: 8, amount: '0.24', share: '0.4' },
        },
        { team: null, amount: '0.3' },
      ],
      totals: [{ calls: 3, amount: '0.9' }],
    })
  })

  it('groups by a tag, chooses, and keeps what is beside the largest', async () => {
    const one = await run(spend, '--ledger', file, '--by', 'tag:feature,tag:plan', '--where', 'team=sea*')
    expect(one.out).toMatch(/^tag:feature +tag:plan +calls/)
    expect(one.out).toMatch(/^rerank +\(none\) +2 .* 0\.6 +USD/m)
    const { out } = await run(spend, '--ledger', file, '--by', 'team', '--top', '1')
    expect(out).toMatch(/^search .* 0\.6 .*\n\(1 others\) .* 0\.3 .*\n-+\ntotal .* 0\.9 /m)
  })

  it('compares with the day before', async () => {
    const { out, exit } = await run(
      spend,
      ...['--ledger', file, '--by', 'team', '--compare', 'previous'],
      ...['--from', '2023-11-15', '--to', '2023-11-16'],
    )
    expect(exit).toBe(0)
    expect(out).toMatch(/ cost +before +change +by price +by volume +by mix +share /)
    expect(out).toMatch(/^search .* 0\.6 +USD +0 +\+0\.6 +0 +\+0\.6 +0 /m)
  })

  it('keeps to the period, also to a part of an hour', async () => {
    const at = ['--from', '2023-11-15T11:30:00Z', '--to', '2023-11-15T12:30:00Z']
    expect((await run(spend, '--ledger', file, ...at)).out).toMatch(/^total .* 0\.9 /m)
    expect((await run(spend, '--ledger', file, '--from', '2023-11-15T12:30:00Z')).out).toMatch(/^Nothing/)
  })

  it('ends with the period', async () => {
    const { out, exit } = await run(spend, '--ledger', file, '--to', '2023-11-15T12:00:00Z')
    expect([exit, out]).toEqual([0, 'Nothing was spent in this period.\n'])
  })

  it('names what has no price and says that data are incomplete', async () => {
    const incomplete = join(folder, 'incomplete.sqlite')
    await fill(incomplete, true)
    const { out, err, exit } = await run(spend, '--ledger', incomplete)
    expect(exit).toBe(4)
    expect(out).toMatch(/without a price/)
    expect(out).toMatch(/^search .* image$/m)
    expect(err).toMatch(/1 of the calls used something that has no price/)
    expect(await run(conversations, '--ledger', incomplete)).toMatchObject({ exit: 4, err })
  })

  it.each([
    [['--by', 'colour'], /--by cannot be "colour".*organization, team/],
    [['--zone', 'Mars'], /--zone cannot be "Mars"/],
    [['--where', 'team'], /--where cannot be "team"/],
    [['--compare', 'previous'], /--compare needs a period/],
    [['--by', 'team,team'], /--by cannot be "team"/],
    [['--from', 'yesterday'], /"yesterday" is not an instant/],
    [['--from', '2023-11-16', '--to', '2023-11-15'], /not before/],
    [['--ledger', join(folder, 'missing.sqlite')], /There is no ledger at/],
  ])('refuses %j', async (args, message) => {
    const { out, err, exit } = await run(spend, '--ledger', file, ...args)
    expect([exit, out]).toEqual([2, ''])
    expect(err).toMatch(message)
  })
})

describe('octroi report receipt', () => {
  it('prints every charge of a call with its price, and the sum', async () => {
    const { out, exit } = await run(receipt, 'a', '--ledger', file)
    expect(exit).toBe(0)
    expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      'at of entry team model meter quantity price cost basis price row book',
      '2023-11-15T12:00:00Z a 2 search gpt-4-0613 input_text_tokens 10 30 / 1,000,000 0.3 USD measured price-1 book-1',
      expect.stringMatching(/^-+$/),
      'total of 1 0.3 USD',
      '',
    ])
  })

  it('opens from the figure of a group, a page at a time', async () => {
    const { out } = await run(spend, '--ledger', file, '--by', 'team,day', '--zone', 'Europe/Paris', '--json')
    const [group] = JSON.parse(out).groups
    expect(group.receipt).toEqual({
      from: '2023-11-14T23:00:00Z',
      to: '2023-11-15T23:00:00Z',
      where: 'team=search,currency=USD',
    })
    const query = Object.entries<string>(group.receipt).flatMap(([name, value]) => [`--${name}`, value])
    const page = await run(receipt, '--ledger', file, ...query, '--limit', '1')
    expect(page.out).toMatch(/^total of 2 .* 0\.6 +USD/m)
    const [, next = ''] = /--after (\S+)\./.exec(page.err) ?? []
    const last = await run(receipt, '--ledger', file, ...query, '--after', next, '--json')
    expect(JSON.parse(last.out)).toMatchObject({
      schema: 'octroi-report-receipt/1',
      ...{ count: 2, next: null, lines: [{ id: 'c', amount: '0.3' }], totals: [{ amount: '0.6' }] },
    })
  })

  it('says what it does not know', async () => {
    expect(await run(receipt, 'z', '--ledger', file)).toMatchObject({ exit: 1, out: '' })
    expect((await run(receipt, 'a', '--team', 'x', '--ledger', file)).exit).toBe(2)
    expect((await run(receipt, 'a', '--where', 'team=x', '--ledger', file)).err).toMatch(/Leave out from, to/)
    expect((await run(receipt, '--ledger', file, '--where', 'team=ads')).out).toBe('Nothing was charged.\n')
  })

  it('marks what has no price, with exit code 4', async () => {
    const incomplete = join(folder, 'incomplete-receipt.sqlite')
    await fill(incomplete, true)
    const { out, err, exit } = await run(receipt, 'd', '--ledger', incomplete)
    expect([exit, err]).toEqual([4, 'octroi: 1 of the lines have no price; the sum leaves them out.\n'])
    expect(out).toMatch(/ image +2 +no price +0 +USD/)
  })
})

describe('a session that a promotion made free', () => {
  const free = join(folder, 'free.sqlite')

  beforeAll(async () => {
    const ledger = openLedger(await openSqlite({ file: free, stores: [ledgerStore] }))
    const use = exampleUse('step_1', exampleCall('a').at)
    const charges = use.posting.charges.map((charge) => ({
      ...charge,
      ...{ unitPrice: '0', amount: 0n, exact: { numerator: 0n, denominator: 1n } },
      list: { unitPrice: '0.03', per: 1, price: 'row2' },
    }))
    await ledger.accruals.use({ ...use, posting: { ...use.posting, charges, list: parsePicos('0.03') } })
    await ledger.close()
  })

  it('costs nothing and is listed at 0.03, in each report', async () => {
    for (const report of [spend, conversations]) {
      const [head, row] = (await run(report, '--ledger', free)).out.split('\n')
      expect(head).toMatch(/ cost +list /)
      expect(row).toMatch(/ 0 +USD +0\.03 /)
    }
    const { out } = await run(spend, '--ledger', free, '--by', 'meter', '--json')
    expect(JSON.parse(out)).toMatchObject({ totals: [{ amount: '0', list: '0.03' }] })
  })
})

describe('octroi report conversations', () => {
  it('prints what each conversation cost and how much was sent again', async () => {
    const { out, exit } = await run(conversations, '--ledger', file)
    expect(exit).toBe(0)
    expect(out).toMatch(/^search +conversation_1 +gpt-4-0613 +2 +20 +40\.0% +0 +0\.6 +USD +0\.24 +40\.0%$/m)
  })

  it('prints the dearest as JSON', async () => {
    const { out, err } = await run(conversations, '--ledger', file, '--json', '--top', '1')
    expect(JSON.parse(out)).toMatchObject({
      schema: 'octroi-report-conversations/1',
      count: 2,
      conversations: [
        { team: 'search', calls: 2, inputTokens: '20', amount: '0.6', resent: { tokens: '8' } },
      ],
    })
    expect(err).toMatch(/1 more/)
  })

  it('refuses to list none', async () => {
    expect(await run(conversations, '--ledger', file, '--top', '0')).toMatchObject({ exit: 2, out: '' })
  })
})

describe('octroi ledger verify', () => {
  it('agrees with exit code 0', async () => {
    expect(await run(verify, '--ledger', file)).toMatchObject({
      exit: 0,
      out: 'The ledger agrees: 6 entries of 3 calls.\n',
    })
  })

  it('lists what differs with exit code 1', async () => {
    const broken = join(folder, 'broken.sqlite')
    await fill(broken, false)
    const database = new DatabaseSync(broken)
    database.exec('UPDATE call_hours SET calls = calls + 1')
    database.close()
    const { out, err, exit } = await run(verify, '--ledger', broken)
    expect(exit).toBe(1)
    expect(out).toMatch(/^calls by hour .*"search"/m)
    expect(err).toMatch(/differs from its entries in 2 places/)
    const json = await run(verify, '--ledger', broken, '--json')
    expect(JSON.parse(json.out)).toMatchObject({ agrees: false, differenceCount: 2, calls: 3 })
  })

  it('says with exit code 2 that there is no ledger', async () => {
    const { err, exit } = await run(verify, '--ledger', join(folder, 'missing.sqlite'))
    expect(exit).toBe(2)
    expect(err).toMatch(/There is no ledger at/)
  })
})
