import { describe, expect, it } from 'vitest'
import openai from '../../prices/models/openai.json' with { type: 'json' }
import { findModel, openModelFacts } from './model-facts.ts'

const facts = openModelFacts([openai])
const find = (model: string, provider = 'openai') => findModel(facts, { provider, model })

const file = (row: object): object => ({
  schema: 'octroi-models/1',
  provider: 'acme',
  models: [
    {
      model: 'm-1',
      contextWindow: 8192,
      outputTokensMax: 4096,
      source: 'a page',
      asOf: '2023-11-15',
      confidence: 'high',
      ...row,
    },
  ],
})

describe('the model facts of OpenAI', () => {
  it.each([
    ['gpt-4-1106-preview', 128_000, 128_000, 4096],
    ['gpt-4-vision-preview', 128_000, 128_000, 4096],
    ['gpt-4-0613', 8192, 8192, 8192],
    ['gpt-4-32k-0613', 32_768, 32_768, 8192],
    ['gpt-3.5-turbo-1106', 16_385, 16_385, 4096],
    ['gpt-3.5-turbo-0613', 4096, 4096, 4096],
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

  it('give a tuned model the facts of its base', () => {
    expect(find('ft:gpt-3.5-turbo-1106:acme::8abc')?.model).toBe('gpt-3.5-turbo-1106')
  })

  it('know nothing of a model that has no row, nor of another provider’s', () => {
    expect(find('gpt-4-turbo-2099')).toBeNull()
    expect(find('gpt-4', 'anthropic')).toBeNull()
  })

  it('name a dated source in every row', () => {
    for (const row of facts.values()) {
      expect(row.source, row.model).not.toBe('')
      expect(row.asOf, row.model).toMatch(/^20\d\d-\d\d-\d\d$/)
    }
  })
})

describe('a malformed row', () => {
  it.each([
    [{ contextWindow: 0 }, 'contextWindow'],
    [{ contextWindow: 1.5 }, 'contextWindow'],
    [{ outputTokensMax: -1 }, 'outputTokensMax'],
    [{ outputTokensMax: 9000 }, 'outputTokensMax'],
    [{ inputTokensMax: 9000 }, 'inputTokensMax'],
    [{ confidence: 'sure' }, 'confidence'],
    [{ source: '' }, 'source'],
    [{ model: '' }, 'model'],
    [{ aliases: ['m-1'] }, 'm-1'],
  ])('%j is refused by name', (row, field) => {
    expect(() => openModelFacts([file(row)])).toThrow(field)
  })

  it('is not confused with a file of another kind', () => {
    expect(() => openModelFacts([{ ...file({}), schema: 'octroi-prices/1' }])).toThrow('octroi-models/1')
    expect(() => openModelFacts([null])).toThrow('schema')
    expect(() => openModelFacts([{ schema: 'octroi-models/1', provider: 'acme' }])).toThrow('models')
  })

  it('has a real date', () => {
    expect(() => openModelFacts([file({ asOf: '2023-02-30' })])).toThrow('2023-02-30')
  })
})
