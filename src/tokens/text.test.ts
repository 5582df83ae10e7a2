import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Counter, encodingOf, loadEncoding, newEffort, tokensAtMost } from './text.ts'

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
  ])('of %s is %s', (model, encoding) => {
    expect(encodingOf(model)).toBe(encoding)
  })

  it.each(['claude-opus-5', 'gpt-42', 'ft:', '', 'o1x'])('of "%s" is not known', (model) => {
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
    expect(cl100k.measure('\ufeffusing System;').exact).toBe(false)
  })

  it('takes text that spells a special token as plain text', () => {
    expect(o200k.count('<|endoftext|>')).toBe(7)
  })

  it('counts a long word exactly, and takes a hostile one at one token a byte', () => {
    expect(o200k.measure('a'.repeat(4000))).toEqual({ tokens: 500, exact: true })
    expect(o200k.measure('a'.repeat(100_000))).toEqual({ tokens: 100_000, exact: false })
    expect(o200k.measure(`hello world ${'^'.repeat(100_000)}`).exact).toBe(false)
  })

  it('spends one effort on all the texts of a request', () => {
    const effort = newEffort()
    const results = ['a', 'b', 'c'].map((letter) => o200k.measure(letter.repeat(3000), effort).exact)
    expect(results).toEqual([true, false, false])
  })

  it('does not stall on 100 KB of anything', () => {
    const han = Array.from({ length: 33_000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000)))
    for (const hostile of ['a'.repeat(100_000), ' '.repeat(100_000), '👍'.repeat(25_000), han.join('')]) {
      const start = performance.now()
      o200k.measure(hostile)
      expect(performance.now() - start).toBeLessThan(500)
    }
  })

  it('is loaded once', async () => {
    expect(await loadEncoding('o200k_base')).toBe(o200k)
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
