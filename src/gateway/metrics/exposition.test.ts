import { describe, expect, it } from 'vitest'
import { createCounter, createGauge, createHistogram } from './exposition.ts'

describe('the text of metrics', () => {
  it('adds up exactly and shows a scaled sum as a decimal', () => {
    const cost = createCounter('cost_total', 'Cost.', 12)
    cost.add({ model: 'a' }, 690_000_000n)
    cost.add({ model: 'a' }, 1n)
    cost.add({ model: 'b' }, 2_000_000_000_000n)
    expect(cost.text()).toBe(
      '# HELP cost_total Cost.\n# TYPE cost_total counter\n' +
        'cost_total{model="a"} 0.000690000001\ncost_total{model="b"} 2\n',
    )
  })

  it('escapes what would end a label', () => {
    const calls = createCounter('calls_total', 'Calls.')
    calls.add({ model: 'a"b\\c\nd' }, 1n)
    expect(calls.text()).toContain('calls_total{model="a\\"b\\\\c\\nd"} 1\n')
  })

  it('counts a time under its bound and every larger one', () => {
    const times = createHistogram('t_seconds', 'Time.')
    for (const seconds of [0.001, 0.002, 400]) times.observe({ verb: 'settle' }, seconds)
    const lines = times.text().split('\n')
    expect(lines).toContain('t_seconds_bucket{verb="settle",le="0.0005"} 0')
    expect(lines).toContain('t_seconds_bucket{verb="settle",le="0.001"} 1')
    expect(lines).toContain('t_seconds_bucket{verb="settle",le="0.0025"} 2')
    expect(lines).toContain('t_seconds_bucket{verb="settle",le="300"} 2')
    expect(lines).toContain('t_seconds_bucket{verb="settle",le="+Inf"} 3')
    expect(lines).toContain('t_seconds_sum{verb="settle"} 400.003')
    expect(lines).toContain('t_seconds_count{verb="settle"} 3')
  })

  it('shows a gauge without labels bare', () => {
    expect(createGauge('up', 'Up.', () => [[{}, 1]]).text()).toContain('\nup 1\n')
  })
})
