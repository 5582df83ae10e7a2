import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anthropic } from '../providers/anthropic.ts'
import { groq } from '../providers/groq.ts'
import { openaiRateLimits } from '../providers/provider.ts'
import { durationText } from '../sandbox/rate-limits.ts'
import { parseDuration, saidLimits, saidWait } from './vendor-limits-said.ts'

const at = Date.parse('2023-12-03T12:00:00Z')

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['1s', 1_000],
    ['120ms', 120],
    ['6m0s', 360_000],
    ['1h2m3s', 3_723_000],
    ['1m26.4s', 86_400],
    ['23h18m29.144s', 83_909_144],
    ['8.64s', 8_640],
    ['0.5ms', 1],
  ])('%s is %i milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '-1s', 's', '1', '1e308s', 'NaN', '1s2m', '9999999999s', '200h', ' 1s', '1d', 'Infinity'])(
    '%j is none, or more than a week',
    (text) => {
      expect(parseDuration(text)).toBeNull()
    },
  )

  it('is read as it was written, for every length up to a week', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 604_800_000 }), (ms) => {
        expect(parseDuration(durationText(ms))).toBe(ms)
      }),
    )
  })

  it('is null or a whole number of milliseconds up to a week, whatever is written', () => {
    const near = fc.string({ unit: fc.constantFrom(...'0123456789.hmse-+ N'), maxLength: 20 })
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const ms = parseDuration(text)
        expect(ms === null || (Number.isInteger(ms) && ms >= 0 && ms <= 604_800_000)).toBe(true)
      }),
    )
  })
})

describe('what a vendor says of its limits', () => {
  it('is of a day where the reset says so: headers of gpt-4-1106-preview in tier 2', () => {
    const headers = {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-limit-tokens': '1500000',
      'x-ratelimit-remaining-tokens': '1212010',
      'x-ratelimit-reset-tokens': '4h36m28.2s',
    }
    expect(saidLimits(headers, openaiRateLimits, at)).toEqual([
      { measure: 'requests', cap: 500, left: 499, lengthMs: 60_000 },
      { measure: 'tokens', cap: 1_500_000, left: 1_212_010, lengthMs: 86_400_000 },
    ])
  })

  it('is of an unknown time where nothing is used, or the reset fits neither minute nor day', () => {
    const headers = (left: string, reset: string) => ({
      'x-ratelimit-limit-tokens': '20000',
      'x-ratelimit-remaining-tokens': left,
      'x-ratelimit-reset-tokens': reset,
    })
    for (const [left, reset] of [
      ['20000', '0s'],
      ['10000', '1h'],
      ['10000', 'soon'],
    ] as const) {
      expect(saidLimits(headers(left, reset), openaiRateLimits, at)).toEqual([
        { measure: 'tokens', cap: 20_000, left: Number(left), lengthMs: null },
      ])
    }
  })

  it('is of a minute at Anthropic, and of requests alone', () => {
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': '2023-12-03T12:00:02Z',
      'anthropic-ratelimit-input-tokens-limit': '30000',
    }
    const said = anthropic.rateLimits === undefined ? [] : saidLimits(headers, anthropic.rateLimits, at)
    expect(said).toEqual([{ measure: 'requests', cap: 50, left: 49, lengthMs: 60_000 }])
  })

  it('leaves out tokens where cached ones do not count', () => {
    expect(groq.rateLimits?.counts.map(({ measure }) => measure)).toEqual(['requests'])
  })

  it.each(['-1', 'NaN', '1e308', '', '0', '99999999999999999999', 'soon', '0x10', 'Infinity'])(
    'is nothing where the limit is %j',
    (nonsense) => {
      expect(saidLimits({ 'x-ratelimit-limit-requests': nonsense }, openaiRateLimits, at)).toEqual([])
    },
  )

  it('never says more left than the whole, nor less than nothing, whatever is written', () => {
    const text = fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String))
    fc.assert(
      fc.property(text, text, text, (limit, remaining, reset) => {
        const headers = {
          'x-ratelimit-limit-requests': limit,
          'x-ratelimit-remaining-requests': remaining,
          'x-ratelimit-reset-requests': reset,
        }
        for (const { cap, left } of saidLimits(headers, openaiRateLimits, at)) {
          expect(Number.isSafeInteger(cap) && cap >= 1).toBe(true)
          expect(left === null || (Number.isSafeInteger(left) && left >= 0 && left <= cap)).toBe(true)
        }
      }),
    )
  })
})

describe('how long a vendor asks to wait', () => {
  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '7', 'retry-after-ms': '6512' }, 6_512],
    [{ 'retry-after': 'Sun, 03 Dec 2023 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun, 03 Dec 2023 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'tomorrow' }, null],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': '1e308' }, null],
    [{ 'retry-after': '999999999' }, null],
    [{}, null],
  ])('of %j is %j milliseconds', (headers, ms) => {
    expect(saidWait(headers, at)).toBe(ms)
  })
})
