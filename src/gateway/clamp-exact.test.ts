import fc from 'fast-check'
import { expect, it } from 'vitest'
import { admissionOf, askFor } from '../limits/limits.fixture.ts'
import type { Quote } from '../planning/quote.ts'
import { admitOrLower, type Clamp } from './clamp.ts'

/** A call that can use as many output tokens as its limit says, and cost as many picos. */
const quoteOf = (tokens: number): Quote => ({
  ...{ currency: 'USD', least: 0n, expected: null, most: BigInt(tokens), pricedMost: BigInt(tokens) },
  ...{ usage: [{ meters: ['output_text_tokens'], least: 0, most: tokens }], reasons: [], unpriced: [] },
})

const clampFrom = (asked: number): Clamp => ({
  limit: { fields: [['max_tokens']], asked, said: true, floor: 16 },
  range: { floor: 16, asked },
  quoteAt: quoteOf,
})

const at = Date.parse('2023-11-15')

it('a call is lowered to exactly what the tightest limit has left, and nothing is ever over', () => {
  const tokens = fc.integer({ min: 16, max: 2_000 })
  const calls = fc.array(
    fc.record({ asked: tokens, share: fc.integer({ min: 0, max: 100 }), ends: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  fc.assert(
    fc.property(
      calls,
      fc.integer({ min: 0, max: 4_000 }),
      fc.integer({ min: 0, max: 4_000 }),
      (all, cost, rate) => {
        const admission = admissionOf(
          {
            name: 'cost',
            measure: 'cost',
            cap: (cost / 1e12).toFixed(12),
            window: { calendar: 'month' },
            action: 'clamp',
          },
          {
            name: 'rate',
            measure: 'output_tokens',
            cap: String(rate),
            window: { rolling: '1h' },
            action: 'clamp',
          },
        )
        for (const { asked, share, ends } of all) {
          const free = Math.min(...admission.state(at).map((state) => Number(state.free)))
          const { decision, quoted, lowered } = admitOrLower(
            admission,
            (quote) => ({ ...askFor(0, at), most: quote.most, quote }),
            { quoted: quoteOf(asked), clamp: () => clampFrom(asked) },
          )
          const room = Math.min(asked, free)
          expect(decision.admitted).toBe(room >= 16)
          expect(lowered?.outputTokens ?? asked).toBe(room >= 16 ? room : asked)
          if (decision.admitted && ends) {
            const used = (BigInt(share) * (quoted.most ?? 0n)) / 100n
            const ended = { holds: decision.holds, reservedAt: at, at }
            admission.settle(ended, { cost: used, used: { output_tokens: used } })
          }
          expect(admission.state(at).every(({ over }) => over === 0n)).toBe(true)
        }
      },
    ),
  )
})
