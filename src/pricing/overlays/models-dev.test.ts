import { describe, expect, it } from 'vitest'
import { parseInstant } from '../../time.ts'
import { convertOverlay } from './convert.ts'

const reading = {
  from: 'https://models.dev/api.json',
  at: parseInstant('2026-11-24T15:30:00Z'),
  since: parseInstant('2026-11-24'),
}

const convert = (provider: string, cost: string) => {
  const text = `{"${provider}":{"id":"${provider}","models":{"nova-9":{"id":"nova-9","cost":${cost}}}}}`
  const { format, files, leftOut } = convertOverlay(text, reading)
  return {
    format,
    leftOut,
    cells: files.flatMap(({ prices }) =>
      prices.map((row) => [
        `${row.provider} ${row.meter}`,
        Object.values(row.attributes).join(' '),
        `${row.unitPrice} / ${row.per}`,
      ]),
    ),
  }
}

describe('the api.json of models.dev', () => {
  it('has dollars for a million tokens', () => {
    expect(convert('anthropic', '{"input":3,"output":15.0,"cache_read":0.3,"cache_write":3.75}')).toEqual({
      format: 'models-dev',
      leftOut: [],
      cells: [
        ['anthropic input_text_tokens', 'standard', '3 / 1000000'],
        ['anthropic output_text_tokens', 'standard', '15 / 1000000'],
        ['anthropic cached_input_tokens', 'standard', '0.3 / 1000000'],
        ['anthropic cache_write_5m_tokens', 'standard', '3.75 / 1000000'],
      ],
    })
  })

  it('steps up above 200,000 tokens', () => {
    const { cells } = convert(
      'google',
      '{"input":1.25,"output":10,"context_over_200k":{"input":2.5,"output":15}}',
    )
    expect(cells).toEqual([
      ['google input_text_tokens', 'standard short 200000 >', '1.25 / 1000000'],
      ['google output_text_tokens', 'standard short 200000 >', '10 / 1000000'],
      ['google input_text_tokens', 'standard long 200000 >', '2.5 / 1000000'],
      ['google output_text_tokens', 'standard long 200000 >', '15 / 1000000'],
    ])
  })

  it('believes the steps it lists before the older field', () => {
    const tiers = '"tiers":[{"input":10,"tier":{"type":"context","size":272000}}]'
    const { cells } = convert('openai', `{"input":5,${tiers},"context_over_200k":{"input":10}}`)
    expect(cells[1]).toEqual(['openai input_text_tokens', 'standard long 272000 >', '10 / 1000000'])
  })

  it.each([
    ['{"input":0}', 'input', 'zero, which can mean free or not known'],
    ['{"cache_write":1}', 'cache_write', 'how long the cache keeps it is not said'],
    ['{"moons":1}', 'moons', 'a field that is not known'],
    ['{"input":1,"tiers":[{"input":2,"tier":{"type":"day"}}]}', 'tiers', 'steps that are not of context'],
    ['null', 'a model', 'it has no cost'],
  ])('leaves out %s and says why', (cost, what, why) => {
    expect(convert('xai', cost)).toMatchObject({
      cells: [],
      leftOut: [{ what, why, models: ['xai/nova-9'] }],
    })
  })
})

describe('names that are none', () => {
  it.each(['', 'a b', '\u001b[2J', 'x'.repeat(201)])('%j leaves the model out', (name) => {
    const text = JSON.stringify({ acme: { models: { [name]: { cost: { input: 1 } } } } })
    expect(convertOverlay(text, reading)).toMatchObject({
      files: [],
      leftOut: [{ what: 'a model', why: 'named with what no name has' }],
    })
  })

  it('that mean something to the language are names like any other', () => {
    const text = '{"constructor":{"models":{"__proto__":{"cost":{"input":1,"cache_write":2}}}}}'
    const { files, leftOut } = convertOverlay(text, reading)
    expect(files).toMatchObject([
      { provider: 'constructor', prices: [{ model: '__proto__', unitPrice: '1' }] },
    ])
    expect(leftOut).toMatchObject([{ what: 'cache_write' }])
    const map = '{"x":{"litellm_provider":"constructor","mode":"constructor","input_cost_per_token":1e-06}}'
    expect(convertOverlay(map, reading)).toMatchObject({ files: [], leftOut: [{ what: 'mode constructor' }] })
  })
})

describe('prices of any format', () => {
  it('are told apart by their shape', () => {
    const own = '{"schema":"octroi-prices/1","provider":"acme","prices":[]}'
    expect(convertOverlay(own, reading)).toEqual({
      format: 'octroi',
      files: [{ schema: 'octroi-prices/1', provider: 'acme', prices: [] }],
      leftOut: [],
    })
    expect(convertOverlay(`[${own},${own}]`, reading).files).toHaveLength(2)
  })

  it.each(['[]', '{}', '{"a":1}', '"x"', 'null', '{"data":[{"id":"x"}]}'])('are not %s', (text) => {
    expect(() => convertOverlay(text, reading)).toThrow('none of the formats known here')
  })
})
