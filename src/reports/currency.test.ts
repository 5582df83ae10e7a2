import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpendRow } from '../ledger/reading.ts'
import { formatPicos, parsePicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import { convertSpend, createConverter } from './currency.ts'
import { conversionJson } from './currency-json.ts'
import { readRateColumns, readRateTable } from './rate-table.ts'
import { spend } from './spend.ts'

/** 1 EUR is so many USD and GBP: figures of the tests, of no day. */
const table = readRateTable({
  ...{ schema: 'octroi-rates/1', id: 'house', source: 'the tests', base: 'EUR' },
  rates: [
    { date: '2023-11-10', currency: 'USD', rate: '1.25' },
    { date: '2023-11-13', currency: 'USD', rate: '1.6' },
    { date: '2023-11-10', currency: 'GBP', rate: '0.8' },
  ],
})

const converted = (amount: string, currency: string, at: string, to = 'EUR', ageDaysMax = 7) => {
  const converter = createConverter(table, { to, ageDaysMax })
  const { amount: picos, currency: into } = converter.convert(parsePicos(amount), currency, parseInstant(at))
  const { days, noRate } = conversionJson(converter.result())
  return { text: `${formatPicos(picos)} ${into}`, rate: days[0]?.rate, noRate }
}

describe('a conversion', () => {
  it('takes the rate of the day of the charge, and not a later one', () => {
    const rate = { table: 'house', date: '2023-11-10', quotes: [{ currency: 'USD', rate: '1.25' }] }
    expect(converted('10', 'USD', '2023-11-10T23:59:59Z')).toEqual({ text: '8 EUR', rate, noRate: [] })
    expect(converted('10', 'USD', '2023-11-13').text).toBe('6.25 EUR')
  })

  it('takes the last rate before a day that has none, up to seven days', () => {
    expect(converted('10', 'USD', '2023-11-12T12:00:00Z')).toMatchObject({
      text: '8 EUR',
      rate: { date: '2023-11-10' },
    })
    expect(converted('10', 'USD', '2023-11-20T12:00:00Z').text).toBe('6.25 EUR')
    expect(converted('10', 'USD', '2023-11-21')).toEqual({
      text: '10 USD',
      rate: undefined,
      noRate: [{ day: '2023-11-21', currency: 'USD', amount: '10', code: 'no_rate' }],
    })
    expect(converted('10', 'USD', '2023-11-21', 'EUR', 8).text).toBe('6.25 EUR')
  })

  it('has no rate before the first day, and for a currency the table does not have', () => {
    expect(converted('10', 'USD', '2023-11-09').text).toBe('10 USD')
    expect(converted('10', 'CHF', '2023-11-10').text).toBe('10 CHF')
  })

  it('goes over the base by rates of one day', () => {
    // 10 USD are 8 EUR, which are 6.4 GBP. On the 13th only USD has a new rate, so that of the 10th holds.
    for (const day of ['2023-11-10', '2023-11-13']) {
      expect(converted('10', 'USD', day, 'GBP')).toMatchObject({
        text: '6.4 GBP',
        rate: { date: '2023-11-10', quotes: [{ currency: 'USD' }, { currency: 'GBP' }] },
      })
    }
    expect(converted('8', 'EUR', '2023-11-10', 'USD').text).toBe('10 USD')
  })

  it('leaves what is in the currency already', () => {
    expect(converted('10', 'EUR', '1999-01-01')).toEqual({ text: '10 EUR', rate: undefined, noRate: [] })
  })

  it('rounds once, half to even, and keeps the sign of a credit', () => {
    expect(converted('0.000000000001', 'USD', '2023-11-13').text).toBe('0.000000000001 EUR')
    expect(converted('0.000000000004', 'USD', '2023-11-13').text).toBe('0.000000000002 EUR')
    expect(converted('-10', 'USD', '2023-11-10').text).toBe('-8 EUR')
  })
})

const row = (team: string, hour: string, amount: bigint, currency = 'USD'): SpendRow => ({
  ...{ hour: parseInstant(hour), organization: null, team, project: null, environment: null, key: null },
  ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', currency, basis: 'measured' },
  ...{ meter: 'input_text_tokens', priced: true, quantity: 10, amount },
})

describe('converted spend', () => {
  it('is reported in one currency, its totals the sums of the converted rows', () => {
    const converter = createConverter(table, { to: 'EUR' })
    const rows = [
      row('search', '2023-11-10', parsePicos('10')),
      row('ads', '2023-11-13', parsePicos('10')),
      row('ads', '2023-11-13', parsePicos('1'), 'EUR'),
    ]
    const calls: SpendRow = {
      ...{ hour: parseInstant('2023-11-10'), organization: null, team: 'search', project: null },
      ...{ environment: null, key: null, provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions' },
      ...{ currency: 'USD', basis: 'measured', meter: null, calls: 3, unpriced: 0, resentTokens: 4 },
      resentAmount: parsePicos('5'),
    }
    const report = spend([...rows, calls], { by: ['team'], convert: convertSpend(converter) })
    expect(
      report.groups.map(({ names, currency, amount }) => [...names, currency, formatPicos(amount)]),
    ).toEqual([
      ['search', 'EUR', '8'],
      ['ads', 'EUR', '7.25'],
    ])
    expect(report.groups[0]).toMatchObject({ calls: 3, resent: { tokens: 4, amount: parsePicos('4') } })
    expect(report.totals.map(({ amount }) => formatPicos(amount))).toEqual(['15.25'])
    expect(converter.result().days.map(({ day, converted }) => `${day} ${formatPicos(converted)}`)).toEqual([
      '2023-11-10 8',
      '2023-11-13 6.25',
    ])
  })

  it('loses no row, whatever has a rate', () => {
    const hours = ['2023-11-09', '2023-11-10', '2023-11-13', '2023-12-24']
    const any = fc.record({
      team: fc.constantFrom('a', 'b'),
      hour: fc.constantFrom(...hours),
      amount: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
      currency: fc.constantFrom('USD', 'EUR', 'GBP', 'CHF'),
    })
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), (given) => {
        const converter = createConverter(table, { to: 'EUR' })
        const rows = given.map(({ team, hour, amount, currency }) => row(team, hour, amount, currency))
        const { totals } = spend(rows, { by: ['team'], convert: convertSpend(converter) })
        const { days, noRate } = converter.result()
        const kept = given.reduce(
          (sum, { currency, amount }) => (currency === 'EUR' ? sum + amount : sum),
          0n,
        )
        const inEuros = days.reduce((sum, { converted }) => sum + converted, kept)
        expect(totals.find(({ currency }) => currency === 'EUR')?.amount ?? 0n).toBe(inEuros)
        const before = given.reduce((sum, { amount }) => sum + amount, 0n)
        const after = [...days, ...noRate].reduce((sum, { amount }) => sum + amount, kept)
        expect(after).toBe(before)
      }),
    )
  })
})

describe('a rate table', () => {
  const file = { schema: 'octroi-rates/1', id: 'x', source: 'y', base: 'EUR' }
  const usd = { date: '2023-11-10', currency: 'USD', rate: '1.25' }

  it.each([
    [{ ...file, rates: [] }, /rates/],
    [{ ...file, rates: [{ ...usd, rate: 1.25 }] }, /as a string/],
    [{ ...file, rates: [{ ...usd, rate: '1,25' }] }, /plain decimal/],
    [{ ...file, rates: [{ ...usd, rate: '0.00' }] }, /USD on 2023-11-10 is 0/],
    [{ ...file, rates: [{ ...usd, date: '2023-02-30' }] }, /rates\.0\.date/],
    [{ ...file, rates: [usd, { ...usd, rate: '2' }] }, /USD on 2023-11-10 is there twice/],
    [{ ...file, rates: [{ ...usd, currency: 'EUR' }] }, /of the base itself/],
    [{ ...file, rates: [usd], colour: 'red' }, /colour/],
  ])('refuses %j', (json, message) => {
    expect(() => readRateTable(json)).toThrow(message)
  })

  it('may be one day a line, without those that have no rate', () => {
    const { base, rates } = readRateColumns(
      '\uFEFFDate,USD,GBP,\r\n2023-11-13,1.6,N/A,\r\n2023-11-10,1.25,0.8,\r\n',
      'ecb.csv',
    )
    expect([
      base,
      [...rates].map(([name, some]) => [name, some.map(({ date, written }) => `${date} ${written}`)]),
    ]).toEqual([
      'EUR',
      [
        ['USD', ['2023-11-10 1.25', '2023-11-13 1.6']],
        ['GBP', ['2023-11-10 0.8']],
      ],
    ])
  })

  it.each([
    ['day;USD', /does not begin with "Date,"/],
    ['Date,dollar\n2023-11-10,1', /"dollar" is no currency/],
    ['Date,USD\n10 November 2023,1', /line 2.*no day/],
    ['Date,USD\n2023-11-10,1.2e3', /line 2: USD "1.2e3"/],
    ['Date,USD\n', /no rates/],
  ])('refuses the columns %j', (text, message) => {
    expect(() => readRateColumns(text, 'rates.csv')).toThrow(message)
  })
})
