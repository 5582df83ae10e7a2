import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { trickyText } from '../../test/support/tricky-text.ts'
import { sinceUnicode17 } from './character-class.ts'
import { type Cut, cutCl100k, cutO200k, cutR50k } from './pieces.ts'

const piecesOf = (cut: Cut, text: string): readonly string[] => {
  const bytes = new TextEncoder().encode(text)
  const pieces: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = cut(bytes, start, bytes.length)
    pieces.push(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, end)))
    start = end
  }
  return pieces
}

/** The vendor's patterns (openai/tiktoken, tiktoken_ext/openai_public.py), with its white space in place of
 * JavaScript's, and the letters that fold to each of its contractions written out. */
const space = String.raw`\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`
const contraction = "'(?:[sSſ]|[dD]|[mM]|[tT]|[lL][lL]|[vV][eE]|[rR][eE])"
const uppers = String.raw`\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}`
const lowers = String.raw`\p{Ll}\p{Lm}\p{Lo}\p{M}`
const pattern = (...alternatives: readonly string[]): RegExp => new RegExp(alternatives.join('|'), 'gu')

const patterns: readonly (readonly [string, Cut, RegExp])[] = [
  [
    'r50k_base and p50k_base',
    cutR50k,
    pattern(
      "'(?:[sdmt]|ll|ve|re)",
      String.raw` ?\p{L}+`,
      String.raw` ?\p{N}+`,
      String.raw` ?[^${space}\p{L}\p{N}]+`,
      `[${space}]+(?![^${space}])`,
      `[${space}]+`,
    ),
  ],
  [
    'cl100k_base',
    cutCl100k,
    pattern(
      contraction,
      String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`,
      String.raw`\p{N}{1,3}`,
      String.raw` ?[^${space}\p{L}\p{N}]+[\r\n]*`,
      String.raw`[${space}]*[\r\n]+`,
      `[${space}]+(?![^${space}])`,
      `[${space}]+`,
    ),
  ],
  [
    'o200k_base and o200k_harmony',
    cutO200k,
    pattern(
      String.raw`[^\r\n\p{L}\p{N}]?[${uppers}]*[${lowers}]+(?:${contraction})?`,
      String.raw`[^\r\n\p{L}\p{N}]?[${uppers}]+[${lowers}]*(?:${contraction})?`,
      String.raw`\p{N}{1,3}`,
      String.raw` ?[^${space}\p{L}\p{N}]+[\r\n/]*`,
      String.raw`[${space}]*[\r\n]+`,
      `[${space}]+(?![^${space}])`,
      `[${space}]+`,
    ),
  ],
]

describe('a text is cut into pieces', () => {
  it('in cl100k_base with contractions, digits by three, and lines apart', () => {
    expect(piecesOf(cutCl100k, "I'LL pay 12345\n\n  now")).toEqual([
      ...['I', "'LL", ' pay', ' ', '123', '45', '\n\n', ' ', ' now'],
    ])
    expect(piecesOf(cutCl100k, 'HTTPServer (é)!\n')).toEqual(['HTTPServer', ' (', 'é', ')!\n'])
  })

  it('in o200k_base with contractions inside words, and at every turn to upper case', () => {
    expect(piecesOf(cutO200k, "I'LL pay 12345\n\n  now")).toEqual([
      ...["I'LL", ' pay', ' ', '123', '45', '\n\n', ' ', ' now'],
    ])
    expect(piecesOf(cutO200k, 'myHTTPServer.get//\n')).toEqual(['my', 'HTTPServer', '.get', '//\n'])
    // A mark before capitals is no sign before them but a word; letters without case join either side.
    expect(piecesOf(cutO200k, '\u0301ABC')).toEqual(['\u0301', 'ABC'])
    expect(piecesOf(cutO200k, '日本ABC')).toEqual(['日本', 'ABC'])
  })

  it('in r50k_base with lower-case contractions only, digits of any number, and line ends as white space', () => {
    expect(piecesOf(cutR50k, "I'LL it's 12345\n\n  now")).toEqual([
      ...['I', "'", 'LL', ' it', "'s", ' 12345', '\n\n ', ' now'],
    ])
  })

  it('with the letters of Unicode 17 as signs, which the vendor does not know yet', () => {
    expect(piecesOf(cutCl100k, 'a\u0cdca')).toEqual(['a', '\u0cdca'])
    expect(piecesOf(cutCl100k, 'a\u0cdda')).toEqual(['a\u0cdda'])
  })

  it.each(patterns)('in %s as the vendor’s pattern does', (_encoding, cut, regex) => {
    const known = trickyText.filter((text) => !sinceUnicode17.test(text))
    fc.assert(
      fc.property(known, (text) => {
        expect(piecesOf(cut, text)).toEqual(text.toWellFormed().match(regex) ?? [])
      }),
      { numRuns: 2000 },
    )
  })
})
