import fc from 'fast-check'
import { encode as cl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { encode as o200k } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { randomFrom } from './random.ts'
import { replyPieces, textOfTokens, words } from './replies.ts'

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

describe('a text of a number of tokens', () => {
  it('uses words that are one token each, in both encodings', () => {
    const starters = [...words.article, ...words.when, ...words.where]
    const forms = [
      ...Object.values(words).flatMap((list) => list.map((word) => ` ${word}`)),
      ...starters.flatMap((word) => [capital(word), ` ${capital(word)}`]),
      ...['.', ',', ' Indeed', ' indeed'],
    ]
    expect(forms.filter((form) => cl100k(form).length !== 1)).toEqual([])
    expect(forms.filter((form) => o200k(form).length !== 1)).toEqual([])
  })

  it('has exactly that many tokens, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 400 }), fc.string(), (count, seed) => {
        const text = textOfTokens(count, seed)
        expect(cl100k(text)).toHaveLength(count)
        expect(o200k(text)).toHaveLength(count)
      }),
      { numRuns: 60 },
    )
  })

  it('has 1,000 tokens when a thousand are asked for', () => {
    expect(cl100k(textOfTokens(1000, 'instructions'))).toHaveLength(1000)
  })

  it('is the same for the same seed and another for another', () => {
    expect(textOfTokens(50, 'a')).toBe(textOfTokens(50, 'a'))
    expect(textOfTokens(50, 'a')).not.toBe(textOfTokens(50, 'b'))
  })

  it('can be cut after any of its pieces and has as many tokens as pieces are left', () => {
    const pieces = replyPieces(120, randomFrom('cut'))
    for (let kept = 0; kept <= pieces.length; kept++) {
      expect(cl100k(pieces.slice(0, kept).join(''))).toHaveLength(kept)
    }
  })

  it('reads as sentences', () => {
    const text = textOfTokens(200, 7)
    expect(text).toMatch(/^[A-Z]/)
    expect(text).toMatch(/(\.| [Ii]ndeed)$/)
    expect(text).not.toMatch(/ {2}| ,| \./)
  })

  it.each([-1, 1.5, Number.NaN, 1_000_001])('refuses %s tokens', (count) => {
    expect(() => textOfTokens(count, 1)).toThrow('cannot be made')
  })
})
