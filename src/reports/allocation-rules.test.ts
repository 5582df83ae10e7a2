import { describe, expect, it } from 'vitest'
import { readAllocationRules } from './allocation-rules.ts'

const centres = [{ name: 'search', match: { team: 'search' } }, { name: 'ads' }]
const version = { version: '2023', from: '2023-11-01', centres }
const even = (...among: readonly string[]) => ({ rule: 'even', among })
const pool = (name: string, share: object) => ({ name, match: { team: name }, share })

const read = (...versions: readonly object[]) =>
  readAllocationRules({ schema: 'octroi-allocation/1', versions })

describe('allocation rules', () => {
  it('put pools after those that give to them', () => {
    const pools = [pool('c', even('ads')), pool('b', even('c', 'ads')), pool('a', even('b', 'c'))]
    expect(read({ ...version, pools })[0]?.order).toEqual(['a', 'b', 'c'])
  })

  it('refuse pools that give to each other in a circle, and name it', () => {
    const pools = [pool('a', even('ads', 'b')), pool('b', even('c')), pool('c', even('a', 'ads'))]
    expect(() => read({ ...version, pools })).toThrow(/in a circle: c -> a -> b -> c\. Cut it/)
    expect(() => read({ ...version, pools: [pool('a', even('a'))] })).toThrow(/a -> a/)
  })

  it('refuse more than 100 %, by any decimal', () => {
    const fixed = (...percents: readonly string[]) =>
      read({
        ...version,
        pools: [pool('p', { rule: 'fixed', percent: { search: percents[0], ads: percents[1] } })],
      })
    expect(() => fixed('60', '40.000000000001')).toThrow(
      /"p": the shares are over 100 %: search 60 \+ ads 40\.000000000001\. Lower them/,
    )
    expect(fixed('60', '40')[0]?.pools[0]?.share).toMatchObject({ rest: { numerator: 0n } })
    expect(() => fixed('-1', '40')).toThrow(/plain decimal/)
  })

  it.each([
    [[], /versions/],
    [[{ ...version, colour: 'red' }], /colour/],
    [[{ ...version, from: '2023-11-01T00:30:00Z' }], /not a whole hour/],
    [[{ ...version, from: 'soon' }], /"soon" is not an instant/],
    [[version, { ...version, version: '2024' }], /begins when "2024" does/],
    [[version, { ...version, from: '2024-01-01' }], /"2023" is there twice/],
    [[{ ...version, centres: [centres[0], centres[0]] }], /has "search" twice/],
    [[{ ...version, pools: [pool('ads', even('search'))] }], /has "ads" twice/],
    [[{ ...version, centres: [{ name: 'x', match: {} }] }], /match names nothing/],
    [[{ ...version, centres: [{ name: 'x', match: { colour: 'red' } }] }], /cannot be by "colour"/],
    [[{ ...version, pools: [pool('p', even('nobody'))] }], /no cost centre or pool "nobody"/],
    [[{ ...version, pools: [pool('p', even('ads', 'ads'))] }], /"ads" is there twice/],
    [[{ ...version, pools: [pool('p', { rule: 'fixed', percent: { ads: 12.5 } })] }], /as a string/],
  ])('refuse %j', (versions, message) => {
    expect(() => read(...versions)).toThrow(message)
  })
})
