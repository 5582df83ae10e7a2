import type { Picos } from '../money/money.ts'
import { type Rational, rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'

/** What is matched: a day of UTC, a model (null: whatever the model) and one meter of it, or a line of the vendor's in
 * its own words where those are no meter. `project` is set where the vendor's projects are mapped to ours. */
export type CellKey = {
  readonly day: Instant
  readonly project: string | null
  readonly model: string | null
  readonly meter: Meter | null
  readonly lineItem: string | null
}

/** The two sides of a cell. */
export type ReconciliationCell = CellKey & { readonly vendor: VendorSide; readonly ledger: LedgerSide }

/** What the vendor says of a cell. Credits are its lines below zero; they are part of `amounts`. */
export type VendorSide = {
  /** Lines of the bill. */
  readonly lines: number
  /** By the bill; null where its lines do not say. */
  readonly billed: Rational | null
  /** By the usage report; null where it has none of that day. */
  readonly used: Rational | null
  readonly usedByTier: ReadonlyMap<string, Rational>
  readonly amounts: ReadonlyMap<string, Picos>
  readonly credits: ReadonlyMap<string, Picos>
}

/** What the ledger has in a cell: what passed the gateway, and what accrued. */
export type LedgerSide = {
  readonly quantity: Rational
  /** How much of it is estimated. */
  readonly estimated: Rational
  /** How many charges it is the sum of, each rounded to 10^-12. */
  readonly charges: number
  readonly amounts: ReadonlyMap<string, Picos>
  /** What it was priced by; what has no price is in none of them. */
  readonly rated: readonly RatedPart[]
}

/** A part of a cell that one price row priced. `factor` is the product of the multipliers on it. */
export type RatedPart = {
  readonly tier: string
  readonly price: string
  readonly unitPrice: string
  readonly per: number
  readonly factor: Rational
  readonly quantity: Rational
  readonly amount: Picos
}

/** The cells of one day, project and model, which calls bind together. */
export type CellGroup = Pick<CellKey, 'day' | 'project' | 'model'> & {
  readonly requests: { readonly vendor: number | null; readonly ledger: number }
  readonly estimatedCalls: number
  readonly cells: readonly ReconciliationCell[]
}

export const dayMs = 86_400_000

/** The day of UTC in which an instant lies. */
export const dayOf = (at: Instant): Instant => at - (((at % dayMs) + dayMs) % dayMs)

/** Where a vendor counts a meter: reasoning as output, cached text as cached. */
export const cellMeter = (meter: Meter): Meter => {
  if (meter === 'cached_input_text_tokens') return 'cached_input_tokens'
  const { parent, pricedAsParent } = meterFacts(meter)
  return parent !== undefined && pricedAsParent ? parent : meter
}

/** Whether a meter is of the request itself, and not of a tool that it used. */
export const isOfRequest = (meter: Meter): boolean => meterFacts(meter).direction !== 'none'

/** A tier by one name: what vendors call `default` is standard. */
export const tierName = (tier: string | null): string =>
  tier === null || tier === 'default' || tier === 'auto' ? 'standard' : tier

/** A quantity as an exact number. */
export const exact = (quantity: Quantity): Rational =>
  typeof quantity === 'number' ? rational(BigInt(quantity)) : quantity
