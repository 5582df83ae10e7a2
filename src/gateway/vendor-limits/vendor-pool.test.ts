import { describe, expect, it } from 'vitest'
import type { Asked } from '../../limits/decision.ts'
import { askFor } from '../../limits/limits.fixture.ts'
import { limitOfVendor } from '../../limits/limits-of-vendor.ts'
import { manualClock } from '../../time.ts'
import { createVendorPool } from './vendor-pool.ts'

const at = Date.parse('2023-11-15T12:00:00Z')
const scope = { upstream: 'openai', model: 'gpt-4', names: ['gpt-4'], tier: '1' } as const
const minute = 60_000

/** A pool of 20 requests and 20,000 tokens a minute. */
const open = () => {
  const clock = manualClock(at)
  const limits = [
    limitOfVendor(scope, { measure: 'requests', lengthMs: minute, cap: 20n }),
    limitOfVendor(scope, { measure: 'tokens', lengthMs: minute, cap: 20_000n }),
  ]
  const pool = createVendorPool(scope, limits, clock)
  let calls = 0
  const take = (tokens = 10): boolean => {
    calls += 1
    return pool.enter(`call ${calls}`, askFor(tokens, clock.now())) === null
  }
  return { clock, pool, take, asked: (tokens: number): Asked => askFor(tokens, clock.now()) }
}

describe('a pool of 20 requests and 20,000 tokens a minute', () => {
  it('takes all but one of twenty calls at once, and nineteen more in a minute', () => {
    const { clock, take } = open()
    expect(Array.from({ length: 25 }, () => take()).filter(Boolean)).toHaveLength(19)
    clock.advance(3_157)
    expect(take()).toBe(false)
    clock.advance(1)
    expect([take(), take()]).toEqual([true, false])
  })

  it('gives back the tokens that a call did not use', () => {
    const { pool, asked, take } = open()
    expect(pool.enter('long', asked(15_000))).toBeNull()
    expect(take(10_000)).toBe(false)
    pool.ended('long', { requests: 1n, tokens: 50n })
    expect(take(10_000)).toBe(true)
  })

  it('counts no call that the vendor refused', () => {
    const { pool, asked, take } = open()
    expect(pool.enter('refused', asked(20_000))).toBeNull()
    pool.refused('refused', null)
    expect(take(20_000)).toBe(true)
  })

  it('lets one call go in a second after a refusal, until one is taken', () => {
    const { clock, pool, take } = open()
    pool.refused('first', 7_000)
    clock.advance(7_000)
    expect([take(), take()]).toEqual([true, false])
    clock.advance(1_000)
    expect([take(), take()]).toEqual([true, false])
    pool.heard([])
    expect([take(), take()]).toEqual([true, true])
  })

  it('is closed for ten minutes at most', () => {
    const { clock, pool, take } = open()
    pool.refused('first', 604_800_000)
    clock.advance(599_999)
    expect(take()).toBe(false)
    clock.advance(1)
    expect(take()).toBe(true)
  })

  it('leaves room for others who use the account, until the bucket has refilled', () => {
    const { clock, pool, take } = open()
    pool.heard([{ measure: 'tokens', cap: 20_000, left: 500, lengthMs: minute }])
    expect(take(600)).toBe(false)
    clock.advance(300)
    expect(take(600)).toBe(true)
  })

  it('takes no more room than it had from a vendor that says that more is left', () => {
    const { pool, take } = open()
    expect(take(15_000)).toBe(true)
    pool.heard([{ measure: 'tokens', cap: 20_000, left: 20_000, lengthMs: minute }])
    expect(take(6_000)).toBe(false)
  })

  it('has the cap that the vendor says, higher or lower, of the time that it says', () => {
    const { pool, take } = open()
    pool.heard([{ measure: 'tokens', cap: 40_000, left: null, lengthMs: minute }])
    expect(take(35_000)).toBe(true)
    pool.heard([{ measure: 'requests', cap: 200, left: 200, lengthMs: 86_400_000 }])
    // Of what time this is, nobody can tell.
    pool.heard([{ measure: 'requests', cap: 1_000, left: 0, lengthMs: null }])
    expect(pool.state(at).map(({ limit, cap }) => [limit, cap])).toEqual([
      ['openai requests per minute of gpt-4 (tier 1)', 19n],
      ['openai tokens per minute of gpt-4 (tier 1)', 40_000n],
      ['openai requests per day of gpt-4 (tier 1)', 198n],
    ])
  })

  it('counts a call whose tokens nobody can bound as one request', () => {
    const { pool, asked, clock } = open()
    const bounded = asked(1)
    const usage = [{ meters: ['output_text_tokens'] as const, least: 0, most: null }]
    const unbounded = { ...bounded, quote: { usage, unpriced: [], pricedMost: 0n } }
    expect(pool.enter('unbounded', unbounded)).toBeNull()
    expect(pool.state(clock.now()).map(({ held }) => held)).toEqual([1n, 0n])
  })
})
