import { describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../money/money.ts'
import { add, format, parseDecimal, rational, zero } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import type { Usage } from '../usage/usage.ts'
import { type Cost, type PricedCall, price } from './price.ts'
import { openPriceBook, type PriceRow } from './price-book.ts'

const row = (meter: string, unitPrice: string, changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter,
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

const bookOf = (...prices: PriceRow[]) =>
  openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', prices }])

const call: PricedCall = { provider: 'acme', model: 'm-1', at: parseInstant('2024-06-01') }

const total = (cost: Cost): string | null => (cost.total === null ? null : formatPicos(cost.total))

const _exactOf = (cost: Cost) => cost.charges.reduce((sum, charge) => add(sum, charge.exact), zero)

describe('the cost of a call', () => {
  const book = bookOf(
    row('input_text_tokens', '2.5'),
    row('cached_input_tokens', '0.25'),
    row('output_text_tokens', '10'),
  )

  it('is a sum of charges, each of which names its price', () => {
    const cost = price({ input_text_tokens: 2000, cached_input_tokens: 8000 }, call, book)
    expect(total(cost)).toBe('0.007')
    expect(cost.unpriced).toEqual([])
    expect(cost.charges[1]).toEqual({
      meter: 'cached_input_tokens',
      quantity: 8000,
      unitPrice: '0.25',
      per: 1_000_000,
      exact: rational(1n, 500n),
      amount: parsePicos('0.002'),
      price: book.prices[1]?.id,
      source: 'a price list',
    })
  })

  it('prices reasoning as output when the book has no reasoning rate', () => {
    const cost = price({ output_reasoning_tokens: 1_000_000 }, call, book)
    expect(total(cost)).toBe('10')
    expect(cost.charges[0]).toMatchObject({ meter: 'output_reasoning_tokens', price: book.prices[2]?.id })
  })

  it('has no total where anything is unpriced, and names it', () => {
    const cost = price({ input_text_tokens: 1000, input_audio_tokens: 7 }, call, book)
    expect(cost.total).toBeNull()
    expect(formatPicos(cost.pricedTotal)).toBe('0.0025')
    expect(cost.unpriced).toEqual([
      { meter: 'input_audio_tokens', quantity: 7, code: 'no_price', message: expect.any(String) },
    ])
  })

  it('of nothing is zero, and what was not used needs no price', () => {
    expect(total(price({}, call, book))).toBe('0')
    expect(total(price({ input_audio_tokens: 0 }, call, book))).toBe('0')
  })

  it('of an unknown model is not known', () => {
    const cost = price({ input_text_tokens: 1 }, { ...call, model: 'm-9' }, book)
    expect(cost.total).toBeNull()
    expect(cost.unpriced[0]?.code).toBe('unknown_model')
  })

  it('is in the currency that the call says', () => {
    const euros = bookOf(
      row('input_text_tokens', '1.5'),
      row('input_text_tokens', '1.25', { currency: 'EUR' }),
    )
    const usage = { input_text_tokens: 1_000_000 }
    expect(price(usage, call, euros)).toMatchObject({ currency: 'USD', total: parsePicos('1.5') })
    expect(price(usage, { ...call, currency: 'EUR' }, euros)).toMatchObject({
      currency: 'EUR',
      total: parsePicos('1.25'),
    })
  })

  it('refuses a usage that cannot be', () => {
    expect(() => price({ input_text_tokens: -1 }, call, book)).toThrow('a quantity must be')
    expect(() => price({ input_text_tokens: 2 ** 53 }, call, book)).toThrow('a quantity must be')
    expect(() => price({ tokens: 1 } as unknown as Usage, call, book)).toThrow('no meter "tokens"')
  })
})

describe('the context card', () => {
  const card = (context: string) => ({ context, context_threshold_tokens: 272_000, long_when: '>' })
  const book = bookOf(
    row('input_text_tokens', '5', { attributes: card('short') }),
    row('input_text_tokens', '10', { attributes: card('long') }),
    row('cached_input_tokens', '0.5', { attributes: card('short') }),
    row('cached_input_tokens', '1', { attributes: card('long') }),
    row('output_text_tokens', '30', { attributes: card('short') }),
    row('output_text_tokens', '45', { attributes: card('long') }),
  )

  it('moves the whole call, output included', () => {
    expect(total(price({ input_text_tokens: 272_000, output_text_tokens: 1000 }, call, book))).toBe('1.39')
    expect(total(price({ input_text_tokens: 272_001, output_text_tokens: 1000 }, call, book))).toBe('2.76501')
  })

  it('is chosen by all input tokens, cached ones too', () => {
    expect(total(price({ input_text_tokens: 2001, cached_input_tokens: 270_000 }, call, book))).toBe(
      '0.29001',
    )
  })

  it('is not chosen by output', () => {
    expect(total(price({ input_text_tokens: 100_000, output_text_tokens: 300_000 }, call, book))).toBe('9.5')
  })
})

describe('rounding', () => {
  it('happens once a charge, half-even, to 10^-12', () => {
    const book = bookOf(row('audio_seconds', '0.05', { per: 60 }), row('tts_characters', '0.0000005'))
    const cost = price({ audio_seconds: 61, tts_characters: 1 }, call, book)
    expect(cost.charges.map(({ exact }) => format(exact))).toEqual(['61/1200', '0.0000000000005'])
    expect(cost.charges.map(({ amount }) => formatPicos(amount))).toEqual(['0.050833333333', '0'])
  })

  it('to the nearest second is of the quantity, before it is priced', () => {
    const book = bookOf(
      row('audio_seconds', '0.006', { per: 60, attributes: { rounding: 'nearest_second' } }),
    )
    const cost = price({ audio_seconds: parseDecimal('61.4') }, call, book)
    expect(cost.charges[0]).toMatchObject({ quantity: 61, amount: parsePicos('0.0061') })
    expect(total(price({ audio_seconds: parseDecimal('61.5') }, call, book))).toBe('0.0062')
  })
})

describe('an attribute of the call', () => {
  it('of a cache write selects its lifetime', () => {
    const book = bookOf(
      row('cache_write_tokens', '2.5', { attributes: { cache_ttl: '30m' } }),
      row('cache_write_tokens', '5', { attributes: { cache_ttl: '12h' } }),
    )
    const usage = { cache_write_tokens: 1_000_000 }
    expect(total(price(usage, call, book))).toBe('2.5')
    expect(total(price(usage, { ...call, attributes: { cache_ttl: '12h' } }, book))).toBe('5')
  })
})

describe('a promotion', () => {
  const list = row('code_interpreter_session', '0.03', { model: null, per: 1 })
  const launch = { attributes: { promotion: 'launch_free' }, effectiveTo: '2024-07-01' }
  const free = { ...list, unitPrice: '0', ...launch }
  const book = bookOf(list, free)
  const sessions = { code_interpreter_session: 10 }

  it('is what is charged; the charge tells the list price beside it, the cost what it would be', () => {
    const cost = price(sessions, call, book)
    expect(cost).toMatchObject({ total: 0n, listTotal: parsePicos('0.3') })
    expect(cost.charges[0]).toMatchObject({
      unitPrice: '0',
      amount: 0n,
      price: book.prices[1]?.id,
      list: { unitPrice: '0.03', per: 1, price: book.prices[0]?.id },
    })
  })

  it('is over at its end, and left out by a call that wants the list price', () => {
    const later = price(sessions, { ...call, at: parseInstant('2024-07-01') }, book)
    expect(later).toMatchObject({ total: parsePicos('0.3'), listTotal: parsePicos('0.3') })
    expect(later.charges[0]).not.toHaveProperty('list')
    expect(total(price(sessions, { ...call, attributes: { promotion: 'none' } }, book))).toBe('0.3')
  })

  it('has the multipliers of the list price', () => {
    const tokens = row('input_text_tokens', '10')
    const half = { ...tokens, unitPrice: '5', ...launch }
    const region = row('regional_processing', '1.1', { model: null, per: 1, kind: 'multiplier' })
    const asked = { ...call, attributes: { residency: 'eu' } }
    expect(price({ input_text_tokens: 1_000_000 }, asked, bookOf(tokens, half, region))).toMatchObject({
      total: parsePicos('5.5'),
      listTotal: parsePicos('11'),
    })
  })
})

describe('a borrowed price', () => {
  const files = [
    {
      schema: 'octroi-prices/1',
      provider: 'acme',
      prices: [row('input_text_tokens', '1'), row('output_text_tokens', '2')],
    },
    {
      schema: 'octroi-prices/1',
      provider: 'reseller',
      prices: [row('input_text_tokens', '3', { provider: 'reseller', model: 'm-9' })],
    },
  ] as const
  const book = openPriceBook(files)
  const usage = { input_text_tokens: 1_000_000 }
  const resold = { ...call, provider: 'reseller', pricesFrom: 'acme' }

  it('is of the provider named, and the charge says so', () => {
    expect(price(usage, resold, book).charges).toMatchObject([{ unitPrice: '1', borrowedFrom: 'acme' }])
  })

  it('never takes the place of a price of its own', () => {
    const own = price(usage, { ...resold, model: 'm-9' }, book)
    expect(own.charges).toMatchObject([{ unitPrice: '3' }])
    expect(own.charges[0]).not.toHaveProperty('borrowedFrom')
    expect(price({ output_text_tokens: 1 }, { ...resold, model: 'm-9' }, book).unpriced[0]?.code).toBe(
      'no_price',
    )
  })

  it('is asked for, not assumed', () => {
    expect(price(usage, { ...call, provider: 'reseller' }, book).unpriced[0]?.code).toBe('unknown_model')
  })
})

describe('an overlay', () => {
  const sourced = [row('input_text_tokens', '1', { attributes: { tier: 'standard' } })]
  const overlay = [
    row('input_text_tokens', '9', { attributes: { tier: 'standard' } }),
    row('input_text_tokens', '4', { attributes: { tier: 'flex' } }),
    row('input_text_tokens', '7', { model: 'launched-yesterday', confidence: 'low' }),
  ]
  const book = openPriceBook([
    { schema: 'octroi-prices/1', provider: 'acme', overlay: true, prices: overlay },
    { schema: 'octroi-prices/1', provider: 'acme', prices: sourced },
  ])
  const usage = { input_text_tokens: 1_000_000 }

  it('never beats a sourced price', () => {
    const [charge] = price(usage, call, book).charges
    expect(charge?.unitPrice).toBe('1')
    expect(charge).not.toHaveProperty('overlay')
  })

  it('prices what the book has no price for, and is named on the charge', () => {
    expect(price(usage, { ...call, model: 'launched-yesterday' }, book).charges).toMatchObject([
      { unitPrice: '7', overlay: true },
    ])
    expect(price(usage, { ...call, attributes: { tier: 'flex' } }, book).charges).toMatchObject([
      { unitPrice: '4', overlay: true },
    ])
  })

  it('makes another version of the book than the same rows in the book', () => {
    const [one, other] = [true, false].map((isOverlay) =>
      openPriceBook([
        { schema: 'octroi-prices/1', provider: 'acme', ...(isOverlay && { overlay: true }), prices: sourced },
      ]),
    )
    expect(one?.version).not.toBe(other?.version)
  })
})

describe('the instant that rates a call', () => {
  const two = (provider: string) =>
    openPriceBook([
      {
        schema: 'octroi-prices/1',
        provider,
        prices: [
          row('input_text_tokens', '1', { provider, effectiveTo: '2024-06-02' }),
          row('input_text_tokens', '2', { provider, effectiveFrom: '2024-06-02' }),
        ],
      },
    ])
  const across = {
    ...call,
    at: parseInstant('2024-06-01T23:59:59Z'),
    completedAt: parseInstant('2024-06-02'),
  }
  const unitPrice = (provider: string, asked: PricedCall) =>
    price({ input_text_tokens: 1 }, { ...asked, provider }, two(provider)).charges[0]?.unitPrice

  it('is its start', () => {
    expect(unitPrice('openai', across)).toBe('1')
  })

  it('is its completion for a provider that says so, where it is known', () => {
    expect(unitPrice('deepseek', across)).toBe('2')
    expect(unitPrice('deepseek', { ...call, at: across.at })).toBe('1')
  })
})
