import { type Picos, post } from '../money/money.ts'
import { multiply, type Rational, rational, zero } from '../money/rational.ts'
import { type Meter, parseMeter } from '../usage/meter.ts'
import { exactQuantity, inputTokens, type Quantity, toQuantity, type Usage } from '../usage/usage.ts'
import { type Allowance, beyond } from './billing.ts'
import type { Multiplier } from './multiplier.ts'
import type { NoPrice } from './no-price.ts'
import type { Price, PriceBook } from './price-book.ts'
import { blockOn, multipliersOn, type Place, type PricedCall, placeOf, priceOn } from './price-of.ts'
import { type Amount, amountOf, amountOfWhole, type Rate } from './rate.ts'
import type { Cell, Found } from './shelf.ts'

export type { PricedCall } from './price-of.ts'

/** One meter, priced. `quantity` is what is billed. `exact` is the unrounded amount, `amount` what is posted,
 * rounded once: what the vendor charges, with promotions and multipliers. The fields that most charges lack say
 * what else made the amount. */
export type Charge = {
  readonly meter: Meter
  readonly quantity: Quantity
  readonly unitPrice: string
  readonly per: number
  readonly exact: Rational
  readonly amount: Picos
  /** Id and source of the price row. */
  readonly price: string
  readonly source: string
  /** What was measured, where the vendor bills another quantity of it: rounded, a minimum, less what is free. */
  readonly measured?: Quantity
  /** The list price, where a promotion lies over it. */
  readonly list?: ListPrice
  /** The factors on top of the price, each with its row. */
  readonly multipliers?: readonly AppliedMultiplier[]
  /** The meter whose price brings this charge with it: tokens that each search adds. */
  readonly broughtBy?: Meter
  /** The provider whose price was borrowed. */
  readonly borrowedFrom?: string
  /** The price is of an overlay, not of a sourced book. */
  readonly overlay?: true
  /** What was taken for granted. */
  readonly assumed?: string
}

export type ListPrice = { readonly unitPrice: string; readonly per: number; readonly price: string }

export type AppliedMultiplier = { readonly name: string; readonly factor: string; readonly price: string }

/** A meter that was used and has no price. */
export type Unpriced = NoPrice & { readonly quantity: Quantity }

/** The charges of one call. `total` is null as soon as anything is unpriced; `pricedTotal` has the rest.
 * `listTotal` is what the priced rest would be without promotions. */
export type Cost = {
  readonly currency: string
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
  readonly total: Picos | null
  readonly pricedTotal: Picos
  readonly listTotal: Picos
}

/** Prices a usage: one charge a meter, each rounded once, half-even, to 10^-12; what has no price is named.
 * Throws `unknown_meter` or `bad_number` for a usage that cannot be, `bad_input` for an attribute no price
 * knows. */
export const price = (usage: Usage, call: PricedCall, book: PriceBook): Cost => {
  const place = placeOf(call, call.contextTokens ?? inputTokens(usage), book)
  const bill: Bill = { charges: [], unpriced: [], total: 0n, promoted: 0n }
  for (const name of Object.keys(usage)) {
    const meter = parseMeter(name)
    const quantity = usage[meter] as Quantity
    if (quantity === 0) continue
    putOn(bill, place, meter, quantity)
  }
  const { charges, unpriced, total, promoted } = bill
  return {
    currency: place.currency,
    charges,
    unpriced,
    total: unpriced.length === 0 ? total : null,
    pricedTotal: total,
    listTotal: promoted === 0n ? total : total + promoted,
  }
}

/** `promoted`: how much dearer everything would be at list prices. */
type Bill = { readonly charges: Charge[]; readonly unpriced: Unpriced[]; total: Picos; promoted: Picos }

const putOn = (bill: Bill, place: Place, meter: Meter, quantity: Quantity): void => {
  const isWhole = typeof quantity === 'number' && Number.isSafeInteger(quantity) && quantity > 0
  const measured = isWhole ? null : exactQuantity(meter, quantity)
  if (measured !== null && measured.numerator === 0n) return
  const found = priceOn(place, meter)
  if ('code' in found) {
    bill.unpriced.push({ ...found, quantity: isWhole ? quantity : toQuantity(measured ?? zero) })
    return
  }
  const charge =
    isWhole && isSimple(found, place)
      ? simpleCharge(meter, quantity, found.cell.price)
      : fullCharge(bill, place, meter, { measured: measured ?? rational(BigInt(Number(quantity))), found })
  bill.charges.push(charge)
  bill.total += charge.amount
}

/** True where an amount is quantity times price and nothing else. */
const isSimple = ({ cell, list }: Found, { call, multipliers }: Place): boolean =>
  list === null &&
  cell.selection.billing === null &&
  cell.selection.assumption === null &&
  multipliers.length === 0 &&
  cell.price.provider === call.provider &&
  !cell.price.overlay

const simpleCharge = (meter: Meter, quantity: number, { id, rate, source }: Price): Charge => {
  const { exact, posted } = amountOfWhole(rate, quantity)
  return {
    meter,
    quantity,
    unitPrice: rate.unitPrice,
    per: rate.per,
    exact,
    amount: posted,
    price: id,
    source,
  }
}

const fullCharge = (
  bill: Bill,
  place: Place,
  meter: Meter,
  { measured, found }: { readonly measured: Rational; readonly found: Found },
): Charge => {
  const { cell, list } = found
  const billed = billedQuantity(measured, found, place)
  const multipliers = multipliersOn(place, meter)
  const { exact, posted } = amountWith(cell.price.rate, billed, multipliers)
  if (list !== null) bill.promoted += amountWith(list.price.rate, billed, multipliers).posted - posted
  const block = blockOn(place, cell)
  if (block !== null) bringAlong(bill, place, { ...block, broughtBy: meter, count: billed })
  const { id, rate, source, provider, overlay } = cell.price
  const assumed = cell.selection.assumption?.(place.asked.at) ?? null
  return {
    meter,
    quantity: toQuantity(billed),
    unitPrice: rate.unitPrice,
    per: rate.per,
    exact,
    amount: posted,
    price: id,
    source,
    ...(!isEqual(billed, measured) && { measured: toQuantity(measured) }),
    ...(list !== null && { list: listPrice(list) }),
    ...(multipliers.length > 0 && { multipliers: multipliers.map(applied) }),
    ...(provider !== place.call.provider && { borrowedFrom: provider }),
    ...(overlay && { overlay: true as const }),
    ...(assumed !== null && { assumed }),
  }
}

/** What is billed of a measured quantity: rounded, raised to the minimum, less what is free. What is free at list
 * price is free under a promotion too. */
export const billedQuantity = (measured: Rational, { cell, list }: Found, place: Place): Rational => {
  const { bill = null, allowance = null } = (list ?? cell).selection.billing ?? {}
  const billable = bill === null ? measured : bill(measured, place.asked)
  return allowance === null ? billable : lessFree(billable, cell.price.meter, allowance, place)
}

const lessFree = (quantity: Rational, meter: Meter, allowance: Allowance, { call }: Place): Rational => {
  const earlier = call.earlier?.[meter]
  if (earlier === undefined) return quantity
  const days = allowance.each === 'days' && call.days !== undefined ? exactTime(call.days) : rational(1n)
  return beyond(quantity, exactQuantity(meter, earlier), multiply(allowance.free, days))
}

const exactTime = (days: Quantity): Rational => exactQuantity('retrieval_gb_day', days)

/** The tokens that each unit of a meter adds as input, as a charge of their own. */
const bringAlong = (
  bill: Bill,
  place: Place,
  brought: {
    readonly meter: Meter
    readonly broughtBy: Meter
    readonly count: Rational
    readonly tokens: number
  },
): void => {
  const { meter, broughtBy, count, tokens } = brought
  const before = bill.charges.length
  putOn(bill, place, meter, toQuantity(multiply(count, rational(BigInt(tokens)))))
  const charge = bill.charges[before]
  if (charge !== undefined) bill.charges[before] = { ...charge, broughtBy }
}

const amountWith = (rate: Rate, quantity: Rational, multipliers: readonly Multiplier[]): Amount => {
  const amount = amountOf(rate, quantity)
  if (multipliers.length === 0) return amount
  const exact = multipliers.reduce((product, { value }) => multiply(product, value), amount.exact)
  return { exact, posted: post(exact) }
}

const listPrice = ({ price: { id, rate } }: Cell): ListPrice => ({
  unitPrice: rate.unitPrice,
  per: rate.per,
  price: id,
})

const applied = ({ name, factor, id }: Multiplier): AppliedMultiplier => ({ name, factor, price: id })

const isEqual = (a: Rational, b: Rational): boolean =>
  a.numerator === b.numerator && a.denominator === b.denominator
