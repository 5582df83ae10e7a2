import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../src/money/money.ts'
import {
  agreeing,
  all,
  billed,
  billOfDay,
  call,
  expectSums,
  expired,
  kinds,
  model,
  reconciled,
  told,
  usage,
  used,
  type World,
} from './reconcile.fixture.ts'

const planted: Readonly<Record<string, World>> = {
  agreeing: agreeing(2),
  missing: {
    calls: agreeing(3).calls,
    lives: [expired('lost', { on: 3, model }, parsePicos('0.05'))],
    lines: billOfDay(3, [1_700, '0.002125'], [150, '0.0015'], 2),
  },
  billedTwice: {
    calls: [
      call('twin', { on: 4, model }, { input_text_tokens: 731, output_text_tokens: 97 }),
      call('other', { on: 4, model }, { input_text_tokens: 1_200, output_text_tokens: 60 }),
    ],
    lines: billOfDay(4, [2_662, '0.0033275'], [254, '0.00254'], 3),
  },
  outside: { calls: agreeing(5).calls, lines: billOfDay(5, [1_555, '0.00194375'], [133, '0.00133'], 2) },
  price: { calls: agreeing(6).calls, lines: billOfDay(6, [1_000, '0.0015'], [100, '0.001']) },
  tier: { calls: agreeing(7).calls, lines: billOfDay(7, [1_000, '0.0025'], [100, '0.002']) },
  cache: {
    calls: [
      call(
        'hit',
        { on: 8, model },
        { input_text_tokens: 600, cached_input_tokens: 400, output_text_tokens: 100 },
      ),
    ],
    lines: agreeing(8).lines,
  },
  late: {
    calls: [
      call('late', { on: 9, model }, { input_text_tokens: 1_234, output_text_tokens: 77 }),
      ...agreeing(10).calls,
    ],
    lines: billOfDay(10, [2_234, '0.0027925'], [177, '0.00177'], 2),
  },
  rounding: {
    calls: [call('long', { on: 11, model }, { input_text_tokens: 12_345, output_text_tokens: 100 })],
    lines: billOfDay(11, [12_345, '0.0154'], [100, '0.001']),
  },
  credit: {
    calls: agreeing(12).calls,
    lines: [...agreeing(12).lines, billed('Promotional credit', { on: 12, amount: '-0.0005' })],
  },
  currency: {
    calls: agreeing(13).calls,
    lines: [
      billed('gpt-5, input', { on: 13, tokens: 1_000, amount: '0.00115', currency: 'EUR' }),
      billed('gpt-5, output', { on: 13, tokens: 100, amount: '0.001' }),
      used(model, { on: 13, requests: 1, usage }),
    ],
  },
  // The price is another one, and a part of it is credited: neither alone makes the amount.
  mixed: {
    calls: agreeing(14).calls,
    lines: [
      ...billOfDay(14, [1_000, '0.0015'], [100, '0.001']),
      billed('gpt-5, input', { on: 14, amount: '-0.0001' }),
    ],
  },
}

describe('a reconciliation', () => {
  it('finds ten kinds of differences, each in cells of its own, and one that mixes two', () => {
    const found = reconciled(all(...Object.values(planted)))
    expect(told(found)).toEqual([
      [3, 'input_text_tokens', 'missing'],
      [3, 'output_text_tokens', 'missing'],
      [4, 'input_text_tokens', 'billed_twice'],
      [4, 'output_text_tokens', 'billed_twice'],
      [5, 'input_text_tokens', 'outside'],
      [5, 'output_text_tokens', 'outside'],
      [6, 'input_text_tokens', 'price'],
      [7, 'input_text_tokens', 'tier'],
      [7, 'output_text_tokens', 'tier'],
      [8, 'cached_input_tokens', 'cache'],
      [8, 'input_text_tokens', 'cache'],
      [9, 'input_text_tokens', 'timing'],
      [9, 'output_text_tokens', 'timing'],
      [10, 'input_text_tokens', 'timing'],
      [10, 'output_text_tokens', 'timing'],
      [11, 'input_text_tokens', 'rounding'],
      [12, 'Promotional credit', 'credit'],
      [13, 'input_text_tokens', 'currency'],
      [14, 'input_text_tokens', 'unknown'],
    ])
    expect(found.isExplained).toBe(false)
    expectSums(found)
    const dollars = found.totals.find(({ currency }) => currency === 'USD')
    expect(dollars?.parts.map(({ kind, amount }) => [kind, formatPicos(amount)])).toEqual([
      ['missing', '0.001375'],
      ['billed_twice', '0.00188375'],
      ['outside', '0.00102375'],
      ['price', '0.00025'],
      ['tier', '0.00225'],
      ['cache', '0.00045'],
      ['timing', '0'],
      ['rounding', '-0.00003125'],
      ['credit', '-0.0005'],
      ['currency', '-0.00125'],
      ['unknown', '0.00015'],
    ])
  })

  it('finds nothing where both agree, and where there is nothing', () => {
    expect(reconciled(agreeing(2))).toMatchObject({ isExplained: true, totals: [{ gap: 0n, parts: [] }] })
    expect(reconciled({ calls: [], lines: [] })).toEqual({ cells: [], totals: [], isExplained: true })
  })

  it('says what shows each cause', () => {
    const because = (world: World | undefined) =>
      reconciled(world ?? { calls: [], lines: [] }).cells.flatMap((cell) => cell.because ?? [])
    expect(because(planted['billedTwice'])[0]).toBe('1 request more, exactly what a call used: twin')
    expect(because(planted['missing'])[0]).toBe(
      '1 request more; the ledger does not know what these used: lost (expired)',
    )
    expect(because(planted['price'])[0]).toBe(
      "quantities agree; the vendor's amount is a unit price of 1.5 per 1,000,000",
    )
    expect(because(planted['tier'])[0]).toBe(
      'quantities agree; 0.0025 is their price at tier priority, not standard',
    )
  })
})

describe('what looks alike is told apart', () => {
  it('a lost call whose hold does not cover what was billed is not the one that is missing', () => {
    const lives = [expired('small', { on: 3, model }, parsePicos('0.001'))]
    expect(kinds({ ...all(planted['missing'] ?? agreeing(3)), lives })).toEqual([
      ['input_text_tokens', 'unknown'],
      ['output_text_tokens', 'unknown'],
    ])
  })

  it('two requests more, one of which the ledger lost, are two causes', () => {
    const lives = [expired('lost', { on: 3, model }, parsePicos('0.05'))]
    const lines = billOfDay(3, [1_700, '0.002125'], [150, '0.0015'], 3)
    expect(kinds({ calls: agreeing(3).calls, lives, lines }).map(([, kind]) => kind)).toEqual([
      'unknown',
      'unknown',
    ])
  })

  it('a call that differs in one meter from the extra is no twin of it', () => {
    const lines = billOfDay(4, [2_662, '0.0033275'], [255, '0.00255'], 3)
    const calls = planted['billedTwice']?.calls ?? []
    expect(kinds({ calls, lines }).map(([, kind]) => kind)).toEqual(['outside', 'outside'])
  })

  it('a bill that has more than its own usage report billed twice', () => {
    const lines = [
      billed('gpt-5, input', { on: 2, tokens: 2_000, amount: '0.0025' }),
      billed('gpt-5, output', { on: 2, tokens: 200, amount: '0.002' }),
      used(model, { on: 2, requests: 1, usage }),
    ]
    expect(kinds({ calls: agreeing(2).calls, lines }).map(([, kind]) => kind)).toEqual([
      'billed_twice',
      'billed_twice',
    ])
  })

  it('an estimate that the vendor knows better is missing in the ledger', () => {
    const calls = [call('cut', { on: 2, model }, usage, { basis: 'estimated' })]
    const lines = billOfDay(2, [1_000, '0.00125'], [60, '0.0006'])
    expect(kinds({ calls, lines })).toEqual([
      ['input_text_tokens', null],
      ['output_text_tokens', 'missing'],
    ])
  })

  it('an extra call at a wrong price is two causes, in the cell of the price alone', () => {
    const lines = billOfDay(5, [1_555, '0.0023325'], [133, '0.00133'], 2)
    expect(kinds({ calls: agreeing(5).calls, lines })).toEqual([
      ['input_text_tokens', 'unknown'],
      ['output_text_tokens', 'outside'],
    ])
  })

  it('less than the ledger has, with no day that has it, is unknown', () => {
    const lines = billOfDay(2, [900, '0.001125'], [100, '0.001'])
    expect(kinds({ calls: agreeing(2).calls, lines })[0]).toEqual(['input_text_tokens', 'unknown'])
  })

  it('another price that the usage report tells under another tier is not a price', () => {
    const lines = [
      billed('gpt-5, input', { on: 2, tokens: 1_000, amount: '0.0015' }),
      billed('gpt-5, output', { on: 2, tokens: 100, amount: '0.001' }),
      used(model, { on: 2, requests: 1, tier: 'priority', usage }),
    ]
    expect(kinds({ calls: agreeing(2).calls, lines })[0]).toEqual(['input_text_tokens', 'unknown'])
  })

  it('traffic of a model that never passed is outside, and priced by the book', () => {
    const lines = [
      billed('gpt-4.1, input', { on: 2, tokens: 500, amount: '0.001' }),
      used('gpt-4.1', { on: 2, requests: 1, usage: { input_text_tokens: 500 } }),
      billed('made-up, input', { on: 2, tokens: 500, amount: '0.007' }),
    ]
    expect(kinds({ calls: [], lines }).map(([, kind]) => kind)).toEqual(['outside', 'outside'])
    const dear = billed('gpt-4.1, input', { on: 2, tokens: 500, amount: '0.0013' })
    expect(kinds({ calls: [], lines: [dear, ...lines.slice(1, 2)] })).toEqual([
      ['input_text_tokens', 'unknown'],
    ])
  })
})

it('has parts that sum to the gap whatever is billed', () => {
  const tokens = fc.integer({ min: 0, max: 3_000 })
  const amount = fc
    .integer({ min: -500_000, max: 5_000_000 })
    .map((millionths) => formatPicos(BigInt(millionths) * 1_000n))
  const line = fc.record({
    item: fc.constantFrom(
      'gpt-5, input',
      'gpt-5, output',
      'gpt-5, cached input',
      'gpt-5, batch input',
      'Tax',
    ),
    told: fc.record({
      on: fc.constantFrom(2, 3, 4),
      tokens,
      amount,
      currency: fc.constantFrom('USD', 'USD', 'EUR'),
    }),
  })
  const report = fc.record({
    on: fc.constantFrom(2, 3, 4),
    requests: fc.constantFrom(null, 0, 1, 2),
    input: tokens,
  })
  const made = fc.record({
    on: fc.constantFrom(2, 3, 4),
    input: tokens,
    basis: fc.constantFrom('measured' as const, 'estimated' as const),
  })
  fc.assert(
    fc.property(fc.array(line), fc.array(report), fc.array(made), (lines, reports, calls) => {
      expectSums(
        reconciled({
          lines: [
            ...lines.map(({ item, told }) => billed(item, told)),
            ...reports.map(({ on, requests, input }) =>
              used(model, { on, requests, usage: { input_text_tokens: input } }),
            ),
          ],
          calls: calls.map(({ on, input, basis }, index) =>
            call(`made_${index}`, { on, model }, { ...usage, input_text_tokens: input }, { basis }),
          ),
        }),
      )
    }),
  )
})

it('looks a day beyond the period, and leaves that day to its own reconciliation', () => {
  const lines = billOfDay(31, [1_000, '0.00125'], [100, '0.001'])
  expect(told(reconciled({ calls: agreeing(30).calls, lines }))).toEqual([
    [30, 'input_text_tokens', 'timing'],
    [30, 'output_text_tokens', 'timing'],
  ])
})
