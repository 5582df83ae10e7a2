import type { Hold } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import type { Rational } from '../money/rational.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Basis, Call } from './entry.ts'

/** Who pays for an accrual: the owner part of the call that began it. */
export type AccrualOwner = Pick<
  Call,
  'key' | 'organization' | 'team' | 'project' | 'environment' | 'endUser' | 'tags'
>

/** What an accrual came to in one stretch of time, `from` up to but not including `to`. */
export type Accrued = {
  /** The ledger's own: `session_17`, `stay_4`. */
  readonly accrualId: string
  /** When it was posted. */
  readonly at: Instant
  readonly from: Instant
  readonly to: Instant
  readonly owner: AccrualOwner
  readonly provider: string
  /** Null for what a provider charges whatever the model. */
  readonly model: string | null
  readonly endpoint: string
  readonly conversation: string | null
  /** Whose it is at the vendor: a thread, an assistant; and of a stay what is kept. */
  readonly holder: string
  readonly object: string | null
  readonly basis: Basis
  readonly currency: string
  /** The amounts of a stay's charges are rounded to date, less what was posted before. */
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
  /** What it would have come to without promotions. */
  readonly list: Picos
  /** The limits and windows in which it counts, with its amount. Over a cap is shown; it is never refused. */
  readonly counts: readonly Hold[]
  readonly bookVersion: string
}

/** A tool billed by session was used by a holder. `posting` is what a session costs, should this use open one. */
export type SessionUse = {
  /** The vendor's id of the tool call. */
  readonly id: string
  readonly meter: Meter
  readonly posting: Omit<Accrued, 'accrualId'>
}

/** An object that is kept from an instant on. */
export type KeptObject = {
  readonly upstream: string
  /** The provider whose price rows hold for it. */
  readonly pricesFrom: string
  readonly endpoint: string
  readonly meter: Meter
  readonly holder: string
  readonly object: string
  /** Bytes, or tokens of a cache. */
  readonly amount: number
  readonly from: Instant
  readonly owner: AccrualOwner
  /** What selects among prices. */
  readonly attributes: Readonly<Record<string, string>>
}

/** How far a stay is posted, and what it came to so far: exactly, and as posted; with and without promotions. */
export type Posted = {
  readonly closedUntil: Instant
  readonly exact: Rational
  readonly posted: Picos
  readonly listExact: Rational
  readonly listPosted: Picos
}

/** A kept object as it stands. `to` is null while it is kept. */
export type Stay = KeptObject & Posted & { readonly id: string; readonly to: Instant | null }

/** The next posts of a stay. It is written only if the stay still is where `from` says. */
export type StayPosts = {
  readonly id: string
  readonly from: Instant
  readonly entries: readonly Accrued[]
  readonly now: Posted
}

/** What is gone: an object (null: all) of a holder (null: every one), of one meter (null: all). */
export type EndedObjects = {
  readonly upstream: string
  readonly meter: Meter | null
  readonly holder: string | null
  readonly object: string | null
  readonly at: Instant
}

/** The verbs of accruals. An entry and how far its accrual is posted are written together. Each resolves when it
 * is on the disk. */
export type AccrualLedger = {
  /** `opened`: a session began and was posted. `running`: it fell into one. `repeated`: this use was told before. */
  readonly use: (use: SessionUse) => Promise<'opened' | 'running' | 'repeated'>
  /** `done`: kept from now on, or from now on in another size. `repeated`: it is kept already, or was at that instant. */
  readonly keep: (kept: KeptObject) => Promise<'done' | 'repeated'>
  /** Ends stays, and gives how many. What is posted stays posted: a stay ends no earlier than it is posted. */
  readonly end: (ended: EndedObjects) => Promise<number>
  /** The next stays of which something before an instant is not posted; those that are furthest behind come first. */
  readonly due: (asked: { readonly before: Instant; readonly limit: number }) => Promise<readonly Stay[]>
  /** Writes posts; gives the ids of the stays that were where their posts begin. The others are left as they are. */
  readonly post: (posts: readonly StayPosts[]) => Promise<readonly string[]>
  /** Sessions that run at an instant, and objects that are kept. */
  readonly open: (at: Instant) => Promise<{ readonly sessions: number; readonly stays: number }>
}
