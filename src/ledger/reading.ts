import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import type { Database } from './database.ts'
import type { Basis, Call, StoredEntry } from './entry.ts'

/** Who spent it, on what, in which hour (UTC), and how sure the amounts are. `model` is as served. */
export type SpendScope = {
  readonly hour: Instant
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  readonly key: string | null
  readonly provider: string
  /** Null for what a provider charges whatever the model. */
  readonly model: string | null
  readonly endpoint: string
  readonly currency: string
  readonly basis: Basis
}

/** A row of the hourly folds: what one meter came to (its amount is 0 where it has no price), or, where `meter` is null, how many calls there were, of
 * how many something had no price, and how much of their input was history sent again. */
export type SpendRow = SpendScope &
  (
    | {
        readonly meter: Meter
        readonly priced: boolean
        readonly quantity: Quantity
        readonly amount: Picos
      }
    | {
        readonly meter: null
        readonly calls: number
        readonly unpriced: number
        readonly resentTokens: number
        readonly resentAmount: Picos
      }
  )

/** A call whose cost is known, with its latest truth. */
export type CallRow = {
  readonly call: Call
  readonly settlement: Extract<StoredEntry, { readonly kind: 'settled' | 'adjusted' }>
}

/** One entry of the life of a call. */
export type LifeEntry = Exclude<StoredEntry, { readonly kind: 'accrued' | 'imported' | 'closed' }>

/** False for an entry that is of no call. */
export const isOfCall = (entry: StoredEntry): entry is LifeEntry =>
  entry.kind !== 'accrued' && entry.kind !== 'imported' && entry.kind !== 'closed'

/** A call from its reservation on: what ended it, and what corrected that, in order. Nothing where it is open. */
export type CallLife = {
  readonly reserved: Extract<StoredEntry, { readonly kind: 'reserved' }>
  readonly ends: readonly Exclude<LifeEntry, { readonly kind: 'reserved' }>[]
}

/** What an accrual came to in a stretch of time. */
export type AccruedRow = Extract<StoredEntry, { readonly kind: 'accrued' }>

/** A line of what a vendor reports. */
export type ImportedRow = Extract<StoredEntry, { readonly kind: 'imported' }>

/** A period that is closed. */
export type ClosedRow = Extract<StoredEntry, { readonly kind: 'closed' }>

/** Asks for imported lines whose time begins in a period; of all where one of the others is left out. */
export type ImportedAsked = SpendAsked & {
  readonly provider?: string
  readonly importer?: string
  readonly account?: string
  readonly role?: ImportedRow['role']
}

/** A page of imported lines: those after the place of another, at most `limit`. Null: the first. */
export type ImportedPage = ImportedAsked & {
  readonly after: Pick<ImportedRow, 'from' | 'sequence'> | null
  readonly limit: number
}

/** What `from` (included) to `to` (not included) asks of the hourly folds. */
export type SpendAsked = { readonly from: Instant; readonly to: Instant }

/** A page of calls made in a period: those that ended after the entry `after`, at most `limit`. */
export type CallsAsked = PeriodAsked & { readonly after: number; readonly limit: number }

/** `promoted`: only what a promotion or discount made cheaper. `conversations`: only calls of these. */
type PeriodAsked = SpendAsked & {
  readonly promoted?: boolean
  readonly conversations?: readonly string[]
}

/** Reads what was spent in a period, from the hourly folds: all hours that begin in it. */
export const readSpend = (database: Database, period: SpendAsked): Promise<readonly SpendRow[]> =>
  database.call('ledger', 'spend', period)

/** Reads the calls made in a period, a page at a time, in the order in which they ended. */
export async function* readCalls(
  database: Database,
  period: PeriodAsked,
): AsyncGenerator<readonly CallRow[]> {
  const limit = 1_000
  for (let after = 0; ; ) {
    const calls: readonly CallRow[] = await database.call('ledger', 'calls', { ...period, after, limit })
    yield calls
    if (calls.length < limit) return
    after = calls.at(-1)?.settlement.sequence ?? after
  }
}

/** Reads the calls made in a period with all that became of them, a page at a time, in the order in which they were
 * reserved. */
export async function* readLives(
  database: Database,
  period: SpendAsked,
): AsyncGenerator<readonly CallLife[]> {
  const limit = 1_000
  for (let after = 0; ; ) {
    const lives: readonly CallLife[] = await database.call('ledger', 'lives', { ...period, after, limit })
    yield lives
    if (lives.length < limit) return
    after = lives.at(-1)?.reserved.sequence ?? after
  }
}

/** Reads what accruals came to in the stretches of time that begin in a period, a page at a time, as posted. With
 * `promoted` it reads none where no price of the ledger ever was below its list price, and else all of them. */
export async function* readAccrued(
  database: Database,
  period: PeriodAsked,
): AsyncGenerator<readonly AccruedRow[]> {
  const limit = 1_000
  for (let after = 0; ; ) {
    const entries: readonly AccruedRow[] = await database.call('ledger', 'accrued', {
      ...period,
      after,
      limit,
    })
    yield entries
    if (entries.length < limit) return
    after = entries.at(-1)?.sequence ?? after
  }
}

/** Reads the imported lines that stand and whose time begins in a period, a page at a time, in the order of `from`,
 * then as they were written. One that was withdrawn is there as a line that reports nothing. */
export async function* readImported(
  database: Database,
  asked: ImportedAsked,
): AsyncGenerator<readonly ImportedRow[]> {
  const limit = 1_000
  for (let after: ImportedPage['after'] = null; ; ) {
    const lines: readonly ImportedRow[] = await database.call('ledger', 'imported', {
      ...asked,
      after,
      limit,
    } satisfies ImportedPage)
    yield lines
    if (lines.length < limit) return
    after = lines.at(-1) ?? after
  }
}

/** Whether anything was ever priced below its list price. */
export const readHasPromotions = (database: Database): Promise<boolean> =>
  database.call('ledger', 'hasPromotions', null)

/** Reads all periods that are closed, as they were closed. */
export const readClosed = (database: Database): Promise<readonly ClosedRow[]> =>
  database.call('ledger', 'closed', null)
