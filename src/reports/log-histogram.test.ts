import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogHistogram, histogramError } from './log-histogram.ts'

describe('a histogram of durations', () => {
  it('knows nothing of nothing', () => {
    expect(createLogHistogram().percentile(0.5)).toBeNull()
  })

  it('counts what is below a millisecond as none', () => {
    const histogram = createLogHistogram()
    for (const value of [0, 0.2, 50]) histogram.add(value)
    expect([histogram.count(), histogram.percentile(0.5)]).toEqual([3, 0])
  })

  it('is within 1 % of the percentile of all values, by nearest rank', () => {
    const values = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.99, 1), (some, share) => {
        const histogram = createLogHistogram()
        for (const value of some) histogram.add(value)
        const exact = some.toSorted((a, b) => a - b)[Math.ceil(share * some.length) - 1] ?? 0
        const found = histogram.percentile(share) ?? 0
        expect(Math.abs(found - exact) / exact).toBeLessThanOrEqual(histogramError + 1e-9)
      }),
    )
  })
})
