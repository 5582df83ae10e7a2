import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpendRow } from '../../ledger/reading.ts'
import { add, format, rational, zero } from '../../money/rational.ts'
import type { Meter } from '../../usage/meter.ts'
import type { Quantity } from '../../usage/usage.ts'
import type { Gathered } from './gather.ts'
import { emptyLine, readAmount } from './line.ts'
import { createPassed, restsOf } from './passed.ts'

const hour = 3_600_000

const line = (usage: Partial<Record<Meter, Quantity>>, more: Partial<Gathered> = {}): Gathered => ({
  ...emptyLine,
  ...{ key: 'k', provider: 'openai', model: 'gpt-4o', endpoint: 'usage/completions', from: 0, to: 24 * hour },
  usage: new Map(Object.entries(usage) as [Meter, Quantity][]),
  ...more,
})

const scope = {
  ...{ organization: null, team: null, project: null, environment: null, key: null },
  ...{ provider: 'openai', endpoint: 'chat-completions', currency: 'USD' },
} as const

const used = (meter: Meter, quantity: number, more: Partial<SpendRow> = {}): SpendRow =>
  ({
    ...scope,
    hour: 5 * hour,
    model: 'gpt-4o',
    basis: 'measured',
    meter,
    priced: true,
    quantity,
    amount: 10n ** 11n,
    ...more,
  }) as SpendRow

const calls = (count: number): SpendRow =>
  ({
    ...used('request', 0),
    meter: null,
    calls: count,
    unpriced: 0,
    resentTokens: 0,
    resentAmount: 0n,
  }) as SpendRow

const rests = (lines: readonly Gathered[], rows: readonly SpendRow[]) =>
  restsOf(lines, createPassed(rows)).map(({ usage, requests, amount }) => ({
    usage: Object.fromEntries(usage),
    requests,
    amount: amount === null ? null : format(amount),
  }))

describe('what did not pass the gateway', () => {
  it('is what the vendor reports less what the ledger has, reasoning as output', () => {
    const rows = [
      used('input_text_tokens', 30),
      used('output_text_tokens', 5),
      used('output_reasoning_tokens', 10),
      calls(2),
    ]
    expect(rests([line({ input_text_tokens: 100, output_text_tokens: 20 }, { requests: 7 })], rows)).toEqual([
      { usage: { input_text_tokens: 70, output_text_tokens: 5 }, requests: 5, amount: null },
    ])
  })

  it('is never below nothing, where the ledger has more', () => {
    expect(rests([line({ input_text_tokens: 10 })], [used('input_text_tokens', 30)])).toMatchObject([
      { usage: { input_text_tokens: 0 } },
    ])
  })

  it('is taken off no other model, hour or provider, and not for what was imported', () => {
    const rows = [
      used('input_text_tokens', 1, { model: 'gpt-4' }),
      used('input_text_tokens', 2, { hour: 24 * hour }),
      used('input_text_tokens', 3, { provider: 'mistral' }),
      used('input_text_tokens', 4, { basis: 'imported' }),
    ]
    expect(rests([line({ input_text_tokens: 10 })], rows)).toMatchObject([
      { usage: { input_text_tokens: 10 } },
    ])
  })

  it('is spread over the lines that report it, by the largest remainder', () => {
    const lines = [1, 1, 1].map((tokens) => line({ input_text_tokens: tokens }))
    expect(
      rests(lines, [used('input_text_tokens', 1)]).map(({ usage }) => usage['input_text_tokens']),
    ).toEqual([1, 1, 0])
  })

  it('takes as much of a stated amount as of its units', () => {
    const stated = line({ input_text_tokens: 400 }, { amount: readAmount('1') })
    expect(rests([stated], [used('input_text_tokens', 100)])).toMatchObject([{ amount: '0.75' }])
  })

  it('takes as much of a stated amount as of its requests, where the vendor itself priced those that passed', () => {
    const stated = line(
      { input_text_tokens: 400, output_text_tokens: 9 },
      { amount: readAmount('1'), requests: 4 },
    )
    expect(rests([stated], [used('request', 3), calls(3)])).toMatchObject([{ requests: 1, amount: '0.25' }])
  })

  it('is less what the ledger spent, where nothing but an amount is known', () => {
    const stated = line({}, { amount: readAmount('1.5'), model: null })
    expect(rests([stated], [used('input_text_tokens', 100)])).toMatchObject([{ amount: '1.4' }])
  })

  it('is all of a credit', () => {
    expect(
      rests([line({}, { amount: readAmount('-2'), ofCalls: false })], [used('input_text_tokens', 1)]),
    ).toMatchObject([{ amount: '-2' }])
  })

  it('does not take what passed off twice, for a line of the model and one of no model', () => {
    const lines = [line({ web_search_call: 5 }), line({ web_search_call: 5 }, { model: null })]
    expect(
      rests(lines, [used('web_search_preview_call', 3)]).map(({ usage }) => usage['web_search_call']),
    ).toEqual([2, 5])
  })
})

it('is in sum the reported less the passed, never below nothing, whatever the lines', () => {
  const tokens = fc.integer({ min: 0, max: 1_000_000_000 })
  fc.assert(
    fc.property(fc.array(tokens, { minLength: 1, maxLength: 20 }), tokens, (reported, passed) => {
      const lines = reported.map((each) => line({ input_text_tokens: each }))
      const found = restsOf(lines, createPassed([used('input_text_tokens', passed)]))
      const shares = found.map(({ usage }) => Number(usage.get('input_text_tokens')))
      const total = reported.reduce((sum, each) => sum + each, 0)
      expect(shares.reduce((sum, each) => sum + each, 0)).toBe(Math.max(0, total - passed))
      expect(shares.every((share, index) => share >= 0 && share <= (reported[index] ?? 0))).toBe(true)
    }),
  )
})

it('loses nothing of a fraction', () => {
  const gigabyteDays = [rational(1n, 3n), rational(1n, 7n)]
  const lines = gigabyteDays.map((each) => line({ file_search_gb_day: each }))
  const found = restsOf(
    lines,
    createPassed([used('file_search_gb_day', 0, { quantity: rational(1n, 21n) } as Partial<SpendRow>)]),
  )
  const sum = found.reduce(
    (total, { usage }) => add(total, (usage.get('file_search_gb_day') ?? zero) as typeof zero),
    zero,
  )
  expect(format(sum)).toBe('3/7')
})
