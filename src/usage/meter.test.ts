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

  it('counts time, what is stored over time and sessions billed by the minute in fractions, and nothing else', () => {
    const units = new Set(
      meterNames.filter((meter) => !meterFacts(meter).whole).map((meter) => meterFacts(meter).unit),
    )
    expect([...units].sort()).toEqual([
      'gigabyte-day',
      'hour',
      'second',
      'session',
      'token-hour',
      'unit-hour',
    ])
    expect(meterFacts('code_interpreter_session').whole).toBe(true)
  })

  it('knows no meter by the name of an object member', () => {
    expect(isMeter('constructor')).toBe(false)
    expect(() => parseMeter('toString')).toThrow('no meter "toString"')
  })
})
