import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccruedRow, CallRow, SpendRow } from '../ledger/reading.ts'
import { formatPicos, parsePicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import { createAllocationFold } from './allocation.ts'
import { readAllocationRules } from './allocation-rules.ts'
import { spend } from './spend.ts'

const day = parseInstant('2023-11-15')

/** What a team spent on input, or how many calls it made. */
const row = (
  team: string | null,
  amount: string,
  more: { hour?: number; currency?: string; tokens?: number; project?: string } = {},
): SpendRow => ({
  ...{ hour: more.hour ?? day, organization: null, team, project: more.project ?? null, environment: null },
  ...{ key: null, provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', basis: 'measured' },
  ...{
    currency: more.currency ?? 'USD',
    meter: 'input_text_tokens',
    priced: true,
    quantity: more.tokens ?? 10,
  },
  amount: parsePicos(amount),
})

const calls = (team: string, count: number): SpendRow => ({
  ...{ hour: day, organization: null, team, project: null, environment: null, key: null, provider: 'openai' },
  ...{ model: 'gpt-4', endpoint: 'chat-completions', currency: 'USD', basis: 'measured', meter: null },
  ...{ calls: count, unpriced: 0, resentTokens: 0, resentAmount: 0n },
})

const twoTeams = [
  { name: 'search', match: { team: 'search' } },
  { name: 'ads', match: { team: 'ads' } },
]

const rulesOf = (...pools: readonly object[]) =>
  readAllocationRules({
    schema: 'octroi-allocation/1',
    versions: [{ version: '2023', from: '2023-01-01', centres: twoTeams, pools }],
  })

const allocated = (rules: ReturnType<typeof readAllocationRules>, rows: readonly SpendRow[]) => {
  const fold = createAllocationFold(rules, { from: null, to: null })
  fold.addSpend(rows)
  return fold.result()
}

const centresOf = (report: ReturnType<typeof allocated>) =>
  Object.fromEntries(report.centres.map(({ name, amount }) => [name, formatPicos(amount)]))

/** What is left of a report, and the total. */
const restOf = ({ totals }: ReturnType<typeof allocated>) =>
  totals.map(({ amount, unallocated }) => [formatPicos(unallocated), formatPicos(amount)])

const platform = (share: object) => ({ name: 'platform', match: { team: 'platform' }, share })
const spent = [row('search', '30'), row('ads', '10'), row('platform', '8'), row(null, '2')]

describe('an allocation', () => {
  it('gives each centre its own, and shows what nothing matched', () => {
    const report = allocated(rulesOf(), spent)
    expect(centresOf(report)).toEqual({ search: '30', ads: '10' })
    expect(report.unallocated).toEqual([
      { currency: 'USD', unmatched: parsePicos('10'), fromPools: [], amount: parsePicos('10') },
    ])
    expect(restOf(report)).toEqual([['10', '50']])
  })

  it('shares a pool evenly, or in proportion to cost, tokens or requests', () => {
    const measured = [...spent, row('ads', '0', { tokens: 20 }), calls('search', 1), calls('ads', 7)]
    const shared = (share: object) => centresOf(allocated(rulesOf(platform(share)), measured))
    expect(shared({ rule: 'even', among: ['search', 'ads'] })).toEqual({ search: '34', ads: '14' })
    expect(shared({ rule: 'proportional', measure: 'cost' })).toEqual({ search: '36', ads: '12' })
    // 10 tokens against 10 + 20.
    expect(shared({ rule: 'proportional', measure: 'tokens' })).toEqual({ search: '32', ads: '16' })
    expect(shared({ rule: 'proportional', measure: 'requests' })).toEqual({ search: '31', ads: '17' })
  })

  it('leaves unallocated what fixed shares leave', () => {
    const report = allocated(
      rulesOf(platform({ rule: 'fixed', percent: { search: '50', ads: '12.5' } })),
      spent,
    )
    expect(centresOf(report)).toEqual({ search: '34', ads: '11' })
    expect(report.parts[0]?.pools).toMatchObject([{ name: 'platform', unallocated: parsePicos('3') }])
    expect(report.unallocated).toMatchObject([
      { unmatched: parsePicos('2'), fromPools: [{ pool: 'platform', amount: parsePicos('3') }] },
    ])
    expect(restOf(report)).toEqual([['5', '50']])
  })

  it('leaves a pool unallocated where nobody used anything of its measure', () => {
    const report = allocated(rulesOf(platform({ rule: 'proportional', measure: 'requests' })), spent)
    expect(restOf(report)).toEqual([['10', '50']])
  })

  it('hands pools on to pools, whatever their order in the file', () => {
    const tools = {
      name: 'tools',
      match: { team: 'tools' },
      share: { rule: 'even', among: ['search', 'platform'] },
    }
    const rules = rulesOf(platform({ rule: 'even', among: ['search', 'ads'] }), tools)
    const report = allocated(rules, [...spent, row('tools', '4')])
    // Tools give 2 to search and 2 to platform, which then has 10: 5 for each.
    expect(centresOf(report)).toEqual({ search: '37', ads: '15' })
    expect(
      report.parts[0]?.pools.map(({ name, own, received }) => [
        name,
        formatPicos(own),
        formatPicos(received),
      ]),
    ).toEqual([
      ['tools', '4', '0'],
      ['platform', '8', '2'],
    ])
  })

  it('shares the last unit: 10 of them over three', () => {
    const centres = ['a', 'b', 'c'].map((name) => ({ name }))
    const rules = readAllocationRules({
      schema: 'octroi-allocation/1',
      versions: [
        {
          ...{ version: '1', from: '2023-01-01', centres },
          pools: [{ name: 'all', match: { provider: '*' }, share: { rule: 'even', among: ['a', 'b', 'c'] } }],
        },
      ],
    })
    expect(centresOf(allocated(rules, [row(null, '0.00000000001')]))).toEqual({
      a: '0.000000000004',
      b: '0.000000000003',
      c: '0.000000000003',
    })
  })

  it('prefers the first centre that fits to later ones, and any centre to a pool', () => {
    const rules = readAllocationRules({
      schema: 'octroi-allocation/1',
      versions: [
        {
          ...{ version: '1', from: '2023-01-01' },
          centres: [
            { name: 'rerank', match: { team: 'search', project: ['rerank', 're-*'] } },
            { name: 'search', match: { team: 'search' } },
          ],
          pools: [
            { name: 'rest', match: { team: '*' }, share: { rule: 'fixed', percent: { search: '100' } } },
          ],
        },
      ],
    })
    const rows = [row('search', '1', { project: 're-try' }), row('search', '2'), row('ads', '4')]
    expect(centresOf(allocated(rules, rows))).toEqual({ rerank: '1', search: '6' })
  })

  it('splits a period where the rules changed, and names the version of each part', () => {
    const rules = readAllocationRules({
      schema: 'octroi-allocation/1',
      versions: [
        { version: 'second', from: '2023-11-16', centres: [{ name: 'everyone', match: { team: '*' } }] },
        { version: 'first', from: '2023-11-15', centres: twoTeams },
      ],
    })
    const hours = [day - 3_600_000, day, day + 86_400_000]
    const fold = createAllocationFold(rules, { from: day - 86_400_000, to: day + 2 * 86_400_000 })
    fold.addSpend(hours.map((hour) => row('search', '1', { hour })))
    const report = fold.result()
    expect(report.parts.map(({ version, centres }) => [version, centres.map(({ name }) => name)])).toEqual([
      [null, []],
      ['first', ['search']],
      ['second', ['everyone']],
    ])
    expect(report.parts[1]).toMatchObject({ from: day, to: day + 86_400_000 })
    expect(restOf(report)).toEqual([['1', '3']])
  })

  it('keeps currencies apart', () => {
    const report = allocated(rulesOf(platform({ rule: 'proportional', measure: 'cost' })), [
      ...spent,
      row('ads', '1', { currency: 'EUR' }),
      row('platform', '3', { currency: 'EUR' }),
    ])
    expect(report.centres.map(({ name, currency, amount }) => [name, currency, formatPicos(amount)])).toEqual(
      [
        ['ads', 'EUR', '4'],
        ['search', 'USD', '36'],
        ['ads', 'USD', '12'],
      ],
    )
  })

  it('reads calls where a rule asks for a tag', () => {
    const rules = readAllocationRules({
      schema: 'octroi-allocation/1',
      versions: [
        {
          version: '1',
          from: '2023-01-01',
          centres: [{ name: 'rerank', match: { 'tag:feature': 'rerank' } }],
        },
      ],
    })
    const fold = createAllocationFold(rules, { from: null, to: null })
    expect([fold.readsCalls, createAllocationFold(rulesOf(), { from: null, to: null }).readsCalls]).toEqual([
      true,
      false,
    ])
    fold.addCalls([callRow({ feature: 'rerank' }, 3n), callRow({}, 4n)])
    fold.addAccrued([accrued({ feature: 'rerank' }, 5n)])
    expect(fold.result()).toMatchObject({
      centres: [{ name: 'rerank', direct: 8n }],
      totals: [{ amount: 12n, unallocated: 4n }],
      unpriced: ['image'],
    })
  })

  it('comes to what a report of spend says, and loses no unit, whatever the rules', () => {
    fc.assert(
      fc.property(anyRules, fc.array(anyRow, { maxLength: 40 }), (written, rows) => {
        const report = allocated(readAllocationRules(written), rows)
        const { totals } = spend(rows, { by: ['team'] })
        expect(report.totals.map(({ currency, amount }) => [currency, amount])).toEqual(
          totals.map(({ currency, amount }) => [currency, amount]).sort(),
        )
        for (const { currency, amount, direct, shared, unallocated } of report.totals) {
          expect(direct + shared + unallocated).toBe(amount)
          const parts = report.parts.flatMap((part) => [...part.centres, ...part.unallocated])
          const inParts = parts.reduce(
            (sum, each) => (each.currency === currency ? sum + each.amount : sum),
            0n,
          )
          expect(inParts).toBe(amount)
        }
      }),
    )
  })
})

const used = (amount: bigint) => ({
  ...({
    meter: 'input_text_tokens',
    quantity: 10,
    unitPrice: '1',
    per: 1,
    amount,
    price: 'row',
    source: 's',
  } as const),
  exact: { numerator: amount, denominator: 10n ** 12n },
})

const owner = (tags: Readonly<Record<string, string>>) => ({
  ...{ organization: null, team: 'search', project: null, environment: null, key: null, endUser: null, tags },
})

const callRow = (tags: Readonly<Record<string, string>>, amount: bigint): CallRow => ({
  call: {
    ...owner(tags),
    ...{
      id: 'a',
      at: day,
      provider: 'openai',
      model: 'gpt-4',
      endpoint: 'chat-completions',
      conversation: null,
    },
  },
  settlement: {
    ...{
      kind: 'settled',
      sequence: 2,
      callId: 'a',
      at: day,
      model: 'gpt-4-0613',
      tier: null,
      basis: 'measured',
    },
    ...{ currency: 'USD', charges: [used(amount)], resent: null, status: 200, note: null, bookVersion: 'b' },
    unpriced: [{ meter: 'image', quantity: 1, code: 'no_price', message: 'No price.' }],
  },
})

const accrued = (tags: Readonly<Record<string, string>>, amount: bigint): AccruedRow => ({
  ...{
    kind: 'accrued',
    sequence: 3,
    accrualId: 'session_1',
    at: day,
    from: day,
    to: day + 1,
    owner: owner(tags),
  },
  ...{
    provider: 'openai',
    model: null,
    endpoint: 'assistants',
    conversation: null,
    holder: 'x',
    object: null,
  },
  ...{ basis: 'measured', currency: 'USD', charges: [used(amount)], unpriced: [], list: amount, counts: [] },
  bookVersion: 'b',
})

const anyRow = fc
  .record({
    team: fc.constantFrom('a', 'b', 'c', 'd', null),
    hour: fc.constantFrom(day, day + 86_400_000),
    currency: fc.constantFrom('USD', 'EUR'),
    tokens: fc.nat(1_000),
    amount: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 20n }),
  })
  .map(({ team, amount, ...more }): SpendRow => row(team, formatPicos(amount), more))

/** Two versions; pools give to centres and to pools of a higher number, so that there is no circle. */
const anyVersion = fc
  .array(
    fc.record({
      rule: fc.constantFrom('even', 'cost', 'tokens', 'requests', 'fixed'),
      match: fc.constantFrom('a', 'b', 'c', 'd', '*', undefined),
      percents: fc.array(fc.nat(20), { minLength: 5, maxLength: 5 }),
    }),
    { maxLength: 3 },
  )
  .map((pools) => ({
    centres: [
      { name: 'one', match: { team: 'a' } },
      { name: 'two', match: { team: ['b'] } },
      { name: 'none' },
    ],
    pools: pools.map(({ rule, match, percents }, index) => {
      const among = ['one', 'two', 'none', ...pools.map((_, other) => `pool${other}`).slice(index + 1)]
      const percent = Object.fromEntries(among.map((name, place) => [name, `${percents[place] ?? 0}.25`]))
      return {
        name: `pool${index}`,
        ...(match !== undefined && { match: { team: match } }),
        share:
          rule === 'even'
            ? { rule, among }
            : rule === 'fixed'
              ? { rule, percent: Object.fromEntries(Object.entries(percent).slice(0, 4)) }
              : { rule: 'proportional', measure: rule, among },
      }
    }),
  }))

const anyRules = fc.tuple(anyVersion, anyVersion).map(([first, second]) => ({
  schema: 'octroi-allocation/1',
  versions: [
    { version: 'first', from: '2023-11-01', ...first },
    { version: 'second', from: '2023-11-16', ...second },
  ],
}))
