import { type Picos, post } from '../money/money.ts'
import { format } from '../money/rational.ts'
import { type Charge, type Cost, type PricedCall, price } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Usage } from '../usage/usage.ts'
import type { Priced, Reply, Stated } from './reply.ts'

/** Prices what a reply used, by what it says was served: `call` is what was asked, and what the reply says goes
 * over it. Everything it bills under another model or other attributes is priced by those. A sum that the vendor
 * itself states is the price, as one charge. Null where the reply reports no usage; where a portion of it does
 * not, that is named among what has no price. Throws as `price` does. */
export const priceReply = (reply: Reply, call: PricedCall, book: PriceBook): Cost | null => {
  if (reply.stated !== null) return statedCost(reply.stated)
  if (reply.usage === null) return null
  const context = reply.apart.find(({ contextTokens }) => contextTokens !== null)?.contextTokens ?? null
  const priced = (usage: Usage, as: PricedCall, contextTokens: number | null): Cost =>
    price(usage, contextTokens === null ? as : { ...as, contextTokens }, book)
  const { tier: _, ...attributes } = call.attributes ?? {}
  const main = callOf(call, { ...reply, model: reply.model ?? call.model })
  return together(
    priced(reply.usage.usage, main, context),
    reply.apart.map((portion) => {
      const as = callOf({ ...call, attributes }, portion)
      if (portion.usage === null) return unknownCost(portion.id, as.currency ?? 'USD')
      return priced(portion.usage.usage, as, portion.contextTokens)
    }),
  )
}

/** The same, where a reply that reports no usage is named among what has no price. */
export const costOfReply = (reply: Reply, call: PricedCall, book: PriceBook): Cost =>
  priceReply(reply, call, book) ?? unknownCost(reply.id, call.currency ?? 'USD')

const unknownCost = (id: string | null, currency: string): Cost => {
  const message = `No usage is reported for ${id?.slice(0, 100) ?? 'a part of the reply'}.`
  const unpriced = { meter: 'request', quantity: 1, code: 'no_price', message } as const
  return { currency, charges: [], unpriced: [unpriced], total: null, pricedTotal: 0n, listTotal: 0n }
}

const callOf = (call: PricedCall, { model, tier, attributes }: Priced): PricedCall => ({
  ...call,
  model,
  attributes: { ...call.attributes, ...attributes, ...(tier !== null && { tier }) },
})

const together = (main: Cost, apart: readonly Cost[]): Cost => {
  const all = [main, ...apart]
  const add = (amount: (cost: Cost) => Picos): Picos => all.reduce((sum, cost) => sum + amount(cost), 0n)
  const pricedTotal = add((cost) => cost.pricedTotal)
  return {
    currency: main.currency,
    charges: all.flatMap(({ charges }) => charges),
    unpriced: all.flatMap(({ unpriced }) => unpriced),
    total: all.every(({ total }) => total !== null) ? pricedTotal : null,
    pricedTotal,
    listTotal: add((cost) => cost.listTotal),
  }
}

const statedCost = ({ amount, currency }: Stated): Cost => {
  const posted = post(amount)
  const charge: Charge = {
    meter: 'request',
    quantity: 1,
    unitPrice: format(amount),
    per: 1,
    exact: amount,
    amount: posted,
    price: 'vendor-reported',
    source: 'vendor-reported',
  }
  return { currency, charges: [charge], unpriced: [], total: posted, pricedTotal: posted, listTotal: posted }
}
