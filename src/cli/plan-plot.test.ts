import { describe, expect, it } from 'vitest'
import { pricerOf } from '../planning/plan-cost.ts'
import { parsePlanRequest } from '../planning/plan-request.ts'
import { openPriceBook } from '../pricing/price-book.ts'
import { drawTurns } from './plan-plot.ts'

const row = (meter: string) => ({
  ...{ provider: 'acme', model: 'm', service: 'chat', meter, attributes: {}, unitPrice: '1', per: 1 },
  ...{ currency: 'USD', effectiveFrom: '2020-01-01', fromPrecision: 'exact', effectiveTo: null },
  ...{ confidence: 'high', source: 'made for this test' },
})
const book = openPriceBook([
  {
    schema: 'octroi-prices/1',
    provider: 'acme',
    prices: [row('input_text_tokens'), row('output_text_tokens')],
  },
])
const turnsOf = (turns: number, provider = 'acme') => {
  const request = parsePlanRequest(
    { provider, model: 'm', at: '2024-01-01', user: 1, assistant: 1, turns },
    0,
  )
  return pricerOf(request, book).turns(request)
}

describe('the plot of a plan', () => {
  it('draws a turn as a column, and history sent again above what is new', () => {
    // The turns cost 2, 4, 6 and 8, of which 2 are new each time: one row is worth 2.
    expect(drawTurns(turnsOf(4), { currency: 'USD', width: 8, height: 4 })).toEqual([
      '8 USD ┤      ░░',
      '      ┤    ░░░░',
      '      ┤  ░░░░░░',
      '    0 ┤████████',
      '      └────────',
      '       turn 1 turn 4',
      '       █ what is new  ░ history sent again',
    ])
  })

  it('draws the dearest turn of each stretch where there are more turns than columns', () => {
    const lines = drawTurns(turnsOf(100), { currency: 'USD', width: 10, height: 2 })
    // The columns cost 20, 40 ... 200; the last three pass the middle of the upper row, 150.
    expect(lines[0]).toBe('200 USD ┤       ░░░')
    expect(lines[3]).toBe('         turn 1 turn 100')
  })

  it('draws a single turn without saying its number twice', () => {
    expect(drawTurns(turnsOf(1), { currency: 'USD', width: 8, height: 1 }).slice(-2)).toEqual([
      '       turn 1',
      '       █ what is new  ░ history sent again',
    ])
  })

  it('draws nothing where a turn has no price', () => {
    expect(drawTurns(turnsOf(4, 'nobody'), { currency: 'USD' })).toEqual([])
  })
})
