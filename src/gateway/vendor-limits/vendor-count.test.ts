import { expect, it } from 'vitest'
import { mostOf } from '../../limits/measure.ts'
import type { Quote } from '../../planning/quote.ts'
import { asVendorCounts } from './vendor-count.ts'

const quote: Quote = {
  ...{ currency: 'USD', least: 0n, expected: null, most: 1n, pricedMost: 1n, reasons: [], unpriced: [] },
  usage: [
    { meters: ['input_text_tokens'], least: 0, most: 4_001 },
    { meters: ['output_text_tokens'], least: 0, most: 16_384 },
  ],
}
const asked = { subject: {} as never, at: 0, most: 1n, quote, currency: 'USD' }

it.each([
  [{ isRough: true, isOutputSaid: false }, 1_016n],
  [{ isRough: true, isOutputSaid: true }, 17_385n],
  [{ isRough: false, isOutputSaid: true }, 20_385n],
])('4,001 bytes of input and 16,384 tokens of output, %j, count as %s tokens', (how, tokens) => {
  expect(mostOf('tokens', asVendorCounts(asked, how).quote?.usage ?? [])).toBe(tokens)
})
