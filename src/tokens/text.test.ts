import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { trickyText } from '../../test/support/tricky-text.ts'
import type { Encoding } from './model-family.ts'
import { type Counter, encodingOf, loadEncoding, tokensAtMost } from './text.ts'

let cl100k: Counter
let o200k: Counter
beforeAll(async () => {
  cl100k = await loadEncoding('cl100k_base')
  o200k = await loadEncoding('o200k_base')
})

describe('the encoding of a model', () => {
  it.each([
    ['gpt-4-1106-preview', 'cl100k_base'],
    ['gpt-3.5-turbo', 'cl100k_base'],
    ['gpt-35-turbo-16k', 'cl100k_base'],
    ['ft:gpt-3.5-turbo-0613:acme::7p4lURel', 'cl100k_base'],
    ['gpt-4o-mini', 'o200k_base'],
    ['gpt-4.1-2025-04-14', 'o200k_base'],
    ['o3-mini', 'o200k_base'],
    ['gpt-5.6-sol', 'o200k_base'],
    ['ft:gpt-4o-mini-2024-07-18:acme::x', 'o200k_base'],
    ['gpt-6.2-astra', 'o200k_base'],
    ['gpt-35-instant', 'cl100k_base'],
    ['gpt-oss-120b', 'o200k_harmony'],
    ['text-davinci-003', 'p50k_base'],
    ['code-cushman-001', 'p50k_base'],
    ['davinci', 'r50k_base'],
    ['curie:ft-acme-2023-01-01', 'r50k_base'],
    ['text-similarity-ada-001', 'r50k_base'],
    ['davinci-002', 'cl100k_base'],
  ])('of %s is %s', (model, encoding) => {
    expect(encodingOf(model)).toBe(encoding)
  })

  it.each(['claude-opus-5', 'gpt-42', 'ft:', '', 'o1x', 'davincio'])('of "%s" is not known', (model) => {
    expect(encodingOf(model)).toBeNull()
  })
})

describe('counting text', () => {
  it('gives the counts of the vendor’s tokenizer', () => {
    expect([cl100k.count('hello world'), o200k.count('hello world')]).toEqual([2, 2])
    expect([cl100k.count(''), o200k.count('')]).toEqual([0, 0])
    expect(cl100k.count('antidisestablishmentarianism')).toBe(6)
    expect(o200k.count('antidisestablishmentarianism')).toBe(6)
    expect(cl100k.count('お誕生日おめでとう')).toBe(9)
    expect(o200k.count('お誕生日おめでとう')).toBe(8)
  })

  it('reads U+0085 as white space and U+FEFF as none, as the vendor does', () => {
    expect(cl100k.count(' \u00850')).toBe(4)
    expect([cl100k.count('a\u0085\u0085b'), o200k.count('a\u0085\u0085b')]).toEqual([6, 6])
    expect(o200k.measure('\ufeffhello')).toEqual({ tokens: 2, exact: true })
    expect(cl100k.measure('\ufeffhello')).toEqual({ tokens: 2, exact: true })
    expect(cl100k.count('\ufeffusing System;')).toBe(3)
  })

  it('takes text that spells a special token as plain text', () => {
    expect(o200k.count('<|endoftext|>')).toBe(7)
  })

  it('has a vocabulary for each generation', async () => {
    const text = 'function add(a, b) {\n    return a + b // 2023\n}'
    const counts = (['r50k_base', 'p50k_base', 'cl100k_base', 'o200k_base', 'o200k_harmony'] as const).map(
      async (encoding) => (await loadEncoding(encoding)).count(text),
    )
    expect(await Promise.all(counts)).toEqual([21, 19, 18, 18, 18])
  })

  it('counts a long text as it counts its lines', () => {
    // Too long for the room that is kept for short texts; a line is "hello world\n", 3 tokens.
    expect(o200k.count('hello world\n'.repeat(10_000))).toBe(30_000)
  })

  it('counts a hostile text exactly', () => {
    expect(o200k.measure('a'.repeat(4000))).toEqual({ tokens: 500, exact: true })
    expect(o200k.measure('a'.repeat(100_000))).toEqual({ tokens: 12_500, exact: true })
  })

  it('is loaded once', async () => {
    expect(await loadEncoding('o200k_base')).toBe(o200k)
  })
})

type Vector = { id: string; kind: string; encoding: string; text: string; expected_tokens: number }

describe('the vectors of text', () => {
  // Read and not imported: some loaders of JSON refuse half of a surrogate pair.
  const file = new URL('../../test/vectors/text-tokens.json', import.meta.url)
  const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))
  const texts = vectors.filter(({ kind }) => kind === 'text')

  it('are 53', () => {
    expect(texts.length).toBe(53)
  })

  it.each(texts)('$id: $encoding', async ({ encoding, text, expected_tokens }) => {
    const counter = encoding === 'cl100k_base' ? cl100k : o200k
    expect(counter.encoding).toBe(encoding)
    expect(counter.count(text)).toBe(expected_tokens)
  })
})

describe('a text in parts', () => {
  /** Letter or digit before white space of a line; line end before letter or digit; letter beside digit. */
  const safeCut =
    /(?<=[\p{L}\p{N}])(?=[ \t\r\n])|(?<=[\r\n])(?=[\p{L}\p{N}])|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u

  it.each(['cl100k_base', 'o200k_base', 'o200k_harmony'] as const)(
    'has the tokens of the whole in %s, where it is cut at safe places',
    async (encoding: Encoding) => {
      const { count } = await loadEncoding(encoding)
      fc.assert(
        fc.property(trickyText, (text) => {
          const parts = text.toWellFormed().split(safeCut)
          expect(parts.reduce((sum, part) => sum + count(part), 0)).toBe(count(text))
        }),
        { numRuns: 1000 },
      )
    },
  )

  it('may have more or fewer tokens where it is cut anywhere', () => {
    expect(o200k.count('hello')).toBe(1)
    expect(o200k.count('hel') + o200k.count('lo')).toBe(2)
  })
})

describe('the bound of a text', () => {
  it('is its bytes in UTF-8', () => {
    expect(tokensAtMost('abc')).toBe(3)
    expect(tokensAtMost('é€👍')).toBe(9)
    expect(tokensAtMost('\ud83d')).toBe(3)
  })

  it('is what a text encoder writes, and never below the count', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
    fc.assert(
      fc.property(text, (any) => {
        expect(tokensAtMost(any)).toBe(new TextEncoder().encode(any).length)
        expect(o200k.count(any)).toBeLessThanOrEqual(tokensAtMost(any))
        expect(cl100k.count(any)).toBeLessThanOrEqual(tokensAtMost(any))
      }),
    )
  })

  it('holds for lone surrogates and NUL bytes, which never throw', () => {
    const unit = fc.constantFrom('\ud83d', '\udc4d', '\0', '\u0085', '\ufeff', 'a', ' ', '\n', "'")
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 200 }), (any) => {
        expect(o200k.count(any)).toBeLessThanOrEqual(tokensAtMost(any))
      }),
    )
  })
})
