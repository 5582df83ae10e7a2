import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { successorOf, sunsets } from './lifecycle.ts'
import { openModelFacts } from './model-facts.ts'

const stated = { source: 'a page', asOf: '2026-11-20', confidence: 'high' }
const on = (day: string) => ({ ...stated, on: day })
const facts = openModelFacts([
  {
    schema: 'octroi-models/1',
    provider: 'acme',
    models: [
      { ...stated, model: 'steady' },
      {
        ...{ ...stated, model: 'first', aliases: ['first-0301'] },
        deprecated: on('2025-01-01'),
        shutdown: { ...on('2025-07-01'), note: 'moved twice' },
        successor: { ...stated, model: 'second' },
      },
      {
        ...{ ...stated, model: 'second' },
        shutdown: on('2026-07-01'),
        successor: { ...stated, model: 'third' },
      },
      {
        ...{ ...stated, model: 'third' },
        deprecated: on('2026-10-14'),
        shutdown: on('2027-01-14'),
        successor: { ...stated, model: 'fourth' },
      },
      { ...stated, model: 'promised', shutdown: { ...on('2027-02-05'), earliest: true } },
      { ...stated, model: 'past-promise', shutdown: { ...on('2026-10-16'), earliest: true } },
      {
        ...{ ...stated, model: 'ring-a' },
        shutdown: on('2026-01-01'),
        successor: { ...stated, model: 'ring-b' },
      },
      {
        ...{ ...stated, model: 'ring-b' },
        shutdown: on('2026-01-01'),
        successor: { ...stated, model: 'ring-a' },
      },
    ],
  },
])
const today = parseInstant('2026-11-23')
const names = (at: string, since?: string) =>
  sunsets(facts, {
    at: parseInstant(at),
    ...(since === undefined ? {} : { since: parseInstant(since) }),
  }).map(({ model, status }) => `${model} ${status}`)

describe('sunsets', () => {
  it('are the ends to come, the next one first', () => {
    expect(names('2026-11-23')).toEqual(['third announced', 'promised earliest'])
  })

  it('are the ended ones too, back to a day', () => {
    expect(names('2026-11-23', '2026-07-01')).toEqual([
      'second ended',
      'past-promise earliest',
      'third announced',
      'promised earliest',
    ])
    expect(names('2026-11-23', '2026-07-02')[0]).toBe('past-promise earliest')
  })

  it('have ended at the very instant of their end', () => {
    expect(names('2027-01-13T23:59:59Z')[0]).toBe('third announced')
    expect(names('2027-01-14', '2027-01-14')[0]).toBe('third ended')
    expect(names('2027-01-14')[0]).not.toContain('announced')
  })

  it('say when they were announced, what replaces them, and who says so', () => {
    expect(sunsets(facts, { at: parseInstant('2025-06-30') })[0]).toEqual({
      provider: 'acme',
      model: 'first',
      aliases: ['first-0301'],
      on: parseInstant('2025-07-01'),
      status: 'announced',
      announced: parseInstant('2025-01-01'),
      successor: 'second',
      source: 'a page',
      asOf: '2026-11-20',
      confidence: 'high',
      note: 'moved twice',
    })
  })
})

describe('the successor of a model', () => {
  const of = (model: string, at?: number) =>
    successorOf(facts, { provider: 'acme', model, ...(at === undefined ? {} : { at }) })

  it('is what the vendor names', () => {
    expect(of('first')).toEqual({ model: 'second', through: [] })
    expect(of('first-0301')).toEqual({ model: 'second', through: [] })
  })

  it('is the first that is still served, by way of those that are not', () => {
    expect(of('first', today)).toEqual({ model: 'third', through: ['second'] })
    expect(of('first', parseInstant('2026-06-30'))).toEqual({ model: 'second', through: [] })
    expect(of('first', parseInstant('2027-01-14'))).toEqual({ model: 'fourth', through: ['second', 'third'] })
  })

  it('is none where the vendor names none, or nothing is known', () => {
    expect(of('steady', today)).toBeNull()
    expect(of('no-such-model', today)).toBeNull()
  })

  it('is none where ended models name each other in a ring', () => {
    expect(of('ring-a', today)).toBeNull()
  })
})
