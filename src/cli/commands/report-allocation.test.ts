import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleUse } from '../../../test/conformance/accruals.ts'
import { exampleLine } from '../../../test/conformance/imports.ts'
import { exampleCall, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { parsePicos } from '../../money/money.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as allocation } from './report-allocation.ts'
import { command as spend } from './report-spend.ts'

const run = commandRunner(allocation, spend)
let folder: string
let ledger: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-allocation-'))
  ledger = join(folder, 'ledger.sqlite')
  const opened = openLedger(await openSqlite({ file: ledger, stores: [ledgerStore] }))
  for (const [id, team, amount, feature] of [
    ['a', 'search', '3', 'rerank'],
    ['b', 'ads', '1', 'none'],
    ['c', 'platform', '0.8', 'rerank'],
    ['d', null, '0.2', 'none'],
  ] as const) {
    await opened.reserve({ ...exampleReservation(id), call: exampleCall(id, { team, tags: { feature } }) })
    await opened.settle(exampleSettlement(id, parsePicos(amount), { resent: null }))
  }
  const use = exampleUse('step_1', exampleCall('a').at)
  const session = { amount: parsePicos('0.03'), exact: { numerator: 3n, denominator: 100n } }
  const charges = use.posting.charges.map((charge) => ({ ...charge, ...session }))
  await opened.accruals.use({ ...use, posting: { ...use.posting, charges } })
  await opened.imports.post([exampleLine('line_1', parsePicos('2'))])
  await opened.close()
})
afterAll(() => rm(folder, { recursive: true }))

const version = {
  ...{ version: '2023', from: '2023-01-01' },
  centres: [
    { name: 'Search', match: { team: 'search' } },
    { name: 'Ads', match: { team: 'ads' } },
  ],
  pools: [
    { name: 'Platform', match: { team: 'platform' }, share: { rule: 'proportional', measure: 'cost' } },
  ],
}

const fileOf = async (name: string, json: unknown): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, typeof json === 'string' ? json : JSON.stringify(json))
  return file
}

const rules = (...versions: readonly object[]) =>
  fileOf('rules.json', {
    schema: 'octroi-allocation/1',
    versions: versions.length === 0 ? [version] : versions,
  })

const report = async (...more: readonly string[]) =>
  run(['report', 'allocation', '--ledger', ledger, '--rules', await rules(), ...more])

const fitsSchema = async (name: string, value: unknown): Promise<unknown> => {
  const text = await readFile(new URL(`../../../schemas/${name}.json`, import.meta.url), 'utf8')
  const validate = new Ajv2020({ allErrors: true, formats: { date: true } }).compile(JSON.parse(text))
  return validate(value) ? [] : validate.errors
}

describe('octroi report allocation', () => {
  it('prints what each centre bears, what nobody does, and how pools were shared', async () => {
    const { out, exit } = await report()
    expect(exit).toBe(0)
    // Search has 3 and 2 imported and 0.03 for a session; the 0.8 go 5.03 to 1.
    expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      'cost centre direct shared cost share',
      'Search 5.03 0.667330016584 5.697330016584 USD 81.0%',
      'Ads 1 0.132669983416 1.132669983416 USD 16.1%',
      '(unallocated) 0.2 0 0.2 USD 2.8%',
      expect.stringMatching(/^-+$/),
      'total 6.23 0.8 7.03 USD 100.0%',
      '',
      'Rules: version 2023 from 2023-01-01T00:00:00Z.',
      'pool rule to cost',
      'Platform proportional to cost Search 0.667330016584 USD',
      'Platform proportional to cost Ads 0.132669983416 USD',
      '',
    ])
  })

  it('prints the same as JSON, as the schema says', async () => {
    const { out } = await report('--json', '--from', '2023-11-15', '--to', '2023-11-16')
    const value = JSON.parse(out)
    expect(value).toMatchObject({
      schema: 'octroi-report-allocation/1',
      from: '2023-11-15T00:00:00Z',
      centres: [
        { name: 'Search', direct: '5.03', amount: '5.697330016584', share: '0.810431' },
        { name: 'Ads' },
      ],
      unallocated: [{ currency: 'USD', unmatched: '0.2', amount: '0.2' }],
      totals: [{ amount: '7.03', direct: '6.03', shared: '0.8', unallocated: '0.2' }],
      versions: [{ version: '2023', pools: [{ name: 'Platform', own: '0.8', unallocated: '0' }] }],
    })
    expect(await fitsSchema('report-allocation-1', value)).toEqual([])
    expect(await fitsSchema('allocation-1', JSON.parse(await readFile(await rules(), 'utf8')))).toEqual([])
  })

  it('reads calls for a rule by tag, to the same total', async () => {
    const tagged = {
      ...version,
      centres: [{ name: 'Rerank', match: { 'tag:feature': 'rerank' } }],
      pools: [],
    }
    const file = await rules(tagged)
    const { out } = await run(['report', 'allocation', '--ledger', ledger, '--rules', file, '--json'])
    // 3 and 0.8, and the session, which the call with this tag began.
    expect(JSON.parse(out)).toMatchObject({
      centres: [{ name: 'Rerank', amount: '3.83' }],
      totals: [{ amount: '7.03', unallocated: '3.2' }],
    })
  })

  it('converts by the rate of each day, names it, and says with exit code 4 where there is none', async () => {
    const file = { schema: 'octroi-rates/1', id: 'house', source: 'the tests', base: 'EUR' }
    const rate = { date: '2023-11-13', currency: 'USD', rate: '1.25' }
    const rates = await fileOf('rates.json', { ...file, rates: [rate] })
    const converted = await report('--currency', 'EUR', '--rates', rates, '--json')
    expect(converted.exit).toBe(0)
    const value = JSON.parse(converted.out)
    expect(value).toMatchObject({
      totals: [{ currency: 'EUR', amount: '5.624' }],
      conversion: {
        days: [
          {
            ...{ day: '2023-11-15', currency: 'USD', amount: '7.03', converted: '5.624' },
            rate: { table: 'house', date: '2023-11-13', quotes: [{ currency: 'USD', rate: '1.25' }] },
          },
        ],
        noRate: [],
      },
    })
    expect(await fitsSchema('report-allocation-1', value)).toEqual([])
    const old = await fileOf('old.csv', 'Date,USD\n2023-11-07,1.25\n')
    const left = await report('--currency', 'EUR', '--rates', old)
    expect([left.exit, left.err]).toEqual([
      4,
      'octroi: the rates of old.csv have none to EUR for USD on 2023-11-15; these amounts stay in their own currency.\n',
    ])
    expect((await report('--currency', 'EUR', '--rates', old, '--rate-age', '8')).exit).toBe(0)
  })

  it('comes to what a report of spend says, in either currency', async () => {
    const rates = await fileOf('two.csv', 'Date,USD\n2023-11-14,1.1\n2023-11-15,1.3\n')
    for (const more of [[], ['--currency', 'EUR', '--rates', rates]]) {
      const asked = ['report', 'spend', '--ledger', ledger, '--by', 'team', '--json', ...more]
      const spent = await run(asked)
      expect(spent.exit).toBe(0)
      const value = JSON.parse(spent.out)
      expect(await fitsSchema('report-spend-1', value)).toEqual([])
      const { totals, conversion } = JSON.parse((await report('--json', ...more)).out)
      expect(value.totals).toMatchObject([{ amount: totals[0].amount, currency: totals[0].currency }])
      expect(value.conversion).toEqual(conversion)
    }
  })

  it('names in a report of spend what has no rate, with exit code 4', async () => {
    const rates = await fileOf('late.csv', 'Date,USD\n2023-11-16,1.1\n')
    const asked = ['report', 'spend', '--ledger', ledger, '--currency', 'EUR', '--rates', rates]
    const { exit, err, out } = await run(asked)
    expect([exit, err]).toEqual([
      4,
      expect.stringMatching(/late\.csv have none to EUR for USD on 2023-11-15/),
    ])
    expect(out).toMatch(/total.* 7\.03 +USD/)
  })

  it('takes the rules of a gateway', async () => {
    const config = await fileOf('octroi.json', {
      allocation: { schema: 'octroi-allocation/1', versions: [version] },
    })
    const { out } = await run(['report', 'allocation', '--ledger', ledger, '--config', config])
    expect(out).toBe((await report()).out)
  })

  it.each([
    [['--rules', 'missing.json'], /Cannot read missing\.json/],
    [['--config', 'octroi.json'], /Name the allocation rules/],
    [['--currency', 'EUR'], /--currency and --rates go together/],
    [['--currency', 'euro', '--rates', 'x.csv'], /no ISO 4217 code/],
    [['--currency', 'EUR', '--rates', 'x.csv'], /Cannot read x\.csv/],
    [['--currency', 'EUR', '--rates', 'x.csv', '--rate-age', 'long'], /no number of days/],
    [['--from', '2023-11-15T12:30:00Z'], /not a whole hour/],
  ])('refuses %j', async (more, message) => {
    const { exit, err, out } = await report(...more)
    expect([exit, out, err]).toEqual([2, '', expect.stringMatching(message)])
  })

  it('refuses more than 100 %', async () => {
    const percent = { Search: '60', Ads: '40.5' }
    const pools = [{ name: 'Platform', match: { team: 'platform' }, share: { rule: 'fixed', percent } }]
    const file = await rules({ ...version, pools })
    const { exit, err } = await run(['report', 'allocation', '--ledger', ledger, '--rules', file])
    expect([exit, err]).toEqual([2, expect.stringMatching(/over 100 %: Search 60 \+ Ads 40\.5/)])
  })
})
