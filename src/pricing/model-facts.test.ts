import { describe, expect, it } from 'vitest'
import openai from '../../prices/models/openai.json' with { type: 'json' }
import { parseInstant } from '../time.ts'
import { findModel, openModelFacts } from './model-facts.ts'

const facts = openModelFacts([openai])
const find = (model: string, at?: string) =>
  findModel(facts, { provider: 'openai', model, ...(at === undefined ? {} : { at: parseInstant(at) }) })

const row = {
  model: 'm-1',
  contextWindow: 8192,
  outputTokensMax: 4096,
  source: 'a page',
  asOf: '2023-11-15',
  confidence: 'high',
}
const file = (...rows: readonly object[]) => ({
  schema: 'octroi-models/1',
  provider: 'acme',
  sources: { page: { text: 'the page of Acme', asOf: '2024-01-31' } },
  models: rows.map((changes) => ({ ...row, ...changes })),
})
const open = (...rows: readonly object[]) => openModelFacts([file(...rows)])

describe('the model facts of OpenAI', () => {
  it.each([
    ['gpt-4-1106-preview', 128_000, 128_000, 4096],
    ['gpt-4-vision-preview', 128_000, 128_000, 4096],
    ['gpt-4-0613', 8192, 8192, 8192],
    ['gpt-4-32k-0613', 32_768, 32_768, 32_768],
    ['gpt-3.5-turbo-1106', 16_385, 16_385, 4096],
    ['gpt-3.5-turbo-0613', 4097, 4097, 4097],
    ['gpt-4o-mini', 128_000, 128_000, 16_384],
    ['gpt-5', 400_000, 272_000, 128_000],
    ['gpt-6.2-astra', 1_050_000, 922_000, 128_000],
  ])('give %s a window of %i, a prompt of %i and an answer of %i', (model, window, input, output) => {
    expect(find(model)).toMatchObject({
      contextWindow: window,
      inputTokensMax: input,
      outputTokensMax: output,
    })
  })

  it('give gpt-3.5-turbo the window it had then, and its own today', () => {
    expect(find('gpt-3.5-turbo', '2023-11-15')).toMatchObject({ contextWindow: 4097, outputTokensMax: 4097 })
    expect(find('gpt-3.5-turbo', '2023-12-10T23:59:59Z')?.contextWindow).toBe(4097)
    expect(find('gpt-3.5-turbo', '2023-12-11')).toMatchObject({
      contextWindow: 16_385,
      outputTokensMax: 4096,
    })
    expect(find('gpt-3.5-turbo')?.contextWindow).toBe(16_385)
  })

  it('let gpt-3.5-turbo-16k answer as far as its window goes, as it did in November 2023', () => {
    expect(find('gpt-3.5-turbo-16k', '2023-11-15')).toMatchObject({
      contextWindow: 16_385,
      outputTokensMax: 16_385,
    })
  })

  it('give a tuned model the facts of its base, at the time', () => {
    expect(find('ft:gpt-3.5-turbo-1106:acme::8abc')?.model).toBe('gpt-3.5-turbo-1106')
    expect(find('ft:gpt-3.5-turbo:acme::8abc', '2023-11-15')?.contextWindow).toBe(4097)
    expect(find('ft:gpt-4o-2024-08-06')?.model).toBe('gpt-4o')
    expect(find('ft:no-such-model:acme::8abc')).toBeNull()
  })

  it('know nothing of a model that has no row, nor of another provider’s', () => {
    expect(find('gpt-4-turbo-2099')).toBeNull()
    expect(findModel(facts, { provider: 'anthropic', model: 'gpt-4' })).toBeNull()
    expect(findModel(facts, { provider: 'anthropic', model: 'ft:gpt-4:acme::8abc' })).toBeNull()
  })

  it('say when gpt-4 came, went, and what came after it', () => {
    const gpt4 = find('gpt-4')
    expect(gpt4?.release?.value).toBe(parseInstant('2023-03-14'))
    expect(gpt4?.deprecated?.value).toBe(parseInstant('2026-04-22'))
    expect(gpt4?.shutdown).toMatchObject({ value: parseInstant('2026-10-23'), earliest: false })
    expect(gpt4?.successor).toMatchObject({ value: 'gpt-5.6-sol', asOf: '2026-07-30', confidence: 'high' })
  })
})

describe('the facts of a name that changed', () => {
  const changed = open(
    { contextWindow: 8192, from: '2024-01-01' },
    { contextWindow: 4096, to: '2024-01-01', aliases: ['m-0'] },
  )
  const at = (day: string, model = 'm-1') =>
    findModel(changed, { provider: 'acme', model, at: parseInstant(day) })?.contextWindow

  it('are those of the instant, and of the newest row without one', () => {
    expect(at('2023-12-31T23:59:59Z')).toBe(4096)
    expect(at('2024-01-01')).toBe(8192)
    expect(findModel(changed, { provider: 'acme', model: 'm-1' })?.contextWindow).toBe(8192)
  })

  it('are none at an instant that no row covers', () => {
    expect(at('2023-06-01', 'm-0')).toBe(4096)
    expect(at('2024-06-01', 'm-0')).toBeUndefined()
  })

  it.each([
    ['without dates', {}, {}],
    ['in periods that overlap by a day', { to: '2024-01-02' }, { from: '2024-01-01' }],
    ['as an alias of another model', {}, { model: 'm-2', aliases: ['m-1'] }],
    ['as its own alias', { aliases: ['m-1'] }, { model: 'm-2' }],
  ])('are refused where a name is there twice: %s', (_, first, second) => {
    expect(() => open(first, second)).toThrow('is there twice')
  })
})

describe('a row', () => {
  it('takes text and day from a source that the file names', () => {
    const [fact] = open({
      source: 'page',
      release: { on: '2023-11-06', source: 'page', confidence: 'low', note: 'so they say' },
    }).all
    expect(fact).toMatchObject({ source: 'the page of Acme', asOf: '2024-01-31' })
    expect(fact?.release).toEqual({
      value: parseInstant('2023-11-06'),
      source: 'the page of Acme',
      asOf: '2024-01-31',
      confidence: 'low',
      note: 'so they say',
    })
  })

  it('may know nothing but its source', () => {
    const [fact] = openModelFacts([
      {
        ...file(),
        models: [{ model: 'm-1', source: 'a page', asOf: '2023-11-15', confidence: 'low' }],
      },
    ]).all
    expect(fact).toMatchObject({ contextWindow: null, inputTokensMax: null, outputTokensMax: null })
    expect(fact).toMatchObject({ release: null, deprecated: null, shutdown: null, successor: null })
  })

  const stated = { source: 'page', confidence: 'high' }
  it.each([
    [{ contextWindow: 0 }, 'contextWindow'],
    [{ contextWindow: 1.5 }, 'contextWindow'],
    [{ outputTokensMax: -1 }, 'outputTokensMax'],
    [{ outputTokensMax: 9000 }, 'outputTokensMax'],
    [{ inputTokensMax: 9000 }, 'inputTokensMax'],
    [{ confidence: 'sure' }, 'confidence'],
    [{ source: '' }, 'source'],
    [{ asOf: '2023-02-30' }, 'asOf'],
    [{ aliases: 'm-0' }, 'aliases'],
    [{ aliases: [7] }, 'aliases'],
    [{ from: 'yesterday' }, 'from'],
    [{ from: '2024-01-01', to: '2024-01-01' }, 'to is not after from'],
    [{ window: 8192 }, 'window is not a field'],
    [{ release: '2023-11-06' }, 'release.on'],
    [{ release: { ...stated, on: '2023-13-01' } }, 'release.on'],
    [{ release: { on: '2023-11-06', source: 'page' } }, 'release.confidence'],
    [{ release: { ...stated, on: '2023-11-06', earliest: true } }, 'release.earliest'],
    [{ deprecated: { on: '2023-11-06', confidence: 'high' } }, 'deprecated.source'],
    [{ shutdown: { ...stated, on: '2023-11-06', earliest: 'yes' } }, 'shutdown.earliest'],
    [{ successor: stated }, 'successor.model'],
    [{ successor: { ...stated, model: 'm-1' } }, 'successor is the model itself'],
    [
      { release: { ...stated, on: '2023-11-06' }, shutdown: { ...stated, on: '2023-11-06' } },
      'shutdown is not after release',
    ],
    [
      { deprecated: { ...stated, on: '2023-11-06' }, shutdown: { ...stated, on: '2023-11-05' } },
      'shutdown is before deprecated',
    ],
  ])('%j is refused by the name of its file, model and field', (changes, field) => {
    expect(() => open(changes)).toThrow(`The model facts of acme, model "m-1": ${field}`)
  })

  it('without a name is refused', () => {
    expect(() => open({ model: '' })).toThrow('The model facts of acme, model "(file)": model must be a text')
    expect(() => openModelFacts([{ ...file(), models: [null] }])).toThrow('model must be a text')
  })
})

describe('a file', () => {
  it('is not confused with one of another kind', () => {
    expect(() => openModelFacts([{ ...file(), schema: 'octroi-prices/1' }])).toThrow('octroi-models/1')
    expect(() => openModelFacts([null])).toThrow('schema')
    expect(() => openModelFacts([{ schema: 'octroi-models/1', provider: 'acme' }])).toThrow('models')
    expect(() => openModelFacts([{ ...file(), prices: [] }])).toThrow('prices is not a field')
  })

  it.each(['tuned-{base}', 'ft:{model}:{id}', '{base}:{base}:x'])(
    'with the form %s of tuned models is refused',
    (pattern) => {
      const tunedModels = [{ pattern, source: 'page', confidence: 'high' }]
      expect(() => openModelFacts([{ ...file({}), tunedModels }])).toThrow('tunedModels.pattern')
    },
  )

  it('may have tuned models whose names begin with the base’s', () => {
    const tunedModels = [{ pattern: '{base}:ft-{organization}', source: 'page', confidence: 'high' }]
    const opened = openModelFacts([{ ...file({}), tunedModels }])
    expect(findModel(opened, { provider: 'acme', model: 'm-1:ft-me-2023-05-01' })?.model).toBe('m-1')
    expect(findModel(opened, { provider: 'acme', model: 'm-1-large' })).toBeNull()
  })
})
