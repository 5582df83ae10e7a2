import { describe, expect, it } from 'vitest'
import { newPieceCache } from './piece-cache.ts'

const bytes = new TextEncoder().encode('hallo hello')
/** "hallo" and "hello", as places in the text. */
const [hallo, hello] = [[0, 5] as const, [6, 11] as const]

describe('a cache of pieces', () => {
  it('remembers the tokens of a piece', () => {
    const cache = newPieceCache()
    expect(cache.get(7, bytes, ...hello)).toBe(0)
    cache.set(7, bytes, ...hello, 3)
    expect(cache.get(7, bytes, ...hello)).toBe(3)
  })

  it('never takes one piece for another of the same hash, or of the same place', () => {
    const cache = newPieceCache()
    cache.set(7, bytes, ...hello, 3)
    expect(cache.get(7, bytes, ...hallo)).toBe(0)
    expect(cache.get(7, bytes, 6, 10)).toBe(0)
    expect(cache.get(7 + 2 ** 13, bytes, ...hallo)).toBe(0)
  })

  it('gives the place of a piece to the next one of that place', () => {
    const cache = newPieceCache()
    cache.set(7, bytes, ...hello, 3)
    cache.set(7 + 2 ** 13, bytes, ...hallo, 2)
    expect(cache.get(7, bytes, ...hello)).toBe(0)
    expect(cache.get(7 + 2 ** 13, bytes, ...hallo)).toBe(2)
  })

  it('does not remember a piece of more than 32 bytes', () => {
    const cache = newPieceCache()
    const long = new TextEncoder().encode('a'.repeat(33))
    cache.set(7, long, 0, 33, 5)
    cache.set(8, long, 0, 32, 4)
    expect([cache.get(7, long, 0, 33), cache.get(8, long, 0, 32)]).toEqual([0, 4])
  })

  it('forgets everything when it is cleared', () => {
    const cache = newPieceCache()
    cache.set(7, bytes, ...hello, 3)
    cache.clear()
    expect(cache.get(7, bytes, ...hello)).toBe(0)
  })
})
