import { post, postedPlaces } from '../../money/money.ts'
import {
  divide,
  format,
  formatScaled,
  multiply,
  type Rational,
  rational,
  roundHalfEven,
  zero,
} from '../../money/rational.ts'
import { type Charge, price, type Unpriced } from '../../pricing/price.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import type { Meter } from '../../usage/meter.ts'
import { exactQuantity, type Quantity, type Usage } from '../../usage/usage.ts'
import type { Gathered } from './gather.ts'
import { amountOf } from './line.ts'
import type { Rest } from './passed.ts'

/** A line, what of it is posted, and the provider whose prices hold. */
export type PricedLine = { readonly line: Gathered; readonly rest: Rest; readonly pricesFrom: string }

/** The charges of what is posted: by the amount that the vendor states, where it states one, and else by the price book
 * at the line's instant and tier. */
export const billed = (
  { line, rest, pricesFrom }: PricedLine,
  book: PriceBook,
): { readonly charges: readonly Charge[]; readonly unpriced: readonly Unpriced[] } => {
  if (rest.amount !== null) return { charges: statedCharges(line, rest, rest.amount), unpriced: [] }
  const { from: at, to, model, tier, contextTokens } = line
  const usage: Usage = Object.fromEntries(rest.usage)
  const { charges, unpriced } = price(
    usage,
    {
      ...{ provider: pricesFrom, model, at, currency: line.currency },
      attributes: { ...line.attributes, ...(tier !== null && { tier }) },
      earlier: rest.before,
      days: daysOf(to - at),
      ...(contextTokens !== undefined && { contextTokens }),
    },
    book,
  )
  return { charges, unpriced }
}

const daysOf = (milliseconds: number): Quantity => rational(BigInt(milliseconds), 86_400_000n)

/** What the vendor states of one meter is that meter's; of several it stands by itself, beside how much was used. */
const statedCharges = (line: Gathered, rest: Rest, exact: Rational): readonly Charge[] => {
  const [first, ...others] = [...rest.usage]
  if (first !== undefined && first[1] !== 0 && others.length === 0) {
    const [meter, quantity] = first
    return [stated(meter, quantity, exact, unitOf(line, meter))]
  }
  const unit = { unitPrice: decimal(exact), per: 1 }
  return [
    ...[...rest.usage]
      .filter(([, quantity]) => quantity !== 0)
      .map(([meter, quantity]) => ({
        ...stated(meter, quantity, zero, { unitPrice: '0', per: 1 }),
        assumed,
      })),
    ...(exact.numerator === 0n ? [] : [stated('request', 1, exact, unit)]),
  ]
}

const assumed = 'the vendor states one amount for all meters; it stands under request'

const stated = (
  meter: Meter,
  quantity: Quantity,
  exact: Rational,
  { unitPrice, per }: Pick<Charge, 'unitPrice' | 'per'>,
): Charge => ({
  ...{ meter, quantity, unitPrice, per, exact },
  amount: post(exact),
  price: 'vendor-reported',
  source: 'vendor-reported',
})

/** The stated amount for the reported quantity. */
const unitOf = (line: Gathered, meter: Meter): Pick<Charge, 'unitPrice' | 'per'> => {
  const whole = exactQuantity(meter, line.usage.get(meter) ?? 1)
  const { numerator, denominator } = whole
  const amount = amountOf(line.amount ?? 0n)
  const per = numerator <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(numerator) : null
  return per === null
    ? { unitPrice: decimal(divide(amount, whole)), per: 1 }
    : { unitPrice: decimal(multiply(amount, rational(denominator))), per }
}

/** A plain decimal; rounded as posted where there is none. */
const decimal = (value: Rational): string => {
  const text = format(value)
  return text.includes('/') ? formatScaled(roundHalfEven(value, postedPlaces), postedPlaces) : text
}
