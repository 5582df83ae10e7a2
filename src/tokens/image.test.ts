import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { countImage, imageAtMost } from './image.ts'
import { imageRules } from './image-rules.ts'

const readVectors = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/${path}`, import.meta.url), 'utf8'))

type Vector = {
  readonly id: string
  readonly provider: string
  readonly model?: string
  readonly also_models?: readonly string[]
  readonly example_models?: readonly string[]
  readonly model_tier?: string
  readonly width: number | null
  readonly height: number | null
  readonly detail?: string | null
  readonly expected_tokens: number | null
  readonly expected_outcome?: string
  readonly tolerance?: number
  readonly alternatives?: readonly { readonly tokens: number }[]
}
const vectors: readonly Vector[] = readVectors('image-tokens.json').vectors

/** The vectors that hold at another time than the day they were collected. */
const earlier: Readonly<Record<string, string>> = {
  'img-067': '2025-06-01',
  'img-069': '2025-06-01',
  'img-098': '2025-06-01',
}

/** Vectors that name a family or a tier instead of a model. */
const modelsOf = (vector: Vector): readonly string[] => {
  if (vector.model === 'gemini-3 family') return ['gemini-3-pro-preview', 'gemini-3.5-flash']
  if (vector.model !== undefined) return [vector.model, ...(vector.also_models ?? [])]
  if (vector.model_tier === 'high-resolution') return vector.example_models ?? ['claude-opus-5']
  return vector.example_models ?? ['claude-opus-4-6']
}

const cases = vectors.flatMap((vector) => modelsOf(vector).map((model) => ({ id: vector.id, model, vector })))

const count = (model: string, width: number, height: number, detail?: string) =>
  countImage({ provider: 'openai', model, width, height, ...(detail === undefined ? {} : { detail }) })

describe('the vectors of images', () => {
  it('are all there', () => {
    expect(vectors.length).toBe(109)
  })

  it.each(cases)('$id holds for $model', ({ id, model, vector }) => {
    const detail = vector.detail?.replace(/^(?:input_fidelity|media_resolution)=/, '')
    const counted = countImage({
      provider: vector.provider,
      model,
      at: parseInstant(earlier[id] ?? '2026-11-23'),
      width: vector.width ?? 1000,
      height: vector.height ?? 1000,
      ...(detail === undefined ? {} : { detail }),
    })
    if (vector.expected_tokens === null) {
      expect(vector.expected_outcome).toBe('rejected')
      expect(counted).toMatchObject({ tokens: null, low: 0, high: 0 })
      expect(counted.refused).toMatch(/patches are more than 30000/)
      return
    }
    expect(Math.abs((counted.tokens ?? Number.NaN) - vector.expected_tokens)).toBeLessThanOrEqual(
      vector.tolerance ?? 0,
    )
    // What contradicts the reading taken lies within the interval.
    for (const tokens of [
      vector.expected_tokens,
      ...(vector.alternatives ?? []).map((each) => each.tokens),
    ]) {
      expect(tokens).toBeGreaterThanOrEqual(counted.low)
      expect(tokens).toBeLessThanOrEqual(counted.high ?? 0)
    }
  })

  it('hold for the images of the tariff of November 2023', () => {
    const tariff = readVectors('pricing/tariff-2023-11.json')
    const images = tariff.cases.filter(
      (each: { usage?: { service?: string } }) => each.usage?.service === 'vision',
    )
    expect(images.map((each: { tokens: number }) => each.tokens)).toEqual([85, 765])
    for (const { usage, tokens } of images) {
      const at = parseInstant(tariff.at)
      expect(countImage({ ...usage, provider: 'openai', at })).toMatchObject({ tokens, class: 'exact' })
    }
  })
})

describe('the tokens of an image', () => {
  it('are 85 in low resolution and 765 for 1000 x 1000, as the article says', () => {
    expect(count('gpt-4-vision-preview', 1000, 1000, 'low')).toEqual({
      tokens: 85,
      low: 85,
      high: 85,
      class: 'exact',
      rule: 'openai-tile/85-170',
    })
    expect(count('gpt-4-vision-preview', 1000, 1000, 'high').tokens).toBe(765)
    expect(count('gpt-4-vision-preview', 1000, 1000).tokens).toBe(765)
  })

  it('span both roundings where they differ, and are then no longer exact', () => {
    expect(count('gpt-4o', 1366, 1024)).toMatchObject({ tokens: 765, low: 765, high: 1105, class: 'formula' })
  })

  it('may be one more or less in patches, as the vendor warns', () => {
    expect(count('gpt-5-mini', 1024, 1024)).toMatchObject({ tokens: 1229, low: 1228, high: 1230 })
  })

  it('of gpt-5.4 can be more in low detail than in high', () => {
    expect(count('gpt-5.4', 2048, 2048, 'low').tokens).toBe(4916)
    expect(count('gpt-5.4', 2048, 2048, 'high').tokens).toBe(3000)
  })

  it('of gpt-4.1-mini follow the budget that held at the time', () => {
    const image = { provider: 'openai', model: 'gpt-4.1-mini', width: 1800, height: 2400 }
    expect(countImage({ ...image, at: parseInstant('2026-06-30') })).toMatchObject({ tokens: 2353 })
    expect(countImage({ ...image, at: parseInstant('2026-07-01') })).toMatchObject({
      tokens: 4977,
      low: 2352,
    })
    expect(countImage(image).rule).toBe('openai-patch/gpt-4.1-mini')
  })

  it('of a snapshot, a tuned model and an Azure deployment follow the model', () => {
    const size = { width: 1000, height: 1000 }
    for (const [provider, model] of [
      ['openai', 'gpt-4o-2024-08-06'],
      ['openai', 'ft:gpt-4o-2024-08-06:someone::abc'],
      ['azure-openai', 'gpt-4o'],
    ] as const) {
      expect(countImage({ provider, model, ...size }).tokens).toBe(765)
    }
    expect(countImage({ provider: 'google', model: 'models/gemini-2.5-flash', ...size }).tokens).toBe(1032)
    expect(countImage({ provider: 'anthropic', model: 'claude-haiku-4-5-20251001', ...size }).tokens).toBe(
      1296,
    )
  })

  it('are the dearest detail where the model does not know the one asked for', () => {
    expect(count('gpt-5.6-sol', 1024, 1024, 'huge')).toMatchObject({ low: 307, high: 1230, class: 'bound' })
    expect(count('gpt-5-mini', 1024, 1024, 'low')).toMatchObject({ tokens: 1230, class: 'bound' })
  })

  it('read Gemini’s media resolution as it is on the wire', () => {
    const image = { provider: 'google', model: 'gemini-3.5-flash', width: 100, height: 100 }
    expect(countImage({ ...image, detail: 'MEDIA_RESOLUTION_LOW' })).toMatchObject({ tokens: 280, high: 308 })
    expect(countImage({ ...image, detail: 'MEDIA_RESOLUTION_UNSPECIFIED' }).tokens).toBe(1120)
  })

  it('are not known, and have no bound, where nothing is published', () => {
    const image = { provider: 'openai', model: 'gpt-9', width: 10, height: 10 }
    expect(countImage(image)).toMatchObject({ tokens: null, low: 0, high: null, class: 'unknown' })
    expect(imageAtMost(image)).toBeNull()
    expect(countImage({ ...image, provider: 'constructor' }).class).toBe('unknown')
    const assumed = { ...image, model: 'gpt-image-2' }
    expect(countImage(assumed)).toMatchObject({ tokens: 194, low: 0, high: null, class: 'unknown' })
    expect(imageAtMost(assumed)).toBeNull()
  })

  it('are none where Claude refuses a side of more than 8000 pixels', () => {
    const image = { provider: 'anthropic', model: 'claude-opus-5', width: 8001, height: 10 }
    expect(countImage(image)).toMatchObject({
      tokens: null,
      high: 0,
      refused: 'a side of 8001 pixels is more than 8000',
    })
  })

  it.each([
    [0, 10],
    [10, -1],
    [1.5, 10],
    [Number.NaN, 10],
    [10, Number.POSITIVE_INFINITY],
  ])('cannot be counted for %s x %s pixels', (width, height) => {
    expect(() => count('gpt-4o', width, height)).toThrow(expect.objectContaining({ code: 'bad_number' }))
  })
})

describe('an image that cannot be seen', () => {
  it.each([
    ['openai', 'gpt-4o', undefined, 1445],
    ['openai', 'gpt-4o', 'low', 85],
    ['openai', 'gpt-4o-mini', undefined, 2833 + 8 * 5667],
    ['openai', 'gpt-image-1', undefined, 65 + 4 * 129],
    ['openai', 'gpt-5.6-sol', undefined, 36_001],
    ['openai', 'gpt-5.6-sol', 'low', 309],
    ['openai', 'gpt-5.4', 'high', 3001],
    ['anthropic', 'claude-opus-4-6', undefined, 1568],
    ['anthropic', 'claude-opus-5', undefined, 4784],
    ['google', 'gemini-3.5-flash', 'ultra_high', 2464],
    ['google', 'gemini-2.5-flash', 'low', 71],
    ['google', 'gemini-2.5-flash', undefined, null],
  ])('of %s/%s in detail %s has at most %s tokens', (provider, model, detail, tokens) => {
    expect(imageAtMost({ provider, model, ...(detail === undefined ? {} : { detail }) })).toBe(tokens)
  })
})

describe('the table of rules', () => {
  it('has an id, a source and a day for each, and one rule a model at a time', () => {
    expect(new Set(imageRules.map(({ id }) => id)).size).toBe(imageRules.length)
    for (const { source, asOf } of imageRules) {
      expect(source.length).toBeGreaterThan(10)
      expect(parseInstant(asOf)).toBeLessThan(parseInstant('2026-12-01'))
    }
    const periods = imageRules.flatMap(({ models, from, to }) => models.map((model) => ({ model, from, to })))
    for (const [at, one] of periods.entries()) {
      for (const other of periods.slice(at + 1)) {
        if (one.model === other.model) expect(one.to).toBe(other.from)
      }
    }
  })
})

/** A model of every rule, at a time when the rule holds, with every detail, known to it or not. */
const shown = fc
  .constantFrom(...imageRules.flatMap((rule) => rule.models.map((model) => ({ rule, model }))))
  .chain(({ rule, model }) =>
    fc.record({
      provider: fc.constant(rule.vendor),
      model: fc.constant(model.replace('*', 'x')),
      at: fc.constant(
        rule.to === undefined ? parseInstant('2026-11-23') : parseInstant(rule.to) - 86_400_000,
      ),
      detail: fc.constantFrom('', 'low', 'high', 'auto', 'original', 'medium', 'ultra_high', 'huge'),
    }),
  )
const side = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 70_000 }))

describe('images of any size', () => {
  it('cost the same when width and height change places', () => {
    fc.assert(
      fc.property(shown, side, side, (image, width, height) => {
        expect(countImage({ ...image, width, height })).toEqual(
          countImage({ ...image, width: height, height: width }),
        )
      }),
    )
  })

  it('have at most as many tokens as an image that cannot be seen, and lie within their interval', () => {
    fc.assert(
      fc.property(shown, side, side, (image, width, height) => {
        const { tokens, low, high } = countImage({ ...image, width, height })
        expect(high ?? 0).toBeLessThanOrEqual(imageAtMost(image) ?? Number.POSITIVE_INFINITY)
        expect(tokens ?? low).toBeGreaterThanOrEqual(low)
        expect(tokens ?? 0).toBeLessThanOrEqual(high ?? Number.POSITIVE_INFINITY)
      }),
      { numRuns: 1000 },
    )
  })

  it('are never made larger: no more tiles or patches than they cover as they are', () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        const cover = (edge: number) => Math.ceil(width / edge) * Math.ceil(height / edge)
        expect(count('gpt-4o', width, height).tokens).toBeLessThanOrEqual(85 + 170 * cover(512))
        expect(count('gpt-5-mini', width, height).tokens).toBeLessThanOrEqual(Math.ceil(1.2 * cover(32)))
        const claude = { provider: 'anthropic', model: 'claude-opus-5', width, height }
        expect(countImage(claude).tokens ?? 0).toBeLessThanOrEqual(cover(28))
      }),
    )
  })

  it('cost no less when they grow, where nothing is shrunk', () => {
    const small = fc.integer({ min: 1, max: 768 })
    const more = fc.integer({ min: 0, max: 500 })
    fc.assert(
      fc.property(small, small, more, (width, height, grown) => {
        for (const model of ['gpt-4o', 'gpt-5.6-sol', 'gpt-5.5']) {
          const before = count(model, width, height).tokens ?? 0
          expect(count(model, width + grown, height).tokens).toBeGreaterThanOrEqual(before)
        }
      }),
    )
  })
})
