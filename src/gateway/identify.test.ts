import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bearer } from '../providers/provider.ts'
import { withoutKeys } from './identify.ts'

const google = { header: 'x-goog-api-key', prefix: '' }

describe('the keys in a query', () => {
  it('are taken out, and everything else stays as it came', () => {
    expect(withoutKeys('/a?alt=sse&key=AIza', google)).toBe('/a?alt=sse')
    expect(withoutKeys('/a?%6bey=AIza&x=%20+1', google)).toBe('/a?x=%20+1')
    expect(withoutKeys('/a?key=AIza', google)).toBe('/a')
    expect(withoutKeys('/a?', google)).toBe('/a?')
    expect(withoutKeys('/a', google)).toBe('/a')
  })

  it('of a vendor that takes none there are no keys, but for an Octroi key under whatever name', () => {
    expect(withoutKeys('/a?key=AIza', bearer)).toBe('/a?key=AIza')
    expect(withoutKeys('/a?token=oct_1&b=2', bearer)).toBe('/a?b=2')
  })

  it('never hold an Octroi key afterwards', () => {
    const pair = fc
      .tuple(fc.webQueryParameters(), fc.stringMatching(/^[a-z]{1,5}$/))
      .map(([query, name]) => `/a?${query}&${name}=oct_secret&${query}`)
    fc.assert(
      fc.property(pair, (path) => {
        expect(withoutKeys(path, bearer)).not.toContain('oct_secret')
      }),
    )
  })
})
