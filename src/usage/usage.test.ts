import { describe, expect, it } from 'vitest'
import { rational } from '../money/rational.ts'
import { inputTokens, quantities, toQuantity, type Usage } from './usage.ts'

describe('quantities', () => {
  it('are exact', () => {
    expect(quantities({ input_text_tokens: 7, audio_seconds: rational(307n, 5n) })).toEqual([
      ['input_text_tokens', rational(7n)],
      ['audio_seconds', rational(307n, 5n)],
    ])
  })

  it.each([
    ['negative', { input_text_tokens: -1 }],
    ['fractional where whole is due', { input_text_tokens: 1.5 }],
    ['a fraction where whole is due', { input_text_tokens: rational(3n, 2n) }],
    ['a float, even where fractions are due', { audio_seconds: 61.4 }],
    ['NaN', { output_text_tokens: Number.NaN }],
    ['infinite', { output_text_tokens: Number.POSITIVE_INFINITY }],
    ['beyond 2^53', { output_text_tokens: 2 ** 53 }],
    ['beyond 2^53 as a rational', { output_text_tokens: rational(2n ** 53n) }],
    ['negative as a rational', { audio_seconds: rational(-1n, 2n) }],
    ['over zero', { audio_seconds: { numerator: 1n, denominator: 0n } }],
    ['a text', { input_text_tokens: '7' as unknown as number }],
    ['nothing', { input_text_tokens: null as unknown as number }],
  ])('that are %s are refused', (_, usage) => {
    expect(() => quantities(usage)).toThrow('a quantity must be a whole number from 0 to 2^53 - 1')
  })

  it('of an unknown meter are refused', () => {
    expect(() => quantities({ input_tokens: 1 } as unknown as Usage)).toThrow('no meter "input_tokens"')
  })

  it('are plain numbers where they are safe whole ones', () => {
    expect(toQuantity(rational(42n))).toBe(42)
    expect(toQuantity(rational(1n, 2n))).toEqual(rational(1n, 2n))
    expect(toQuantity(rational(2n ** 53n))).toEqual(rational(2n ** 53n))
  })
})

describe('input tokens', () => {
  it('are those of every class and modality, and no output', () => {
    const usage = {
      input_text_tokens: 1,
      cached_input_tokens: 20,
      cache_write_tokens: 300,
      input_audio_tokens: 4000,
      output_text_tokens: 50_000,
      tts_characters: 600_000,
    }
    expect(inputTokens(usage)).toBe(4321)
  })
})
