import fc from 'fast-check'
import { get_encoding } from 'tiktoken'
import { afterAll, describe, expect, it } from 'vitest'
import { loadEncoding } from '../../src/tokens/text.ts'
import { longForm } from '../proof/work.ts'
import { trickyText } from '../support/tricky-text.ts'

/** Strings of each encoding; the long form is `OCTROI_PROOF=long`. */
const strings = longForm ? 100_000 : 5000

describe.each(['cl100k_base', 'o200k_base', 'p50k_base', 'r50k_base'] as const)(
  'counting in %s against the vendor’s own tokenizer',
  (encoding) => {
    const oracle = get_encoding(encoding)
    afterAll(() => {
      oracle.free()
    })

    it(`gives the same for ${strings} tricky strings`, { timeout: 600_000 }, async () => {
      const { count } = await loadEncoding(encoding)
      fc.assert(
        fc.property(trickyText, (text) => {
          expect(count(text)).toBe(oracle.encode_ordinary(text).length)
        }),
        { numRuns: strings },
      )
    })

    it('gives the same for pieces longer than a block', async () => {
      const { count } = await loadEncoding(encoding)
      const longPiece = fc
        .constantFrom(['a'], ['a', 'b'], ['the', 'ing', 'un'], [' '], ['的', '龘', '是'], ['👍', '😀'], ['='])
        .chain((parts) =>
          fc.string({ unit: fc.constantFrom(...parts), minLength: 4000, maxLength: 9000, size: 'max' }),
        )
      fc.assert(
        fc.property(longPiece, (text) => {
          expect(count(text)).toBe(oracle.encode_ordinary(text).length)
        }),
        { numRuns: longForm ? 40 : 4 },
      )
    })
  },
)

it('counts in o200k_harmony as in o200k_base: only special tokens differ', async () => {
  const [base, harmony] = await Promise.all([loadEncoding('o200k_base'), loadEncoding('o200k_harmony')])
  fc.assert(
    fc.property(trickyText, (text) => {
      expect(harmony.count(text)).toBe(base.count(text))
    }),
  )
})
