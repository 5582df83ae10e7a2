import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpendPlace } from './spend-dimensions.ts'
import { chosenName, fitsWhere, formatWhere, parseWhere } from './spend-where.ts'
import { zoneNames } from './spend-zone.ts'

const utc = zoneNames('UTC')

const place = (more: Partial<SpendPlace>): SpendPlace => ({
  ...{ at: 0, organization: null, team: 'search', project: null, environment: null, key: null },
  ...{ provider: 'openai', model: 'gpt-4-0613', endpoint: 'chat-completions', currency: 'USD' },
  ...{ basis: 'measured', meter: null },
  detail: { tier: null, endUser: null, conversation: null, tags: { feature: 'rerank' } },
  ...more,
})

const fits = (where: string, more: Partial<SpendPlace> = {}): boolean =>
  fitsWhere(parseWhere(where), utc)(place(more))

describe('a filter', () => {
  it('wants every dimension, and of each one of its names', () => {
    expect(fits('team=search,provider=openai')).toBe(true)
    expect(fits('team=ads,team=search')).toBe(true)
    expect(fits('team=search,provider=anthropic')).toBe(false)
  })

  it('takes a star for any text, at any place', () => {
    expect(fits('model=gpt-*')).toBe(true)
    expect(fits('model=*-4-*13')).toBe(true)
    expect(fits('model=gpt-4-0613*0613')).toBe(false)
    expect(fits('model=gpt')).toBe(false)
  })

  it('takes (none) for what has no name', () => {
    expect(fits('project=(none)')).toBe(true)
    expect(fits('project=*')).toBe(false)
    expect(fits('team=(none)')).toBe(false)
  })

  it('knows tags and times', () => {
    expect(fits('tag:feature=rerank,day=1970-01-01')).toBe(true)
    expect(fits('tag:toString=(none)')).toBe(true)
    expect(fits('month=1970-02')).toBe(false)
  })

  it.each(['colour=red', 'team', 'team=', '=search', 'tag:=x'])('refuses %j', (written) => {
    expect(() => parseWhere(written)).toThrow(/Write name=value/)
  })

  it('chooses one name and no other, whatever stands in it, and is read as it was written', () => {
    const name = fc.option(
      fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('(none)', '\\(none)', 'a*', 'a,b', '\\')),
    )
    fc.assert(
      fc.property(name, name, (chosen, other) => {
        const written = formatWhere([{ dimension: 'team', anyOf: [chosenName(chosen)] }])
        expect(formatWhere(parseWhere(written))).toBe(written)
        expect(fits(written, { team: chosen })).toBe(true)
        expect(fits(written, { team: other })).toBe(chosen === other)
      }),
    )
  })
})
