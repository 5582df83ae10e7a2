import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpendRow, SpendScope } from '../ledger/reading.ts'
import { parseInstant } from '../time.ts'
import { spend } from './spend.ts'
import { isOfHours, spendDimensions } from './spend-dimensions.ts'

const noon = parseInstant('2023-11-15T12:00:00Z')

const scope: SpendScope = {
  hour: noon,
  organization: null,
  team: 'search',
  project: null,
  environment: null,
  key: null,
  provider: 'openai',
  model: 'gpt-4',
  endpoint: 'chat-completions',
  currency: 'USD',
  basis: 'measured',
}

const input = (more: Partial<SpendScope>, quantity: number, amount: bigint): SpendRow => ({
  ...scope,
  ...more,
  meter: 'input_text_tokens',
  priced: true,
  quantity,
  amount,
})

const output = (more: Partial<SpendScope>, quantity: number, amount: bigint): SpendRow => ({
  ...scope,
  ...more,
  meter: 'output_text_tokens',
  priced: true,
  quantity,
  amount,
})

const calls = (
  more: Partial<SpendScope>,
  calls: number,
  tokens = 0,
  amount = 0n,
  unpriced = 0,
): SpendRow => ({
  ...scope,
  ...more,
  meter: null,
  calls,
  unpriced,
  resentTokens: tokens,
  resentAmount: amount,
})

const rows: readonly SpendRow[] = [
  input({}, 1_000, 30n),
  output({}, 200, 12n),
  calls({}, 2, 600, 18n),
  input({ team: null, basis: 'estimated' }, 100, 3n),
  calls({ team: null, basis: 'estimated' }, 1),
  input({ model: 'gpt-3.5-turbo', hour: noon + 86_400_000 }, 3_000, 3n),
  calls({ model: 'gpt-3.5-turbo', hour: noon + 86_400_000 }, 1),
]

describe('spend by team', () => {
  const report = spend(rows, { by: ['team'] })

  it('puts the dearest first, with its calls, tokens and share', () => {
    expect(report.groups[0]).toEqual({
      names: ['search'],
      currency: 'USD',
      calls: 3,
      unpriced: 0,
      unpricedMeters: [],
      quantity: { amount: { numerator: 4_200n, denominator: 1n }, unit: 'token' },
      inputTokens: 4_000n,
      outputTokens: 200n,
      amount: 45n,
      list: 45n,
      share: { numerator: 15n, denominator: 16n },
      basis: { measured: 45n, estimated: 0n, imported: 0n, reconciled: 0n },
      resent: { tokens: 600, amount: 18n, share: { numerator: 2n, denominator: 5n } },
      change: null,
    })
  })

  it('shows what belongs to no team, and how much of it is estimated', () => {
    expect(report.groups[1]).toMatchObject({
      names: [null],
      amount: 3n,
      basis: { estimated: 3n, measured: 0n },
    })
  })

  it('has the sum of its groups as total', () => {
    expect(report.totals).toMatchObject([{ names: [null], calls: 4, amount: 48n, inputTokens: 4_100n }])
  })
})

describe('spend by several', () => {
  it('has a group for each combination', () => {
    const { groups } = spend(rows, { by: ['model', 'team'] })
    expect(groups.map(({ names, amount }) => [...names, amount])).toEqual([
      ['gpt-4', 'search', 42n],
      ['gpt-3.5-turbo', 'search', 3n],
      ['gpt-4', null, 3n],
    ])
  })

  it('lets days run forward, and within a day puts the dearest first', () => {
    const { groups } = spend(rows, { by: ['day', 'team'] })
    expect(groups.map(({ names }) => names)).toEqual([
      ['2023-11-15', 'search'],
      ['2023-11-15', null],
      ['2023-11-16', 'search'],
    ])
  })

  it('names hours as instants', () => {
    expect(spend(rows, { by: ['hour'] }).groups.map(({ names }) => names[0])).toEqual([
      '2023-11-15T12:00:00Z',
      '2023-11-16T12:00:00Z',
    ])
  })
})

describe('spend by meter', () => {
  it('counts quantities, and no calls, since a call has several meters', () => {
    const { groups, totals } = spend(rows, { by: ['meter'] })
    expect(groups).toMatchObject([
      { names: ['input_text_tokens'], quantity: { amount: { numerator: 4_100n } }, amount: 36n, calls: null },
      { names: ['output_text_tokens'], quantity: { amount: { numerator: 200n } }, amount: 12n, resent: null },
    ])
    expect(totals).toMatchObject([{ calls: null, amount: 48n }])
  })

  it('adds no seconds to tokens, but seconds to seconds', () => {
    const seconds = { ...scope, meter: 'audio_seconds', priced: true, amount: 1n } as const
    const third = { ...seconds, quantity: { numerator: 1n, denominator: 3n } }
    const mixed = spend([...rows, third, third], { by: ['team'] })
    expect(mixed.groups[0]?.quantity).toBe(null)
    const [, , audio] = spend([...rows, third, third], { by: ['meter'] }).groups
    expect(audio?.quantity).toEqual({ amount: { numerator: 2n, denominator: 3n }, unit: 'second' })
  })
})

describe('what has no price', () => {
  it('is named, and counted as used, and adds nothing', () => {
    const used: SpendRow = { ...scope, meter: 'image', priced: false, quantity: 2, amount: 0n }
    const { groups } = spend([...rows, used, calls({}, 1, 0, 0n, 1)], { by: ['provider'] })
    expect(groups).toMatchObject([{ unpriced: 1, unpricedMeters: ['image'], amount: 48n, calls: 5 }])
  })
})

describe('two currencies', () => {
  it('are never added', () => {
    const yen = input({ currency: 'JPY' }, 10, 1_000n)
    const { groups, totals } = spend([...rows, yen], { by: ['provider'] })
    expect(groups.map(({ currency, amount }) => [currency, amount])).toEqual([
      ['JPY', 1_000n],
      ['USD', 48n],
    ])
    expect(groups.map(({ share }) => share)).toEqual([
      { numerator: 1n, denominator: 1n },
      { numerator: 1n, denominator: 1n },
    ])
    expect(totals.map(({ currency, amount }) => [currency, amount])).toEqual([
      ['USD', 48n],
      ['JPY', 1_000n],
    ])
  })
})

it('the sum of the groups is the same in every grouping', () => {
  const name = fc.constantFrom('a', 'b', null)
  const some = fc.record({
    hour: fc.integer({ min: 0, max: 60 }).map((hour) => hour * 3_600_000),
    organization: name,
    team: name,
    project: name,
    environment: name,
    key: name,
    provider: fc.constantFrom('openai', 'google'),
    model: fc.constantFrom('x', 'y'),
    endpoint: fc.constantFrom('chat-completions', 'images'),
    currency: fc.constantFrom('USD', 'JPY'),
    basis: fc.constantFrom('measured', 'estimated'),
  })
  const row: fc.Arbitrary<SpendRow> = fc.oneof(
    fc.record({ scope: some, amount: fc.bigInt({ min: 0n, max: 10n ** 20n }), count: fc.nat() }).map(
      ({ scope, amount, count }): SpendRow => ({
        ...scope,
        basis: scope.basis === 'measured' ? 'measured' : 'estimated',
        meter: count % 2 === 0 ? 'input_text_tokens' : 'image',
        priced: count % 3 > 0,
        quantity: count,
        amount,
      }),
    ),
    fc.record({ scope: some, count: fc.nat({ max: 9 }), amount: fc.bigInt({ min: 0n, max: 9n }) }).map(
      ({ scope, count, amount }): SpendRow => ({
        ...scope,
        basis: scope.basis === 'measured' ? 'measured' : 'estimated',
        meter: null,
        calls: count,
        unpriced: 0,
        resentTokens: count,
        resentAmount: amount,
      }),
    ),
  )
  const dimensions = spendDimensions.filter(isOfHours)
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), fc.subarray(dimensions), (rows, by) => {
      const { groups, totals } = spend(rows, { by })
      const whole = spend(rows, { by: by.includes('meter') ? ['meter'] : [] }).totals
      for (const currency of ['USD', 'JPY']) {
        const mine = groups.filter((group) => group.currency === currency)
        const total = totals.find((each) => each.currency === currency)
        const sum = (pick: (group: (typeof groups)[number]) => bigint | number | null | undefined) =>
          mine.reduce((sum, group) => sum + BigInt(pick(group) ?? 0), 0n)
        expect(sum(({ amount }) => amount)).toBe(total?.amount ?? 0n)
        expect(sum(({ inputTokens }) => inputTokens)).toBe(total?.inputTokens ?? 0n)
        expect(sum(({ basis }) => basis.measured + basis.estimated)).toBe(total?.amount ?? 0n)
        expect(total?.amount).toBe(whole.find((each) => each.currency === currency)?.amount)
        if (by.includes('meter')) continue
        expect(sum(({ calls }) => calls)).toBe(BigInt(total?.calls ?? 0))
        expect(sum(({ resent }) => resent?.amount)).toBe(total?.resent?.amount ?? 0n)
      }
    }),
  )
})
