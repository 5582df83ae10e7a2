import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { type BilledCall, openBooks, type RawPriceRow } from './books.ts'
import { openaiPrices } from './sandbox.fixture.ts'

const call = (fields: Partial<BilledCall>): BilledCall => ({
  number: 1,
  at: parseInstant('2023-11-15'),
  wire: 'chat-completions',
  id: 'chatcmpl-1',
  requestId: null,
  model: 'gpt-4-1106-preview',
  user: null,
  usage: { input_text_tokens: 1000, output_text_tokens: 500 },
  ...fields,
})

const row = (fields: Partial<RawPriceRow>): RawPriceRow => ({
  provider: 'openai',
  model: 'gpt-4-1106-preview',
  meter: 'input_text_tokens',
  attributes: { tier: 'standard' },
  unitPrice: '0.01',
  per: 1000,
  currency: 'USD',
  effectiveFrom: '2023-11-06',
  effectiveTo: null,
  ...fields,
})

const rows = openaiPrices.flatMap((file) => file.prices)

describe('the books', () => {
  it('price 1,000 in and 500 out of GPT-4 Turbo at 0.01 and 0.015 dollars', () => {
    const books = openBooks(rows)
    books.add(call({}))
    expect(books.rows()).toEqual([
      {
        model: 'gpt-4-1106-preview',
        meter: 'input_text_tokens',
        calls: 1,
        quantity: 1000,
        amount: '0.01',
        currency: 'USD',
      },
      {
        model: 'gpt-4-1106-preview',
        meter: 'output_text_tokens',
        calls: 1,
        quantity: 500,
        amount: '0.015',
        currency: 'USD',
      },
    ])
    expect(books.total()).toEqual({ calls: 1, amount: '0.025', currency: 'USD', unpriced: [] })
  })

  it('find the price of an image by its size and quality, and name what they have none for', () => {
    const books = openBooks(rows)
    const image = (attributes: Record<string, string>): void =>
      books.add(call({ wire: 'image-generations', model: 'dall-e-3', usage: { image: 2 }, attributes }))
    image({ size: '1024x1024', quality: 'standard' })
    image({ size: '1792x1024', quality: 'hd' })
    // 2 x 0.04 + 2 x 0.12.
    expect(books.total()).toMatchObject({ amount: '0.32', unpriced: [] })
    image({ size: '1024x1024' })
    expect(books.total()).toMatchObject({ amount: '0.32', unpriced: ['dall-e-3 image'] })
  })

  it('price an hour of sound at 0.36 dollars and 1,000 spoken characters at 0.015', () => {
    const books = openBooks(rows)
    books.add(call({ wire: 'transcriptions', model: 'whisper-1', usage: { audio_seconds: 3600 } }))
    books.add(call({ wire: 'speech', model: 'tts-1', usage: { tts_characters: 1000 } }))
    expect(books.rows().map(({ amount }) => amount)).toEqual(['0.015', '0.36'])
  })

  it('find the price of a snapshot under the alias of its family', () => {
    const books = openBooks(rows)
    books.add(call({ model: 'gpt-4-0613', usage: { input_text_tokens: 1000, output_text_tokens: 1000 } }))
    expect(books.total().amount).toBe('0.09')
  })

  it('take the price of the instant of the call, the end of a period not included', () => {
    const books = openBooks([
      row({ unitPrice: '0.01', effectiveTo: '2023-11-15T12:00:00Z' }),
      row({ unitPrice: '0.02', effectiveFrom: '2023-11-15T12:00:00Z' }),
    ])
    const usage = { input_text_tokens: 1000, output_text_tokens: 0 }
    books.add(call({ at: parseInstant('2023-11-15T11:59:59Z'), usage }))
    expect(books.total().amount).toBe('0.01')
    books.add(call({ at: parseInstant('2023-11-15T12:00:00Z'), usage }))
    expect(books.total().amount).toBe('0.03')
  })

  it('round each charge to 10^-12, a half to the even unit', () => {
    const halves = openBooks([row({ unitPrice: '0.0000000005', per: 1000 })])
    const usage = (tokens: number) => ({ input_text_tokens: tokens, output_text_tokens: 0 })
    halves.add(call({ usage: usage(1) }))
    expect(halves.total().amount).toBe('0')
    halves.add(call({ usage: usage(3) }))
    expect(halves.total().amount).toBe('0.000000000002')
    halves.add(call({ usage: usage(5) }))
    expect(halves.total().amount).toBe('0.000000000004')
  })

  it('say which meter has no price, and keep its quantity', () => {
    const books = openBooks([row({})])
    books.add(call({}))
    expect(books.rows().map(({ meter, quantity, amount }) => [meter, quantity, amount])).toEqual([
      ['input_text_tokens', 1000, '0.01'],
      ['output_text_tokens', 500, null],
    ])
    expect(books.total()).toMatchObject({
      amount: '0.01',
      unpriced: ['gpt-4-1106-preview output_text_tokens'],
    })
  })

  it('leave prices of other tiers, providers and superseded knowledge aside', () => {
    const books = openBooks([
      row({}),
      row({ unitPrice: '9', attributes: { tier: 'batch' } }),
      row({ unitPrice: '9', provider: 'azure-openai' }),
      row({ unitPrice: '9', supersededOn: '2023-11-10' }),
    ])
    books.add(call({ usage: { input_text_tokens: 1000, output_text_tokens: 0 } }))
    expect(books.total()).toMatchObject({ amount: '0.01', unpriced: [] })
  })

  it('refuse rows that overlap or cannot be read', () => {
    expect(() => openBooks([row({}), row({ unitPrice: '0.02', effectiveFrom: '2023-11-10' })])).toThrow(
      'Two price rows hold for gpt-4-1106-preview input_text_tokens at 2023-11-10',
    )
    expect(() => openBooks([row({ unitPrice: '1e-5' })])).toThrow('cannot be read')
    expect(() => openBooks([row({ currency: 'EUR' })])).toThrow('cannot be read')
  })
})
