import type { Hold } from '../limits/hold.ts'
import type { Used } from '../limits/measure.ts'
import type { Picos } from '../money/money.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import type { Accrued } from './accrual.ts'
import type { ClosedPeriod, Imported } from './imported.ts'

/** Who, when, what: the identity of one upstream attempt. A retry is a new call. */
export type Call = {
  readonly id: string
  readonly at: Instant
  readonly provider: string
  /** As the request names it. */
  readonly model: string
  readonly endpoint: string
  /** The id of the Octroi key; null is shown as "(no key)". */
  readonly key: string | null
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  /** A pseudonym, never the name itself. */
  readonly endUser: string | null
  readonly conversation: string | null
  readonly tags: Readonly<Record<string, string>>
}

/** A hold of a quote's most against limits, written before the first byte goes to the vendor.
 * `most` is null when it is unknown and no limit asked for it. */
export type Reservation = {
  readonly call: Call
  readonly currency: string
  readonly most: Picos | null
  readonly holds: readonly Hold[]
  readonly leaseUntil: Instant
}

/** How sure an amount is. */
export type Basis = 'measured' | 'estimated' | 'imported' | 'reconciled'

/** Input tokens that were conversation history sent again, and their share of the cost.
 * `exact` is false where they were apportioned by size instead of counted. */
export type Resent = { readonly tokens: number; readonly amount: Picos; readonly exact: boolean }

/** How an attempt at a vendor went, in monotonic time from its sending on: until the end of the reply, and until the
 * first byte of its body came (null: none did). `retry`: how many times the client had tried the same before, as it
 * says itself. Measured, so no part of what makes two ends the same. */
export type Attempt = {
  readonly durationMs: number
  readonly firstByteMs: number | null
  readonly retry: number
}

/** The end of a call whose cost is known. `model` and `tier` are as served. `unpriced` keeps what no price
 * was found for; the total is then incomplete and every report says so. */
export type Settlement = {
  readonly callId: string
  readonly at: Instant
  readonly model: string
  readonly tier: string | null
  readonly basis: Basis
  readonly currency: string
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
  /** What the unpriced usage counts for against limits that have a ceiling for it: no charge, but unresolved until a
   * correction brings the price. None where this is left out. */
  readonly unresolved?: readonly Hold[]
  /** What it used, where a hold is against a limit on another measure than cost. */
  readonly used?: Used
  readonly resent: Resent | null
  /** HTTP status of the provider's reply, or null when there was none. */
  readonly status: number | null
  /** Why it is estimated, or anything a reader must know: "upstream cut", "no usage in stream". */
  readonly note: string | null
  readonly bookVersion: string
  /** The conversation it proved to belong to, where that was not known before it was sent. */
  readonly conversation?: string
  readonly attempt?: Attempt
}

/** The end of a call that was not billed: never sent, or refused by the provider. */
export type Release = {
  readonly callId: string
  readonly at: Instant
  readonly reason: string
  /** HTTP status of the provider's refusal. None where nothing answered. */
  readonly status?: number
  /** None where nothing was sent. */
  readonly attempt?: Attempt
}

/** A better truth about a settled call: it takes the place of the entry `corrects`, which is its settlement or the
 * latest correction of it. */
export type Adjustment = Settlement & { readonly corrects: number }

/** One appended fact. Entries are never changed; one that corrects another names it by its sequence: `adjusted`
 * when the cost of an expired reservation became known, or a better truth about a settled one; `released` with
 * `corrects` when an expired one proved to be nothing. Of no call are `accrued`, what time alone came to; `imported`, a
 * line of what a vendor reports; and `closed`, a period that is closed. */
export type LedgerEntry =
  | ({ readonly kind: 'reserved' } & Reservation)
  | ({ readonly kind: 'settled' } & Settlement)
  | ({ readonly kind: 'released'; readonly corrects: number | null } & Release)
  | { readonly kind: 'expired'; readonly callId: string; readonly at: Instant }
  | ({ readonly kind: 'adjusted' } & Adjustment)
  | ({ readonly kind: 'accrued' } & Accrued)
  | ({ readonly kind: 'imported'; readonly corrects: number | null } & Imported)
  | ({ readonly kind: 'closed' } & ClosedPeriod)

/** An entry with its place in the ledger. Sequences grow; they are how corrections name what they correct. */
export type StoredEntry = LedgerEntry & { readonly sequence: number }
