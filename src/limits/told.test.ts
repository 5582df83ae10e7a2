import { describe, expect, it } from 'vitest'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'

const total = { window: { calendar: 'total' } }

describe('what was used already', () => {
  it('is held against all its limits, also beyond their caps, and settles as over', () => {
    const admission = admissionOf(
      { name: 'rate', measure: 'requests', cap: '0', ...total },
      { name: 'tokens', measure: 'output_tokens', cap: '10', ...total },
      { name: 'other', match: { team: 'ads' }, measure: 'requests', cap: '0', ...total },
      { name: 'euros', measure: 'cost', currency: 'EUR', cap: '1', ...total },
    )
    expect(admission.admit(askFor(25, 0)).admitted).toBe(false)
    const holds = admission.hold(askFor(25, 0))
    expect(holds.map(({ limit, amount }) => [limit, amount])).toEqual([
      ['rate', 1n],
      ['tokens', 25n],
    ])
    admission.settle(
      { holds, reservedAt: 0, at: 1 },
      { cost: 0n, used: { requests: 1n, output_tokens: 25n } },
    )
    const states = admission.state(1).map(({ limit, settled, held, over }) => [limit, settled, held, over])
    expect(states).toEqual([
      ['rate', 1n, 0n, 1n],
      ['tokens', 25n, 0n, 15n],
      ['other', 0n, 0n, 0n],
      ['euros', 0n, 0n, 0n],
    ])
  })
})

describe('the limits about a call', () => {
  it('are told with what it asks of each and whether that fits, and hold nothing for it', () => {
    const admission = admissionOf(
      { name: 'tokens', measure: 'output_tokens', cap: '30', ...total },
      { name: 'rate', measure: 'requests', cap: '1', ...total },
      { name: 'other', match: { team: 'ads' }, measure: 'requests', cap: '0', ...total },
    )
    holdsOf(admission, askFor(20, 0))
    const told = admission.about(askFor(10, 0))
    expect(told.map(({ limit, asked, free, fits }) => [limit, asked, free, fits])).toEqual([
      ['tokens', 10n, 10n, true],
      ['rate', 1n, 0n, false],
    ])
    expect(admission.state(0).map(({ held }) => held)).toEqual([20n, 1n, 0n])
  })
})
