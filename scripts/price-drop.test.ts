import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { PriceFile } from '../src/pricing/price-book.ts'
import { factOf, filesOf, proofOf, textOf } from './price-drop.ts'
import type { Fact } from './price-sentences.ts'

const folder = new URL('../prices/', import.meta.url)
const texts = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== 'schema.json')
    .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
)
const files = [...texts.values()].map((text): PriceFile => JSON.parse(text))
const facts = files.flatMap(({ prices }) => prices.map(factOf))

const fact = (changes: Fact): Fact => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter: 'input_text_tokens',
  attributes: { tier: 'standard' },
  unit_price: '0.5',
  per: 1_000_000,
  currency: 'USD',
  effective_from: '2026-01-01',
  from_precision: 'exact',
  effective_to: null,
  confidence: 'high',
  source: 'a price list',
  ...changes,
})

describe('the price files', () => {
  /** The proof was taken from the drop, before anything was converted: a hash a provider over all members of all its
   * rows. That the files give facts back with the same hash says that they hold every fact of every row, and no
   * other: a price, a date, a source or a note that was lost, changed or added would give another hash. */
  it('hold every fact of the drop, row for row', () => {
    const recorded: unknown = JSON.parse(
      readFileSync(new URL('../test/vectors/pricing/drop.json', import.meta.url), 'utf8'),
    )
    expect(proofOf(facts)).toEqual(recorded)
    expect(facts).toHaveLength(1883)
  })

  it('are what their own facts convert to, to the letter', () => {
    for (const file of filesOf(facts)) expect(textOf(file)).toBe(texts.get(`${file.provider}.json`))
  })
})

describe('the proof', () => {
  it.each<[string, Fact]>([
    ['a price', { unit_price: '0.50' }],
    ['a date', { effective_from: '2026-01-02' }],
    ['an attribute', { attributes: { tier: 'batch' } }],
    ['a source', { source: 'another list' }],
    ['a note', { note: 'seen again' }],
  ])('is another where %s is another', (_, changes) => {
    expect(proofOf([fact(changes)])).not.toEqual(proofOf([fact({})]))
  })

  it('is another where a row is missing or there twice, and the same in any order', () => {
    const [one, other] = [fact({}), fact({ model: 'm-2' })]
    expect(proofOf([one])).not.toEqual(proofOf([one, one]))
    expect(proofOf([one, other])).not.toEqual(proofOf([one]))
    expect(proofOf([one, other])).toEqual(proofOf([other, one]))
  })
})

describe('a sentence', () => {
  const rows = (...some: readonly Fact[]) => filesOf(some).flatMap(({ prices }) => prices)
  const openai = { provider: 'openai' }

  it('about models becomes their names, and stays', () => {
    const [multiplier] = rows(
      fact({
        ...openai,
        model: null,
        meter: 'regional_processing',
        kind: 'multiplier',
        attributes: {
          applies_to: 'models released on or after 2026-03-05 that are data-residency eligible',
        },
      }),
      fact({ ...openai, model: 'gpt-5.4', effective_from: '2026-03-05' }),
      fact({ ...openai, model: 'gpt-5.4', effective_from: '2026-09-01' }),
      fact({ ...openai, model: 'gpt-5.2', effective_from: '2025-12-11' }),
      fact({ ...openai, model: 'gpt-5.2', effective_from: '2026-04-01' }),
      fact({ ...openai, model: 'whisper-9', effective_from: '2026-04-01', meter: 'audio_seconds' }),
    ).filter((row) => row['kind'] === 'multiplier')
    expect(multiplier?.resolved).toEqual({ models: ['gpt-5.4'] })
    expect(multiplier?.attributes['applies_to']).toContain('released on or after')
  })

  it('about versions of Claude reads them from the names', () => {
    const models = [
      'claude-opus-4-5-20251101',
      'claude-opus-4-6',
      'claude-sonnet-5',
      'claude-3-opus-20240229',
    ]
    const named = (sentence: string) =>
      rows(
        fact({
          provider: 'anthropic',
          model: null,
          meter: 'inference_geo_us',
          kind: 'multiplier',
          attributes: { applies_to: sentence },
        }),
        ...models.map((model) => fact({ provider: 'anthropic', model })),
      ).find((row) => row.model === null)?.resolved?.models
    expect(named('Claude 4.6 and later')).toEqual(['claude-opus-4-6', 'claude-sonnet-5'])
    expect(named('Claude 4.5 and later on Vertex AI / Bedrock regional endpoints')).toEqual([
      'claude-opus-4-5-20251101',
      'claude-opus-4-6',
      'claude-sonnet-5',
    ])
  })

  it('about all other hours becomes the hours of the other band', () => {
    const band = { tier: 'standard', time_zone: 'UTC', days: 'all' }
    const [peak, rest] = rows(
      fact({ attributes: { ...band, time_band: 'peak', windows: ['01:00-04:00'] } }),
      fact({ attributes: { ...band, time_band: 'off_peak', windows: 'all other hours' } }),
    ).sort((a) => (a.attributes['time_band'] === 'peak' ? -1 : 1))
    expect(peak).not.toHaveProperty('resolved')
    expect(rest?.resolved).toEqual({ windowsOtherThan: ['01:00-04:00'] })
  })

  it('that dates an alias becomes its day', () => {
    const [row] = rows(fact({ aliases: ['m-1-old', 'm-latest (from 2026-06-16)'] }))
    expect(row?.resolved).toEqual({
      aliases: [{ name: 'm-1-old' }, { name: 'm-latest', from: '2026-06-16' }],
    })
    expect(row?.aliases).toEqual(['m-1-old', 'm-latest (from 2026-06-16)'])
  })

  it.each<[string, Fact]>([
    ['models', { attributes: { models: 'the big ones' } }],
    ['holidays', { attributes: { holidays: 'when the boss is away' } }],
    ['an alias', { aliases: ['m (on Sundays)'] }],
  ])('about %s that is not known stops the conversion', (_, changes) => {
    expect(() => rows(fact(changes))).toThrow('does not know what')
  })

  it('about holidays names a calendar, which the file then has', () => {
    const [file] = files.filter(({ provider }) => provider === 'deepseek')
    expect(Object.keys(file?.calendars ?? {})).toEqual(['cn-public-holidays'])
    expect(file?.calendars?.['cn-public-holidays']).toMatchObject({
      days: expect.arrayContaining(['2026-01-01', '2026-10-01', '2026-10-07']),
      through: '2026-12-31',
    })
    expect(file?.calendars?.['cn-public-holidays']).not.toMatchObject({
      days: expect.arrayContaining(['2026-10-08']),
    })
  })
})
