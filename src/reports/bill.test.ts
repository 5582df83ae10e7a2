import { describe, expect, it } from 'vitest'
import type { SpendRow } from '../ledger/reading.ts'
import { parsePicos } from '../money/money.ts'
import { parseDecimal } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { createFormat } from './bill/format.ts'
import { billPage } from './bill/page.ts'
import { type BillAsked, createBillFold } from './bill.ts'
import { billJson } from './bill-json.ts'

const [october, november, december] = ['2023-10-01', '2023-11-01', '2023-12-01'].map(parseInstant) as [
  number,
  number,
  number,
]
const asked: BillAsked = {
  ...{ from: november, to: december, before: { from: october, to: november } },
  ...{ timeZone: 'UTC', by: 'team', where: [], top: 2 },
}

const row = (at: string, team: string | null, quantity: number, amount: bigint): SpendRow => ({
  ...{ hour: parseInstant(at), organization: null, team, project: null, environment: null, key: 'key_1' },
  ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', currency: 'USD', basis: 'measured' },
  ...{ meter: 'input_text_tokens', priced: true, quantity, amount },
})

const dollars = parsePicos
const now = [
  row('2023-11-02T10:00:00Z', 'search', 200_000, dollars('6')),
  row('2023-11-02T11:00:00Z', 'ads', 100_000, dollars('3')),
  row('2023-11-05T00:00:00Z', 'care', 30_000, dollars('1')),
]

const billOf = (
  more: Partial<BillAsked> = {},
  closed: Parameters<ReturnType<typeof createBillFold>['result']>[0]['closed'] = [],
) => {
  const fold = createBillFold({ ...asked, ...more })
  fold.now.hours(now)
  fold.before.hours([row('2023-10-30T00:00:00Z', 'search', 100_000, dollars('4'))])
  return fold.result({ madeAt: parseInstant('2023-12-04'), closed })
}

const closedPeriod = (from: number, to: number, provider: string | null = 'openai') => ({
  ...{ kind: 'closed' as const, sequence: 9, at: december, provider, from, to, totals: [], note: null },
})

describe('a bill', () => {
  it('has the same total in each of its lists, and its days', () => {
    const bill = billOf()
    const total = dollars('10')
    for (const { groups, others } of [bill.total, bill.groups, bill.models, bill.meters, bill.keys]) {
      expect([...groups, ...others].reduce((sum, { amount }) => sum + amount, 0n)).toBe(total)
    }
    expect(bill.stretches).toHaveLength(30)
    expect(bill.stretches.reduce((sum, { amount }) => sum + amount, 0n)).toBe(total)
    for (const { amount, parts, rest } of bill.stretches) {
      expect(parts.reduce((sum, part) => sum + part.amount, rest)).toBe(amount)
    }
  })

  it('says why it changed', () => {
    // 100,000 for 4 become 330,000 for 10: at the old price 13.2, so volume 9.2 and price -3.2.
    expect(billOf().total.totals[0]?.change).toEqual({
      ...{ before: dollars('4'), delta: dollars('6') },
      ...{ price: dollars('-3.2'), volume: dollars('9.2'), mix: 0n },
    })
  })

  it('is closed only where closed periods cover all of it', () => {
    const half = parseInstant('2023-11-16')
    expect(billOf().state).toBe('ended')
    expect(billOf({}, [closedPeriod(november, half)]).state).toBe('ended')
    expect(billOf({}, [closedPeriod(half, december), closedPeriod(november, half)]).state).toBe('closed')
    expect(billOf({}, [closedPeriod(november, december, 'anthropic')]).state).toBe('ended')
    expect(billOf({}, [closedPeriod(november, december, null)]).state).toBe('closed')
    expect(billOf({ to: parseInstant('2024-01-01') }).state).toBe('running')
  })

  it('is by months where it has more than 93 days', () => {
    const bill = billOf({ from: parseInstant('2023-08-01'), to: december })
    expect(bill.stretches.map(({ name }) => name)).toEqual(['2023-08', '2023-09', '2023-10', '2023-11'])
  })

  it('gives mean prices and the receipt of a day', () => {
    expect(billJson(billOf())).toMatchObject({
      schema: 'octroi-report-bill/1',
      knownUntil: '2023-11-05T01:00:00Z',
      // 10 USD for 330,000 tokens.
      meanPrices: [{ meter: 'input_text_tokens', price: '30.30303030303', per: 1_000_000, unit: 'token' }],
      stretches: expect.arrayContaining([
        expect.objectContaining({
          ...{ name: '2023-11-02', amount: '9', rest: '0' },
          receipt: { from: '2023-11-02T00:00:00Z', to: '2023-11-03T00:00:00Z', where: 'currency=USD' },
        }),
      ]),
    })
  })
})

describe('the page of a bill', () => {
  it('escapes every name, and loads nothing', () => {
    const fold = createBillFold(asked)
    fold.now.hours([
      row('2023-11-02T10:00:00Z', `<img src=x onerror="a('b')">\u202E\u0000&`, 10, dollars('1')),
    ])
    const page = billPage(fold.result({ madeAt: december, closed: [] }), { language: 'en', ledger: "it's" })
    for (const bad of ['<img', '<script', '\u202E', '\u0000', 'http:', 'https:'])
      expect(page).not.toContain(bad)
    expect(page).toContain('&#60;img src=x onerror=&#34;a(&#39;b&#39;)&#34;&#62;\uFFFD\uFFFD&#38;')
    expect(page).toContain(
      'octroi report receipt --ledger &#39;it&#39;\\&#39;&#39;s&#39; --from 2023-11-01T00:00:00Z',
    )
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`)
  })

  it('stays small however many there are', () => {
    const fold = createBillFold({ ...asked, top: 10 })
    const teams = Array.from({ length: 2_000 }, (_, index) => `team ${index}`)
    fold.now.hours(teams.map((team) => row('2023-11-02T10:00:00Z', team, 10, dollars('1'))))
    const page = billPage(fold.result({ madeAt: december, closed: [] }), { language: 'fr', ledger: null })
    expect(page.length).toBeLessThan(150_000)
    expect(page).toContain('1\u202F990 autres')
  })

  it('says so where nothing was spent', () => {
    const bill = createBillFold(asked).result({ madeAt: december, closed: [] })
    expect(billPage(bill, { language: 'fr', ledger: null })).toContain(
      'Rien n\u2019a \u00E9t\u00E9 d\u00E9pens\u00E9',
    )
  })
})

describe('figures for people', () => {
  const [english, french] = [createFormat('en', 'UTC'), createFormat('fr', 'Europe/Paris')]

  it('are written as each language does, to the code point', () => {
    const amount = dollars('1234567.891')
    expect(english.money(amount, 'USD')).toBe('$1,234,567.89')
    expect(french.money(amount, 'USD')).toBe('1\u202F234\u202F567,89\u00A0$US')
    expect(french.share({ numerator: 123n, denominator: 1_000n })).toBe('12,3\u00A0%')
  })

  it('are never 0.00 where there is something', () => {
    expect(english.money(dollars('0.004'), 'USD')).toBe('<\u00A0$0.01')
    expect(french.money(dollars('0.004'), 'USD')).toBe('<\u00A00,01\u00A0$US')
    expect(english.money(0n, 'USD')).toBe('$0.00')
  })

  it('lose nothing beyond what a float keeps', () => {
    expect(english.money(dollars('9007199254740993.25'), 'USD')).toBe('$9,007,199,254,740,993.25')
  })

  it('are as short as can be beside a plot', () => {
    const ticks = ['0.002', '5', '20000', '2500000'].map((amount) => english.tick(dollars(amount), 'USD'))
    expect(ticks).toEqual(['$0.002', '$5', '$20,000', '$2.5M'])
    expect(french.tick(dollars('5'), 'USD')).toBe('5\u00A0$US')
  })

  it('give a price below a cent three significant digits', () => {
    expect(english.price(parseDecimal('0.00004154'), 'USD')).toBe('$0.0000415')
    expect(french.price(parseDecimal('0.00004154'), 'USD')).toBe('0,0000415\u00A0$US')
    expect(english.price(parseDecimal('0.15'), 'USD')).toBe('$0.15')
  })

  it('name a whole month, and else the first day and the last', () => {
    expect(english.period({ from: november, to: december })).toBe('November 2023')
    const inParis = { from: parseInstant('2023-10-31T23:00:00Z'), to: parseInstant('2023-11-30T23:00:00Z') }
    expect(french.period(inParis)).toBe('novembre 2023')
    expect(english.period({ from: november, to: november + 172_800_000 })).toBe(
      'November 1, 2023 \u2013 November 2, 2023',
    )
  })
})
