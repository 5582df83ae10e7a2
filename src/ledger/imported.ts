import type { Picos } from '../money/money.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import type { AccrualOwner } from './accrual.ts'

/** One line of what a vendor itself reports, `from` up to but not including `to`: the whole line as evidence, and as
 * charges only the part of it that did not pass the gateway. */
export type Imported = {
  /** Names what the line is about: importer, account, bucket and group. A later report of the same takes its place; one
   * that reports nothing withdraws it. */
  readonly lineId: string
  /** When it was imported. */
  readonly at: Instant
  /** The importer that read it: `openai-usage`. */
  readonly importer: string
  /** The account at the vendor, as the operator calls it. */
  readonly account: string
  /** `usage`: its charges are spend. `bill`: what the vendor asks for; evidence for reconciliation, and no charges. */
  readonly role: 'usage' | 'bill'
  readonly from: Instant
  readonly to: Instant
  readonly owner: AccrualOwner
  readonly provider: string
  /** Null for what the vendor does not report by model. */
  readonly model: string | null
  readonly endpoint: string
  readonly tier: string | null
  readonly currency: string
  readonly reported: Reported
  /** What is posted of it. */
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
  /** Calls that are posted with it: its requests, less those that passed the gateway. */
  readonly calls: number
  readonly bookVersion: string
}

/** What the vendor says in a line. Quantities are of disjoint meters. `amount` is exact in 10^-12 of the currency, and
 * negative in a credit. */
export type Reported = {
  readonly usage: readonly { readonly meter: Meter; readonly quantity: Quantity }[]
  readonly amount: Picos | null
  readonly requests: number | null
  /** In the vendor's own words: `gpt-4o-2024-08-06, input`. */
  readonly lineItem: string | null
  /** The vendor's own ids. */
  readonly project: string | null
  readonly apiKey: string | null
}

/** How many lines were new, the same as before, or took the place of an earlier one. */
export type ImportOutcome = {
  readonly written: number
  readonly repeated: number
  readonly replaced: number
}

/** A period of a provider's bill (null: of all providers) that is closed, with what it came to then. Later corrections
 * are entries like any other; what was closed stays said. Half-open. */
export type ClosedPeriod = {
  readonly at: Instant
  readonly provider: string | null
  readonly from: Instant
  readonly to: Instant
  readonly totals: readonly { readonly currency: string; readonly amount: Picos }[]
  readonly note: string | null
}
