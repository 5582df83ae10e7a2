import { describe, expect, it } from 'vitest'
import { isMeter, meterFacts, meterNames, parseMeter } from './meter.ts'

describe('the meter table', () => {
  it('names only meters as parents, and never in a circle', () => {
    for (const meter of meterNames) {
      const seen = new Set([meter])
      for (let { parent } = meterFacts(meter); parent !== undefined; { parent } = meterFacts(parent)) {
        expect(isMeter(parent)).toBe(true)
        expect(seen.has(parent)).toBe(false)
        seen.add(parent)
      }
    }
  })

  it('lets only reasoning be priced as its parent: a missing rate of cached, written or audio tokens is named', () => {
    expect(meterNames.filter((meter) => meterFacts(meter).pricedAsParent)).toEqual([
      'output_reasoning_tokens',
    ])
  })

  it('counts seconds and gigabyte-days in fractions, and nothing else', () => {
    expect(meterNames.filter((meter) => !meterFacts(meter).whole)).toEqual([
      'audio_seconds',
      'retrieval_gb_day',
    ])
  })

  it('knows no meter by the name of an object member', () => {
    expect(isMeter('constructor')).toBe(false)
    expect(() => parseMeter('toString')).toThrow('no meter "toString"')
  })
})
