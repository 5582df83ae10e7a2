import { describe, expect, it } from 'vitest'
import { aboutOf } from './limit.ts'
import { parseLimit, parseLimits } from './parse-limit.ts'
import type { LimitSubject } from './pattern.ts'

const month = { calendar: 'month', timeZone: 'Europe/Paris' }
const written = { name: 'search', match: { team: 'search' }, measure: 'cost', cap: '100.00', window: month }

const call: LimitSubject = {
  organization: null,
  team: 'search',
  project: null,
  environment: null,
  key: 'key_1',
  endUser: null,
  provider: 'openai',
  model: 'gpt-4-1106-preview',
  endpoint: 'chat-completions',
  conversation: null,
  tags: { feature: 'rerank', region: 'eu-west' },
}

const about = (match: object) => aboutOf(parseLimit({ ...written, match }))(call)

describe('a limit in a policy', () => {
  it('is read with its cap as an exact amount', () => {
    expect(parseLimit(written)).toEqual({
      name: 'search',
      match: { team: 'search' },
      each: [],
      measure: 'cost',
      cap: 100_000_000_000_000n,
      currency: 'USD',
      window: month,
      action: 'refuse',
      warnAt: [],
      unpriced: 'refuse',
    })
  })

  it('is about every call, in dollars and months of UTC, unless it says otherwise', () => {
    const short = parseLimit({ name: 'all', measure: 'cost', cap: '1', window: { calendar: 'month' } })
    expect(short).toMatchObject({ match: {}, currency: 'USD', window: { timeZone: 'UTC' } })
  })

  it('may have a ceiling for what has no price', () => {
    const { unpriced } = parseLimit({ ...written, unpriced: { ceiling: { perCall: '2.50' } } })
    expect(unpriced).toMatchObject({ ceiling: { perCall: 2_500_000_000_000n, inputToken: null } })
  })

  it('may be watched for how fast it is spent, from an amount on', () => {
    expect(parseLimit({ ...written, burnRate: {} }).burnRate).toEqual({ spentMin: 0n })
    const { burnRate } = parseLimit({ ...written, burnRate: { spentMin: '5.00' } })
    expect(burnRate).toEqual({ spentMin: 5_000_000_000_000n })
  })

  it('may have the cap zero, which lets only free calls pass', () => {
    expect(parseLimit({ ...written, cap: '0' }).cap).toBe(0n)
  })

  it.each([
    ['a negative cap', { cap: '-1' }, /"cap".*"-1".*zero or more/],
    ['a cap that is a number', { cap: 100 }, /"cap".*100.*string/],
    ['a cap that is no number', { cap: 'much' }, /"cap".*"much".*plain decimal/],
    ['a cap of 30 decimals', { cap: `0.${'1'.repeat(30)}` }, /"cap".*at most 12 decimals/],
    ['a cap beyond any budget', { cap: '1000000000000001' }, /"cap".*10\^15/],
    ['no cap', { cap: undefined }, /"cap".*nothing/],
    ['a currency that is none', { currency: 'dollars' }, /"currency".*"dollars".*ISO 4217/],
    [
      'an unknown zone',
      { window: { ...month, timeZone: 'Europe/Pari' } },
      /"window.timeZone".*"Europe\/Pari"/,
    ],
    ['an offset as zone', { window: { ...month, timeZone: '+02:00' } }, /"window.timeZone".*IANA/],
    ['a calendar it does not know', { window: { calendar: 'moon' } }, /"window.calendar".*"moon".*"month"/],
    ['two windows in one', { window: { calendar: 'day', rolling: '1h' } }, /"window".*Write one of/],
    ['no window', { window: undefined }, /"window".*nothing/],
    ['a zone of a bucket', { window: { bucket: '1m', timeZone: 'UTC' } }, /"window.timeZone".*calendar/],
    ['a rolling window of nothing', { window: { rolling: '0h' } }, /"window.rolling".*"0h".*"1s" to "366d"/],
    ['a bucket of two years', { window: { bucket: '731d' } }, /"window.bucket".*"366d"/],
    ['a week with an anchor', { window: { calendar: 'week', anchorDay: 3 } }, /"window.anchorDay".*month/],
    ['an anchor day 32', { window: { ...month, anchorDay: 32 } }, /"window.anchorDay".*1 to 31/],
    ['a window of calls in flight', { measure: 'concurrent', currency: undefined }, /"window".*Leave it out/],
    ['a measure it does not know', { measure: 'words' }, /"measure".*"words".*"cost"/],
    ['half a request', { measure: 'requests', cap: '0.5' }, /"cap".*"0.5".*whole number/],
    ['dollars of requests', { measure: 'requests', currency: 'USD' }, /"currency".*requests have none/],
    ['a ceiling of requests', { measure: 'requests', unpriced: { ceiling: {} } }, /"unpriced".*no price/],
    ['images that clamp', { measure: 'images', action: 'clamp' }, /"action".*"clamp".*output/],
    ['a warning of a bucket', { window: { bucket: '1m' }, warnAt: [1] }, /"warnAt".*calendar/],
    ['a burn rate of tokens', { measure: 'tokens', currency: undefined, burnRate: {} }, /"burnRate".*budget/],
    ['a burn rate without end', { window: { calendar: 'total' }, burnRate: {} }, /"burnRate".*ends/],
    ['a burn rate of a bucket', { window: { bucket: '1m' }, burnRate: {} }, /"burnRate".*calendar/],
    ['a least that is a number', { burnRate: { spentMin: 5 } }, /"burnRate.spentMin".*string/],
    ['a least below zero', { burnRate: { spentMin: '-5' } }, /"burnRate.spentMin".*string/],
    ['a burn rate of its own', { burnRate: { factor: 2 } }, /"burnRate".*"factor".*spentMin/],
    ['shares that fall', { warnAt: [0.8, 0.5] }, /"warnAt".*rising/],
    ['a share of nothing', { warnAt: [0] }, /"warnAt".*above 0/],
    ['counters of nothing known', { each: ['teem'] }, /"each".*"teem".*team/],
    ['the same counters twice', { each: ['team', 'team'] }, /"each".*each once/],
    ['a way with the unpriced that is none', { unpriced: 'ceiling' }, /"unpriced".*"refuse".*ceiling/],
    ['a ceiling that is empty', { unpriced: { ceiling: {} } }, /"unpriced.ceiling".*at least one/],
    ['no ceiling', { unpriced: {} }, /"unpriced.ceiling".*an object/],
    ['more than a ceiling', { unpriced: { ceiling: { perCall: '1' }, floor: 1 } }, /"unpriced".*"floor"/],
    ['an action it does not know', { action: 'sleep' }, /"action".*"sleep".*"refuse"/],
    ['an unknown field', { warnings: [0.5] }, /"warnings".*no such field/],
    ['an unknown name in match', { match: { teem: 'search' } }, /"match".*"teem".*team/],
    ['a pattern of stars', { match: { model: '*a*b*c*d*' } }, /"match.model".*at most 4 stars/],
    ['no pattern at all', { match: { model: [] } }, /"match.model".*1 to 100/],
    ['a tag without a name', { match: { 'tag:': 'x' } }, /"match".*"tag:".*tag:NAME/],
    ['an empty name', { name: '' }, /"name".*1 to 200 characters/],
    ['a name of 1 MB', { name: 'x'.repeat(1_000_000) }, /"name".*1 to 200 characters/],
    ['a match that is a list', { match: [] }, /"match".*Write an object/],
  ])('refuses %s and says what to write', (_, change, message) => {
    expect(() => parseLimit({ ...written, ...change })).toThrow(message)
  })

  it('is in the smallest unit of its measure', () => {
    const capOf = (measure: string, cap: string) =>
      parseLimit({ name: 'x', measure, cap, window: { bucket: '1m' } }).cap
    expect(capOf('requests', '60')).toBe(60n)
    expect(capOf('audio_seconds', '1.5')).toBe(1_500_000_000n)
    expect(parseLimit({ name: 'x', measure: 'concurrent', cap: '8' }).window).toBeNull()
  })

  it('may be refilled, may roll, and may begin on another day', () => {
    const windowOf = (window: object) => parseLimit({ ...written, window }).window
    expect(windowOf({ bucket: '1m' })).toEqual({ bucket: '1m', lengthMs: 60_000 })
    expect(windowOf({ rolling: '24h' })).toEqual({
      rolling: '24h',
      lengthMs: 86_400_000,
      slotMs: 1_440_000,
    })
    expect(windowOf({ calendar: 'month', anchorDay: 31 })).toMatchObject({ anchorDay: 31 })
  })

  it('cannot share its name with another', () => {
    expect(() => parseLimits([written, written])).toThrow(/same name/)
    expect(parseLimits([written, { ...written, name: 'other' }])).toHaveLength(2)
  })

  it('refuses what is no object', () => {
    expect(() => parseLimit('search')).toThrow(/The limit cannot be "search"/)
  })
})

describe('a limit is about a call', () => {
  it('when it names nothing', () => {
    expect(about({})).toBe(true)
  })

  it('when every name is the same', () => {
    expect(about({ team: 'search', provider: 'openai' })).toBe(true)
    expect(about({ team: 'search', provider: 'anthropic' })).toBe(false)
  })

  it('when a name begins with what stands before the star', () => {
    expect(about({ model: 'gpt-4*' })).toBe(true)
    expect(about({ model: 'gpt-4' })).toBe(false)
    expect(about({ model: 'gpt-3*' })).toBe(false)
  })

  it('when a star stands for what is inside a name, or before its end', () => {
    expect(about({ model: 'gpt-4-*-preview' })).toBe(true)
    expect(about({ model: '*-preview' })).toBe(true)
    expect(about({ model: 'gpt*1106*' })).toBe(true)
    expect(about({ model: 'gpt-4-*-turbo' })).toBe(false)
    expect(about({ model: 'gpt-4-1106-preview*preview' })).toBe(false)
  })

  it('when one of several patterns matches', () => {
    expect(about({ provider: ['anthropic', 'open*'] })).toBe(true)
    expect(about({ provider: ['anthropic', 'google'] })).toBe(false)
  })

  it('by its tags', () => {
    expect(about({ 'tag:feature': 'rerank' })).toBe(true)
    expect(about({ 'tag:region': 'us-*' })).toBe(false)
    expect(about({ 'tag:none': 'x' })).toBe(false)
    expect(about({ 'tag:constructor': '*x*' })).toBe(false)
  })

  it('in no time, whatever stands in its names', () => {
    const hostile = { ...call, model: 'a'.repeat(1_000_000) }
    const isAbout = aboutOf({ match: { model: '*ab*ab*ab*b' } })
    const start = performance.now()
    expect(isAbout(hostile)).toBe(false)
    expect(performance.now() - start).toBeLessThan(50)
  })

  it('whose name is absent only when the pattern is a star', () => {
    expect(about({ project: '*' })).toBe(true)
    expect(about({ project: 'p*' })).toBe(false)
  })
})
