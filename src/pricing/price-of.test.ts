import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import { openPriceBook, type PriceRow } from './price-book.ts'
import { type PricedCall, placeOf, priceOn } from './price-of.ts'

const row = (unitPrice: string, changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter: 'input_text_tokens',
  attributes: {},
  unitPrice,
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: '2024-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'a price list',
  ...changes,
})

/** The unit price found, or the code and reason of there being none. */
const find = (
  rows: readonly PriceRow[],
  changes: Partial<PricedCall> & { meter?: Meter; on?: string; inputTokens?: number } = {},
) => {
  const { meter = 'input_text_tokens', on = '2024-06-01', inputTokens = 0, ...rest } = changes
  const book = openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', prices: rows }])
  const call = { provider: 'acme', model: 'm-1', at: parseInstant(on), ...rest }
  const found = priceOn(placeOf(call, inputTokens, book), meter)
  return 'code' in found ? `${found.code}: ${found.message}` : found.cell.price.rate.unitPrice
}

describe('the date', () => {
  const rows = [
    row('0.16', { effectiveTo: '2024-07-30' }),
    row('0.032', { effectiveFrom: '2024-07-30', effectiveTo: '2025-01-01' }),
  ]

  it('chooses the period, and a period ends where the next begins', () => {
    expect(find(rows, { on: '2024-07-29T23:59:59.999Z' })).toBe('0.16')
    expect(find(rows, { on: '2024-07-30' })).toBe('0.032')
  })

  it('finds no price before a model came and after it went', () => {
    const periods = 'from 2024-01-01T00:00:00Z to 2024-07-30T00:00:00Z; from 2024-07-30T00:00:00Z'
    expect(find(rows, { on: '2023-12-31T23:59:59Z' })).toContain(periods)
    expect(find(rows, { on: '2025-01-01' })).toMatch(/^no_price: acme m-1 has no price .* on 2025-01-01/)
  })
})

describe('what was known when', () => {
  const rows = [
    row('0', { effectiveTo: '2024-02-01', knownSince: '2024-01-01', supersededOn: '2024-01-20' }),
    row('1', { effectiveFrom: '2024-02-01', knownSince: '2024-01-01', supersededOn: '2024-01-20' }),
    row('0', { attributes: { scope: 'final' }, effectiveTo: '2024-03-01', knownSince: '2024-01-20' }),
  ]

  it('is everything, without a day', () => {
    expect(find(rows, { on: '2024-02-15' })).toBe('0')
  })

  it('is what had been announced, with one', () => {
    const on = '2024-02-15'
    expect(find(rows, { on, asOf: parseInstant('2024-01-19T23:59:59Z') })).toBe('1')
    expect(find(rows, { on, asOf: parseInstant('2024-01-20') })).toBe('0')
    expect(find(rows, { on, asOf: parseInstant('2023-12-31') })).toBe(
      'unknown_model: The price book has no model "m-1" of provider "acme" as known on 2023-12-31T00:00:00Z.',
    )
    const before = row('9', { effectiveFrom: '2023-01-01', effectiveTo: '2023-06-01' })
    expect(find([...rows, before], { on, asOf: parseInstant('2023-12-31') })).toMatch(
      /^no_price: .*\(as known on 2023-12-31T00:00:00Z\): .* known on other days\.$/,
    )
  })

  it('counts a row that does not say since when it is known as known always', () => {
    expect(find([row('5')], { asOf: parseInstant('2000-01-01') })).toBe('5')
  })
})

describe('the tier', () => {
  const rows = [
    row('1', { attributes: { tier: 'standard' } }),
    row('0.5', { attributes: { tier: 'batch' } }),
    row('2', { attributes: { tier: 'priority', service_tier_values: ['priority', 'fast'] } }),
  ]

  it.each([
    [undefined, '1'],
    ['default', '1'],
    ['auto', '1'],
    ['standard', '1'],
    ['batch', '0.5'],
    ['priority', '2'],
    ['fast', '2'],
  ])('%s is priced %s', (tier, unitPrice) => {
    expect(find(rows, { attributes: tier === undefined ? {} : { tier } })).toBe(unitPrice)
  })

  it('without a price never takes the price of another', () => {
    const why =
      'no_price: acme m-1 has no price for input_text_tokens on 2024-06-01T00:00:00Z (tier flex): with 0 input tokens; the nearest are for tier standard; tier batch; tier priority.'
    expect(find(rows, { attributes: { tier: 'flex' } })).toBe(why)
  })

  it('does not matter to a price that has none', () => {
    expect(find([row('3')], { attributes: { tier: 'flex' } })).toBe('3')
  })
})

describe('the context card', () => {
  const card = (context: string, long_when = '>') => ({
    tier: 'standard',
    context,
    context_threshold_tokens: 200_000,
    long_when,
  })
  const rows = (when: string) => [
    row('2', { attributes: card('short', when) }),
    row('4', { attributes: card('long', when) }),
  ]

  it('is long above the threshold', () => {
    expect(find(rows('>'), { inputTokens: 200_000 })).toBe('2')
    expect(find(rows('>'), { inputTokens: 200_001 })).toBe('4')
  })

  it('is long from the threshold on, where the vendor says so', () => {
    expect(find(rows('>='), { inputTokens: 199_999 })).toBe('2')
    expect(find(rows('>='), { inputTokens: 200_000 })).toBe('4')
  })

  it('that is missing is no price, not the other card', () => {
    const [short] = rows('>')
    expect(find(short === undefined ? [] : [short], { inputTokens: 300_000 })).toMatch(
      /^no_price: .*300000 input tokens; the nearest are for tier standard, context short\.$/,
    )
  })
})

describe('the lifetime of a cache write', () => {
  const rows = [
    row('5', { meter: 'cache_write_tokens', attributes: { cache_ttl: '12h' } }),
    row('2.5', { meter: 'cache_write_tokens', attributes: { cache_ttl: '30m' } }),
  ]
  const meter = 'cache_write_tokens'

  it('is the shortest published one unless the call says more', () => {
    expect(find(rows, { meter })).toBe('2.5')
    expect(find(rows, { meter, attributes: { cache_ttl: '12h' } })).toBe('5')
  })

  it('that is not published has no price', () => {
    expect(find(rows, { meter, attributes: { cache_ttl: '24h' } })).toMatch(/^no_price/)
  })
})

describe('what a call must say', () => {
  const rows = [
    row('0.04', { meter: 'image', attributes: { size: '1024x1024', quality: 'standard' } }),
    row('0.08', { meter: 'image', attributes: { size: '1024x1024', quality: 'hd' } }),
  ]

  it('selects among sizes and qualities', () => {
    const attributes = { size: '1024x1024', quality: 'hd' }
    expect(find(rows, { meter: 'image', attributes })).toBe('0.08')
  })

  it('is not guessed where it says nothing', () => {
    expect(find(rows, { meter: 'image', attributes: { size: '1024x1024' } })).toContain(
      'the nearest are for size 1024x1024, quality standard; size 1024x1024, quality hd',
    )
  })

  it('is said where several prices would hold', () => {
    const apis = [row('1', { attributes: { api: 'a' } }), row('2', { attributes: { api: 'b' } })]
    expect(find(apis)).toContain('several hold, say which: api a; api b')
    expect(find(apis, { attributes: { api: 'b' } })).toBe('2')
  })

  it('is refused where no price knows it', () => {
    expect(() => find(rows, { attributes: { teir: 'batch' } })).toThrow(
      'attributes.teir does not select a price',
    )
    expect(() => find(rows, { attributes: { tier: 7 } as never })).toThrow('attributes.tier does not select')
  })
})

describe('a price that holds only for a call that names it', () => {
  const rows = [
    row('0.03', { attributes: {} }),
    row('2', { meter: 'output_text_tokens', attributes: { data_sharing: true } }),
    row('4', { meter: 'output_text_tokens' }),
  ]

  it('never takes the place of the price for all calls by itself', () => {
    expect(find(rows, { meter: 'output_text_tokens' })).toBe('4')
  })

  it('goes before it where it is named', () => {
    expect(find(rows, { meter: 'output_text_tokens', attributes: { data_sharing: 'true' } })).toBe('2')
  })
})

describe('a promotion', () => {
  const promotion = { attributes: { promotion: 'launch_free' } }
  const rows = [row('0.03'), row('0', { ...promotion, effectiveTo: '2024-07-01' })]

  it('lies over the list price while it lasts', () => {
    expect(find(rows)).toBe('0')
    expect(find(rows, { on: '2024-07-01' })).toBe('0.03')
  })

  it('can be left out by a call, or chosen by name', () => {
    expect(find(rows, { attributes: { promotion: 'none' } })).toBe('0.03')
    expect(find(rows, { attributes: { promotion: 'launch_free' } })).toBe('0')
    expect(find(rows, { attributes: { promotion: 'another' } })).toBe('0.03')
  })

  it('is itself the price where there is no list price', () => {
    expect(find(rows.slice(1))).toBe('0')
  })

  it('is not chosen among several that hold', () => {
    const other = row('0.01', { attributes: { promotion: 'spring' } })
    expect(find([...rows, other])).toContain('several hold, say which')
    expect(find([...rows, other], { attributes: { promotion: 'spring' } })).toBe('0.01')
  })
})

describe('the model', () => {
  const rows = [
    row('1', { attributes: { tier: 'standard' }, aliases: ['m', 'm-latest'], effectiveTo: '2024-07-01' }),
    row('0.5', { attributes: { tier: 'batch' } }),
    row('2', { model: 'm-2', aliases: ['m'], effectiveFrom: '2024-07-01' }),
    row('9', { model: null, meter: 'code_interpreter_session' }),
    row('7', { model: 'm-latest', meter: 'training_tokens' }),
    row('3', { model: 'ft:m-1', aliases: ['ft:m-1-0613'] }),
  ]

  it('goes by its aliases, each as long as the rows list it', () => {
    expect(find(rows, { model: 'm' })).toBe('1')
    expect(find(rows, { model: 'm', on: '2024-07-01' })).toBe('2')
    expect(find(rows, { model: 'm-latest', on: '2024-07-01' })).toMatch(/^no_price/)
  })

  it('has under an alias all of its prices, not only those that list the alias', () => {
    expect(find(rows, { model: 'm', attributes: { tier: 'batch' } })).toBe('0.5')
  })

  it('may have prices of its own under a name that is an alias for others', () => {
    expect(find(rows, { model: 'm-latest', meter: 'training_tokens' })).toBe('7')
    expect(find(rows, { model: 'm-latest' })).toBe('1')
  })

  it('does not matter to what the provider charges for every model', () => {
    const meter = 'code_interpreter_session'
    expect(find(rows, { model: null, meter })).toBe('9')
    expect(find(rows, { model: 'm-1', meter })).toBe('9')
    expect(find(rows, { model: 'unheard-of', meter })).toBe('9')
  })

  it('that is tuned has the prices of the tuned base, whatever its own name', () => {
    expect(find(rows, { model: 'ft:m-1:acme::abc123' })).toBe('3')
    expect(find(rows, { model: 'ft:m-1-0613:acme:suffix:abc123' })).toBe('3')
    expect(find(rows, { model: 'ft:m-1' })).toBe('3')
  })

  it('that is tuned without a price of the tuned base never takes the price of the base', () => {
    expect(find(rows, { model: 'ft:m-2:acme::abc123', on: '2024-08-01' })).toMatch(/^no_price/)
  })

  it('that the book does not have is unknown', () => {
    expect(find(rows, { model: 'unheard-of' })).toBe(
      'unknown_model: The price book has no model "unheard-of" of provider "acme".',
    )
    expect(find(rows, { model: 'ft:unheard-of:acme::abc' })).toMatch(/^unknown_model/)
    expect(find(rows, { provider: 'nobody' })).toMatch(/^unknown_model: .* of provider "nobody"/)
  })
})

describe('reasoning', () => {
  const meter = 'output_reasoning_tokens'
  const output = row('10', { meter: 'output_text_tokens' })

  it('is priced as output where the book has no price of its own for it', () => {
    expect(find([output], { meter })).toBe('10')
  })

  it('has its own price where the book has one', () => {
    expect(find([output, row('40', { meter })], { meter })).toBe('40')
  })

  it('is priced as output while its own price is not in force', () => {
    expect(find([output, row('40', { meter, effectiveFrom: '2025-01-01' })], { meter })).toBe('10')
  })

  it('is not priced as output on a tier that lacks its own price', () => {
    const own = row('40', { meter, attributes: { tier: 'standard' } })
    expect(find([output, own], { meter, attributes: { tier: 'batch' } })).toMatch(/^no_price/)
  })

  it('is what has no price where output has none either', () => {
    expect(find([row('1')], { meter })).toMatch(/^no_price: acme m-1 has no price for output_text_tokens/)
  })

  it('is the only one: cached tokens have no price where the book has none', () => {
    expect(find([row('1')], { meter: 'cached_input_tokens' })).toMatch(/^no_price: .*: the book has none\.$/)
  })
})

describe('the currency', () => {
  const rows = [row('1.5'), row('1.25', { currency: 'EUR' })]

  it('is USD unless the call says another', () => {
    expect(find(rows)).toBe('1.5')
    expect(find(rows, { currency: 'EUR' })).toBe('1.25')
    expect(find(rows, { currency: 'CNY' })).toMatch(/^no_price: .*\(in CNY\): .* in another currency/)
  })
})

describe('what a call says of what it wants', () => {
  it('selects a resolution by its name, or by a size that has it', () => {
    const video = (resolution: string, sizes: readonly string[], unitPrice: string) =>
      row(unitPrice, { meter: 'video_seconds', attributes: { resolution, sizes } })
    const rows = [video('720p', ['720x1280', '1280x720'], '1'), video('1080p', ['1080x1920'], '3')]
    const ask = (attributes: Record<string, string>) => find(rows, { meter: 'video_seconds', attributes })
    expect(ask({ resolution: '720p' })).toBe('1')
    expect(ask({ size: '1080x1920' })).toBe('3')
    expect(ask({ resolution: '720p', size: '1280x720' })).toBe('1')
    expect(ask({ resolution: '720p', size: '1080x1920' })).toMatch(/^no_price/)
    expect(ask({ size: '640x480' })).toMatch(/^no_price/)
    expect(ask({})).toContain('the nearest are for resolution 720p; resolution 1080p')
  })

  it.each([
    ['memory_gib', 4, '4'],
    ['search_context_size', 'low', 'low'],
    ['mode', 'streaming', 'streaming'],
  ])('selects by %s, which is never guessed', (name, value, said) => {
    const rows = [row('1', { attributes: { [name]: value } })]
    expect(find(rows, { attributes: { [name]: said } })).toBe('1')
    expect(find(rows, { attributes: { [name]: 'another' } })).toMatch(/^no_price/)
    expect(find(rows)).toMatch(/^no_price/)
  })

  it('selects an endpoint, where what else is free has the price zero', () => {
    const decisions = row('0.1', {
      attributes: { endpoint: '/v1/decisions' },
      resolved: { free: ['output_text_tokens', 'output_reasoning_tokens'] },
    })
    const chat = [row('0.2'), row('0.5', { meter: 'output_text_tokens' })]
    const rows = [...chat, decisions]
    const there = { attributes: { endpoint: '/v1/decisions' } }
    expect(find(rows, there)).toBe('0.1')
    expect(find(rows, { ...there, meter: 'output_text_tokens' })).toBe('0')
    expect(find(rows)).toBe('0.2')
    expect(find(rows, { meter: 'output_text_tokens' })).toBe('0.5')
    // gpt-6-luna on 2026-11-25: 50 reasoning tokens had no price because of the row of /v1/decisions.
    expect(find(rows, { ...there, meter: 'output_reasoning_tokens' })).toBe('0')
    expect(find(rows, { meter: 'output_reasoning_tokens' })).toBe('0.5')
  })
})

describe('a price for some models', () => {
  const meter = 'web_search_preview_call'
  const forModels = (sentence: string, models: readonly string[], unitPrice: string) =>
    row(unitPrice, { model: null, meter, attributes: { models: sentence }, resolved: { models } })
  const rows = [
    forModels('reasoning', ['m-1'], '10'),
    forModels('non_reasoning', ['m-2'], '25'),
    row('1', { aliases: ['m-1-0613'] }),
    row('1', { model: 'm-2' }),
    row('1', { model: 'm-3' }),
  ]

  it('holds for the models it names, under their aliases too', () => {
    expect(find(rows, { meter })).toBe('10')
    expect(find(rows, { meter, model: 'm-1-0613' })).toBe('10')
    expect(find(rows, { meter, model: 'm-2' })).toBe('25')
  })

  it('holds for no other, nor for a call without a model', () => {
    expect(find(rows, { meter, model: 'm-3' })).toContain('models reasoning; models non_reasoning')
    expect(find(rows, { meter, model: null })).toMatch(/^no_price/)
  })
})
