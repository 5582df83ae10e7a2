import type { CallRow } from '../ledger/reading.ts'
import { price } from '../pricing/price.ts'
import { openPriceBook, type PriceFile, type PriceRow } from '../pricing/price-book.ts'
import { parseInstant } from '../time.ts'
import type { Usage } from '../usage/usage.ts'

/** A price of the tests, in force since 2023. */
export const priceRow = (meter: string, unitPrice: string, more: Partial<PriceRow> = {}): PriceRow => ({
  ...{ provider: 'vendor', model: 'large', aliases: ['large-1'], service: 'chat', meter, attributes: {} },
  ...{ unitPrice, per: 1_000, currency: 'USD', effectiveFrom: '2023-01-01', fromPrecision: 'exact' },
  ...{ effectiveTo: null, confidence: 'high', source: 'the tests' },
  ...more,
})

/** A price file of the tests. */
export const priceFile = (...prices: readonly PriceRow[]): PriceFile => ({
  ...{ schema: 'octroi-prices/1', provider: 'vendor', prices },
})

/** A call of 2023-11-15, as the gateway would have settled it by a book. */
export const settledCall = (
  id: string,
  usage: Usage,
  files: readonly PriceFile[],
  more: { at?: string; model?: string; tier?: string; attributes?: Readonly<Record<string, string>> } = {},
): CallRow => {
  const { at = '2023-11-15T12:00:00Z', model = 'large-1', tier = null, attributes = {} } = more
  const book = openPriceBook(files)
  const asked = { ...attributes, ...(tier !== null && { tier }) }
  const cost = price(usage, { provider: 'vendor', model, at: parseInstant(at), attributes: asked }, book)
  const { currency, charges, unpriced } = cost
  return {
    call: {
      ...{
        id,
        at: parseInstant(at),
        provider: 'vendor',
        model,
        endpoint: 'chat-completions',
        key: null,
        tags: {},
      },
      ...{ organization: null, team: 'search', project: null, environment: null, endUser: null },
      conversation: null,
    },
    settlement: {
      ...{
        kind: 'settled',
        sequence: 2,
        callId: id,
        at: parseInstant(at) + 2_000,
        model,
        tier,
        basis: 'measured',
      },
      ...{ currency, charges, unpriced, resent: null, status: 200, note: null, bookVersion: book.version },
    },
  }
}
