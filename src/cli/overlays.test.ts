import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { add, divide, format, zero } from '../money/rational.ts'
import { mergeOverlay } from '../pricing/overlay.ts'
import { openPriceBook } from '../pricing/price-book.ts'
import { bundledBook, bundledPrices } from './bundled.ts'
import { openBook } from './overlays.ts'

const data = mkdtempSync(join(tmpdir(), 'octroi-overlays-'))
afterAll(() => rmSync(data, { recursive: true, force: true }))

const row = {
  provider: 'acme',
  model: 'nova',
  service: 'chat',
  meter: 'input_text_tokens',
  attributes: {},
  unitPrice: '1',
  per: 1,
  currency: 'USD',
  effectiveFrom: '2026-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'low',
  source: 'ourselves',
}

const file = { schema: 'octroi-prices/1', provider: 'acme', prices: [row] }

describe('a discount on everything', () => {
  it('makes of each list price one that is a tenth lower, and of nothing else one', async () => {
    const files = await bundledPrices()
    const tenth = { percent: '10', effectiveFrom: '2000-01-01', effectiveTo: null, source: 'agreement' }
    const contracts = files.map(({ schema, provider }) => ({
      ...{ schema, provider, prices: [], discounts: [tenth] },
      overlay: 'contract' as const,
    }))
    const { prices } = openPriceBook(mergeOverlay(files, contracts))
    const agreed = prices.filter(({ attributes }) => attributes['promotion'] === 'contract')
    const list = prices.filter(({ attributes }) => attributes['promotion'] === undefined)
    expect(agreed).toHaveLength(list.length)
    const sum = (some: typeof prices) =>
      some.map(({ rate }) => rate.perUnit).reduce((a, b) => add(a, b), zero)
    expect(format(divide(sum(agreed), sum(list)))).toBe('0.9')
  })
})

describe("the operator's prices", () => {
  it('are none where there is no folder of them', async () => {
    const { version } = await openBook(undefined, join(data, 'nothing'))
    expect(version).toBe((await bundledBook()).version)
  })

  it('are read from the data folder, or from one that is named, in the order of their names', async () => {
    const prices = join(data, 'prices')
    mkdirSync(prices)
    writeFileSync(join(prices, 'b.json'), JSON.stringify([{ ...file, prices: [{ ...row, unitPrice: '2' }] }]))
    writeFileSync(join(prices, 'a.json'), JSON.stringify(file))
    writeFileSync(join(prices, 'notes.txt'), 'not prices')
    for (const book of [await openBook(undefined, data), await openBook(prices)]) {
      const nova = book.prices.filter(({ model }) => model === 'nova')
      expect(nova.map(({ overlay, rate }) => [overlay, rate.unitPrice])).toEqual([[true, '1']])
    }
  })

  it('are refused with the name of their file', async () => {
    const prices = join(data, 'bad')
    mkdirSync(prices)
    writeFileSync(join(prices, 'bad.json'), '{"schema": "octroi-prices/1",')
    await expect(openBook(prices)).rejects.toMatchObject({
      code: 'bad_json',
      message: expect.stringContaining('bad.json: line 1, column'),
    })
  })

  it('must be there where a folder is named', async () => {
    await expect(openBook(join(data, 'nowhere'))).rejects.toMatchObject({ code: 'bad_input' })
  })
})
