import type { FocusColumnId, FocusVersion } from './columns.ts'
import { fineUnits, isPlainDecimal } from './decimal.ts'
import type { FocusRule } from './rules.ts'
import { subcategories } from './service-categories.ts'

/** Judges the cells of a row together. A column that is not there is asked nothing of. */
export type RowJudge = (
  row: readonly (string | null)[],
  violate: (rule: FocusRule, column: FocusColumnId, message: string) => void,
) => void

/** The judge of the rows of a file with these columns. It keeps what the whole file must agree on. */
export const rowJudge = (columns: readonly string[], version: FocusVersion): RowJudge => {
  const place = (id: string): number => columns.indexOf(id)
  const has = (...ids: readonly string[]): boolean => ids.every((id) => place(id) >= 0)
  const at = {
    category: place('ChargeCategory'),
    class: place('ChargeClass'),
    charges: place('x_ChargeCount'),
    unused: place('CommitmentDiscountStatus'),
  }
  const right = { price: '', quantity: '', amount: '', charges: '' }
  const judges = [
    has('ServiceCategory', 'ServiceSubcategory') && subcategory(place),
    has('BillingPeriodStart', 'BillingPeriodEnd') && period(place, 'billing-period', 'Billing'),
    has('ChargePeriodStart', 'ChargePeriodEnd') && period(place, 'charge-period', 'Charge'),
    has('BillingPeriodStart', 'BillingPeriodEnd', 'ChargePeriodStart', 'ChargePeriodEnd') && inside(place),
    ...priced.map((id) => has(id) && pricing(place, id)),
    has('ConsumedQuantity') && consumed(place),
    ...units.map(([unit, of]) => has(unit, of) && unitOf(place, unit, of)),
    ...costs.map((cost) => has(cost.unitPrice, cost.cost, 'PricingQuantity') && product(place, cost, right)),
    has('SkuPriceId', 'SkuId') && skuOfPrice(place),
    version === '1.2' && has('ProviderName', 'InvoiceIssuerName', 'BilledCost') && thirdParty(place),
    ...quantities.map((id) => has(id) && quantitySign(place, id)),
    ...creditCosts.map((id) => has(id) && creditSign(place, id)),
  ].filter((judge) => judge !== false)
  return (row, violate) => {
    const facts: Facts = {
      row,
      category: row[at.category] ?? null,
      isCorrection: row[at.class] === 'Correction',
      isUnused: row[at.unused] === 'Unused',
      charges: row[at.charges] ?? null,
    }
    for (const judge of judges) judge(facts, violate)
  }
}

type Facts = {
  readonly row: readonly (string | null)[]
  readonly category: string | null
  readonly isCorrection: boolean
  readonly isUnused: boolean
  /** How many roundings are in a cost, where the file says it. */
  readonly charges: string | null
}
type Judge = (facts: Facts, violate: Parameters<RowJudge>[1]) => void
type Place = (id: FocusColumnId) => number

const subcategory = (place: Place): Judge => {
  const [category, sub] = [place('ServiceCategory'), place('ServiceSubcategory')]
  return ({ row }, violate) => {
    const [of, name] = [row[category] ?? null, row[sub] ?? null]
    if (of === null || name === null || !Object.hasOwn(subcategories, of)) return
    if (subcategories[of]?.includes(name) === true) return
    violate('subcategory', 'ServiceSubcategory', `is "${name.slice(0, 60)}", which ${of} does not have`)
  }
}

/** Instants of the one shape are in the order of their texts. */
const isInstant = (cell: string | null | undefined): cell is string => cell?.length === 20

const period = (place: Place, rule: FocusRule, of: 'Billing' | 'Charge'): Judge => {
  const [from, to] = [place(`${of}PeriodStart`), place(`${of}PeriodEnd`)]
  return ({ row }, violate) => {
    const [start, end] = [row[from], row[to]]
    if (!isInstant(start) || !isInstant(end) || end > start) return
    violate(rule, `${of}PeriodEnd`, `is ${end}, and the period starts at ${start}`)
  }
}

const inside = (place: Place): Judge => {
  const [billingFrom, billingTo] = [place('BillingPeriodStart'), place('BillingPeriodEnd')]
  const [from, to] = [place('ChargePeriodStart'), place('ChargePeriodEnd')]
  return ({ row }, violate) => {
    const [month, monthEnd, start, end] = [row[billingFrom], row[billingTo], row[from], row[to]]
    if (isInstant(month) && isInstant(start) && start < month) {
      violate('charge-in-billing-period', 'ChargePeriodStart', `is ${start}, before ${month}`)
    }
    if (isInstant(monthEnd) && isInstant(end) && end > monthEnd) {
      violate('charge-in-billing-period', 'ChargePeriodEnd', `is ${end}, after ${monthEnd}`)
    }
  }
}

const priced = ['PricingQuantity', 'SkuPriceId', 'ListUnitPrice', 'PricingCategory'] as const

const pricing = (place: Place, id: (typeof priced)[number]): Judge => {
  const index = place(id)
  return ({ row, category, isCorrection }, violate) => {
    const isNull = (row[index] ?? null) === null
    if (category === 'Tax' && !isNull) violate('pricing', id, 'is not null, and the category is Tax')
    if (isNull && !isCorrection && (category === 'Usage' || category === 'Purchase')) {
      violate('pricing', id, `is null, and the category is ${category}`)
    }
  }
}

const consumed = (place: Place): Judge => {
  const index = place('ConsumedQuantity')
  return ({ row, category, isCorrection, isUnused }, violate) => {
    const isNull = (row[index] ?? null) === null
    if (category === 'Usage' && isNull && !isCorrection && !isUnused) {
      violate('consumed', 'ConsumedQuantity', 'is null, and the category is Usage')
    }
    if (category !== null && category !== 'Usage' && !isNull) {
      violate('consumed', 'ConsumedQuantity', `is not null, and the category is ${category.slice(0, 60)}`)
    }
  }
}

const units = [
  ['PricingUnit', 'PricingQuantity'],
  ['ConsumedUnit', 'ConsumedQuantity'],
] as const

const unitOf = (place: Place, unit: FocusColumnId, quantity: FocusColumnId): Judge => {
  const [of, counted] = [place(unit), place(quantity)]
  return ({ row }, violate) => {
    const [hasUnit, hasQuantity] = [(row[of] ?? null) !== null, (row[counted] ?? null) !== null]
    if (hasUnit === hasQuantity) return
    violate(
      'unit-of-quantity',
      unit,
      `is ${hasUnit ? 'not null' : 'null'}, and ${quantity} is ${hasUnit ? '' : 'not '}null`,
    )
  }
}

const costs = [
  { rule: 'list-cost', unitPrice: 'ListUnitPrice', cost: 'ListCost' },
  { rule: 'contracted-cost', unitPrice: 'ContractedUnitPrice', cost: 'ContractedCost' },
] as const

/** What was multiplied last, and found right: list and contracted cost are often the same. */
type Product = { price: string; quantity: string; amount: string; charges: string | null }

/** A cost is a sum of charges, each rounded to 10^-12; price and quantity are rounded to 10^-18 where they are endless. */
const product = (place: Place, { rule, unitPrice, cost }: (typeof costs)[number], right: Product): Judge => {
  const [priceAt, quantityAt, costAt] = [place(unitPrice), place('PricingQuantity'), place(cost)]
  let last: { readonly text: string; readonly units: bigint } | null = null
  return ({ row, isCorrection, charges }, violate) => {
    const [price, quantity, amount] = [row[priceAt] ?? null, row[quantityAt] ?? null, row[costAt] ?? null]
    if (isCorrection || price === null || quantity === null || amount === null) return
    const isKnown = right.amount === amount && right.quantity === quantity && right.price === price
    if (isKnown && right.charges === charges) return
    if (!isPlainDecimal(price) || !isPlainDecimal(quantity) || !isPlainDecimal(amount)) return
    if (last?.text !== price) last = { text: price, units: fineUnits(price) }
    const counted = fineUnits(quantity)
    const apart = absolute(fineUnits(amount) * fineUnit - last.units * counted)
    if (apart > 0n) {
      const roundings = charges !== null && /^[1-9]\d{0,14}$/.test(charges) ? BigInt(charges) : 1n
      if (apart > roundings * pico + (absolute(last.units) + absolute(counted)) / 2n + 1n) {
        violate(rule, cost, `is ${amount}, and ${unitPrice} x PricingQuantity is ${price} x ${quantity}`)
        return
      }
    }
    right.price = price
    right.quantity = quantity
    right.amount = amount
    right.charges = charges
  }
}

const fineUnit = 10n ** 18n
/** 10^-12, in units of 10^-36. */
const pico = 10n ** 24n

const absolute = (value: bigint): bigint => (value < 0n ? -value : value)

const skusMax = 200_000

const skuOfPrice = (place: Place): Judge => {
  const [priceAt, skuAt] = [place('SkuPriceId'), place('SkuId')]
  const skuOf = new Map<string, string>()
  return ({ row }, violate) => {
    const [price, sku] = [row[priceAt] ?? null, row[skuAt] ?? null]
    if (price === null) return
    if (sku === null) return violate('sku-of-price', 'SkuId', 'is null, and SkuPriceId is not')
    const known = skuOf.get(price)
    if (known === undefined) {
      if (skuOf.size < skusMax) skuOf.set(price, sku)
    } else if (known !== sku) {
      violate(
        'sku-of-price',
        'SkuId',
        `is "${sku.slice(0, 60)}", and the same SkuPriceId had "${known.slice(0, 60)}"`,
      )
    }
  }
}

const isZero = (decimal: string): boolean => /^-?0+(?:\.0+)?$/.test(decimal)

const thirdParty = (place: Place): Judge => {
  const [provider, issuer, billed] = [place('ProviderName'), place('InvoiceIssuerName'), place('BilledCost')]
  return ({ row }, violate) => {
    const [of, by, cost] = [row[provider] ?? null, row[issuer] ?? null, row[billed] ?? null]
    if (of === null || by === null || cost === null || of === by || isZero(cost)) return
    violate('third-party', 'BilledCost', `is ${cost.slice(0, 60)}, and ${by.slice(0, 60)} issues the invoice`)
  }
}

const quantities = ['PricingQuantity', 'ConsumedQuantity'] as const

const quantitySign = (place: Place, id: (typeof quantities)[number]): Judge => {
  const index = place(id)
  return ({ row, isCorrection }, violate) => {
    const quantity = row[index] ?? null
    if (quantity === null || isCorrection || !quantity.startsWith('-') || isZero(quantity)) return
    violate('quantity-sign', id, `is negative: ${quantity.slice(0, 60)}`)
  }
}

const creditCosts = ['BilledCost', 'EffectiveCost'] as const

const creditSign = (place: Place, id: (typeof creditCosts)[number]): Judge => {
  const index = place(id)
  return ({ row, category, isCorrection }, violate) => {
    const cost = row[index] ?? null
    if (category !== 'Credit' || isCorrection || cost === null) return
    if (!isPlainDecimal(cost) || cost.startsWith('-') || isZero(cost)) return
    violate('credit-sign', id, `is positive: ${cost}`)
  }
}
