import { describe, expect, it } from 'vitest'
import { createAdmission } from './admit.ts'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'
import { parseLimit } from './parse-limit.ts'

const noon = Date.parse('2023-11-15T12:00:00Z')
const dollar = (more: object) => ({
  name: 'budget',
  measure: 'cost',
  cap: '0.0000000001',
  window: { calendar: 'month' },
  ...more,
})
const endOf = (holds: ReturnType<typeof holdsOf>, at = noon) => ({ holds, reservedAt: noon, at })

describe('a limit that waits', () => {
  it('says how much must be freed, or when there is room anyway', () => {
    const admission = admissionOf(dollar({ action: 'wait' }))
    holdsOf(admission, askFor(90, noon))
    const december = Date.parse('2023-12-01')
    const waits = { action: 'wait', fitsWhenFreed: 15n, fitsAt: december }
    expect(admission.admit(askFor(25, noon))).toMatchObject(waits)
    expect(admission.admit(askFor(101, noon))).toMatchObject({ fitsAt: null, fitsWhenFreed: null })
  })

  it('of calls in flight waits for one to end', () => {
    const admission = admissionOf({ name: 'two', measure: 'concurrent', cap: '2', action: 'wait' })
    const holds = holdsOf(admission, askFor(1, noon))
    holdsOf(admission, askFor(1, noon))
    const waits = { admitted: false, action: 'wait', fitsWhenFreed: 1n, fitsAt: null, resetsAt: null }
    expect(admission.admit(askFor(1, noon))).toMatchObject(waits)
    admission.settle(endOf(holds), { cost: 5n, used: { requests: 1n } })
    expect(admission.state(noon)[0]).toMatchObject({ settled: 0n, held: 1n, free: 1n })
    holdsOf(admission, askFor(1, noon))
  })

  it('no longer counts a call in flight whose lease has passed', () => {
    const admission = admissionOf({ name: 'one', measure: 'concurrent', cap: '1' })
    const holds = holdsOf(admission, askFor(1, noon))
    admission.expire(endOf(holds))
    expect(admission.state(noon)[0]).toMatchObject({ held: 0n, unresolved: 0n, free: 1n })
    admission.adjust(endOf(holds), { cost: 5n })
    expect(admission.state(noon)[0]).toMatchObject({ settled: 0n, free: 1n })
  })
})

describe('a limit that only warns', () => {
  it('lets a call pass, is told of, and shows what is over', () => {
    const admission = admissionOf(dollar({ action: 'warn' }))
    const decision = admission.admit(askFor(150, noon))
    expect(decision).toMatchObject({ admitted: true, warnings: [{ limit: 'budget', reason: 'exceeded' }] })
    expect(admission.state(noon)[0]).toMatchObject({ held: 150n, free: 0n, over: 50n })
  })

  it('counts what a call without a bound has cost in the end', () => {
    const admission = admissionOf(dollar({ action: 'warn' }))
    const holds = holdsOf(admission, { ...askFor(1, noon), most: null })
    admission.settle(endOf(holds), { cost: 70n })
    expect(admission.state(noon)[0]).toMatchObject({ settled: 70n, free: 30n })
  })
})

it('a call is told of the limit that refuses before the one that waits', () => {
  const admission = admissionOf(
    dollar({ name: 'waits', action: 'wait' }),
    dollar({ name: 'refuses', cap: '0.00000000005' }),
  )
  expect(admission.admit(askFor(120, noon))).toMatchObject({
    action: 'refuse',
    limit: 'refuses',
    fitsAt: null,
  })
  expect(admission.look(askFor(60, noon))).toMatchObject({ limit: 'refuses' })
  expect(admission.look(askFor(50, noon))).toBeNull()
  expect(admission.state(noon)).toMatchObject([{ held: 0n }, { held: 0n }])
})

describe('a limit with a counter for each of something', () => {
  const each = dollar({ each: ['endUser', 'tag:feature'] })

  it('has one for every combination, also of what is absent', () => {
    const admission = admissionOf(each)
    holdsOf(admission, askFor(100, noon, { endUser: 'a', tags: { feature: 'x' } }))
    expect(admission.admit(askFor(1, noon, { endUser: 'a', tags: { feature: 'x' } })).admitted).toBe(false)
    holdsOf(admission, askFor(100, noon, { endUser: 'a', tags: { feature: 'y' } }))
    holdsOf(admission, askFor(100, noon))
    expect(admission.state(noon).map(({ counter }) => counter)).toEqual([
      { endUser: 'a', 'tag:feature': 'x' },
      { endUser: 'a', 'tag:feature': 'y' },
      { endUser: null, 'tag:feature': null },
    ])
  })

  it('names a value of 1 MB by its hash', () => {
    const [hold] = holdsOf(admissionOf(each), askFor(1, noon, { endUser: 'x'.repeat(1_000_000) }))
    expect(hold?.counter?.length).toBeLessThan(120)
  })

  it('counts on from the balances of the ledger', () => {
    const counter = '{"endUser":"a","tag:feature":null}'
    const windowStart = Date.parse('2023-11-01')
    const numbers = { windowStart, settled: 60n, held: 0n, unresolved: 30n }
    const admission = createAdmission(
      [parseLimit(each)],
      [
        { limit: 'budget', counter, ...numbers },
        { limit: 'budget', measure: 'tokens', counter, ...numbers },
      ],
    )
    expect(admission.admit(askFor(11, noon, { endUser: 'a' }))).toMatchObject({ admitted: false, free: 10n })
    holdsOf(admission, askFor(11, noon, { endUser: 'b' }))
  })

  it('forgets the counters of a month that is over', () => {
    const admission = admissionOf(each)
    for (let user = 0; user < 50; user += 1) holdsOf(admission, askFor(1, noon, { endUser: `u_${user}` }))
    expect(admission.state(noon)).toHaveLength(50)
    holdsOf(admission, askFor(1, Date.parse('2023-12-05'), { endUser: 'new' }))
    expect(admission.state(Date.parse('2023-12-05'))).toHaveLength(1)
  })
})

describe('thresholds of a limit', () => {
  const warned = dollar({ warnAt: [0.5, 0.8, 1] })

  it('are told of once when what is settled or unresolved crosses them', () => {
    const admission = admissionOf(warned)
    const spend = (tokens: number) =>
      admission
        .settle(endOf(holdsOf(admission, askFor(tokens, noon))), { cost: BigInt(tokens) })
        .map(({ share, used }) => [share, used])
    expect(spend(49)).toEqual([])
    expect(spend(1)).toEqual([['0.5', 50n]])
    expect(spend(10)).toEqual([])
    expect(spend(40)).toEqual([
      ['0.8', 100n],
      ['1', 100n],
    ])
  })

  it('are not told of again when a correction takes some back, or after a restart', () => {
    const admission = admissionOf(warned)
    const holds = holdsOf(admission, askFor(60, noon))
    expect(admission.expire(endOf(holds))).toHaveLength(1)
    expect(admission.adjust(endOf(holds), { cost: 10n })).toEqual([])
    const again = holdsOf(admission, askFor(50, noon))
    expect(admission.settle(endOf(again), { cost: 50n })).toEqual([])
    const numbers = { windowStart: Date.parse('2023-11-01'), settled: 60n, held: 0n, unresolved: 0n }
    const restarted = createAdmission([parseLimit(warned)], [{ limit: 'budget', ...numbers }])
    const holdsThen = holdsOf(restarted, askFor(10, noon))
    expect(restarted.settle(endOf(holdsThen), { cost: 10n })).toEqual([])
  })

  it('begin anew with the next month', () => {
    const admission = admissionOf(warned)
    admission.settle(endOf(holdsOf(admission, askFor(50, noon))), { cost: 50n })
    const december = Date.parse('2023-12-05')
    const ended = { holds: holdsOf(admission, askFor(50, december)), reservedAt: december, at: december }
    expect(admission.settle(ended, { cost: 50n })).toMatchObject([
      { id: '["budget","",1701388800000,"0.5"]', limit: 'budget', share: '0.5', cap: 100n },
    ])
  })
})
