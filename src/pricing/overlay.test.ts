import { describe, expect, it } from 'vitest'
import { formatPicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import type { Usage } from '../usage/usage.ts'
import { mergeOverlay } from './overlay.ts'
import { type OverlayFile, readOverlayFiles } from './overlays/overlay-file.ts'
import { price } from './price.ts'
import { openPriceBook, type PriceFile, type PriceRow } from './price-book.ts'

const row = (changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'acme',
  model: 'nova',
  service: 'chat',
  meter: 'input_text_tokens',
  attributes: { tier: 'standard' },
  unitPrice: '2',
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: '2026-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: "Acme's price page",
  ...changes,
})

const file = (...prices: readonly PriceRow[]): PriceFile => ({
  schema: 'octroi-prices/1',
  provider: 'acme',
  prices,
})

const overlay = (...prices: readonly PriceRow[]): OverlayFile => ({ ...file(...prices), overlay: true })

const contract = (fields: Partial<OverlayFile>): OverlayFile =>
  readOverlayFiles({ ...file(), overlay: 'contract', ...fields })[0] as OverlayFile

const million = { input_text_tokens: 1_000_000 }

const pay = (
  book: readonly PriceFile[],
  overlays: readonly OverlayFile[],
  { model = 'nova', at = '2026-06-01', usage = million as Usage, attributes = {} } = {},
) => {
  const cost = price(
    usage,
    { provider: 'acme', model, at: parseInstant(at), attributes },
    openPriceBook(mergeOverlay(book, overlays)),
  )
  return {
    total: cost.total === null ? null : formatPicos(cost.total),
    list: formatPicos(cost.listTotal),
    source: cost.charges[0]?.source,
    overlay: cost.charges[0]?.overlay ?? false,
  }
}

describe('an overlay', () => {
  const foreign = overlay(row({ unitPrice: '5', confidence: 'low', source: 'a map' }))

  it('prices a model that the book does not have, and is named on the charge', () => {
    expect(pay([], [foreign])).toEqual({ total: '5', list: '5', source: 'a map', overlay: true })
  })

  it('never stands before a sourced price', () => {
    expect(pay([file(row())], [foreign])).toMatchObject({ total: '2', overlay: false })
  })

  it('fills the time in which the book has none', () => {
    const book = [file(row({ effectiveTo: '2026-03-01' }))]
    expect(pay(book, [foreign], { at: '2026-02-28' })).toMatchObject({ total: '2' })
    expect(pay(book, [foreign], { at: '2026-03-01' })).toMatchObject({ total: '5', overlay: true })
  })

  it('fills a tier that the book does not have', () => {
    const flex = overlay(row({ attributes: { tier: 'flex' }, unitPrice: '1' }))
    expect(pay([file(row())], [flex], { attributes: { tier: 'flex' } })).toMatchObject({ total: '1' })
  })

  it('gives way to the overlay before it that lists the same meter of the model', () => {
    const second = overlay(row({ unitPrice: '7' }), row({ meter: 'output_text_tokens', unitPrice: '9' }))
    expect(pay([], [foreign, second])).toMatchObject({ total: '5' })
    expect(pay([], [foreign, second], { usage: { output_text_tokens: 1_000_000 } })).toMatchObject({
      total: '9',
    })
  })
})

describe('a contract', () => {
  const agreed = contract({ prices: [row({ unitPrice: '1.5', source: 'contract 42' })] })

  it('stands before the list price, which stays told', () => {
    expect(pay([file(row())], [agreed])).toEqual({
      total: '1.5',
      list: '2',
      source: 'contract 42',
      overlay: false,
    })
  })

  it('stands alone where there is no list price', () => {
    expect(pay([], [agreed])).toMatchObject({ total: '1.5', list: '1.5' })
  })

  it('holds for its own period only', () => {
    const short = contract({ prices: [row({ unitPrice: '1', effectiveTo: '2026-05-01' })] })
    expect(pay([file(row())], [short], { at: '2026-04-30' })).toMatchObject({ total: '1' })
    expect(pay([file(row())], [short], { at: '2026-05-01' })).toMatchObject({ total: '2' })
  })

  it('is for the models that its name stands for', () => {
    const book = [file(row({ model: 'nova-2026-01', aliases: ['nova'] }))]
    expect(pay(book, [agreed])).toMatchObject({ total: '1.5', list: '2' })
    expect(pay(book, [agreed], { model: 'nova-2026-01' })).toMatchObject({ total: '1.5', list: '2' })
  })

  it('moves whichever context card the call is on', () => {
    const card = { context_threshold_tokens: 200_000, long_when: '>', tier: 'standard' }
    const book = [
      file(
        row({ attributes: { ...card, context: 'short' } }),
        row({ attributes: { ...card, context: 'long' }, unitPrice: '4' }),
      ),
    ]
    expect(pay(book, [agreed])).toMatchObject({ total: '1.5', list: '4' })
    expect(pay(book, [agreed], { usage: { input_text_tokens: 100_000 } })).toMatchObject({
      total: '0.15',
      list: '0.2',
    })
  })

  it('refuses two agreed prices at one time', () => {
    expect(() => pay([], [agreed, agreed])).toThrow('has two prices')
  })
})

describe('a discount', () => {
  const discount = {
    percent: '12.5',
    effectiveFrom: '2026-03-01',
    effectiveTo: '2026-09-01',
    source: 'contract 42, annex B',
  }
  const book = [file(row(), row({ model: 'nova-mini', unitPrice: '0.3' }))]

  it('takes its percents off every list price, exactly, and says so', () => {
    const cheaper = contract({ discounts: [discount] })
    expect(pay(book, [cheaper])).toMatchObject({
      total: '1.75',
      list: '2',
      source: "contract 42, annex B: 12.5 % off the list price of 2 (Acme's price page)",
    })
    expect(pay(book, [cheaper], { model: 'nova-mini' })).toMatchObject({ total: '0.2625', list: '0.3' })
  })

  it('holds from its first day and no longer on its last', () => {
    const cheaper = contract({ discounts: [discount] })
    const totals = ['2026-02-28', '2026-03-01', '2026-08-31', '2026-09-01'].map(
      (at) => pay(book, [cheaper], { at }).total,
    )
    expect(totals).toEqual(['2', '1.75', '1.75', '2'])
  })

  it('keeps to its models and meters', () => {
    const named = contract({
      discounts: [{ ...discount, models: ['nova-*'], meters: ['input_text_tokens'] }],
    })
    expect(pay(book, [named])).toMatchObject({ total: '2' })
    expect(pay(book, [named], { model: 'nova-mini' })).toMatchObject({ total: '0.2625' })
  })

  it('is not taken off what has an agreed price', () => {
    const both = contract({ prices: [row({ unitPrice: '1' })], discounts: [discount] })
    expect(pay(book, [both])).toMatchObject({ total: '1', list: '2' })
  })
})

describe('a price file of the operator', () => {
  const good = { schema: 'octroi-prices/1', provider: 'acme', prices: [] }
  const discount = { percent: '10', effectiveFrom: '2026-01-01', effectiveTo: null, source: 'x' }

  it.each<[string, unknown]>([
    ['it must be an object', 5],
    ['schema must be "octroi-prices/1"', { ...good, schema: 'octroi-prices/2' }],
    ['provider must be a text', { ...good, provider: '' }],
    ['overlay must be "contract", true or false', { ...good, overlay: 'contrat' }],
    ['prices must be a list of rows', { ...good, prices: [1] }],
    ['discounts need overlay "contract"', { ...good, discounts: [discount] }],
    ['discounts[0].percent must be above 0 and at most 100', contractOf({ ...discount, percent: '101' })],
    ['discounts[0].percent: "ten" is not a decimal', contractOf({ ...discount, percent: 'ten' })],
    ['discounts[0].percent must be a text', contractOf({ ...discount, percent: 10 })],
    ['discounts[0].effectiveTo must be a text', contractOf({ ...discount, effectiveTo: undefined })],
    [
      'discounts[0].effectiveFrom: "soon" is not an instant',
      contractOf({ ...discount, effectiveFrom: 'soon' }),
    ],
    ['discounts[0].models must be a list of names', contractOf({ ...discount, models: [] })],
    ['discounts[0].model is not known', contractOf({ ...discount, model: 'nova' })],
  ])('is refused: %s', (what, json) => {
    expect(() => readOverlayFiles(json)).toThrow(what)
  })

  function contractOf(discount: unknown): unknown {
    return { ...good, overlay: 'contract', discounts: [discount] }
  }
})
