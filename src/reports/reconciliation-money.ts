import { formatPicos, type Picos, post } from '../money/money.ts'
import { format, multiply, type Rational } from '../money/rational.ts'
import type { ReconciliationCell } from './reconciliation-cell.ts'
import { impliedPrice, type OtherPrices } from './reconciliation-prices.ts'

/** The one cause of a cell's gap, and what shows it. */
export type Cause = { readonly kind: GapKind; readonly because: string }

/** Why the vendor's amount is another than the ledger's, in words. What each demands as evidence stands in
 * docs/guides/reconcile.md and, exactly, at the functions that look for it. */
export const gapKinds = {
  missing: 'a call passed the gateway, and the ledger has not what it used',
  billed_twice: 'the vendor billed a call of the ledger a second time',
  outside: 'traffic that did not pass the gateway',
  price: 'the same quantity at another unit price',
  tier: 'the same quantity at the price of another tier',
  cache: 'the same input, divided otherwise into cached and uncached',
  timing: 'billed on the day before or after the one on which it was used',
  rounding: 'the vendor rounds its lines',
  credit: 'a line below zero: a credit or refund',
  currency: 'billed in another currency than the ledger has',
  unknown: 'no single cause explains it',
} as const
export type GapKind = keyof typeof gapKinds

/** The amounts of a cell in one currency. Credits are part of the vendor's. */
export type CellAmounts = { readonly vendor: Picos; readonly ledger: Picos; readonly credits: Picos }

/** Why the money of a cell differs whose quantity does not.
 *
 * `credit`: without its lines below zero the vendor's amount is the ledger's.
 * `rounding`: the vendor's amount has at most four or at most two decimals, and the gap is at most half of that last
 * place a line.
 * `tier`: the vendor's amount is what the quantity comes to at the rows of the price book for another tier, or at
 * those for the tiers under which the vendor's usage report has it.
 * `price`: none of these; the usage report names no other tier; and the amount is that of a unit price as vendors
 * write them: see `impliedPrice`. */
export const causeOfMoney = (
  cell: ReconciliationCell,
  amounts: CellAmounts,
  prices: OtherPrices,
): Cause | null => {
  const { vendor, ledger, credits } = amounts
  const gap = vendor - ledger
  if (credits !== 0n) {
    return vendor - credits === ledger
      ? { kind: 'credit', because: `lines below zero of ${formatPicos(credits)}` }
      : null
  }
  const unit = roundingUnits.find(({ picos }) => isRounded(cell, { vendor, gap, picos }))
  if (unit !== undefined) {
    return { kind: 'rounding', because: `quantities agree; the vendor's amount is whole ${unit.name}` }
  }
  const isVendors = (amount: Picos): boolean => isWithin(amount - vendor, cell)
  const told = prices.atVendorTiers(cell)
  const isTold = told !== null && told.from !== told.to
  const change = [...(isTold ? [told] : []), ...prices.atOtherTiers(cell)].find((each) =>
    isVendors(each.amount),
  )
  if (change !== undefined) {
    return {
      kind: 'tier',
      because: `quantities agree; ${formatPicos(vendor)} is their price at tier ${change.to}, not ${change.from}`,
    }
  }
  if (isTold) return null
  const price = impliedPrice(cell, { vendor, ledger })
  return price === null
    ? null
    : { kind: 'price', because: `quantities agree; the vendor's amount is a unit price of ${price}` }
}

/** Whether the money of a cell follows from how much more (or less) the vendor has in it: the gap is the difference at
 * the price of one unit. `anyTier`: of any row of the book for it. */
export const follows = (
  cell: ReconciliationCell,
  difference: Rational,
  { amounts: { vendor, ledger, credits }, prices, anyTier }: FollowsAsked,
): boolean =>
  credits === 0n &&
  prices
    .unitsOf(cell, { anyTier })
    .some((unit) => isWithin(vendor - ledger - post(multiply(difference, unit)), cell))

type FollowsAsked = {
  readonly amounts: CellAmounts
  readonly prices: OtherPrices
  readonly anyTier: boolean
}

/** A sum of charges, each rounded once, may differ from the rounded sum by half a unit for each. */
export const isWithin = (difference: Picos, { ledger: { charges } }: ReconciliationCell): boolean =>
  (difference < 0n ? -difference : difference) <= BigInt(charges + 1)

/** A quantity for a sentence: `+137`. */
export const signed = (value: Rational): string => `${value.numerator > 0n ? '+' : ''}${format(value)}`

const roundingUnits: readonly { readonly name: string; readonly picos: Picos }[] = [
  { name: 'ten-thousandths', picos: 10n ** 8n },
  { name: 'cents', picos: 10n ** 10n },
]

const isRounded = (
  { vendor: { lines } }: ReconciliationCell,
  { vendor, gap, picos }: { readonly vendor: Picos; readonly gap: Picos; readonly picos: Picos },
): boolean => vendor % picos === 0n && 2n * (gap < 0n ? -gap : gap) <= picos * BigInt(Math.max(1, lines))
