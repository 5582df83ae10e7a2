import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { newMerge } from './byte-pair.ts'
import { openVocabulary, type Vocabulary } from './vocabulary.ts'

const codes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Five letters, then what they merge to, the earlier first. */
const small = openVocabulary(['a', 'b', 'c', 'd', 'e', 'bc', 'ab', 'abc', 'de', 'aa', 'aaa'])
const merged = (text: string, vocabulary = small): number =>
  newMerge(vocabulary)(codes(text), 0, codes(text).length)

describe('merging', () => {
  it('takes the lowest rank first, wherever it is', () => {
    // bc before ab: a+bc makes abc; abd has only ab.
    expect(merged('abc')).toBe(1)
    expect(merged('abd')).toBe(2)
    expect(merged('abcde')).toBe(2)
  })

  it('takes the leftmost of equals', () => {
    // aa+a makes aaa, aa+aa makes nothing.
    expect([1, 2, 3, 4, 5].map((letters) => merged('a'.repeat(letters)))).toEqual([1, 1, 1, 2, 2])
  })

  it('leaves alone what makes no token', () => {
    expect(merged('dcba')).toBe(4)
    expect(merged('d')).toBe(1)
  })
})

describe('merging block by block', () => {
  let o200k: Vocabulary
  beforeAll(async () => {
    o200k = openVocabulary((await import('gpt-tokenizer/bpeRanks/o200k_base')).default)
  })

  const unit = (...parts: readonly string[]) => fc.string({ unit: fc.constantFrom(...parts), maxLength: 600 })
  const piece = fc.oneof(
    unit('a'),
    unit('a', 'b'),
    unit(...'abcdefghijklmnopqrstuvwxyz'),
    unit('the', 'ing', 'tion', 's', 'er', 'able', 'un'),
    unit(' '),
    unit('-', '=', '_', '/', '.'),
    unit('👍', '😀', '❤️'),
    unit('的', '一', '是', '不', '了', '人', '龘', '鱻'),
    fc.string({ unit: 'binary', maxLength: 300 }),
  )

  it('is merging the whole, even where blocks are so short that most begin within a token', () => {
    const [whole, byMiddling, byShort] = [newMerge(o200k), newMerge(o200k, 64), newMerge(o200k, 8)]
    fc.assert(
      fc.property(piece, (text) => {
        const bytes = codes(text)
        const tokens = whole(bytes, 0, bytes.length)
        expect([byMiddling(bytes, 0, bytes.length), byShort(bytes, 0, bytes.length)]).toEqual([
          tokens,
          tokens,
        ])
      }),
      { numRuns: 1000 },
    )
  })

  it('is merging the whole where long tokens run on', () => {
    // Runs of spaces up to 128 are tokens of their own, so that 20,000 are 156 of 128 and one of 32.
    const bytes = codes(' '.repeat(20_000))
    expect(newMerge(o200k)(bytes, 0, bytes.length)).toBe(157)
  })
})
