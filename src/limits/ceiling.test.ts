import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../money/money.ts'
import type { Meter } from '../usage/meter.ts'
import { amountAtCeiling, type CeilingAsked, mostAtCeiling, parseCeiling } from './ceiling.ts'

const tokens = parseCeiling({ perMillionInputTokens: '10', perMillionOutputTokens: '40' })

const bound = (meters: readonly [Meter, ...Meter[]], most: number | null) => ({ meters, least: 0, most })

/** What a quote says whose first meters of these bounds have no price. */
const asked = (
  usage: readonly ReturnType<typeof bound>[],
  unpriced: readonly Meter[],
  pricedMost = '0',
): CeilingAsked => ({
  usage,
  unpriced: unpriced.map((meter) => ({ meter, quantity: 1, code: 'no_price', message: 'no price' })),
  pricedMost: parsePicos(pricedMost),
})

const input = bound(['input_text_tokens', 'cached_input_tokens'], 50_000)
const output = bound(['output_text_tokens'], 1_000)
const both: readonly Meter[] = ['input_text_tokens', 'output_text_tokens']

const most = (quoted: CeilingAsked, ceiling = tokens): string | null => {
  const picos = mostAtCeiling(quoted, ceiling)
  return picos === null ? null : formatPicos(picos)
}

describe('a ceiling', () => {
  it('is the most of what has no price: bounds times its rates', () => {
    expect(most(asked([input, output], both))).toBe('0.54')
  })

  it('stands beside what has a price', () => {
    expect(most(asked([input, output], ['output_text_tokens'], '0.125'))).toBe('0.165')
  })

  it('of a meter goes before that of all tokens, and the dearest that a part can fall under counts', () => {
    const dear = parseCeiling({ perMillionInputTokens: '10', perUnit: { cached_input_tokens: '0.00002' } })
    expect(most(asked([input], ['input_text_tokens']), dear)).toBe('1')
  })

  it('knows nothing of what has neither a rate in it nor a bound', () => {
    expect(most(asked([bound(['image'], 2)], ['image']))).toBeNull()
    expect(most(asked([bound(['output_text_tokens'], null)], ['output_text_tokens']))).toBeNull()
    expect(most(asked([bound(['output_text_tokens'], null)], []))).toBeNull()
  })

  it('holds what has neither at its amount for a call, once', () => {
    const call = parseCeiling({ perMillionInputTokens: '10', perCall: '2' })
    const open = [input, bound(['output_text_tokens'], null), bound(['image'], 2)]
    expect(most(asked(open, [...both, 'image']), call)).toBe('2.5')
  })

  it('counts what was used at its rates, and what has none at the amount of a call', () => {
    const used = [
      { meter: 'input_text_tokens', quantity: 1_000 },
      { meter: 'output_text_tokens', quantity: 50 },
      { meter: 'audio_seconds', quantity: { numerator: 1n, denominator: 3n } },
    ] as const
    const seconds = parseCeiling({
      perMillionInputTokens: '10',
      perMillionOutputTokens: '40',
      perUnit: { audio_seconds: '1' },
    })
    expect(formatPicos(amountAtCeiling(used, seconds))).toBe('0.345333333334')
    expect(formatPicos(amountAtCeiling(used, tokens))).toBe('0.012')
    expect(formatPicos(amountAtCeiling(used, { ...tokens, perCall: parsePicos('3') }))).toBe('3.012')
  })

  it('never counts more than was held, for usage within up to 10^6 tokens and any rates up to 100', () => {
    const rate = fc.integer({ min: 0, max: 100 }).map(String)
    const count = fc.nat(1_000_000)
    fc.assert(
      fc.property(rate, rate, count, count, fc.nat(100), fc.nat(100), (inRate, outRate, ins, outs, a, b) => {
        const ceiling = parseCeiling({ perMillionInputTokens: inRate, perMillionOutputTokens: outRate })
        const held = mostAtCeiling(
          asked([bound(['input_text_tokens'], ins), bound(['output_text_tokens'], outs)], both),
          ceiling,
        )
        const used = amountAtCeiling(
          [
            { meter: 'input_text_tokens', quantity: Math.floor((ins * a) / 100) },
            { meter: 'output_text_tokens', quantity: Math.floor((outs * b) / 100) },
          ],
          ceiling,
        )
        expect(held !== null && used <= held).toBe(true)
      }),
    )
  })

  it.each<[string, unknown]>([
    ['an object', 5],
    ['Give at least one of', {}],
    ['Known are perMillionInputTokens', { inputTokens: '1' }],
    ['"unpriced.ceiling.perCall".*as a string', { perCall: 2 }],
    ['"unpriced.ceiling.perCall".*plain decimal', { perCall: 'two' }],
    ['"unpriced.ceiling.perCall".*from 0 to 10\\^9', { perCall: '-1' }],
    ['"unpriced.ceiling.perMillionInputTokens".*from 0', { perMillionInputTokens: '10000000000' }],
    ['"unpriced.ceiling.perUnit".*an object', { perUnit: '1' }],
    ['"unpriced.ceiling.perUnit.moon".*no such meter', { perUnit: { moon: '1' } }],
    ['"unpriced.ceiling.perUnit.image".*as a string', { perUnit: { image: 1 } }],
  ])('that cannot be is refused: %s', (message, json) => {
    expect(() => parseCeiling(json)).toThrow(new RegExp(message))
  })
})
