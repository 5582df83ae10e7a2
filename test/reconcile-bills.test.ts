import { describe, expect, it } from 'vitest'
import type { ImportedRow } from '../src/ledger/reading.ts'
import { formatPicos } from '../src/money/money.ts'
import { parseDecimal } from '../src/money/rational.ts'
import {
  agreeing,
  billed,
  call,
  expectSums,
  kinds,
  model,
  reconciled,
  told,
  usage,
  used,
} from './reconcile.fixture.ts'

/** A day on which the input is billed in euros. */
const inEuros = {
  calls: agreeing(13).calls,
  lines: [
    billed('gpt-5, input', { on: 13, tokens: 1_000, amount: '0.00115', currency: 'EUR' }),
    ...agreeing(13).lines.slice(1),
  ],
}

describe('a bill that says less', () => {
  it('without quantities is matched by the usage report', () => {
    const lines = [
      billed('gpt-5, input', { on: 6, amount: '0.0015' }),
      billed('gpt-5, output', { on: 6, amount: '0.001' }),
      used(model, { on: 6, requests: null, usage }),
    ]
    expect(kinds({ calls: agreeing(6).calls, lines })).toEqual([
      ['input_text_tokens', 'price'],
      ['output_text_tokens', null],
    ])
  })

  it('without quantities and on the wrong day is timing', () => {
    const lines = [
      used(model, { on: 6, requests: 1, usage }),
      billed('gpt-5, input', { on: 7, amount: '0.00125' }),
      billed('gpt-5, output', { on: 7, amount: '0.001' }),
    ]
    expect(told(reconciled({ calls: agreeing(6).calls, lines })).map(([on, , kind]) => [on, kind])).toEqual([
      [6, 'timing'],
      [6, 'timing'],
      [7, 'timing'],
      [7, 'timing'],
    ])
  })

  it('in which tiers stand before the words is matched, at the tier that the usage report names', () => {
    const lines = [
      billed('gpt-5, priority input', { on: 7, amount: '0.0025' }),
      billed('gpt-5, priority output', { on: 7, amount: '0.002' }),
      used(model, { on: 7, requests: 1, tier: 'priority', usage }),
    ]
    expect(kinds({ calls: agreeing(7).calls, lines }).map(([, kind]) => kind)).toEqual(['tier', 'tier'])
  })

  it('by project is matched by project where the bill maps it, and else not', () => {
    const calls = [
      call('shop', { on: 2, model, project: 'shop' }, usage),
      call('elsewhere', { on: 2, model, project: 'depot' }, usage),
    ]
    const mapped = agreeing(2).lines.map((line) => ({ ...line, owner: { ...line.owner, project: 'shop' } }))
    const found = reconciled({ calls, lines: [...mapped, ...agreeing(2).lines] })
    expect(found.cells.map(({ project, kind }) => [project, kind])).toEqual([
      [null, null],
      [null, null],
      ['shop', null],
      ['shop', null],
    ])
  })

  it('of a tool for all models together is matched with the calls of all', () => {
    const searched = { ...usage, web_search_call: 2 }
    const calls = [call('a', { on: 2, model }, searched), call('b', { on: 2, model: 'gpt-4.1' }, searched)]
    const [line] = agreeing(2).lines
    const tool = {
      ...line,
      model: null,
      reported: { ...line?.reported, usage: [{ meter: 'web_search_call', quantity: 4 }] },
    }
    const cost = calls[0]?.settlement.charges.find(({ meter }) => meter === 'web_search_call')?.amount ?? 0n
    const amount = 2n * cost
    const { cells } = reconciled({
      calls,
      lines: [{ ...tool, reported: { ...tool.reported, amount } } as ImportedRow],
    })
    expect(cost).toBeGreaterThan(0n)
    expect(cells.filter(({ meter }) => meter === 'web_search_call')).toMatchObject([
      { model: null, kind: null },
    ])
  })

  it('in words that name no meter stays by its words, unexplained', () => {
    const tax = billed('Tax', { on: 2, amount: '0.0004' })
    expect(told(reconciled({ ...agreeing(2), lines: [...agreeing(2).lines, tax] }))).toEqual([
      [2, 'Tax', 'unknown'],
    ])
  })

  it('in another currency is converted by a dated rate, and no further than rates differ', () => {
    const rate = (factor: string) => () => ({ factor: parseDecimal(factor), date: '2025-11-13' })
    const near = reconciled({ ...inEuros, rateOn: rate('1.09') })
    expect(near.totals.map(({ currency, gap }) => [currency, formatPicos(gap)])).toEqual([
      ['USD', '0.0000035'],
    ])
    expect(told(near)).toEqual([[13, 'input_text_tokens', 'currency']])
    const far = reconciled({ ...inEuros, rateOn: rate('2') })
    expect(told(far)).toEqual([[13, 'input_text_tokens', 'unknown']])
    expectSums(far)
  })
})
