import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openPromptCache, tokensUntil } from './prompt-cache.ts'

const promptOf = (...texts: readonly string[]) => ({
  model: 'm',
  pieces: texts.map((text) => ({ text, tokens: text.length })),
})

describe('the prompt cache', () => {
  it('finds the longest prefix that was written, and none of another model', () => {
    const cache = openPromptCache()
    cache.write(promptOf('a', 'b', 'c'), [1, 2], { at: 0, milliseconds: 10 })
    expect(cache.read(promptOf('a', 'b', 'x'), [1, 2, 3], 1)).toBe(2)
    expect(cache.read(promptOf('a', 'x', 'c'), [1, 2, 3], 1)).toBe(1)
    expect(cache.read(promptOf('x', 'b', 'c'), [1, 2, 3], 1)).toBe(0)
    expect(cache.read({ ...promptOf('a', 'b'), model: 'n' }, [1, 2], 1)).toBe(0)
  })

  it('keeps a prefix for its lifetime after it was last read', () => {
    const cache = openPromptCache()
    cache.write(promptOf('a'), [1], { at: 0, milliseconds: 10 })
    expect(cache.read(promptOf('a'), [1], 9)).toBe(1)
    expect(cache.read(promptOf('a'), [1], 18)).toBe(1)
    expect(cache.read(promptOf('a'), [1], 28)).toBe(0)
  })

  it('looks only where it is told to', () => {
    const cache = openPromptCache()
    cache.write(promptOf('a', 'b'), [1, 2], { at: 0, milliseconds: 10 })
    expect(cache.read(promptOf('a', 'b'), [1], 1)).toBe(1)
    expect(cache.read(promptOf('a', 'b'), [], 1)).toBe(0)
  })

  it('never finds more than two prompts have in common', () => {
    // Prompts of up to 6 pieces of one letter of three, so that most pairs share a beginning.
    const prompt = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 })
    fc.assert(
      fc.property(prompt, prompt, (seen, asked) => {
        const cache = openPromptCache()
        const ends = (texts: readonly string[]) => texts.map((_, index) => index + 1)
        cache.write(promptOf(...seen), ends(seen), { at: 0, milliseconds: 10 })
        const read = cache.read(promptOf(...asked), ends(asked), 0)
        const differs = asked.findIndex((text, index) => seen[index] !== text)
        expect(read).toBe(differs === -1 ? asked.length : differs)
        expect(tokensUntil(promptOf(...asked).pieces, read)).toBe(read)
      }),
    )
  })
})
