import { describe, expect, it } from 'vitest'
import { type LimitSubject, matches, parseLimit } from './limit.ts'

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
}

const about = (match: object) => matches(parseLimit({ ...written, match }), call)

describe('a limit in a policy', () => {
  it('is read with its cap as an exact amount', () => {
    expect(parseLimit(written)).toEqual({
      name: 'search',
      match: { team: 'search' },
      measure: 'cost',
      cap: 100_000_000_000_000n,
      currency: 'USD',
      window: month,
      action: 'refuse',
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
    ['a window it does not keep', { window: { calendar: 'day' } }, /"window.calendar".*"day".*"month"/],
    ['a measure it does not keep', { measure: 'requests' }, /"measure".*"requests".*"cost"/],
    ['a way with the unpriced that is none', { unpriced: 'ceiling' }, /"unpriced".*"refuse".*ceiling/],
    ['a ceiling that is empty', { unpriced: { ceiling: {} } }, /"unpriced.ceiling".*at least one/],
    ['no ceiling', { unpriced: {} }, /"unpriced.ceiling".*an object/],
    ['more than a ceiling', { unpriced: { ceiling: { perCall: '1' }, floor: 1 } }, /"unpriced".*"floor"/],
    ['an action it does not know', { action: 'wait' }, /"action".*"wait".*"refuse"/],
    ['an unknown field', { warnAt: [0.5] }, /"warnAt".*no such field/],
    ['an unknown name in match', { match: { teem: 'search' } }, /"match".*"teem".*team/],
    ['a star inside a pattern', { match: { model: 'gpt-*-turbo' } }, /"match.model".*only at the end/],
    ['an empty name', { name: '' }, /"name".*1 to 200 characters/],
    ['a name of 1 MB', { name: 'x'.repeat(1_000_000) }, /"name".*1 to 200 characters/],
    ['a match that is a list', { match: [] }, /"match".*Write an object/],
  ])('refuses %s and says what to write', (_, change, message) => {
    expect(() => parseLimit({ ...written, ...change })).toThrow(message)
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

  it('whose name is absent only when the pattern is a star', () => {
    expect(about({ project: '*' })).toBe(true)
    expect(about({ project: 'p*' })).toBe(false)
  })
})
