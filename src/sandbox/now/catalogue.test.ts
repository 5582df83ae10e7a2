import { describe, expect, it } from 'vitest'
import { parseInstant } from '../../time.ts'
import { openCatalogue } from './catalogue.ts'
import { factsNow, noonNow, pricesNow } from './vendors.fixture.ts'

const rows = pricesNow.flatMap(({ prices }) => prices)
const catalogue = openCatalogue(factsNow, rows)
const found = (vendor: 'openai' | 'anthropic' | 'google', name: string, at = noonNow) => {
  const model = catalogue.find({ vendor, name }, at)
  return typeof model === 'string' ? model : model.servedAs
}

describe('the catalogue', () => {
  it('serves a model from its release to its shutdown', () => {
    expect(found('openai', 'gpt-6-sol', parseInstant('2026-09-21T23:59:59Z'))).toBe('unknown')
    expect(found('openai', 'gpt-6-sol', parseInstant('2026-09-22'))).toBe('gpt-6-sol')
    expect(found('openai', 'gpt-4', parseInstant('2026-10-22'))).not.toBe('retired')
    expect(found('openai', 'gpt-4', parseInstant('2026-10-23'))).toBe('retired')
  })

  it('answers under the name of a dated snapshot that has the same tiers', () => {
    expect(found('anthropic', 'claude-haiku-4-5')).toBe('claude-haiku-4-5-20251001')
    expect(found('openai', 'gpt-5.5')).toBe('gpt-5.5-2026-04-23')
    // That snapshot of gpt-4o has no price in the priority tier.
    expect(found('openai', 'gpt-4o')).toBe('gpt-4o')
    expect(found('openai', 'gpt-4o-2024-08-06')).toBe('gpt-4o-2024-08-06')
  })

  it('knows a model of one vendor only', () => {
    expect(found('openai', 'claude-opus-5-5')).toBe('unknown')
    expect(found('google', 'gemini-1.5-flash')).toBe('retired')
  })

  it('tells tiers, cache lifetimes and sizes by the rows and facts', () => {
    const model = catalogue.find({ vendor: 'openai', name: 'gpt-6.2-sol' }, noonNow)
    expect(model).toMatchObject({ contextTokensMax: 1_050_000, outputTokensMax: 128_000, readsCache: true })
    if (typeof model === 'string') throw new Error(model)
    expect([...model.cacheLifetimes].sort()).toEqual(['12h', '30m'])
    expect([...model.tiers].sort()).toEqual(['batch', 'flex', 'priority', 'standard', 'ultrafast'])
  })

  it('has no model without a price', () => {
    expect(openCatalogue(factsNow, []).list('openai', noonNow)).toEqual([])
  })

  it('knows the fixed block of a web search where one is published', () => {
    expect(catalogue.searchTokens('gpt-4.1-mini', noonNow)).toBe(8000)
    expect(catalogue.searchTokens('gpt-6-sol', noonNow)).toBeNull()
  })
})
