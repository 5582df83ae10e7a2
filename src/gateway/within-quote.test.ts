import { expect, it } from 'vitest'
import { withinQuote } from './within-quote.ts'

const quoted = {
  usage: [
    { meters: ['input_text_tokens', 'cached_input_tokens'] as const, least: 1, most: 900 },
    { meters: ['output_text_tokens'] as const, least: 0, most: 500 },
  ],
}

// A budget of 1 USD came to 1.01529: streams of 500 tokens at most were taken at a token a byte, 2,600 of them.
it('takes a counted answer at no more than the output limit that was held', () => {
  expect(withinQuote({ input_text_tokens: 120, output_text_tokens: 2600 }, quoted)).toEqual({
    input_text_tokens: 120,
    output_text_tokens: 500,
  })
})

it('bounds meters that share a bound by their sum', () => {
  expect(withinQuote({ input_text_tokens: 700, cached_input_tokens: 300 }, quoted)).toEqual({
    input_text_tokens: 700,
    cached_input_tokens: 200,
  })
})

it('leaves alone what has no bound', () => {
  const open = { usage: [{ meters: ['output_text_tokens'] as const, least: 0, most: null }] }
  expect(withinQuote({ output_text_tokens: 2600, image: 2 }, open)).toEqual({
    output_text_tokens: 2600,
    image: 2,
  })
})
