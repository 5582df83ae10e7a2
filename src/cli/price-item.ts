import type { Reply } from '../endpoints/reply.ts'
import { costOfReply } from '../endpoints/reply-cost.ts'
import { OctroiError } from '../errors.ts'
import { formatPicos } from '../money/money.ts'
import { add, format, parseDecimal, zero } from '../money/rational.ts'
import { type Cost, type PricedCall, price } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { parseInstant } from '../time.ts'
import { parseMeter } from '../usage/meter.ts'
import { type Quantity, toQuantity, type Usage } from '../usage/usage.ts'
import { readRawReply } from './raw-reply.ts'

/** A recorded use of an API, as `octroi price` takes it: quantities, or what the vendor replied. */
export type PriceItem = { readonly call: PricedCall } & (
  | { readonly usage: Usage }
  | { readonly reply: Reply }
)

/** Prices an item. A reply that reports no usage is named as unpriced, never zero. Throws as `price` does. */
export const priceOfItem = (item: PriceItem, book: PriceBook): Cost =>
  'usage' in item ? price(item.usage, item.call, book) : costOfReply(item.reply, item.call, book)

/** True where the cost may not be all: the vendor's report contradicts itself, or the reply broke off. */
export const isEstimated = (item: PriceItem): boolean =>
  'reply' in item && (!item.reply.ended || (item.reply.usage?.problems.length ?? 0) > 0)

/** Reads `{provider, model, at, usage: {meter: quantity}, attributes?, currency?, earlier?: {meter: quantity}, days?,
 * pricesFrom?}`, or in the place of `usage` the raw bodies of a call: `{endpoint, response, request?}`, where a
 * response that streamed is its text. Throws the code of the first field that cannot be used, naming it. */
export const parsePriceItem = (value: unknown): PriceItem => {
  const item = objectOf(value, 'the item')
  const model = item.model ?? null
  const attributes = item.attributes === undefined ? {} : objectOf(item.attributes, 'attributes')
  const call: PricedCall = {
    provider: textOf(item.provider, 'provider'),
    model: model === null ? null : textOf(model, 'model'),
    at: parseInstant(textOf(item.at, 'at')),
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, text]) => [
        name,
        textOf(text, `attributes.${name.slice(0, 40)}`),
      ]),
    ),
    ...(item.currency !== undefined && { currency: textOf(item.currency, 'currency') }),
    ...(item.earlier !== undefined && { earlier: usageOf(item.earlier, 'earlier') }),
    ...(item.days !== undefined && { days: quantityOf(item.days, 'days') }),
    ...(item.pricesFrom !== undefined && { pricesFrom: textOf(item.pricesFrom, 'pricesFrom') }),
  }
  if (item.endpoint === undefined) return { usage: usageOf(item.usage, 'usage'), call }
  if (item.usage !== undefined) {
    throw new OctroiError('bad_input', 'The item has both usage and endpoint. Give quantities or raw bodies.')
  }
  const { provider } = call
  return { reply: readRawReply({ ...item, provider, endpoint: textOf(item.endpoint, 'endpoint') }), call }
}

const usageOf = (value: unknown, field: string): Usage =>
  Object.fromEntries(
    Object.entries(objectOf(value, field)).map(([name, quantity]) => {
      const meter = parseMeter(name)
      return [meter, quantityOf(quantity, `${field}.${meter}`)]
    }),
  )

/** A cost as `octroi price` prints it: amounts as decimal strings, quantities as integers or strings. `exact` is
 * there where rounding changed the total, as a fraction where it is no finite decimal; `listTotal` where a promotion
 * made the priced total other than that. */
export const formatCost = (cost: Cost, estimated: boolean): Readonly<Record<string, unknown>> => {
  const exact = format(cost.charges.reduce((sum, charge) => add(sum, charge.exact), zero))
  const pricedTotal = formatPicos(cost.pricedTotal)
  return {
    total: cost.total === null ? null : formatPicos(cost.total),
    pricedTotal,
    ...(exact !== pricedTotal && { exact }),
    ...(cost.listTotal !== cost.pricedTotal && { listTotal: formatPicos(cost.listTotal) }),
    currency: cost.currency,
    charges: cost.charges.map(
      ({ meter, quantity, measured, unitPrice, per, multipliers, exact: _, amount, ...more }) => ({
        meter,
        quantity: formatQuantity(quantity),
        ...(measured !== undefined && { measured: formatQuantity(measured) }),
        unitPrice,
        per,
        ...(multipliers !== undefined && { multipliers }),
        amount: formatPicos(amount),
        ...more,
      }),
    ),
    unpriced: cost.unpriced.map((unpriced) => ({ ...unpriced, quantity: formatQuantity(unpriced.quantity) })),
    estimated,
  }
}

const formatQuantity = (quantity: Quantity): number | string =>
  typeof quantity === 'number' ? quantity : format(quantity)

const quantityOf = (value: unknown, field: string): Quantity => {
  const bad = (why: string): OctroiError => new OctroiError('bad_number', `${field}: ${why}`)
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw bad('write a number, or a decimal in quotes such as "61.4".')
  }
  const text = String(value)
  if (typeof value === 'number' && text.replace(/\D/g, '').length > 15 && !Number.isSafeInteger(value)) {
    throw bad(`${text} has more digits than a JSON number keeps. Write it in quotes.`)
  }
  try {
    return toQuantity(parseDecimal(text))
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error))
  }
}

const objectOf = (value: unknown, name: string): Readonly<Record<string, unknown>> => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new OctroiError(
    'bad_input',
    `${name} must be an object${value === undefined ? ' and is missing' : ''}.`,
  )
}

const textOf = (value: unknown, name: string): string => {
  if (typeof value === 'string' && value !== '') return value
  throw new OctroiError('bad_input', `${name} must be a text${value === undefined ? ' and is missing' : ''}.`)
}
