import { describe, expect, it } from 'vitest'
import { parseInstant } from '../../time.ts'
import { openPriceBook } from '../price-book.ts'
import { convertOverlay } from './convert.ts'

const reading = {
  from: 'map.json',
  at: parseInstant('2026-11-24T15:30:00Z'),
  since: parseInstant('2026-11-24'),
}

/** Converts one entry of a map, written as LiteLLM writes it. */
const convert = (entry: string, name = 'gpt-9-nova') => {
  const { format, files, leftOut } = convertOverlay(`{"sample_spec":{},"${name}":${entry}}`, reading)
  const rows = files.flatMap(({ prices }) => prices)
  openPriceBook(files as Parameters<typeof openPriceBook>[0])
  return {
    format,
    rows,
    leftOut,
    cells: rows.map(({ meter, attributes, unitPrice, per }) => [
      meter,
      Object.values(attributes).join(' '),
      `${unitPrice} / ${per}`,
    ]),
  }
}

const openai = (costs: string) => convert(`{"litellm_provider":"openai","mode":"chat",${costs}}`)

describe("LiteLLM's model map", () => {
  it('becomes low-confidence rows that name the file and the day', () => {
    const { format, rows } = openai('"input_cost_per_token":1.25e-06,"deprecation_date":"2027-06-01"')
    expect(format).toBe('litellm')
    expect(rows).toEqual([
      {
        provider: 'openai',
        model: 'gpt-9-nova',
        service: 'chat',
        meter: 'input_text_tokens',
        attributes: { tier: 'standard' },
        unitPrice: '1.25',
        per: 1_000_000,
        currency: 'USD',
        effectiveFrom: '2026-11-24',
        fromPrecision: 'observed',
        effectiveTo: null,
        knownSince: '2026-11-24',
        scheduledEnd: '2027-06-01',
        confidence: 'low',
        source: "LiteLLM's model map, map.json, read 2026-11-24",
      },
    ])
  })

  it('keeps caches, reasoning and sound under their own meters', () => {
    const { cells } = openai(
      '"cache_read_input_token_cost":1e-07,"cache_creation_input_token_cost":1.25e-06,' +
        '"output_cost_per_reasoning_token":3e-06,"input_cost_per_audio_token":4e-06',
    )
    expect(cells).toEqual([
      ['cached_input_tokens', 'standard', '0.1 / 1000000'],
      ['cache_write_tokens', 'standard 30m', '1.25 / 1000000'],
      ['output_reasoning_tokens', 'standard', '3 / 1000000'],
      ['input_audio_tokens', 'standard', '4 / 1000000'],
    ])
  })

  it("reads what Anthropic's two lifetimes cost", () => {
    const { cells } = convert(
      '{"litellm_provider":"anthropic","mode":"chat","cache_creation_input_token_cost":3.75e-06,' +
        '"cache_creation_input_token_cost_above_1hr":6e-06}',
      'claude-opus-9',
    )
    expect(cells).toEqual([
      ['cache_write_5m_tokens', 'standard', '3.75 / 1000000'],
      ['cache_write_1h_tokens', 'standard', '6 / 1000000'],
    ])
  })

  it('reads tiers from the ends of the names', () => {
    const { cells } = openai(
      '"input_cost_per_token_batches":1e-06,"input_cost_per_token_flex":2e-06,"input_cost_per_token_priority":4e-06',
    )
    expect(cells).toEqual([
      ['input_text_tokens', 'batch', '1 / 1000000'],
      ['input_text_tokens', 'flex', '2 / 1000000'],
      ['input_text_tokens', 'priority priority,fast', '4 / 1000000'],
    ])
  })

  it('puts every ordinary price below the threshold where one is above it', () => {
    const { cells } = openai(
      '"input_cost_per_token":2e-06,"input_cost_per_token_above_272k_tokens":4e-06,"output_cost_per_token":1e-05',
    )
    expect(cells).toEqual([
      ['input_text_tokens', 'standard short 272000 >', '2 / 1000000'],
      ['input_text_tokens', 'standard long 272000 >', '4 / 1000000'],
      ['output_text_tokens', 'standard short 272000 >', '10 / 1000000'],
    ])
  })

  it('begins the long context at the threshold for xAI, as that vendor does', () => {
    const { cells } = convert(
      '{"litellm_provider":"xai","mode":"chat","input_cost_per_token":2e-06,"input_cost_per_token_above_200k_tokens":4e-06}',
      'xai/grok-9',
    )
    expect(cells[1]).toEqual(['input_text_tokens', 'standard long 200000 >=', '4 / 1000000'])
  })

  it('finds provider and model behind the names LiteLLM has for them', () => {
    const rows = [
      ['gemini/gemini-9-pro', 'gemini'],
      ['vertex_ai/gemini-9-pro', 'vertex_ai-language-models'],
      ['bedrock/amazon.nova-9', 'bedrock'],
      ['azure/gpt-9', 'azure'],
      ['openrouter/openai/gpt-9', 'openrouter'],
    ].map(([name, provider]) => {
      const entry = `{"litellm_provider":"${provider}","mode":"chat","input_cost_per_token":1e-06}`
      return convert(entry, name).rows.map((row) => `${row.provider} ${row.model}`)[0]
    })
    expect(rows).toEqual([
      'google gemini-9-pro',
      'vertex-ai gemini-9-pro',
      'bedrock amazon.nova-9',
      'azure-openai gpt-9',
      'openrouter openai/gpt-9',
    ])
  })

  it.each([
    ['"input_cost_per_token":0', 'input_cost_per_token', 'zero, which can mean free or not known'],
    ['"output_cost_per_image":0.04', 'output_cost_per_image', 'an image is billed by its tokens'],
    [
      '"search_context_cost_per_query":{"low":0.01}',
      'search_context_cost_per_query',
      'what counts as a query',
    ],
    ['"input_cost_per_moon":1', 'input_cost_per_moon', 'a field that is not known'],
    [
      '"input_cost_per_character":1e-06',
      'input_cost_per_character',
      'characters of a model that does not speak',
    ],
    ['"tiered_pricing":[{}],"input_cost_per_token":1e-06', 'tiered_pricing', 'other than one threshold'],
    [
      '"input_cost_per_token_above_128k_tokens":1e-06,"input_cost_per_token_above_256k_tokens":2e-06',
      'a model',
      'more than two steps',
    ],
  ])('leaves out %s and says why', (costs, what, why) => {
    const { rows, leftOut } = openai(costs)
    expect(rows).toEqual([])
    expect(leftOut).toEqual([
      { what, why: expect.stringContaining(why), models: [expect.stringContaining('gpt-9-nova')] },
    ])
  })

  it('leaves out a write to a cache of which it does not know how long it is kept', () => {
    const { rows, leftOut } = convert(
      '{"litellm_provider":"moonshot","mode":"chat","cache_creation_input_token_cost":6e-07}',
    )
    expect([rows, leftOut[0]?.why]).toEqual([[], 'how long the cache keeps it is not said'])
  })

  it('leaves out a model that is there twice with two prices, and takes it once with one', () => {
    const twice = (second: string) =>
      convertOverlay(
        `{"gpt-9":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1e-06},
          "openai/gpt-9":{"litellm_provider":"openai","mode":"responses","input_cost_per_token":${second}}}`,
        reading,
      )
    expect(twice('0.000001').files[0]?.prices).toHaveLength(1)
    expect(twice('2e-06')).toMatchObject({
      files: [],
      leftOut: [{ what: 'a model', why: 'listed twice, with different prices', models: ['openai / gpt-9'] }],
    })
  })
})
